"""Tables of results on stdout and in files, for ``results`` and ``best``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iface_wf.cli.output import json_text, plain_table, print_json, say, stdout
from iface_wf.cli.terminal import visible
from iface_wf.errors import InputError
from iface_wf.reports import tables
from iface_wf.reports.files import new_text
from iface_wf.reports.paths import new_file

if TYPE_CHECKING:
    import pandas as pd


class Asked(NamedTuple):
    """What a user wants of a table.

    Attributes
    ----------
    fmt
        Format; None for the terminal.
    out
        File; None for stdout.
    columns
        As written; None for those of the format.
    """

    fmt: str | None
    out: Path | None
    columns: str | None

    def columns_of(self, table: pd.DataFrame) -> list[str] | None:
        """Return the columns that were chosen of a table."""
        return None if self.columns is None else tables.chosen_columns(table, self.columns)


def asked(fmt: str | None, out: Path | None, columns: str | None, json: bool) -> Asked:
    """Check what was asked for, before anything is read.

    Raises
    ------
    InputError
        When options do not fit together, or the file exists.
    """
    if json and fmt not in (None, "json"):
        raise InputError(f"--json and --format {fmt} exclude each other.")
    chosen = tables.table_format(out, "json" if json else fmt)
    if out is not None:
        new_file(out)
    return Asked(None if chosen == "table" else chosen, out, columns)


def written(table: pd.DataFrame, wanted: Asked, more: dict[str, Any] | None = None) -> bool:
    """Write a table as asked for, or the list of its columns; return whether there is nothing more to be done.

    Parameters
    ----------
    table
        Of `iface_wf.results`.
    wanted
        What was asked for.
    more
        What JSON holds beside units and rows.
    """
    if wanted.columns is not None and wanted.columns.strip().casefold() == "help":
        listed = plain_table("column", "unit and sign")
        for name, unit in tables.column_names(table).items():
            listed.add_row(name, unit)
        stdout().print(listed)
        return True
    columns, fmt, out = wanted.columns_of(table), wanted.fmt, wanted.out
    if fmt is None:
        return False
    if fmt in tables.BINARY and out is not None:
        tables.write_binary(table, columns, out, fmt)
    elif fmt == "json":
        found = tables.with_columns(table, columns)
        rows = found.astype(object).where(found.notna(), None).to_dict("records")
        data = {"units": found.attrs["units"], "rows": rows, "damaged": table.attrs["damaged"], **(more or {})}
        if out is None:
            print_json(data)
            return True
        _write(json_text(data) + "\n", out)
    else:
        write = {"csv": tables.csv, "md": tables.markdown, "latex": tables.latex}[fmt]
        text = write(table, columns)
        if out is None:
            print(visible(text, keep="\n"), end="")
            return True
        _write(text, out)
    say(f"Wrote {len(table)} rows to {out}")
    return True


def _write(text: str, path: Path) -> None:
    with new_text(path) as file:
        file.write(text)

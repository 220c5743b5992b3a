"""``iface-wf results`` and ``iface-wf show``: what the store holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import number, plain_table, print_json, say, stdout
from iface_wf.cli.terminal import visible
from iface_wf.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from iface_wf.documents.kinds import ResultKind
    from iface_wf.documents.result import ResultDocument


def results(
    fmt: Annotated[
        Literal["table", "csv", "json", "parquet"],
        typer.Option("--format", help="What is written on stdout; parquet goes to the file --out."),
    ] = "table",
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    sort: opt.Sort = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for parquet; it must not exist.")] = None,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """List the finished interfaces."""
    if (fmt == "parquet") != (out is not None):
        raise InputError("--format parquet and --out belong together.")
    from iface_wf.api import stored

    table = stored.results(
        store,
        kind=kind,
        sort=sort,
        where=where,
        filler=filler,
        polymer=polymer,
        salt=salt,
        engine=engine,
        level=level,
    )
    if table.attrs["older"]:
        say(
            f"{table.attrs['older']} of these were written by an older version: iface-wf store migrate brings them up to date."
        )
    if out is not None:
        _write_parquet(table, out)
    elif json or fmt == "json":
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        print_json({"units": table.attrs["units"], "rows": rows, "damaged": table.attrs["damaged"]})
    elif fmt == "csv":
        text = table.assign(flags=["; ".join(flags) for flags in table["flags"]]).to_csv(index=False)
        print(visible(text, keep="\n"), end="")
    elif table.empty:
        if stored.results(store, kind=kind).empty:
            say("No results yet. Make one with: iface-wf run --filler SiO2 --polymer PEO")
        else:
            say("No result matches.")
    else:
        print_rows(table)


def _write_parquet(table: pd.DataFrame, out: Path) -> None:
    from iface_wf.reports.paths import new_file

    new_file(out)
    try:
        table.to_parquet(out, index=False)  # keeps the units too, they are in the table's attributes
    except ImportError as error:
        raise InputError("Parquet files need pyarrow: pip install 'iface-wf[parquet]'.") from error
    except OSError as error:  # with a text of several sentences
        reason = os.strerror(error.errno) if error.errno else "the file system refuses it"
        raise InputError(f"{out} cannot be written: {reason}.") from error
    say(f"Wrote {len(table)} rows to {out}")


def print_rows(table: pd.DataFrame) -> None:
    """Print a table of results for people: what was calculated, by which method, the numbers, and the flags."""
    from iface_wf.documents.kinds import get_kind
    from iface_wf.store.results import NAMES, method_of

    kind = get_kind(table.attrs["kind"])
    names = [column.name for column in NAMES if column.shown]
    numbers = [column for column in kind.columns if column.shown and table[column.name].notna().any()]
    headings = ("ID", *names, "method", *(column.name for column in numbers), "flags")
    shown = plain_table(*headings, right=("ID", "units", *(column.name for column in numbers)))
    for row in table.to_dict("records"):
        shown.add_row(
            str(row["key"])[:8],
            *(_text(row[name]) for name in names),
            method_of(row),
            *(number(row[column.name], column.digits, row.get(column.uncertainty)) for column in numbers),
            "; ".join([*([] if row["trustworthy"] else ["NOT TRUSTWORTHY"]), *row["flags"]]),
            style=None if row["trustworthy"] else "red",
        )
    stdout().print(shown)
    stdout().print("; ".join(f"{column.name}: {column.unit}" for column in numbers))
    _print_covered(table, kind)


def _print_covered(table: pd.DataFrame, kind: ResultKind) -> None:
    """Say which sources of error the uncertainties of a table cover, and which are not known of some of its rows."""
    from iface_wf.store.compare import part_columns

    known = {part: table[column].notna() for part, column in part_columns(table, kind).items()}
    if any(rows.any() for rows in known.values()):
        covered = ", ".join(part for part, rows in known.items() if rows.any())
        missing = ", ".join(part for part, rows in known.items() if not rows.all())
        stdout().print(f"uncertainty covers: {covered}" + (f"; not known of all rows: {missing}" if missing else ""))


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) else str(value)


def show(identifier: opt.Identifier, store: opt.Store = None, json: opt.Json = False) -> None:
    """Show one result with all terms and flags."""
    from iface_wf.api.options import opened
    from iface_wf.store.results import find_result

    document, uuid, completed_at = find_result(opened(store), identifier)
    if json:
        data = document.model_dump(mode="json", exclude={"density_difference": {"density": {"blob"}}})
        print_json({"uuid": uuid, "completed_at": completed_at, **data})
        return
    from iface_wf.cli.summary import print_summary

    print_summary(document)
    _print_terms(document)
    stdout().print(_provenance(document, uuid, completed_at))


def _print_terms(document: ResultDocument) -> None:
    table = plain_table("term", "energy / eV", "dispersion / eV", "converged", "corrections", "flags", "key",
                        right=("energy / eV", "dispersion / eV"))  # fmt: skip
    for term in document.terms:
        table.add_row(
            term.role,
            "-" if term.energy is None else f"{term.energy:.4f}",
            "-" if term.dispersion_energy is None else f"{term.dispersion_energy:.4f}",
            "yes" if term.converged else "NO",
            str(term.corrections),
            ", ".join(term.flags),
            term.key[:10],
        )
    stdout().print(table)


def _provenance(document: ResultDocument, uuid: str, completed_at: str) -> str:
    versions = document.provenance.get("versions", {})
    lines = {
        "key": document.key,
        "uuid": uuid,
        "completed": completed_at,
        "charge": f"{document.charge:g} e",
        "energy": document.energy_type,
        "grid": "-" if document.grid is None else " x ".join(map(str, document.grid)),
        "wall time": "-" if document.wall_time is None else f"{document.wall_time:.0f} s",
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
    }
    return "\n".join(f"{name:<10} {value}" for name, value in lines.items())

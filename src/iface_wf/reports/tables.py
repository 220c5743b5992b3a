"""Tables of results for people and papers, and as files of other programs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iface_wf.documents.kinds import get_kind
from iface_wf.errors import InputError, unknown_name
from iface_wf.former import todays_column
from iface_wf.reports.paths import new_file
from iface_wf.store.results import NAMES, method_of

if TYPE_CHECKING:
    import pandas as pd

    from iface_wf.documents.kinds import Column

#: Formats by the suffix of a file.
SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".md": "md",
    ".tex": "latex",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
}
#: Formats that are no text.
BINARY = ("xlsx", "parquet")
#: Columns that are made of others.
MADE = {"ID": "first characters of the key", "method": "engine, level, functional or model, dispersion"}
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
}
_FORMULA_FREE = "s"  # openpyxl's type of text, whatever it begins with


class Grid(NamedTuple):
    """A table as text.

    Attributes
    ----------
    headings
        One for each column.
    numeric
        Whether a column holds numbers with a unit.
    rows
        Cells.
    units
        Unit and sign of the columns with numbers, by name.
    """

    headings: list[str]
    numeric: list[bool]
    rows: list[list[str]]
    units: dict[str, str]


def table_format(path: Path | None, fmt: str | None) -> str | None:
    """Return the format of a table: what was asked for, else what the suffix of its file says; None for a terminal.

    Raises
    ------
    InputError
        When both say different things, neither says any, or a format that is no text has no file.
    """
    if path is None:
        if fmt in BINARY:
            raise InputError(f"A table as {fmt} goes into a file: name it with --out.")
        return fmt
    named = SUFFIXES.get(path.suffix.lower())
    if fmt is None and named is None:
        raise InputError(f"The suffix of {path.name} names no format of a table: {', '.join(SUFFIXES)} do.")
    if fmt == "table":
        raise InputError("A table for the terminal goes into no file: give --out a name that ends in .md or .csv.")
    if fmt is not None and named not in (None, fmt):
        raise InputError(f"--format {fmt} does not fit to {path.name}: leave it out, the suffix says {named}.")
    return fmt or named


def column_names(table: pd.DataFrame) -> dict[str, str]:
    """Return the columns that can be chosen, each with unit and sign or what it is made of."""
    units = table.attrs["units"]
    return MADE | {str(name): units.get(name, "") for name in table.columns}


def chosen_columns(table: pd.DataFrame, text: str) -> list[str]:
    """Return the columns that a comma-separated text names.

    Raises
    ------
    InputError
        For an unknown one.
    """
    known = column_names(table)
    folded = {name.casefold(): name for name in known}
    names = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        today = todays_column(name, list(known))
        if today.casefold() not in folded:
            raise unknown_name("column", name, known)
        names.append(folded[today.casefold()])
    if not names:
        raise InputError("--columns names no column: give some with commas between, or help.")
    return list(dict.fromkeys(names))


def with_columns(table: pd.DataFrame, columns: Sequence[str] | None) -> pd.DataFrame:
    """Return the chosen columns of a table, with those that are made of others; all that are stored without a choice."""
    if columns is None:
        return table
    made: dict[str, Callable[[dict[Any, Any]], str]] = {"ID": lambda row: str(row["key"])[:8], "method": method_of}
    rows = table.to_dict("records") if set(made).intersection(columns) else []
    found = table.assign(**{name: [make(row) for row in rows] for name, make in made.items() if name in columns})
    found = found[list(columns)]
    found.attrs = table.attrs | {"units": {k: v for k, v in table.attrs["units"].items() if k in columns}}
    return found


def grid(
    table: pd.DataFrame, columns: Sequence[str] | None, number: Callable[[Any, int, Any], str], units: bool = False
) -> Grid:
    """Write the cells of a table as text.

    Parameters
    ----------
    table
        Of `iface_wf.results`.
    columns
        Which; by default what was calculated, by which method, the numbers that the kind is about, and the flags.
    number
        Writes a value with some digits and, where known, its uncertainty.
    units
        Whether headings tell the unit.
    """
    kind = get_kind(table.attrs["kind"])
    known: dict[str, Column] = {column.name: column for column in kind.columns}
    if columns is None:
        names = [column.name for column in NAMES if column.shown and (column.name != "title" or table["title"].any())]
        numbers = [column.name for column in kind.columns if column.shown and table[column.name].notna().any()]
        columns = ["ID", *names, "method", *numbers, "flags"]
    told = table.attrs["units"]

    def cell(row: dict[Any, Any], name: str) -> str:
        if name == "ID":
            return str(row["key"])[:8]
        if name == "method":
            return method_of(row)
        if name == "flags":
            return "; ".join([*([] if row["trustworthy"] else ["NOT TRUSTWORTHY"]), *row["flags"]])
        if name not in told:
            return _text(row[name])
        column = known.get(name)
        beside = column.uncertainty if column is not None and column.uncertainty not in columns else ""
        return number(row[name], 3 if column is None else column.digits, row.get(beside))

    rows = [[_printable(cell(row, name)) for name in columns] for row in table.to_dict("records")]
    headings = [f"{name} / {_short(told[name])}" if units and name in told else name for name in columns]
    return Grid(headings, [name in told for name in columns], rows, {n: told[n] for n in columns if n in told})


def markdown(table: pd.DataFrame, columns: Sequence[str] | None) -> str:
    """Return a table in GitHub's Markdown, with units and signs below it."""
    found = grid(table, columns, _plus_minus, units=True)
    lines = [found.headings, ["--:" if numeric else "---" for numeric in found.numeric], *found.rows]
    text = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    return f"{text}\n" + "".join(f"\n{name}: {unit}.\n" for name, unit in found.units.items())


def latex(table: pd.DataFrame, columns: Sequence[str] | None) -> str:
    """Return a tabular of the package booktabs, with units and signs as remarks before it."""
    found = grid(table, columns, _in_mathematics, units=True)
    head = [_escaped(heading) for heading in found.headings]
    rows = [
        [cell if numeric else _escaped(cell) for cell, numeric in zip(row, found.numeric, strict=True)]
        for row in found.rows
    ]
    return "\n".join(
        [
            *(f"% {name}: {unit}" for name, unit in found.units.items()),
            f"\\begin{{tabular}}{{{''.join('r' if numeric else 'l' for numeric in found.numeric)}}}",
            r"\toprule",
            f"{' & '.join(head)} \\\\",
            r"\midrule",
            *(f"{' & '.join(row)} \\\\" for row in rows),
            r"\bottomrule",
            "\\end{tabular}\n",
        ]
    )


def csv(table: pd.DataFrame, columns: Sequence[str] | None) -> str:
    """Return a table as comma-separated values with all digits."""
    return str(_joined(with_columns(table, columns)).to_csv(index=False))


def write_binary(table: pd.DataFrame, columns: Sequence[str] | None, path: Path, fmt: str) -> None:
    """Write a table as Excel's workbook, with a sheet of units, or as Parquet, which keeps the units as metadata.

    Raises
    ------
    InputError
        When a package is missing, and for a file that exists or cannot be written.
    """
    new_file(path)
    found = with_columns(table, columns)
    try:
        if fmt == "xlsx":
            _workbook(_joined(found), path)
        else:
            found.to_parquet(path, index=False)  # keeps the units too, they are in the table's attributes
    except ImportError as error:
        package, extra = ("openpyxl", "xlsx") if fmt == "xlsx" else ("pyarrow", "parquet")
        raise InputError(f"Files of {fmt} need {package}: pip install '.[{extra}]' in the clone.") from error
    except OSError as error:  # with a text of several sentences
        reason = os.strerror(error.errno) if error.errno else "the file system refuses it"
        raise InputError(f"{path} cannot be written: {reason}.") from error


def _workbook(table: pd.DataFrame, path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheets = {
        "results": [list(table.columns), *table.astype(object).where(table.notna(), None).to_numpy().tolist()],
        "units": [["column", "unit and sign"], *(list(pair) for pair in table.attrs["units"].items())],
    }
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for i, row in enumerate(rows, 1):
            for j, value in enumerate(row, 1):
                cell = sheet.cell(i, j)
                cell.value = _printable(value) if isinstance(value, str) else value
                if isinstance(value, str):  # names come from others: none may become a formula
                    cell.data_type = _FORMULA_FREE
        sheet.freeze_panes = "A2"
    book.save(path)


def _joined(table: pd.DataFrame) -> pd.DataFrame:
    if "flags" not in table.columns:
        return table
    return table.assign(flags=["; ".join(flags) for flags in table["flags"]])


def _short(unit: str) -> str:
    """Return a unit without its sign and what it is per: ``eV`` of ``eV per interface cell, negative = bound``."""
    return re.split(r"[,;]| per interface", unit)[0]


def _plus_minus(value: Any, digits: int, uncertainty: Any) -> str:
    if value is None or value != value:
        return ""
    known = uncertainty is not None and uncertainty == uncertainty
    return f"{value:.{digits}f}" + (f" ± {uncertainty:.{digits}f}" if known else "")


def _in_mathematics(value: Any, digits: int, uncertainty: Any) -> str:
    text = _plus_minus(value, digits, uncertainty)
    return f"${text}$".replace("±", r"\pm") if text else ""


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _printable(text: str) -> str:
    """Return a text of one line without what would steer a terminal or is not allowed in a workbook."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)

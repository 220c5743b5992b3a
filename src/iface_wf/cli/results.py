"""``iface-wf results`` and ``iface-wf show``: what the store holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import number, plain_table, print_json, say, stdout
from iface_wf.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from iface_wf.documents.kinds import ResultKind
    from iface_wf.documents.result import ResultDocument
    from iface_wf.reports.tables import Grid


def results(
    fmt: opt.TableFormat = None,
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    sort: opt.Sort = None,
    out: opt.TableOut = None,
    columns: opt.Columns = None,
    wide: opt.Wide = False,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """List the finished interfaces."""
    from iface_wf.api import stored
    from iface_wf.api.options import opened
    from iface_wf.cli import tables

    asked, opened_store = tables.asked(fmt, out, columns, json), opened(store, create=False)
    table = stored.results(
        opened_store,
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
    if kind is None and (others := stored.told_of_other_kinds(opened_store, table)):
        say(others)
    if tables.written(table, asked):
        return
    if table.empty:
        if stored.results(opened_store, kind=kind).empty:
            say("No results yet. Make one with: iface-wf run --filler SiO2 --polymer PEO")
        else:
            say("No result matches.")
    else:
        print_rows(table, asked.columns_of(table), wide)


def print_rows(table: pd.DataFrame, columns: Sequence[str] | None = None, wide: bool = False) -> None:
    """Print a table of results for people: what was calculated, by which method, the numbers, and the flags.

    On a terminal the columns are those that fit; into a pipe, with ``wide`` and with chosen columns all are printed, and a
    row stays a line.
    """
    from iface_wf.documents.kinds import get_kind
    from iface_wf.reports.compact import compact
    from iface_wf.reports.tables import grid

    console = stdout()
    if columns is None and not wide and console.is_terminal:
        fitting = compact(table, console.width, number)
        _print_grid(fitting.grid, table, console)
        for text in (
            "; ".join(f"{name}: {value}" for name, value in fitting.same.items()),
            f"flags: {'; '.join(f'{word} = {name}' for word, name in fitting.legend.items())}"
            if fitting.legend
            else "",
            f"left out for want of room: {', '.join(fitting.left_out)} (--wide shows all)" if fitting.left_out else "",
        ):
            if text:
                console.print(text)
    else:
        found = grid(table, columns, number)
        # a terminal wraps lines that are too long, which is better than cells of single letters
        console.width = max(
            console.width, sum(max(map(len, c)) + 3 for c in zip(found.headings, *found.rows, strict=True))
        )
        _print_grid(found, table, console)
    _print_covered(table, get_kind(table.attrs["kind"]))


def _print_grid(found: Grid, table: pd.DataFrame, console: Console) -> None:
    right = {heading for heading, numeric in zip(found.headings, found.numeric, strict=True) if numeric}
    shown = plain_table(*found.headings, right=(*right, "ID", "units"))
    for row, trustworthy in zip(found.rows, table["trustworthy"], strict=True):
        shown.add_row(*row, style=None if trustworthy else "red")
    console.print(shown)
    if found.units:
        stdout().print("; ".join(f"{name}: {unit}" for name, unit in found.units.items()))


def _print_covered(table: pd.DataFrame, kind: ResultKind) -> None:
    """Say which sources of error the uncertainties of a table cover, and which are not known of some of its rows."""
    from iface_wf.store.compare import part_columns

    known = {part: table[column].notna() for part, column in part_columns(table, kind).items()}
    if any(rows.any() for rows in known.values()):
        covered = ", ".join(part for part, rows in known.items() if rows.any())
        missing = ", ".join(part for part, rows in known.items() if not rows.all())
        stdout().print(f"uncertainty covers: {covered}" + (f"; not known of all rows: {missing}" if missing else ""))


def show(
    identifier: opt.Identifier,
    convergence: Annotated[
        bool, typer.Option("--convergence", help="Instead: energies and forces of all steps, and of the search.")
    ] = False,
    log: Annotated[
        str | None,
        typer.Option("--log", metavar="STEP", help="Instead: the end of the log of a step, such as AB or 'relax AB'."),
    ] = None,
    lines: Annotated[int, typer.Option("--lines", min=1, help="How many lines of the log.")] = 40,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """Show one result with all terms and flags."""
    if log is not None or convergence:
        from iface_wf.cli import convergence as details

        if log is not None and convergence:
            raise InputError("Give either --convergence or --log.")
        if log is not None:
            details.print_log(identifier, log, lines, store, json)
        else:
            details.print_convergence(identifier, store, json)
        return
    from iface_wf.api.options import opened
    from iface_wf.store.results import find_result

    document, uuid, completed_at = find_result(opened(store, create=False), identifier)
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
                        right=("energy / eV", "dispersion / eV"), whole=("key",))  # fmt: skip
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

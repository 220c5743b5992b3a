"""``iface-wf report``: one result as picture and page, or all of a screening as pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import say, stdout
from iface_wf.errors import InputError

Id = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="First characters of the key or uuid of a result.", show_default=False),
]


def report(
    identifier: Id = None,
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    sort: opt.Sort = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder; default: here for one result, report for many.", show_default=False),
    ] = None,
    iso: Annotated[
        float | None, typer.Option("--iso", min=1e-7, help="Isovalue in e/A^3; default: half of the displaced charge.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what was written before.")] = False,
    store: opt.Store = None,
) -> None:
    """Write one result as picture and page; without an ID a folder of pages for all results, or those that match.

    The pages open from disk and need nothing else: report/index.html has the table, a heat map and a scatter of any two
    columns, and leads to a page for each result with an interactive view.
    """
    chosen = {
        "filler": filler,
        "polymer": polymer,
        "salt": salt,
        "engine": engine,
        "level": level,
        "where": where,
        "kind": kind,
        "sort": sort,
    }
    if identifier is None:
        if iso is not None:
            raise InputError("--iso goes with the ID of one result; on the pages of many a slider sets it.")
        from iface_wf.api.pages import report_all

        stdout().print(str(report_all(out or Path("report"), **chosen, force=force, on_event=say, store=store)))
        return
    given = [f"--{name}" for name, value in chosen.items() if value is not None]
    if given:
        raise InputError(f"{', '.join(given)} choose among many results: leave them out, or the ID.")
    from iface_wf.api import files

    page, picture = files.report(identifier, out or Path(), iso=iso, force=force, store=store)
    if picture is not None:
        stdout().print(picture)
    stdout().print(page)

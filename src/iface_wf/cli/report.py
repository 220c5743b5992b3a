"""``iface-wf report``: one result as picture and page, all of a screening as pages, or figures for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import say, stdout
from iface_wf.errors import InputError

HEAT_MAP = "heat-map"
Id = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="First characters of the key or uuid of a result.", show_default=False),
]
Name = Annotated[
    Literal["difference", "slices", "transfer", "potential", "convergence", "heat-map"] | None,
    typer.Option("--figure", help="Draw this for a paper instead; a heat-map is of many results, the others of one."),
]
Format = Annotated[Literal["png", "svg", "pdf"] | None, typer.Option("--format", help="Of the figure; default: png.")]


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
        typer.Option("--out", "-o", help="Folder; default: report for pages of many, else here.", show_default=False),
    ] = None,
    figure: Name = None,
    fmt: Format = None,
    iso: Annotated[
        float | None, typer.Option("--iso", min=1e-7, help="Isovalue in e/A^3; default: half of the displaced charge.")
    ] = None,
    along: Annotated[
        Literal["a", "b"] | None,
        typer.Option("--along", help="Cell vector to look along; default: what shows most of the molecule."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what was written before.")] = False,
    store: opt.Store = None,
) -> None:
    """Write one result as picture and page; without an ID a folder of pages for all results, or those that match.

    The pages open from disk and need nothing else: report/index.html has the table, a heat map and a scatter of any two
    columns, and leads to a page for each result with an interactive view. With --figure only that figure is written.
    """
    chosen: dict[str, Any] = {"filler": filler, "polymer": polymer, "salt": salt, "engine": engine, "level": level, "where": where,
              "kind": kind, "sort": sort}  # fmt: skip
    drawing = {"iso": iso, "along": along}
    _refuse(identifier, figure, chosen, drawing | {"format": fmt})
    common: dict[str, Any] = {"force": force, "store": store}
    if figure == HEAT_MAP:
        from iface_wf.api.figures import heat_map

        del chosen["sort"]
        stdout().print(str(heat_map(out or Path(), fmt or "png", **chosen, **common)))
    elif identifier is None:
        from iface_wf.api.pages import report_all

        stdout().print(str(report_all(out or Path("report"), **chosen, on_event=say, **common)))
    elif figure is not None:
        from iface_wf.api import figures

        stdout().print(str(figures.figure(identifier, figure, out or Path(), fmt or "png", **drawing, **common)))  # type: ignore[arg-type]
    else:
        from iface_wf.api import files

        page, picture = files.report(identifier, out or Path(), iso=iso, **common)
        if picture is not None:
            stdout().print(picture)
        stdout().print(page)


def _refuse(identifier: str | None, figure: str | None, chosen: dict[str, str | None], drawing: dict[str, Any]) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    InputError
        Naming them.
    """
    many = [f"--{name}" for name, value in chosen.items() if value is not None]
    of_one = [f"--{name}" for name, value in drawing.items() if value is not None]
    if identifier is not None and figure == HEAT_MAP:
        raise InputError("A heat-map is of many results: leave the ID out.")
    if identifier is not None and many:
        raise InputError(f"{', '.join(many)} choose among many results: leave them out, or the ID.")
    if figure == HEAT_MAP:
        wrong = [name for name in (*of_one, *many) if name in ("--iso", "--along", "--sort")]
        if wrong:
            raise InputError(f"{', '.join(wrong)} mean nothing for a heat-map.")
    elif identifier is None and (of_one or figure is not None):
        names = [*(["--figure"] if figure else []), *of_one]
        slider = "; on the pages of many a slider sets the isovalue" if "--iso" in names else ""
        raise InputError(f"{', '.join(names)} {'go' if len(names) > 1 else 'goes'} with the ID of one result{slider}.")
    elif figure is None and {"--along", "--format"}.intersection(of_one):
        raise InputError("--along and --format go with --figure.")

"""``iface-wf store copy``, ``export`` and ``import``: results from one store into another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import print_json, progress_of, say

if TYPE_CHECKING:
    from iface_wf.store.transfer import Transfer


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="A file, or a mongodb:// URI.", show_default=False)],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same; a file is made.", show_default=False)],
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there already, for example to bring tags along.")
    ] = False,
    json: opt.Json = False,
) -> None:
    """Copy results into another store, with their calculations and densities.

    Without filters everything is copied. What TO has already stays; an interrupted copy goes on with the same command.
    """
    from iface_wf.api import transfer

    filters = {"filler": filler, "polymer": polymer, "salt": salt, "engine": engine, "level": level}
    _say(transfer.store_copy(source, target, kind=kind, where=where, force=force, tell=_progress(), **filters), json)


def export(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Zip to write; it must not exist.", show_default=False)],
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """Write results into a zip for a colleague, with their calculations and densities; without filters all."""
    from iface_wf.api import transfer

    filters = {"filler": filler, "polymer": polymer, "salt": salt, "engine": engine, "level": level}
    _say(transfer.store_export(out, store, kind=kind, where=where, tell=_progress(), **filters), json)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Zip of iface-wf store export.", show_default=False)],
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """Bring the results of a colleague's zip into the store; what is there already stays."""
    from iface_wf.api import transfer

    _say(transfer.store_import(file, store, tell=_progress()), json)


def _progress() -> Callable[[int, int], None]:
    return progress_of("documents")


def _say(done: Transfer, json: bool) -> None:
    if json:
        told: dict[str, Any] = {"copied": done.copied, "densities": done.densities}
        print_json(told | {"there_already": done.there, "left_out": done.left_out})
        return
    what = ", ".join(f"{count} of {name}" for name, count in sorted(done.copied.items())) or "nothing"
    say(f"Copied {what}, with {done.densities} densities; {done.there} were there already.")
    if done.left_out:
        say(f"{done.left_out} documents are damaged or lack their density, and were left out: iface-wf store check")

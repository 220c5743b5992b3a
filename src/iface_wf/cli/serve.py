"""``iface-wf serve``: the pages of a report live from the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import say, stdout


def serve(
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    spec: Annotated[
        Path | None,
        typer.Option(
            "--spec", help="File of a screening: also show what of it runs, waits and failed.", show_default=False
        ),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(
            "--project", help="Project of a queue: also show its states, and by default its store.", show_default=False
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 0,
    store: opt.Store = None,
) -> None:
    """Show the pages of `report` live from the store, in a browser on this machine; new results appear by themselves.

    The address that is printed holds a token: who does not know it gets nothing. Nothing can be changed through it.
    """
    import signal

    from iface_wf.api.serve import serve as run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends as by Ctrl-C, and leaves nothing behind

    def started(url: str) -> None:
        say("Open this address in a browser on this machine (from elsewhere through ssh -L); Ctrl-C ends it.")
        stdout().print(url, soft_wrap=True)

    filters = {"filler": filler, "polymer": polymer, "salt": salt, "engine": engine, "level": level, "where": where,
               "kind": kind}  # fmt: skip
    run(store, filters, port, started, spec, project)

"""``iface-wf report``: one result as picture and page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import stdout


def report(
    identifier: opt.Identifier,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the page and the picture; default: here.")
    ] = Path(),
    iso: Annotated[
        float | None, typer.Option("--iso", min=1e-7, help="Isovalue in e/A^3; default: half of the displaced charge.")
    ] = None,
    store: opt.Store = None,
) -> None:
    """Write one result as picture and page.

    The page is one HTML file that needs nothing else.
    """
    from iface_wf.api import files

    page, picture = files.report(identifier, out, iso=iso, store=store)
    if picture is not None:
        stdout().print(picture)
    stdout().print(page)

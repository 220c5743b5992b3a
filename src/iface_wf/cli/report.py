"""``iface-wf report``: one result as picture and page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import new_file, stdout


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
    from iface_wf.report.names import file_stem
    from iface_wf.report.page import html_page, save_figure
    from iface_wf.store.results import find_result
    from iface_wf.store.settings import open_store

    found = find_result(open_store(store), identifier, load=True)
    stem = file_stem(found.document)
    picture, page = new_file(out / f"{stem}.png"), new_file(out / f"{stem}.html")
    save_figure(found.document, picture, iso)
    page.write_text(html_page(*found, iso=iso), encoding="utf-8")
    stdout().print(f"{picture}\n{page}")

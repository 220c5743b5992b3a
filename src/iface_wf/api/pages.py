"""`iface_wf.report_all`: the results of a store as pages that open from disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jobflow import JobStore

import iface_wf
from iface_wf.api.options import Store, check_types, opened
from iface_wf.api.stored import results, told_of_other_kinds
from iface_wf.errors import InputError
from iface_wf.reports.site.write import (
    page_path,
    remove_gone,
    report_folder,
    write_assets,
    write_index,
    write_result,
)
from iface_wf.store.results import calculation_of, find_result
from iface_wf.store.whole import DENSITY_MISSING

if TYPE_CHECKING:
    import pandas as pd


def report_all(
    out: str | Path = "report",
    *,
    kind: str | None = None,
    sort: str | None = None,
    where: str | None = None,
    filler: str | None = None,
    polymer: str | None = None,
    salt: str | None = None,
    engine: str | None = None,
    level: str | None = None,
    force: bool = False,
    on_event: Callable[[str], None] | None = None,
    store: Store | None = None,
) -> Path:
    """Write the results of a store as pages that open from disk, without network: a table, and a page for each.

    Parameters
    ----------
    out
        Folder for the pages, new or empty; ``out/index.html`` is the one to open.
    kind, sort, where, filler, polymer, salt, engine, level, store
        Which results, as in `iface_wf.results`.
    force
        Replace the report that the folder holds; pages of results that are no longer among them are removed.
    on_event
        Called with a line of text for each page that is written.

    Returns
    -------
    pathlib.Path
        The page with the table. Isosurfaces of the pages are drawn on a coarser grid, of which each page says by how
        much (A) it moves them.

    Raises
    ------
    InputError
        When no result matches, and for a folder that is not empty or cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> iface_wf.report_all("screening", filler="LiI").name
    'index.html'
    """
    check_types(out=out, force=force, on_event=on_event)
    opened_store = opened(store, create=False)
    table = results(
        opened_store, kind=kind, sort=sort, where=where, filler=filler, polymer=polymer, salt=salt, engine=engine, level=level
    )  # fmt: skip
    if table.empty:
        raise InputError("No result matches, so there is nothing to report; `iface-wf results` lists what there is.")
    if kind is None and on_event is not None and (others := told_of_other_kinds(opened_store, table)):
        on_event(others)
    folder = report_folder(Path(out), force)
    try:
        return _write(folder, table, opened_store, on_event)
    except OSError as error:
        raise InputError(f"The report {folder} cannot be written: {error.strerror}.") from error


def _write(folder: Path, table: pd.DataFrame, store: JobStore, on_event: Callable[[str], None] | None) -> Path:
    write_assets(folder)
    pages: dict[str, str] = {}
    for number, (key, flags) in enumerate(zip(table["key"], table["flags"], strict=True), 1):
        found = find_result(store, key, load=DENSITY_MISSING not in flags)
        pages[key] = page_path(found.document)
        if on_event is not None:
            on_event(f"Page {number} of {len(table)}: {Path(pages[key]).parent.name}")
        write_result(folder, pages[key], found, partial(calculation_of, store, found.document))
    made = f"Made by iface-wf {iface_wf.__version__} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    index = write_index(folder, table, pages, made)
    remove_gone(folder, pages.values())
    return index

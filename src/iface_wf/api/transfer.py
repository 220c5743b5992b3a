"""Results from one store into another, and into archives for colleagues."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobflow import JobStore

from iface_wf.api.options import Store, check_types, opened
from iface_wf.api.stored import results
from iface_wf.errors import InputError
from iface_wf.store import archive
from iface_wf.store.transfer import Transfer, copy

Tell = Callable[[int, int], None]


def store_copy(
    source: Store, target: Store, *, force: bool = False, tell: Tell | None = None, **filters: Any
) -> Transfer:
    """Copy results from one store into another, in a file or on a server, with their calculations and densities.

    Parameters
    ----------
    source, target
        Files or addresses of stores, or open ones; a file to copy to is made.
    force
        Replace what is there already, for example to bring tags along.
    tell
        Is told how many documents have been dealt with, and of how many.
    **filters
        ``kind``, ``where``, ``filler``, ``polymer``, ``salt``, ``engine``, ``level``, ``surface`` as in `iface_wf.results`;
        without any everything is copied, jobs that failed among them.

    Returns
    -------
    Transfer
        ``copied`` documents by type, ``densities``, and how many were ``there`` already or were ``left_out``. The same call goes
        on where an earlier one was interrupted.

    Raises
    ------
    InputError
        For a source that is not there, filters that match nothing, and a target that cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> water = {"engine": "mlip", "thickness": 3.0, "placements": 1, "quantities": ["binding_energy"]}
    >>> doc = iface_wf.run("LiI", molecule="O", **water, store="lab.sqlite")
    >>> done = iface_wf.store_copy("lab.sqlite", "mine.sqlite", filler="LiI")
    >>> done.copied["binding"], done.left_out
    (1, 0)
    >>> iface_wf.show(doc.key, store="mine.sqlite").binding_energy == doc.binding_energy
    True
    """
    check_types(source=source, target=target, force=force)
    from_store = opened(source, create=False)
    keys = _keys(from_store, filters)
    return copy(from_store, opened(target), keys, force, tell or _silent)


def store_export(out: str | Path, store: Store | None = None, *, tell: Tell | None = None, **filters: Any) -> Transfer:
    """Write results, the calculations that they rest on and their densities into a zip for a colleague.

    Parameters
    ----------
    out
        The zip; it must not exist.
    store
        As in `iface_wf.results`.
    tell, **filters
        As in `store_copy`.

    Returns
    -------
    Transfer
        As of `store_copy`.

    Raises
    ------
    InputError
        As of `store_copy`, and when the file exists or cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> iface_wf.store_export("water_on_LiI.zip", filler="LiI").copied["binding"]
    1
    """
    check_types(out=out, store=store)
    from_store = opened(store, create=False)
    return archive.export_archive(from_store, Path(out), _keys(from_store, filters), tell or _silent)


def store_import(file: str | Path, store: Store | None = None, *, tell: Tell | None = None) -> Transfer:
    """Bring what a colleague exported into a store; what is there already stays.

    Parameters
    ----------
    file
        A zip of `store_export`.
    store
        As in `iface_wf.run`.
    tell
        As in `store_copy`.

    Returns
    -------
    Transfer
        As of `store_copy`.

    Raises
    ------
    InputError
        For a file that is no such archive or is damaged, for want of room, and for a store that cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> done = iface_wf.store_export("for_you.zip")
    >>> iface_wf.store_import("for_you.zip", store="theirs.sqlite").copied == done.copied
    True
    >>> "LiI" in iface_wf.results("theirs.sqlite")["filler"].tolist()
    True
    """
    check_types(file=file, store=store)
    return archive.import_archive(opened(store), Path(file), tell or _silent)


def _keys(store: JobStore, filters: dict[str, Any]) -> list[str] | None:
    """Return the keys of the results that filters let through; None without filters."""
    given = {name: value for name, value in filters.items() if value is not None}
    if not given:
        return None
    keys = [str(key) for key in results(store, **given)["key"]]
    if not keys:
        raise InputError("No result matches these filters: nothing is copied.")
    return keys


def _silent(done: int, total: int) -> None:
    pass

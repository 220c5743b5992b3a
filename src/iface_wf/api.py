"""The Python interface: `iface_wf.run` and `iface_wf.results`, and what the command line shares with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from jobflow import JobStore

from iface_wf.documents.kinds import DEFAULT_KIND, get_kind
from iface_wf.errors import InputError, validate
from iface_wf.flows.events import Event
from iface_wf.flows.kinds import flow_kind, flow_kind_of
from iface_wf.library import Library
from iface_wf.screening.single import plan_request, run_request
from iface_wf.store.results import result_table
from iface_wf.store.settings import open_store

__all__ = ["make_request", "open_store", "plan", "results", "run", "run_stored", "work_folder"]


def make_request(**options: Any) -> Any:
    """Check what a user asks for.

    Parameters
    ----------
    **options
        Fields of the request of a kind of result, see `iface_wf.quantities.binding.request.BindingRequest`; those that are
        None take the default. ``quantities`` decides the kind; by default binding energies.

    Returns
    -------
    Request
        The request.

    Raises
    ------
    InputError
        Naming the option that is wrong and what is allowed.
    """
    given = {name: value for name, value in options.items() if value is not None}
    kind = flow_kind_of(given["quantities"]) if given.get("quantities") else flow_kind(DEFAULT_KIND)
    return validate(given, kind.request, "The request")


def run(
    filler: str,
    polymer: str | None = None,
    units: int | None = None,
    *,
    store: str | Path | JobStore | None = None,
    workdir: str | Path | None = None,
    force: bool = False,
    on_event: Callable[[Event], None] | None = None,
    **options: Any,
) -> Any:
    """Return the binding energy of a polymer (or salt) on a filler, with its parts, charges and densities.

    Parameters
    ----------
    filler, polymer
        Names from the library; the filler may be the path of a CIF, POSCAR or YAML file.
    units
        Repeat units; by default the polymer's own.
    store
        Folder or URI of a store, or an open one; by default the configured one.
    workdir
        Folder of the calculations' files.
    force
        Put the result together again although it is stored.
    on_event
        Is told about every step.
    **options
        Other fields of `BindingRequest`: salt, surface, engine, level, geometry, placements, seed, overrides, processes.

    Returns
    -------
    BindingDocument
        Energies in eV, negative = bound; units of all fields in ``units_of``.

    Raises
    ------
    InputError
        For unknown names and unusable structures.
    CalculationError
        When a step failed.
    """
    request = make_request(filler=str(filler), polymer=polymer, units=units, **options)
    return run_stored(request, _opened(store), workdir, force=force, on_event=on_event)[0]


def run_stored(
    request: Any,
    store: JobStore,
    workdir: str | Path | None = None,
    *,
    force: bool = False,
    on_event: Callable[[Event], None] | None = None,
) -> tuple[Any, str]:
    """Run a checked request on an open store; return the document and the uuid of the job that holds it."""
    found = run_request(request, store, Library(), work_folder(workdir), force=force, on_event=on_event)
    return found.document, found.uuid


def plan(request: Any, store: JobStore) -> list[dict[str, Any]]:
    """List what `run_stored` would calculate; empty when the result is stored."""
    return plan_request(request, store, Library())


def results(
    store: str | Path | JobStore | None = None, *, kind: str = DEFAULT_KIND, sort: str | None = None, **filters: Any
) -> pd.DataFrame:
    """Return the finished interfaces of a store, one row each.

    Parameters
    ----------
    store
        As for `run`.
    kind
        Which kind of result.
    sort, **filters
        See `iface_wf.store.results.result_table`.

    Returns
    -------
    pandas.DataFrame
        Units and signs by column in ``df.attrs["units"]``; ``trustworthy`` is False where a number must
        not be quoted.
    """
    return result_table(_opened(store), get_kind(kind), sort=sort, **filters)


def work_folder(given: str | Path | None) -> Path:
    """Return the folder of the calculations' files, created on demand: the given one, else ``iface-wf-runs`` here.

    Raises
    ------
    InputError
        When it cannot be created or written.
    """
    folder = Path(given) if given is not None else Path.cwd() / "iface-wf-runs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"The working folder {folder} cannot be written: {error.strerror}.") from error
    return folder.resolve()


def _opened(store: str | Path | JobStore | None) -> JobStore:
    return store if isinstance(store, JobStore) else open_store(None if store is None else str(store))

"""`iface_wf.convergence` and `log`: how the calculations of a result went, and what their codes said."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pandas as pd

from iface_wf.api.options import Store, check_types, opened
from iface_wf.engines.history import RELAX_LOG, logged_steps
from iface_wf.errors import InputError, unknown_name
from iface_wf.library.text import read_text
from iface_wf.store.provenance import trace
from iface_wf.store.results import find_result

#: Logs of the codes by engine, that which tells most first.
LOGS = ("gpaw.txt", "OUTCAR", "vasp.out", RELAX_LOG, "stdout.txt", "std_err.txt")
#: Largest log that is read, bytes.
_MOST = 200_000_000


def convergence(identifier: str, *, store: Store | None = None) -> pd.DataFrame:
    """Return how the relaxations of a result went, step by step, and how its search for the placement did.

    Parameters
    ----------
    identifier
        First characters of its key or of the uuid of its job, also of a result that is not finished.
    store
        As in `iface_wf.results`.

    Returns
    -------
    pandas.DataFrame
        One row each step: ``step`` (``relax AB``, ``search AB``), ``number`` from 0, ``energy`` (eV; of the search the lowest
        energy so far by the cheap engine, of so many candidates) and ``max_force`` (eV/A). ``df.attrs["calculations"]``
        lists all calculations with ``step``, ``engine``, ``level``, ``converged``, ``scf_steps`` of the last geometry, ``ionic_steps``,
        ``max_force`` (eV/A), ``flags``, ``corrections`` and ``directory``.

    Raises
    ------
    InputError
        When no result, or more than one, begins so.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> table = iface_wf.convergence(doc.key)
    >>> forces = table[table.step == "relax AB"]["max_force"]  # eV/A
    >>> bool(forces.iloc[-1] < forces.iloc[0])
    True
    """
    check_types(identifier=identifier, store=store)
    job_store = opened(store, create=False)
    traced = trace(job_store, identifier)
    rows: list[dict[str, Any]] = []
    if "unfinished" not in traced:
        ranking = getattr(find_result(job_store, traced["uuid"]).document, "placement_ranking", [])
        rows += _best_so_far(ranking)
    calculations = []
    for calculation in traced["calculations"]:
        told = {name: calculation.get(name) for name in _TOLD}
        calculations.append({"step": calculation["role"], **told, "missing": calculation.get("missing")})
        energies, forces = calculation.get("step_energies") or [], calculation.get("step_forces") or []
        if not energies and calculation.get("kind") == "relax" and (folder := _here(calculation)) is not None:
            energies, forces = logged_steps(folder)  # documents of before hold no steps
        for number, energy in enumerate(energies):
            force = forces[number] if number < len(forces) else None
            rows.append({"step": calculation["role"], "number": number, "energy": energy, "max_force": force})
    table = pd.DataFrame(rows, columns=["step", "number", "energy", "max_force"])
    table.attrs |= {"calculations": calculations, "failure": traced.get("failure"), "key": traced["key"]}
    return table


_TOLD = (
    "engine", "level", "converged", "scf_steps", "ionic_steps", "max_force", "flags", "corrections", "directory",
)  # fmt: skip


def _best_so_far(ranking: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lowest energy after each candidate, in the order in which they were tried."""
    tried = sorted((entry for entry in ranking if entry.get("energy") is not None), key=lambda e: e["placement"])
    rows: list[dict[str, Any]] = []
    for number, entry in enumerate(tried):
        lowest = min(entry["energy"], rows[-1]["energy"]) if rows else entry["energy"]
        rows.append({"step": "search AB", "number": number, "energy": lowest, "max_force": None})
    return rows


def log(identifier: str, step: str, *, lines: int = 40, store: Store | None = None) -> str:
    """Return the end of what a code wrote while it calculated one step of a result.

    Parameters
    ----------
    identifier
        As in `convergence`.
    step
        ``AB``, ``A*``, ``relax AB``... as `convergence` and ``iface-wf provenance`` name them.
    lines
        How many, at most.
    store
        As in `iface_wf.results`.

    Returns
    -------
    str
        The path of the log, and its last lines.

    Raises
    ------
    InputError
        When there is no such result or step, and when its folder is on another machine, gone, or without a log.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> print(iface_wf.log(doc.key, "relax AB", lines=1000).splitlines()[1].split())
    ['Step', 'Time', 'Energy', 'fmax']
    """
    check_types(identifier=identifier, step=step, store=store, count=lines)
    if lines < 1:
        raise InputError(f"The argument 'lines' must be 1 or more, not {lines}.")
    traced = trace(opened(store, create=False), identifier)
    by_name = {calculation["role"]: calculation for calculation in traced["calculations"]}
    wanted = step.strip().removeprefix("static ")
    found = next((calc for name, calc in by_name.items() if name.casefold() == wanted.casefold()), None)
    if found is None:
        raise unknown_name(f"step of {traced['key'][:10]}", step, by_name)
    if "missing" in found:
        raise InputError(f"The calculation {found['role']} of {traced['key'][:10]} is not in this store.")
    where = str(found.get("directory") or "")
    host, _, folder = where.partition(":")
    if not folder:
        raise InputError(f"Nobody knows where {found['role']} of {traced['key'][:10]} was calculated.")
    if _here(found) is None:
        away = f"on {host}: look there" if host != socket.gethostname() else "gone: it was deleted or moved"
        raise InputError(f"The folder {folder} of {found['role']} is {away}.")
    paths = [Path(folder) / name for name in LOGS]
    path = next((path for path in paths if path.is_file() and path.stat().st_size), None)
    if path is None:
        raise InputError(
            f"There is no log in {folder}: {found.get('engine')} writes none for a single point, or it was deleted."
        )
    return "\n".join([str(path), *read_text(path, _MOST).rstrip("\n").split("\n")[-lines:]])


def _here(calculation: dict[str, Any]) -> Path | None:
    """Return the folder of a calculation, if it is on this machine."""
    host, _, folder = str(calculation.get("directory") or "").partition(":")
    path = Path(folder)
    return path if folder and host == socket.gethostname() and path.is_dir() else None

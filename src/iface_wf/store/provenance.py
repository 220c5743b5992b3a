"""Where the numbers of a result come from, down to the folder with the input files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobflow import JobStore

from iface_wf.store.results import find_result


def trace(store: JobStore, identifier: str) -> dict[str, Any]:
    """Follow every energy of a result to the calculation that gave it.

    Parameters
    ----------
    store
        Connected job store.
    identifier
        First characters of the result's key or uuid.

    Returns
    -------
    dict
        ``request`` and ``build``: what was asked for and built; ``versions``; ``calculations``: for every term its
        role, energy (eV), key, the uuid of the job that really calculated it, code and version, settings finally
        used, corrections, and ``directory`` (host:folder) with its ``files``, as far as they are on this machine.

    Raises
    ------
    InputError
        When no result, or more than one, begins so.
    """
    document, uuid, completed_at = find_result(store, identifier)
    terms = [(term.role, term.energy, term.uuid) for term in document.terms]
    relaxations = document.provenance.get("relaxations", {})
    calculations = [_calculation(store, role, energy, {"uuid": job}) for role, energy, job in terms]
    for role, relaxation in relaxations.items():
        criteria = {"output.key": relaxation["key"], "output.document_type": "calculation"}
        calculations.append(_calculation(store, f"relax {role}", None, criteria))
    return {
        "key": document.key,
        "uuid": uuid,
        "completed_at": completed_at,
        "request": document.provenance.get("request"),
        "build": document.provenance.get("build"),
        "versions": document.provenance.get("versions"),
        "calculations": calculations,
    }


def _calculation(store: JobStore, role: str, energy: float | None, criteria: dict[str, Any]) -> dict[str, Any]:
    entry = store.query_one(criteria, load=False)
    # what a queue's job took from the shelf says the folder itself, and need not be in this store under another uuid
    while entry is not None and (source := entry["output"].get("reused_from")) and not source.startswith("shelf "):
        entry = store.query_one({"uuid": source}, load=False)
    if entry is None:
        return {"role": role, "energy": energy, "missing": "its calculation is not in this store"}
    output = entry["output"]
    folder = Path(str(output.get("directory", "")).partition(":")[2])
    names = (
        "key",
        "kind",
        "engine",
        "engine_version",
        "level",
        "functional",
        "settings",
        "corrections",
        "flags",
        "directory",
    )
    return {
        "role": role,
        "energy": output["energy"] if energy is None else energy,
        "uuid": entry["uuid"],
        **{name: output.get(name) for name in names},
        "files": sorted(path.name for path in folder.glob("[!.]*")) if folder.name and folder.is_dir() else [],
    }

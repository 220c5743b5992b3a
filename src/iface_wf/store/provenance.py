"""Where the numbers of a result come from, down to the folder with the input files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jobflow import JobStore

from iface_wf.errors import InputError
from iface_wf.store.results import find_result
from iface_wf.store.whole import beginning_with


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
        used, corrections, how it converged, and ``directory`` (host:folder) with its ``files``, as far as they are on this
        machine. Of what has no result: ``unfinished`` with its name, ``failure`` with the cause, if it failed, and the
        calculations that are done.

    Raises
    ------
    InputError
        When no result, or more than one, begins so.
    """
    if (begun := _unfinished(store, identifier)) is not None:
        return begun
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


def _unfinished(store: JobStore, identifier: str) -> dict[str, Any] | None:
    """Tell what there is of something without a result, found by its key or, where it failed, by its name."""
    text = identifier.strip()
    is_id = re.fullmatch(r"[0-9a-fA-F]{4,64}", text) is not None
    beginning = {"$regex": f"^{text.lower()}"}
    if is_id and beginning_with(store, text.lower(), ("output.key", "uuid", "output.provenance.former_key")):
        return None
    failure = {"output.document_type": "failure", **({"output.key": beginning} if is_id else {"output.name": text})}
    failed = list(store.query(failure, properties=["output.key", "output.name", "output.cause"], load=False))
    keys = {str(entry["output"]["key"]) for entry in failed}
    fields = ["uuid", "metadata.interface", "output.role", "output.kind", "output.energy"]
    done: list[dict[str, Any]] = []
    for begins in [beginning] if is_id else sorted(keys):
        criteria = {"output.document_type": "calculation", "metadata.interface": begins}
        done += store.query(criteria, properties=fields, sort={"completed_at": 1}, load=False)
    keys |= {str(entry["metadata"]["interface"]) for entry in done}
    if len(keys) > 1:
        raise InputError(
            f"{text[:80]!r} is ambiguous: {len(keys)} unfinished results begin with it; give more characters."
        )
    if not keys:
        return None
    told = failed[0]["output"] if failed else {}
    calculations = []
    for entry in done:
        output = entry["output"]
        role = f"relax {output['role']}" if output["kind"] == "relax" else output["role"]
        calculations.append(_calculation(store, role, output["energy"], {"uuid": entry["uuid"]}))
    return {
        "key": keys.pop(),
        "unfinished": told.get("name", ""),
        "failure": told.get("cause"),
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
        "converged",
        "scf_steps",
        "ionic_steps",
        "max_force",
        "step_energies",
        "step_forces",
    )
    return {
        "role": role,
        "energy": output["energy"] if energy is None else energy,
        "uuid": entry["uuid"],
        **{name: output.get(name) for name in names},
        "files": sorted(path.name for path in folder.glob("[!.]*")) if folder.name and folder.is_dir() else [],
    }

"""What the store knows about a screening: which parts and interfaces are finished, and what failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from jobflow import JobStore, OutputReference
from pymatgen.core import Structure

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.failure import FailureDocument, failure_uuid
from iface_wf.documents.trust import is_trustworthy
from iface_wf.engines.base import EngineMaker, same_frame
from iface_wf.flows.binding import BindingEnergyMaker, ReferenceOutputs
from iface_wf.screening.graph import Reference
from iface_wf.store.reuse import complete, find_finished
from iface_wf.store.scalars import scalars

#: After so many failures something is not tried again unless the user asks for it.
MAX_ATTEMPTS = 2
_CHUNK = 400
_SUSPECTS = 16


class Failure(NamedTuple):
    """Why something could not be calculated.

    Attributes
    ----------
    cause
        One sentence.
    attempts
        How often it has been tried.
    """

    cause: str
    attempts: int

    @property
    def final(self) -> bool:
        """Whether it is not tried again by itself."""
        return self.attempts >= MAX_ATTEMPTS


class ReferenceState(NamedTuple):
    """What is stored of a part in isolation.

    Attributes
    ----------
    uuids
        Of its jobs, in the order of `BindingEnergyMaker.reference`; None where one is missing.
    problem
        Why no interface can be calculated with it, although it is finished.
    """

    uuids: list[str | None]
    problem: str | None = None

    @property
    def outputs(self) -> ReferenceOutputs | None:
        """Where the outputs are, if all are there."""
        found = [OutputReference(uuid) for uuid in self.uuids if uuid is not None]
        if len(found) < len(self.uuids):
            return None
        return ReferenceOutputs(found[0], found[1] if len(found) > 1 else None)


def reference_state(store: JobStore, maker: BindingEnergyMaker, reference: Reference) -> ReferenceState:
    """Look for the finished relaxation of a part, and for the single point on what came out of it."""
    uuids: list[str | None] = []
    structure: Structure | None = reference.structure
    problem = None
    for job in maker.reference(reference.structure, reference.part):
        found = None if structure is None else _find(store, job.maker, structure)
        uuids.append(found["uuid"] if found else None)
        structure = Structure.from_dict(found["output"]["structure"]) if found else None
        if found is not None and found["output"].get("energy") is None:
            flags = ", ".join(found["output"]["flags"])
            problem = f"{reference.name}: {job.name} gave no energy ({flags or 'no reason given'})"
    return ReferenceState(uuids, problem)


def _find(store: JobStore, maker: EngineMaker, structure: Structure) -> dict[str, Any] | None:
    found = find_finished(store, maker.request(structure, [], None).key(), load=False)
    if found is None:
        return None
    document = CalculationDocument.model_validate(found["output"])
    return found if same_frame(document, structure) else None


def stored_pairs(store: JobStore, keys: Iterable[str]) -> set[str]:
    """Say which interfaces are finished, with their large data.

    A process that is killed leaves at most one document without its large data, the newest that it wrote; so only
    the newest ones are looked at closely.
    """
    fields = ["completed_at", "uuid", "output.key", "output.document_type"]
    entries = sorted(
        (str(completed_at), job, key)
        for chunk in _chunks(keys)
        # the type is looked at here: SQLite would take the index of the types, which says little
        for completed_at, job, key, kind in scalars(store, fields, {"output.key": {"$in": chunk}})
        if kind == "binding"
    )
    sound = {key for _, _, key in entries[:-_SUSPECTS]}
    for _, job, key in entries[-_SUSPECTS:]:
        document = store.query_one({"uuid": job}, load=False)
        if document is not None and complete(store, document):
            sound.add(key)
    return sound


def started_calculations(store: JobStore, keys: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    """List the finished calculations (kind, role) of interfaces that are not finished themselves, by interface."""
    found: dict[str, set[tuple[str, str]]] = {}
    for chunk in _chunks(keys):
        fields = ["metadata.interface", "output.document_type", "output.kind", "output.role"]
        for interface, document_type, kind, role in scalars(store, fields, {"metadata.interface": {"$in": chunk}}):
            if document_type == "calculation":
                found.setdefault(interface, set()).add((kind, role))
    return found


def ranked_keys(store: JobStore, keys: Iterable[str]) -> list[str]:
    """Order interfaces by binding energy, the most strongly bound first; those without a trustworthy one are left out."""
    fields = ["output.key", "output.binding_energy", "output.converged", "output.flags"]
    energies: dict[str, float] = {}
    for chunk in _chunks(keys):
        criteria = {"output.document_type": "binding", "output.key": {"$in": chunk}}
        for entry in store.query(criteria, properties=fields, sort={"completed_at": 1}, load=False):
            output = entry["output"]
            energy = output.get("binding_energy")
            if energy is not None and is_trustworthy(output["converged"], energy, output["flags"]):
                energies[output["key"]] = energy
    return sorted(energies, key=lambda key: (energies[key], key))


def failures(store: JobStore, keys: Iterable[str]) -> dict[str, Failure]:
    """Return what has failed before, by key."""
    found = {}
    for chunk in _chunks(keys):
        for entry in store.query({"output.document_type": "failure", "output.key": {"$in": chunk}}, load=False):
            output = entry["output"]
            found[output["key"]] = Failure(output["cause"], output["attempts"])
    return found


def record_failure(store: JobStore, key: str, name: str, cause: str) -> Failure:
    """Remember that something failed, so that it is not tried for ever."""
    before = failures(store, [key]).get(key)
    failure = Failure(cause, 1 + (before.attempts if before else 0))
    output = FailureDocument(key=key, name=name, **failure._asdict()).model_dump(mode="json")
    entry = {
        "uuid": failure_uuid(key),
        "index": 1,
        "name": "failure",
        "output": output,
        "completed_at": dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(),
        "metadata": {},
        "hosts": [],
    }
    store.update(entry, key=["uuid", "index"])
    return failure


def forget_failure(store: JobStore, key: str) -> None:
    """Forget a failure that has been overcome."""
    store.remove_docs({"uuid": failure_uuid(key)})


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    keys = iter(keys)
    while chunk := list(islice(keys, _CHUNK)):
        yield chunk

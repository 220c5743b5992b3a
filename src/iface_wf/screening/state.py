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
from iface_wf.documents.kinds import ResultKind, kind_names
from iface_wf.documents.labels import WHOLE
from iface_wf.documents.trust import is_trustworthy
from iface_wf.documents.upgrade import SCHEMA_VERSION
from iface_wf.engines.answers import is_answer
from iface_wf.engines.base import Engine, same_frame
from iface_wf.flows.parts import Part, PartOutputs
from iface_wf.outages import told_of_outage
from iface_wf.store.fields import value_at
from iface_wf.store.reuse import complete, find_finished
from iface_wf.store.scalars import scalars
from iface_wf.store.versions import as_of_today, document_in

#: After so many failures something is not tried again unless the user asks for it.
MAX_ATTEMPTS = 2
#: How the finished search of an interface is listed among its calculations.
SEARCHED = ("search", WHOLE)
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
        """Whether it is not tried again by itself: earlier versions counted outages too."""
        return self.attempts >= MAX_ATTEMPTS and not told_of_outage(self.cause)


class PartState(NamedTuple):
    """What is stored of a part in isolation.

    Attributes
    ----------
    uuids
        Of its calculations, relaxation first; None where one is missing.
    outputs
        Where the outputs of all its jobs are, if all are there.
    problem
        Why no result can be calculated with it, although it is finished.
    searched
        Whether the search for its start is stored; False too where it has none.
    """

    uuids: list[str | None]
    outputs: PartOutputs | None = None
    problem: str | None = None
    searched: bool = False


def part_state(store: JobStore, part: Part) -> PartState:
    """Look for the finished search and relaxation of a part, and for the single point on what came out of it."""
    start: Structure | None = part.structure
    key, searched = part.relax_key, None
    if part.search_key is not None:
        searched = find_finished(store, part.search_key, load=False)
        start = None
        if searched is not None:
            start, key = part.start(searched["output"], searched["uuid"])
    relaxed = None if start is None else _find(store, part.relax, key, start)
    uuids: list[str | None] = [relaxed["uuid"] if relaxed else None]
    problem = _no_energy(relaxed, f"{part.name}: {part.relax.name}")
    if part.static is not None:
        found = None
        if relaxed is not None:
            structure, static_key = part.relaxed(relaxed["output"], relaxed["uuid"])
            assert static_key is not None
            found = _find(store, part.static, static_key, structure)
        uuids.append(found["uuid"] if found else None)
        problem = _no_energy(found, f"{part.name}: {part.static.name}") or problem
    every = [*([searched["uuid"]] if searched is not None else []), *uuids]
    outputs = None if None in every else part.outputs_of([OutputReference(uuid) for uuid in every if uuid is not None])
    return PartState(uuids, outputs, problem, searched is not None)


def _find(store: JobStore, engine: Engine, key: str, structure: Structure) -> dict[str, Any] | None:
    found = find_finished(store, key, load=False)
    if found is None:
        return None
    document = document_in(found, CalculationDocument)
    if not same_frame(document, structure):
        return None
    answers = document.converged or is_answer(document, engine.request(structure, [], None).settings)
    return found if answers else None


def _no_energy(found: dict[str, Any] | None, what: str) -> str | None:
    if found is None or found["output"].get("energy") is not None:
        return None
    return f"{what} gave no energy ({', '.join(found['output']['flags']) or 'no reason given'})"


def stored_results(store: JobStore, keys: Iterable[str]) -> set[str]:
    """Say which results are finished, with their large data.

    A process that is killed leaves at most one document without its large data, the newest that it wrote; so only
    the newest ones are looked at closely.

    Parameters
    ----------
    store
        Connected job store.
    keys
        The results in question, of whatever kinds.
    """
    names = set(kind_names())
    fields = ["completed_at", "uuid", "output.key", "output.document_type"]
    entries = sorted(
        (str(completed_at), job, key)
        for chunk in chunks(keys)
        # the type is looked at here: SQLite would take the index of the types, which says little
        for completed_at, job, key, kind in scalars(store, fields, {"output.key": {"$in": chunk}})
        if kind in names
    )
    sound = {key for _, _, key in entries[:-_SUSPECTS]}
    for _, job, key in entries[-_SUSPECTS:]:
        document = store.query_one({"uuid": job}, load=False)
        if document is not None and complete(store, document):
            sound.add(key)
    return sound


def started_calculations(store: JobStore, keys: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    """List the finished calculations (kind, role) of interfaces that are not finished themselves, by interface.

    A search for the placement is the kind ``search``.
    """
    found: dict[str, set[tuple[str, str]]] = {}
    for chunk in chunks(keys):
        fields = ["metadata.interface", "output.document_type", "output.kind", "output.role"]
        for interface, document_type, kind, role in scalars(store, fields, {"metadata.interface": {"$in": chunk}}):
            if document_type == "calculation":
                found.setdefault(interface, set()).add((kind, role))
            elif document_type == "placements":
                found.setdefault(interface, set()).add(SEARCHED)
    return found


def ranked_keys(store: JobStore, kind: ResultKind, keys: Iterable[str]) -> list[str]:
    """Order results of one kind, the best first: the lowest, or the highest where the kind says so.

    Those without a trustworthy number are left out.

    Parameters
    ----------
    store
        Connected job store.
    kind
        Says which number ranks them: for interfaces the binding energy, so that the most strongly bound comes first.
    keys
        The results in question.
    """
    field = next(column.field for column in kind.columns if column.name == kind.headline)
    fields = ["uuid", "output.key", "output.schema_version", f"output.{field}", "output.converged", "output.flags"]
    values: dict[str, float] = {}
    for chunk in chunks(keys):
        criteria = {"output.document_type": kind.name, "output.key": {"$in": chunk}}
        for entry in store.query(criteria, properties=fields, sort={"completed_at": 1}, load=False):
            output = entry["output"]
            if output.get("schema_version") != SCHEMA_VERSION:  # its number may have had another meaning
                whole = store.query_one({"uuid": entry["uuid"], **criteria}, load=False)
                output = as_of_today(whole, kind.document)["output"]
            value = value_at(output, field)
            if is_trustworthy(output["converged"], value, output["flags"]):
                values[output["key"]] = value
    sign = -1.0 if kind.highest_first else 1.0
    return sorted(values, key=lambda key: (sign * values[key], key))


def failures(store: JobStore, keys: Iterable[str]) -> dict[str, Failure]:
    """Return what has failed before, by key."""
    found = {}
    for chunk in chunks(keys):
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


def chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    """Divide keys into as many as a question may hold."""
    keys = iter(keys)
    while chunk := list(islice(keys, _CHUNK)):
        yield chunk

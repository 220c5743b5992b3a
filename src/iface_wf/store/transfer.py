"""Copy what a store holds into another one, in a file or on a server, densities included; may be interrupted and done again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from jobflow import JobStore
from jobflow.utils.find import find_key
from pydash import get

from iface_wf.documents.kinds import kind_names
from iface_wf.errors import InputError
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.job_store import require_writable
from iface_wf.store.reuse import register_of
from iface_wf.store.scalars import scalars
from iface_wf.store.versions import refuse_newer

_IDENTITY = ["uuid", "index"]
_CHUNK = 400
Identity = tuple[str, int]


@dataclass
class Transfer:
    """What was copied.

    Attributes
    ----------
    copied
        Documents by type; ``other`` are those of jobs that give neither calculation nor result.
    densities
        Large data that went with them.
    there
        Documents that the target had already.
    left_out
        Documents that cannot be read, or whose density is missing in the source.
    """

    copied: Counter[str] = field(default_factory=Counter)
    densities: int = 0
    there: int = 0
    left_out: int = 0


def copy(
    source: JobStore,
    target: JobStore,
    keys: Iterable[str] | None = None,
    force: bool = False,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Transfer:
    """Copy documents, each with its densities, and leave alone what the target has.

    Parameters
    ----------
    source, target
        Connected job stores, each in a file or on a server.
    keys
        Of results: they, with the calculations and searches that they rest on; None: everything.
    force
        Replace documents of the target that have the same uuid, for example where tags were added since.
    tell
        Is told how many documents have been dealt with, and of how many.

    Returns
    -------
    Transfer
        What was done. Densities are written before the document that refers to them, so that a copy that is interrupted
        leaves no document without them; the same call goes on from there.

    Raises
    ------
    InputError
        When both are one store, the target may only be read, or a newer version has written to the source.
    """
    if _place(source) == _place(target):
        raise InputError("The store to copy from and the one to copy to are the same.")
    require_writable(target)
    for kind in ("calculation", "failure", *kind_names()):
        refuse_newer(source, kind)
    done = Transfer()
    everything = keys is None
    wanted = list(scalars(source, _IDENTITY, {})) if keys is None else sorted(_closure(source, set(keys)))
    present = set() if force else set(scalars(target, _IDENTITY, {}))
    calculated: set[str] = set()
    for number, identity in enumerate(wanted):
        if identity in present:
            done.there += 1
        else:
            calculated |= _copy_one(source, target, identity, done)
        tell(number + 1, len(wanted))
    _copy_register(source, target, None if everything else calculated)
    return done


def _place(store: JobStore) -> tuple[str, ...]:
    documents = store.docs_store
    if isinstance(documents, SqliteStore):
        return (documents.path,)
    return str(documents.name), str(documents.collection_name)


def _copy_one(source: JobStore, target: JobStore, identity: Identity, done: Transfer) -> set[str]:
    """Copy one document with its large data; return its key if it is of a calculation."""
    entry = source.docs_store.query_one(dict(zip(_IDENTITY, identity, strict=True)))
    data = None if entry is None else _large_data(source, entry)
    if entry is None or data is None:
        done.left_out += 1
        return set()
    for name, blobs in data.items():
        target.additional_stores[name].update(blobs, key="blob_uuid")
        done.densities += len(blobs)
    target.docs_store.update([_without_id(entry)], key=_IDENTITY)
    output = entry.get("output")
    output = output if isinstance(output, dict) else {}
    done.copied[str(output.get("document_type", "other"))] += 1
    return {str(output["key"])} if output.get("document_type") == "calculation" else set()


def _large_data(store: JobStore, entry: dict[str, Any]) -> dict[str, list[dict[str, Any]]] | None:
    """Return the large data that a document refers to, by store; None where some are missing."""
    found: dict[str, list[dict[str, Any]]] = {}
    for location in find_key(entry, "blob_uuid"):
        reference = get(entry, list(location))
        data = store.additional_stores.get(reference["store"])
        blob = None if data is None else data.query_one({"blob_uuid": reference["blob_uuid"]})
        if blob is None:
            return None
        found.setdefault(reference["store"], []).append(_without_id(blob))
    return found


def _without_id(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "_id"}


def _closure(store: JobStore, keys: Collection[str]) -> set[Identity]:
    """Return the entries of some results, and of all that they rest on."""
    found: set[Identity] = set()
    uuids: set[str] = set()
    calculations: set[str] = set()
    fields = [*_IDENTITY, "output.terms", "output.provenance.relaxations"]
    for entry in _matching(store, "output.key", keys, fields, {"output.document_type": {"$in": kind_names()}}):
        found.add((entry["uuid"], entry["index"]))
        output = entry["output"]
        uuids |= {term["uuid"] for term in output.get("terms") or [] if term.get("uuid")}
        relaxations = (output.get("provenance") or {}).get("relaxations") or {}
        calculations |= {each["key"] for each in relaxations.values() if each.get("key")}
    fields = [*_IDENTITY, "output.reused_from"]
    entries = _matching(store, "metadata.interface", keys, fields, {})
    entries += _matching(store, "output.key", calculations, fields, {"output.document_type": "calculation"})
    entries += _matching(store, "uuid", uuids, fields, {})
    while entries:
        found |= {(entry["uuid"], entry["index"]) for entry in entries}
        outputs = [entry["output"] for entry in entries if isinstance(entry.get("output"), dict)]
        sources = {str(each["reused_from"]) for each in outputs if each.get("reused_from")}  # who really calculated
        entries = _matching(store, "uuid", sources - {uuid for uuid, _ in found}, fields, {})
    return found


def _matching(
    store: JobStore, name: str, values: Collection[str], fields: list[str], criteria: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return some fields of the documents in which a field has one of many values."""
    return [
        entry
        for chunk in _chunks(sorted(values))
        for entry in store.query({name: {"$in": chunk}} | criteria, properties=fields, load=False)
    ]


def _copy_register(source: JobStore, target: JobStore, keys: Collection[str] | None) -> None:
    """Copy the geometries by which equal calculations are told, without which a shifted last digit would calculate again."""
    with register_of(source) as old, register_of(target) as new:
        if old is None or new is None:
            return
        known = set(new.distinct("key"))
        for chunk in _chunks(sorted(set(old.distinct("key") if keys is None else keys) - known)):
            entries = [_without_id(entry) for entry in old.query({"key": {"$in": chunk}})]
            if entries:
                new.update(entries, key="key")


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk

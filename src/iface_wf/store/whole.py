"""Results whose large data are missing, and documents that are damaged: what a table must say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobflow import JobStore
from maggma.core import Store
from maggma.stores import MongoStore
from pydantic import BaseModel

from iface_wf.documents.density import DensityRecord
from iface_wf.documents.kinds import kind_names
from iface_wf.store.damage import Damage, DamageLog, name_of
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.mongo import Documents
from iface_wf.store.pushdown import prefilter
from iface_wf.store.reuse import complete

DENSITY_MISSING = "density_missing"
"""Flag of a result whose density was never stored, since its process was killed, or has been damaged and set aside."""

_CHUNK = 400
_DEEPEST = 5  # a class may hold itself


def blob_fields(model: type[BaseModel], path: str = "") -> list[str]:
    """Name the fields of a class of documents that refer to large data, as dotted paths."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        for nested in _models(field.annotation):
            inner = f"{path}{name}."
            if issubclass(nested, DensityRecord):
                found.append(f"{inner}blob")
            elif path.count(".") < _DEEPEST:
                found += blob_fields(nested, inner)
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    """List the models that a field may hold by itself; those in lists and dictionaries have no path."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    arguments = getattr(annotation, "__args__", ()) if type(None) in getattr(annotation, "__args__", ()) else ()
    return [model for argument in arguments for model in _models(argument)]


def without_blobs(store: JobStore, entries: Sequence[dict[str, Any]], fields: Sequence[str]) -> set[str]:
    """Return the uuids of the entries that refer to large data which are not in the store.

    Parameters
    ----------
    store
        Connected job store.
    entries
        With the fields, not loaded; of a server with their uuids alone: it gives back whole fields of documents, as they have
        checksums, and the densities' profiles with them.
    fields
        From `blob_fields`.
    """
    needed: dict[str, dict[str, str]] = {}
    for entry in _references(store.docs_store, entries, fields) if fields else []:
        for field in fields:
            reference = _at(entry, f"output.{field}")
            if isinstance(reference, dict) and "blob_uuid" in reference:
                needed.setdefault(str(reference.get("store")), {})[str(reference["blob_uuid"])] = entry["uuid"]
    return {blobs[blob] for name, blobs in needed.items() for blob in set(blobs) - _present(store, name, list(blobs))}


def _references(documents: Store, entries: Sequence[dict[str, Any]], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    if not isinstance(documents, Documents):
        yield from entries
        return
    wanted = ["uuid", *(f"output.{field}" for field in fields)]
    for start in range(0, len(entries), _CHUNK):
        uuids = [entry["uuid"] for entry in entries[start : start + _CHUNK]]
        yield from MongoStore.query(documents, {"uuid": {"$in": uuids}}, wanted)


def _at(document: Any, field: str) -> Any:
    for part in field.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _present(store: JobStore, name: str, blobs: Sequence[str]) -> set[str]:
    """Return which of some large data are there, without reading them."""
    data = store.additional_stores.get(name)
    if data is None:
        return set()
    if isinstance(data, SqliteStore):  # one by one: SQLite reads whole documents where it gives their fields
        return {blob for blob in blobs if data.rows.select(["id"], *prefilter({"blob_uuid": blob}))}
    files = getattr(data, "_files_store", None)
    source, field = (data, "blob_uuid") if files is None else (files, "metadata.blob_uuid")
    found: set[str] = set()
    for start in range(0, len(blobs), _CHUNK):
        criteria = {field: {"$in": list(blobs[start : start + _CHUNK])}}
        found |= {str(_at(entry, field)) for entry in source.query(criteria, properties=[field])}
    return found


def damaged_in(store: JobStore) -> list[Damage]:
    """Return the damaged documents that a store has met so far."""
    logs = [_log_of(each) for each in (store.docs_store, *store.additional_stores.values())]
    return [damage for log in logs if log is not None for damage in log.found.values()]


def note_unreadable(store: JobStore, entry: dict[str, Any]) -> None:
    """Tell of an entry that is no document of its kind, and is left out."""
    log = _log_of(store.docs_store)
    if log is not None:
        log.add(Damage("outputs", str(entry["uuid"]), name_of(entry), "has not the form of its kind"))


def _log_of(store: Store) -> DamageLog | None:
    return store.rows.damaged if isinstance(store, SqliteStore) else getattr(store, "damaged", None)


def beginning_with(store: JobStore, text: str, fields: Sequence[str]) -> list[dict[str, Any]]:
    """Find the results, of whatever kind, of which one of some fields begins with a text; they are not read whole."""
    criteria = {"$or": [{field: {"$regex": f"^{text}"}} for field in fields]}
    # the type is looked at here: SQLite would take the index of the types, which says little
    wanted = ["uuid", "index", "completed_at", "output.key", "output.document_type"]
    names = kind_names()
    return [e for e in store.query(criteria, properties=wanted) if _at(e, "output.document_type") in names]


def newest_whole(store: JobStore, hits: Sequence[dict[str, Any]]) -> tuple[dict[str, Any] | None, bool]:
    """Return the newest of some results that has all its large data, and True; else the newest that can be read, if any."""
    newest = None
    for hit in sorted(hits, key=lambda hit: str(hit["completed_at"]), reverse=True):
        entry = store.query_one(identity(hit), load=False)
        if entry is not None and complete(store, entry):
            return entry, True
        newest = newest or entry
    return newest, False


def identity(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the condition that finds an entry of the job store."""
    return {name: entry[name] for name in ("uuid", "index")}

"""Which results need no further calculation: stored ones, unless they did not converge in fewer steps than are allowed now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobflow import JobStore

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import kind_names
from iface_wf.engines.answers import is_answer
from iface_wf.flows.graph import Item
from iface_wf.screening.state import chunks, stored_results
from iface_wf.store.versions import document_in


def finished_results(store: JobStore, items: Mapping[str, Item]) -> set[str]:
    """Say which results are finished.

    Parameters
    ----------
    store
        Connected job store.
    items
        The results in question with the engines that would calculate them, by key.

    Returns
    -------
    set of str
        Keys.
    """
    stored = stored_results(store, items)
    return {key for key in stored if key not in set(_open(store, items, stored))}


def _open(store: JobStore, items: Mapping[str, Item], keys: set[str]) -> Iterator[str]:
    """List the results that did not converge, and of which more is allowed now."""
    fields = ["output.key", "output.converged", "output.terms", "output.provenance.relaxations"]
    for chunk in chunks(keys):
        criteria = {"output.document_type": {"$in": kind_names()}, "output.key": {"$in": chunk}}
        newest: dict[str, dict[str, Any]] = {}
        if not store.count(criteria | {"output.converged": False}):
            continue
        for entry in store.query(criteria, properties=fields, sort={"completed_at": 1}, load=False):
            newest[entry["output"]["key"]] = entry["output"]
        for key, output in newest.items():
            if output.get("converged") is False and _is_open(store, items[key], output):
                yield key


def _is_open(store: JobStore, item: Item, output: dict[str, Any]) -> bool:
    uuids = [term["uuid"] for term in output.get("terms") or [] if term.get("uuid") and not term.get("converged", True)]
    relaxations = (output.get("provenance") or {}).get("relaxations") or {}
    criteria: dict[str, Any] = {
        "output.document_type": "calculation",
        "$or": [{"uuid": {"$in": uuids}}, {"output.key": {"$in": [one["key"] for one in relaxations.values()]}}],
    }
    attempts: dict[str, CalculationDocument] = {}
    for entry in store.query(criteria, sort={"completed_at": 1}, load=False):
        document = document_in(entry, CalculationDocument)
        known = attempts.get(document.key)
        if known is None or not known.converged:
            attempts[document.key] = document
    geometry = item.maker.geometry_engine
    engines = {"relax": geometry, "vibrations": geometry, "static": item.maker.engine}
    return any(
        document.engine == engines[document.kind].engine_name
        and not is_answer(document, engines[document.kind].defaults())
        for document in attempts.values()
    )

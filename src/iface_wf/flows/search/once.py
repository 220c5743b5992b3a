"""A search is done once, by one of all processes that share a store; the others find it."""

from __future__ import annotations

from collections.abc import Callable

from jobflow import CURRENT_JOB

from iface_wf.engines.shelf import common_shelf
from iface_wf.flows.placements import RankedPlacements
from iface_wf.store.reuse import claimed


def once(key: str, search: Callable[[], RankedPlacements]) -> RankedPlacements:
    """Return a stored search, or do it, once for all processes that share a store."""
    store = getattr(CURRENT_JOB, "store", None)
    if store is None or common_shelf() is not None:  # a queue's job has no access to the store
        return search().model_copy(update={"key": key})
    with claimed(store, key) as found:
        if found is not None:
            return RankedPlacements.model_validate(found["output"] | {"reused_from": found["uuid"]})
        return search().model_copy(update={"key": key})

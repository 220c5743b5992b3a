"""Set aside what is damaged in a store, so that it is calculated again; nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobflow import JobStore

from iface_wf.store.check import Findings, Tell, collections
from iface_wf.store.damage import Damage
from iface_wf.store.embedded import SqliteStore

_BATCH = 100
_IDENTITY = {"outputs": ["uuid", "index"], "blobs": "blob_uuid", "keys": "key"}


def set_aside(store: JobStore, findings: Findings) -> None:
    """Move what a check found damaged, or without its density, to where nothing looks for it: ``set_aside``.

    Parameters
    ----------
    store
        Connected job store.
    findings
        From `iface_wf.store.check.check`.
    """
    for name, each in collections(store).items():
        bad: Mapping[Any, Damage] = {
            place: damage for (where, place), damage in (findings.damaged | findings.torn).items() if where == name
        }
        if bad and isinstance(each, SqliteStore):
            each.rows.set_aside(list(bad.values()))
        elif bad:
            each.set_aside(bad)


def seal(store: JobStore, findings: Findings, tell: Tell = lambda done, total: None) -> int:
    """Give a checksum to the sound documents that have none, as they are now.

    Returns
    -------
    int
        How many.
    """
    done = 0
    for name, each in collections(store).items():
        if not findings.unsealed[name]:
            continue
        inspected = each.rows.inspect_all() if isinstance(each, SqliteStore) else each.inspect_all()
        batch: list[dict[str, Any]] = []
        for found in inspected:
            if found.document is not None and not found.sealed:
                batch.append(found.document)
            if len(batch) == _BATCH:
                each.update(batch, key=_IDENTITY[name])
                done, batch = done + len(batch), []
                tell(done, findings.unsealed.total())
        if batch:
            each.update(batch, key=_IDENTITY[name])
            done += len(batch)
    return done

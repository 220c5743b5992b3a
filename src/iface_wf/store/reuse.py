"""Find what has been calculated before, wait for what is being calculated now, and calculate the rest once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jobflow import JobStore
from jobflow.utils.find import find_key
from maggma.core import Store
from maggma.stores import MemoryStore, MongoStore
from pydash import get

from iface_wf.errors import CalculationError
from iface_wf.store.canonical import CalculationKey
from iface_wf.store.claims import Claim, Claims, claims_of
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.geometry import Geometry
from iface_wf.store.processes import since_start

STALE_SECONDS = 300.0
"""A claim that has not been renewed for so long is nobody's, where its process cannot be seen."""

LOOK_SECONDS = 5.0
"""Who has been stopped or asleep sees so soon after waking whether a claim was taken over."""

GRACE_SECONDS = 60.0
"""How long a finished calculation's result may take on its way into the store."""

_log = logging.getLogger(__name__)


def complete(store: JobStore, document: dict[str, Any]) -> bool:
    """Say whether all large data that a document refers to are in the store.

    A job store writes the document first and its large data after it, so a process killed between the two leaves
    a document without them. Such a document is not a finished result.

    Parameters
    ----------
    store
        Connected job store.
    document
        A document of it, as stored (not with the large data loaded).
    """
    needed: dict[str, set[str]] = {}
    for location in find_key(document, "blob_uuid"):
        reference = get(document, list(location))
        needed.setdefault(reference["store"], set()).add(reference["blob_uuid"])
    return all(
        name in store.additional_stores
        and store.additional_stores[name].count({"blob_uuid": {"$in": sorted(blobs)}}) == len(blobs)
        for name, blobs in needed.items()
    )


def find_finished(store: JobStore, key: str, load: bool = True) -> dict[str, Any] | None:
    """Find the stored result of a calculation.

    Parameters
    ----------
    store
        Connected job store.
    key
        Content key; a `CalculationKey` also finds the result of an equal structure whose rounding differs.
    load
        Whether to load the large data into the document.

    Returns
    -------
    dict or None
        The job store's document, with ``uuid`` and ``output``: converged rather than not, calculated rather than
        taken over from another document, the newest of those; never one whose large data are missing.
    """
    document = _finished(store, [str(key)], load)
    if document is not None:
        return document
    others = [k for k in _same_calculation(store, key) if k != key]
    return _finished(store, others, load) if others else None


@contextmanager
def claimed(
    store: JobStore,
    key: str,
    poll: float = 1.0,
    stale: float = STALE_SECONDS,
    force: bool = False,
    grace: float = GRACE_SECONDS,
    timeout: float | None = None,
    on_lost: Callable[[str], None] = lambda other: None,
) -> Iterator[dict[str, Any] | None]:
    """Get a calculation's stored result, or the permission to calculate it.

    While another process calculates the same, this waits. Its claim is taken over when its process has died, seen on the same
    machine, or, where its process cannot be seen, when it has not been renewed for ``stale`` seconds. In a store that only
    this process can see nothing is claimed.

    Parameters
    ----------
    store
        Connected job store.
    key
        Content key.
    poll
        Seconds between two looks.
    stale
        Seconds without a sign of life after which a claim is void.
    force
        Calculate even if there is a result.
    grace
        Seconds that a result may take into the store after the block has ended; others wait that long for it.
    timeout
        Give up waiting after so many seconds; None waits as long as the other process lives.
    on_lost
        Is told, from a thread, who has taken the claim over while this process was stopped or asleep: then the same is
        calculated twice.

    Yields
    ------
    dict or None
        The finished document with its large data, as from `find_finished`; or None: calculate it in the block.

    Raises
    ------
    CalculationError
        When the waiting takes longer than ``timeout``.
    """
    claims = claims_of(store)
    if claims is None:
        yield None if force else find_finished(store, key)
        return
    mine = Claim.of_this_process(_known_name(store, key))
    found = _wait(store, key, claims, mine, poll, stale, force, timeout)
    if found is not None:
        yield found
        return
    try:
        with _heartbeat(claims, mine, stale, on_lost, lambda: _look(store, key, force, load=False) is not None):
            yield None
        if find_finished(store, key, load=False) is not None:
            claims.drop(mine)
        else:
            claims.renew(mine, grace, released=True)
    except BaseException:
        claims.drop(mine)
        raise


def _wait(
    store: JobStore,
    key: str,
    claims: Claims,
    mine: Claim,
    poll: float,
    stale: float,
    force: bool,
    timeout: float | None,
) -> dict[str, Any] | None:
    """Wait for a result, or until the claim is ours: then return None. Arguments and errors as in `claimed`."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while (found := _look(store, key, force)) is None:
        other = claims.take(mine, stale, finished=force and find_finished(store, key, load=False) is not None)
        if other is None:
            break
        if deadline is not None and time.monotonic() > deadline:
            raise CalculationError(f"Waited {timeout:g} s for calculation {key[:16]}, which {other.owner} claims.")
        _log.info("Waiting for calculation %s, which %s claims", key[:16], other.owner)
        time.sleep(poll)
    if found is None:  # the claim is ours, but its result may have come between the look and the claim
        try:
            found = _look(store, key, force)
        except BaseException:  # the store has gone: nobody would give the claim back, and this process waits for itself
            claims.drop(mine)
            raise
        if found is not None:
            claims.drop(mine)
    return found


def _look(store: JobStore, key: str, force: bool, load: bool = True) -> dict[str, Any] | None:
    return None if force else find_finished(store, key, load)


@contextmanager
def _heartbeat(
    claims: Claims,
    mine: Claim,
    stale: float,
    on_lost: Callable[[str], None] = lambda other: None,
    finished: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Renew a claim from a thread while the block runs; tell when somebody else works on the same, or has finished it."""
    ended = threading.Event()

    def beat() -> None:
        due = _now() + stale / 4
        while not ended.wait(min(LOOK_SECONDS, stale / 4)):
            if _now() < due:  # of a clock that goes on while the machine sleeps
                continue
            due = _now() + stale / 4
            try:
                if claims.renew(mine, stale):
                    continue
                other = claims.take(mine, stale, finished=False)  # whoever had it may have died or finished since
                if other is None and not finished():
                    continue
            except Exception as error:  # noqa: BLE001 - a store that is away for a moment must not stop the renewing
                _log.warning("Could not renew the claim on calculation %s: %s", mine.key[:16], type(error).__name__)
                continue
            name = "another process" if other is None else other.owner
            _log.warning("Calculation %s was stopped for so long that %s has taken it over", mine.key[:16], name)
            on_lost(name)
            return

    thread = threading.Thread(target=beat, name=f"claim-{mine.key[:16]}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _now() -> float:
    now = since_start()
    return time.monotonic() if now is None else now


def _finished(store: JobStore, keys: list[str], load: bool) -> dict[str, Any] | None:
    fields = ["uuid", "index", "completed_at", "output.converged", "output.reused_from"]
    candidates = store.query({"output.key": {"$in": keys}}, properties=fields, load=False)
    for candidate in sorted(candidates, key=_preference, reverse=True):
        which = {"uuid": candidate["uuid"], "index": candidate["index"]}
        document: dict[str, Any] | None = store.query_one(which, load=False)
        if document is not None and complete(store, document):
            loaded: dict[str, Any] | None = store.query_one(which, load=True) if load else document
            return loaded
    return None


def _preference(candidate: dict[str, Any]) -> tuple[bool, bool, str]:
    output = candidate["output"]
    return output.get("converged") is not False, not output.get("reused_from"), str(candidate.get("completed_at", ""))


def _known_name(store: JobStore, key: str) -> str:
    """Enter a key in the store's register and return the name of its calculation: the first equal key."""
    if not isinstance(key, CalculationKey):
        return str(key)
    with register_of(store) as register:
        if register is None:
            return str(key)
        known = _equal_keys(register, key)
        own = next((entry for entry in known if entry["key"] == key), None)
        name = str((own or known[0])["name"]) if known else str(key)
        if own is None:
            entry = {"key": str(key), "name": name, "family": key.family, "geometry": key.geometry.as_dict()}
            register.update(entry, key="key")
        return name


def _same_calculation(store: JobStore, key: str) -> list[str]:
    with register_of(store) as register:
        if register is None or not isinstance(key, CalculationKey):
            return []
        return [str(entry["key"]) for entry in _equal_keys(register, key)]


def _equal_keys(register: Store, key: CalculationKey) -> list[dict[str, Any]]:
    entries = register.query({"family": key.family})
    return [
        entry
        for entry in entries
        if key.matches(CalculationKey(entry["key"], entry["family"], Geometry(**entry["geometry"])))
    ]


@contextmanager
def register_of(store: JobStore) -> Iterator[Store | None]:
    """Open the register of keys that have been claimed, which tells equal ones; None where there is none."""
    documents = store.docs_store
    if isinstance(documents, SqliteStore):
        with SqliteStore(documents.path, "keys", key="key") as register:
            register.ensure_index("family")
            yield register
    elif isinstance(documents, MongoStore) and not isinstance(documents, MemoryStore):
        register = MongoStore.from_collection(documents._collection.database["keys"])
        register.key = "key"
        yield register
    else:
        yield None


@contextmanager
def working_on(store: JobStore, key: str, stale: float = STALE_SECONDS) -> Iterator[bool]:
    """Claim a larger piece of work, without waiting.

    Parameters
    ----------
    store
        Connected job store.
    key
        What the work is called.
    stale
        As in `claimed`.

    Yields
    ------
    bool
        False if another process is at it; what is to be done meanwhile, the caller knows best.
    """
    claims = claims_of(store)
    mine = Claim.of_this_process(key)
    if claims is None:
        yield True
    elif claims.take(mine, stale, finished=True) is not None:
        yield False
    else:
        try:
            with _heartbeat(claims, mine, stale):
                yield True
        finally:
            claims.drop(mine)

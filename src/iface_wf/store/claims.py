"""Claims: who is calculating what right now, so that no two processes calculate the same.

A claim is a lease: its owner renews it while working, and whoever finds it expired, or its process dead on the same
machine, may take it over. One implementation per kind of store, each taking a claim in one atomic step.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import psutil
from jobflow import JobStore
from maggma.stores import MemoryStore, MongoStore
from pymongo.errors import DuplicateKeyError

from iface_wf.store.embedded import SqliteStore
from iface_wf.store.sqlite_file import open_database


@dataclass(frozen=True)
class Claim:
    """The right to calculate what a key means.

    Attributes
    ----------
    key
        The key.
    owner
        Who, for messages.
    host, pid, born
        The process that works, if one does: its table of processes, number, and time of start.
    released
        The work is done and its result on the way to the store.
    token
        Tells claims apart.
    """

    key: str
    owner: str
    host: str = ""
    pid: int = 0
    born: float = 0.0
    released: bool = False
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def of_this_process(cls, key: str) -> Claim:
        """Make a claim that is void once this process has ended."""
        born = psutil.Process().create_time()
        return cls(key, f"{socket.gethostname()}:{os.getpid()}", process_table(), os.getpid(), born)

    @property
    def dead(self) -> bool:
        """Whether its process is known to have ended; False where that cannot be seen from here."""
        if not self.pid or self.host != process_table():
            return False
        try:
            process = psutil.Process(self.pid)
            return bool(process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - self.born) > 1.0)
        except psutil.NoSuchProcess:
            return True


class Claims(Protocol):
    """The claims of one store."""

    def take(self, claim: Claim, lease: float, finished: bool) -> Claim | None:
        """Take a claim for ``lease`` seconds.

        Parameters
        ----------
        claim
            The claim wanted.
        lease
            Seconds it holds if it is not renewed.
        finished
            Whether the store holds a result: a released claim does not stand in the way then.

        Returns
        -------
        Claim or None
            The one that stands in the way; None if the claim was taken.
        """
        ...

    def renew(self, claim: Claim, lease: float, released: bool = False) -> bool:
        """Hold a claim for ``lease`` seconds from now.

        Parameters
        ----------
        claim
            The claim, as it was taken.
        lease
            Seconds it holds from now.
        released
            The work is done: then the claim only keeps others waiting for the result.

        Returns
        -------
        bool
            False if somebody else has taken it over.
        """
        ...

    def drop(self, claim: Claim) -> None:
        """Give a claim back."""
        ...

    def holder(self, key: str) -> Claim | None:
        """Return the claim that is held on a key now, if there is one that is neither expired nor of a dead process."""
        ...


def process_table() -> str:
    """Name what process numbers refer to: this machine, or this container on it."""
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()} {namespace.readlink() if namespace.is_symlink() else ''}".strip()


def claims_of(store: JobStore) -> Claims | None:
    """Return the claims that belong to a job store; None for one that only this process can see."""
    documents = store.docs_store
    if isinstance(documents, SqliteStore):
        return SqliteClaims(documents.path)
    if isinstance(documents, MongoStore) and not isinstance(documents, MemoryStore):
        return MongoClaims(documents)
    return None


class SqliteClaims:
    """Claims in a table of the store's SQLite file; times are those of the machines that write."""

    _COLUMNS = "key TEXT PRIMARY KEY, owner TEXT, host TEXT, pid INTEGER, born REAL, released INTEGER, token TEXT"

    def __init__(self, path: str) -> None:
        self.path = path

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = open_database(self.path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"CREATE TABLE IF NOT EXISTS claims ({self._COLUMNS}, expires REAL)")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    def take(self, claim: Claim, lease: float, finished: bool) -> Claim | None:
        """See `Claims.take`."""
        with self._transaction() as connection:
            row = connection.execute("SELECT * FROM claims WHERE key = ?", (claim.key,)).fetchone()
            if row is not None:
                *values, expires = row
                held = Claim(*values)
                if expires > time.time() and not held.dead and not (held.released and finished):
                    return held
            values = list(asdict(claim).values())
            marks = ", ".join("?" * (len(values) + 1))
            connection.execute("DELETE FROM claims WHERE expires < ?", (time.time(),))
            connection.execute(f"REPLACE INTO claims VALUES ({marks})", (*values, time.time() + lease))  # noqa: S608
        return None

    def renew(self, claim: Claim, lease: float, released: bool = False) -> bool:
        """See `Claims.renew`."""
        with self._transaction() as connection:
            values = (time.time() + lease, released, claim.key, claim.token)
            change = "UPDATE claims SET expires = ?, released = ? WHERE key = ? AND token = ?"
            return connection.execute(change, values).rowcount == 1

    def drop(self, claim: Claim) -> None:
        """See `Claims.drop`."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM claims WHERE key = ? AND token = ?", (claim.key, claim.token))

    def holder(self, key: str) -> Claim | None:
        """See `Claims.holder`."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT * FROM claims WHERE key = ? AND expires > ?", (key, time.time())
            ).fetchone()
        held = Claim(*row[:-1]) if row else None
        return None if held is None or held.dead else held


class MongoClaims:
    """Claims in a collection beside the documents; all times are the server's."""

    def __init__(self, documents: MongoStore) -> None:
        self._collection = documents._collection.database["claims"]

    def take(self, claim: Claim, lease: float, finished: bool) -> Claim | None:
        """See `Claims.take`."""
        wanted = {**asdict(claim), "_id": claim.key, "expires": _server_time_after(lease)}
        change = [
            {"$set": {name: value if name == "expires" else {"$literal": value} for name, value in wanted.items()}}
        ]
        over: list[dict[str, Any]] = [{"$expr": {"$lt": ["$expires", "$$NOW"]}}]
        held = self._held(claim.key)
        if held is not None and (held.dead or (held.released and finished)):
            over.append({"token": held.token})
        if self._collection.update_one({"_id": claim.key, "$or": over}, change).matched_count:
            return None
        try:  # where there is a claim its token differs, so this would insert a second one with the same _id
            self._collection.update_one({"_id": claim.key, "token": claim.token}, change, upsert=True)
        except DuplicateKeyError:
            return self._held(claim.key) or replace(claim, owner="somebody who has just finished")
        return None

    def _held(self, key: str) -> Claim | None:
        found = self._collection.find_one({"_id": key}, {"_id": 0, "expires": 0})
        return Claim(**found) if found else None

    def renew(self, claim: Claim, lease: float, released: bool = False) -> bool:
        """See `Claims.renew`."""
        change = [{"$set": {"expires": _server_time_after(lease), "released": released}}]
        return bool(self._collection.update_one({"_id": claim.key, "token": claim.token}, change).matched_count)

    def drop(self, claim: Claim) -> None:
        """See `Claims.drop`."""
        self._collection.delete_one({"_id": claim.key, "token": claim.token})

    def holder(self, key: str) -> Claim | None:
        """See `Claims.holder`."""
        living = {"_id": key, "$expr": {"$gt": ["$expires", "$$NOW"]}}
        found = self._collection.find_one(living, {"_id": 0, "expires": 0})
        held = Claim(**found) if found else None
        return None if held is None or held.dead else held


def _server_time_after(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", round(1000 * seconds)]}

"""Claims: who is calculating what right now, so that no two processes calculate the same.

A claim is a lease: its owner renews it while working. It ends with its process, which is seen on the same machine. As long as
that process is seen to live, stopped or asleep, it does not end by itself; where nothing is seen, it ends when it has not been
renewed for long. One implementation per kind of store, each taking a claim in one atomic step.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Protocol

from jobflow import JobStore
from maggma.stores import MemoryStore, MongoStore
from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError

from iface_wf.store.embedded import SqliteStore
from iface_wf.store.processes import Process, lives, since_start, start_of_clock, this_process
from iface_wf.store.sqlite_file import open_database

#: Claims that nobody has renewed for so long, s, are swept out.
FORGOTTEN = 30 * 86400.0
#: Tokens of the claims that this process holds.
_held: set[str] = set()
#: Those that it has given back while the store was away, with their store.
_unreturned: dict[str, str] = {}


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
        The process that works, if one does, as in `iface_wf.store.processes.Process`.
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
        return cls(key, f"{socket.gethostname()}:{os.getpid()}", *this_process())

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Claim:
        """Read a claim of a store; what another version has added is left out."""
        known = {one.name: values[one.name] for one in fields(cls) if one.name in values}
        return cls(**known | {"released": bool(known.get("released"))})

    @property
    def process(self) -> Process:
        """The process that works."""
        return Process(self.host, self.pid, self.born)

    @property
    def alive(self) -> bool | None:
        """Whether its process works on it, though it may be stopped; None where that cannot be seen from here."""
        if self.pid and self.process == this_process() and self.token not in _held:
            return False  # given back while the store was away
        return lives(self.process)

    def in_the_way(self, over: bool, finished: bool) -> bool:
        """Whether nobody else may take it.

        Parameters
        ----------
        over
            Whether it has not been renewed in time.
        finished
            Whether the store holds a result.
        """
        if self.released:
            return not finished and not over and lives(self.process) is not False
        alive = self.alive
        return not over if alive is None else alive


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

    def holders(self, keys: Collection[str]) -> dict[str, Claim]:
        """Return the claims that are held now on any of some keys, by key, without writing anything."""
        ...


def claims_of(store: JobStore) -> Claims | None:
    """Return the claims that belong to a job store; None for one that only this process can see."""
    documents = store.docs_store
    if isinstance(documents, SqliteStore):
        return SqliteClaims(documents.path)
    if isinstance(documents, MongoStore) and not isinstance(documents, MemoryStore):
        return MongoClaims(documents)
    return None


@contextmanager
def _given_back(claim: Claim, place: str) -> Iterator[None]:
    """Count a claim as given back, although the store may be away: then its row goes when it is there again."""
    _held.discard(claim.token)
    _unreturned[claim.token] = place
    yield
    _returned([claim.token])


def _to_return(place: str) -> list[str]:
    return [token for token, of in list(_unreturned.items()) if of == place]


def _returned(tokens: list[str]) -> None:
    for token in tokens:
        _unreturned.pop(token, None)


class SqliteClaims:
    """Claims in tables of the store's SQLite file.

    Times are those of the clock that nobody sets, for processes that share one, else those of the machines' clocks. They stand
    in a table of their own, so that an earlier version, which may be at work in the same file, reads what it knows.
    """

    _QUESTION = "SELECT * FROM claims LEFT JOIN claim_clocks USING (token)"
    _COLUMNS = "key TEXT PRIMARY KEY, owner TEXT, host TEXT, pid INTEGER, born REAL, released INTEGER, token TEXT"

    def __init__(self, path: str) -> None:
        self.path = path

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = open_database(self.path)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"CREATE TABLE IF NOT EXISTS claims ({self._COLUMNS}, expires REAL)")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS claim_clocks (token TEXT PRIMARY KEY, clock TEXT, ends REAL)"
            )
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    def take(self, claim: Claim, lease: float, finished: bool) -> Claim | None:
        """See `Claims.take`."""
        with self._transaction() as connection:
            back = _to_return(self.path)
            connection.executemany("DELETE FROM claims WHERE token = ?", [(token,) for token in back])
            held = self._find(connection, claim.key, finished)
            if held is not None:
                return held
            values = list(asdict(claim).values())
            marks = ", ".join("?" * (len(values) + 1))
            connection.execute("DELETE FROM claims WHERE expires < ?", (time.time() - FORGOTTEN,))
            connection.execute("DELETE FROM claim_clocks WHERE token NOT IN (SELECT token FROM claims)")
            connection.execute(f"REPLACE INTO claims VALUES ({marks})", (*values, time.time() + lease))  # noqa: S608
            self._set_clock(connection, claim, lease)
        _returned(back)
        _held.add(claim.token)
        return None

    def renew(self, claim: Claim, lease: float, released: bool = False) -> bool:
        """See `Claims.renew`."""
        with self._transaction() as connection:
            values = (time.time() + lease, released, claim.key, claim.token)
            change = "UPDATE claims SET expires = ?, released = ? WHERE key = ? AND token = ?"
            ours = connection.execute(change, values).rowcount == 1
            if ours:
                self._set_clock(connection, claim, lease)
        if released:  # not before the store says so: else others would take it for void
            _held.discard(claim.token)
        return ours

    def drop(self, claim: Claim) -> None:
        """See `Claims.drop`."""
        with _given_back(claim, self.path), self._transaction() as connection:
            connection.execute("DELETE FROM claims WHERE key = ? AND token = ?", (claim.key, claim.token))
            connection.execute("DELETE FROM claim_clocks WHERE token = ?", (claim.token,))

    def holder(self, key: str) -> Claim | None:
        """See `Claims.holder`."""
        with self._transaction() as connection:
            return self._find(connection, key, finished=False)

    def holders(self, keys: Collection[str]) -> dict[str, Claim]:
        """See `Claims.holders`."""
        wanted = set(keys)
        connection = open_database(self.path)
        connection.row_factory = sqlite3.Row
        try:
            tables = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"claims", "claim_clocks"} <= tables:  # nobody has ever calculated here
                return {}
            rows = connection.execute(self._QUESTION).fetchall()
        finally:
            connection.close()
        found = {row["key"]: self._held(row, finished=False) for row in rows if row["key"] in wanted}
        return {key: claim for key, claim in found.items() if claim is not None}

    @classmethod
    def _find(cls, connection: sqlite3.Connection, key: str, finished: bool) -> Claim | None:
        """Return the claim on a key that is in the way."""
        row = connection.execute(f"{cls._QUESTION} WHERE key = ?", (key,)).fetchone()
        return None if row is None else cls._held(row, finished)

    @staticmethod
    def _held(row: sqlite3.Row, finished: bool) -> Claim | None:
        """Return the claim of a row if it is in the way."""
        clock = start_of_clock()
        now = since_start() if clock and row["clock"] == clock else None
        over = time.time() >= row["expires"] if now is None else now >= row["ends"]
        held = Claim.stored(dict(row))
        return held if held.in_the_way(over, finished) else None

    @staticmethod
    def _set_clock(connection: sqlite3.Connection, claim: Claim, lease: float) -> None:
        ends = (since_start() or 0.0) + lease
        connection.execute("REPLACE INTO claim_clocks VALUES (?, ?, ?)", (claim.token, start_of_clock(), ends))


class MongoClaims:
    """Claims in a collection beside the documents; all times are the server's."""

    def __init__(self, documents: MongoStore) -> None:
        # written to the server's journal before the answer: else the claims of its last tenth of a second rise again when it
        # is killed, and stand in the way as long as their process lives
        usual = documents._collection.write_concern.document
        journaled = WriteConcern(**usual | {"j": True}) if usual.get("w") != 0 else None
        self._collection = documents._collection.database.get_collection("claims", write_concern=journaled)
        self._place = documents.name

    def take(self, claim: Claim, lease: float, finished: bool) -> Claim | None:
        """See `Claims.take`."""
        wanted = {**asdict(claim), "_id": claim.key, "expires": _server_time_after(lease)}
        change = [
            {"$set": {name: value if name == "expires" else {"$literal": value} for name, value in wanted.items()}}
        ]
        if back := _to_return(self._place):
            self._collection.delete_many({"token": {"$in": back}})
            _returned(back)
        held, over = self._held(claim.key)
        if held is None:
            try:  # where there is a claim its token differs, so this would insert a second one with the same _id
                self._collection.update_one({"_id": claim.key, "token": claim.token}, change, upsert=True)
            except DuplicateKeyError:
                return self._left(claim)
        elif held.in_the_way(over, finished):
            return held
        else:
            same: dict[str, Any] = {"_id": claim.key, "token": held.token}
            if over and held.alive is None:
                same |= _OVER  # unless it has been renewed meanwhile
            if not self._collection.update_one(same, change).matched_count:
                return self._left(claim)
        self._collection.delete_many({"$expr": {"$lt": ["$expires", _server_time_after(-FORGOTTEN)]}})
        _held.add(claim.token)
        return None

    def _left(self, claim: Claim) -> Claim:
        """Return who was quicker."""
        return self._held(claim.key)[0] or replace(claim, owner="somebody who has just finished")

    def _held(self, key: str) -> tuple[Claim | None, bool]:
        """Return the claim on a key, and whether it has not been renewed in time."""
        pipeline = [{"$match": {"_id": key}}, _WHETHER_OVER]
        found = next(iter(self._collection.aggregate(pipeline)), None)
        return (None, False) if found is None else (Claim.stored(found), bool(found["over"]))

    def renew(self, claim: Claim, lease: float, released: bool = False) -> bool:
        """See `Claims.renew`."""
        change = [{"$set": {"expires": _server_time_after(lease), "released": released}}]
        ours = bool(self._collection.update_one({"_id": claim.key, "token": claim.token}, change).matched_count)
        if released:  # not before the store says so: else others would take it for void
            _held.discard(claim.token)
        return ours

    def drop(self, claim: Claim) -> None:
        """See `Claims.drop`."""
        with _given_back(claim, self._place):
            self._collection.delete_one({"_id": claim.key, "token": claim.token})

    def holder(self, key: str) -> Claim | None:
        """See `Claims.holder`."""
        return self.holders([key]).get(key)

    def holders(self, keys: Collection[str]) -> dict[str, Claim]:
        """See `Claims.holders`."""
        pipeline = [{"$match": {"_id": {"$in": list(keys)}}}, _WHETHER_OVER]
        rows = ((Claim.stored(row), bool(row["over"])) for row in self._collection.aggregate(pipeline))
        return {claim.key: claim for claim, over in rows if claim.in_the_way(over, finished=False)}


_WHETHER_OVER = {"$addFields": {"over": {"$lte": ["$expires", "$$NOW"]}}}
_OVER = {"$expr": {"$lte": ["$expires", "$$NOW"]}}


def _server_time_after(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", round(1000 * seconds)]}

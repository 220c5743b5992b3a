"""Save what can be read of a store's file whose pages are damaged, into a new file; the old one is kept beside it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maggma.core import StoreError

from iface_wf.errors import InputError
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.sqlite_file import open_database, refuse_read_only

_COLLECTIONS = ("blobs", "keys", "outputs")
_SIDE_FILES = ("-wal", "-shm", "-journal")
_SPREAD = 1_000_000


@dataclass
class Salvage:
    """What could be read of a damaged file.

    Attributes
    ----------
    saved, lost
        Documents by collection.
    kept_as
        Where the damaged file is now; None after a trial.
    """

    saved: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    kept_as: Path | None = None


def salvage(path: Path, dry_run: bool = False) -> Salvage | None:
    """Save what can be read of a file, if its pages are damaged.

    Parameters
    ----------
    path
        The file of a store; nobody else may use it meanwhile.
    dry_run
        Only say how much could be saved.

    Returns
    -------
    Salvage or None
        None where the pages are sound.

    Raises
    ------
    InputError
        When another process uses the file, or its very beginning is damaged, so that SQLite reads nothing of it.
    """
    try:
        source = open_database(path)
    except (sqlite3.DatabaseError, StoreError) as error:
        raise InputError(
            f"Nothing can be read of {path} ({error}): put a backup in its place, or ask the program sqlite3 for .recover."
        ) from error
    try:
        if _sound(source):
            return None
        found = Salvage()
        if dry_run:
            for name in _COLLECTIONS:
                for _ in _texts(source, name, found):
                    pass
            return found
        refuse_read_only(path)
        _lock(source, path)
        new = path.with_name(f"{path.name}.salvaged")
        if new.exists():
            raise InputError(f"{new} exists already: it is of a repair that was interrupted; remove it first.")
        _copy(source, new, found)
    finally:
        source.close()
    found.kept_as = path.with_name(f"{path.name}.damaged-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}")
    for ending in ("", *_SIDE_FILES):
        side = Path(f"{path}{ending}")
        if side.exists():
            side.rename(f"{found.kept_as}{ending}")
    new.rename(path)
    return found


def _sound(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _lock(connection: sqlite3.Connection, path: Path) -> None:
    """Keep everybody else out, readers too: they would go on with the file that is put aside."""
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        raise InputError(f"Another process uses {path}: end it, and try again ({error}).") from error
    if mode != "delete":
        raise InputError(f"Another process uses {path}: end it, and try again.")


def _copy(source: sqlite3.Connection, new: Path, found: Salvage) -> None:
    """Copy what can be read, without indexes, which are made when the store is opened."""
    for name in _COLLECTIONS:
        with SqliteStore(new, name) as store, store.transaction() as connection:
            insert = f"INSERT INTO {store.rows.table} (id, doc) VALUES (?, CAST(? AS TEXT))"  # noqa: S608 - own names
            for row in _texts(source, name, found):
                connection.execute(insert, row)


def _texts(connection: sqlite3.Connection, name: str, found: Salvage) -> Iterator[tuple[int, bytes]]:
    """Give the rows of a collection that can be read, one by one, and count the others."""
    for row in _numbers(connection, f"docs_{name}"):
        try:
            text = connection.execute(
                f"SELECT CAST(doc AS BLOB) FROM docs_{name} NOT INDEXED WHERE id = ?",  # noqa: S608 - own names
                [row],
            ).fetchone()
        except sqlite3.DatabaseError:
            found.lost[name] += 1
            continue
        if text is not None and text[0] is not None:
            found.saved[name] += 1
            yield row, text[0]


def _numbers(connection: sqlite3.Connection, table: str) -> list[int]:
    """Return the numbers of rows that there may be: those met from both ends of table and indexes, and all between."""
    try:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", [table]
        ).fetchall()
    except sqlite3.DatabaseError:
        names = []
    met: set[int] = set()
    for how in ("NOT INDEXED", *(f'INDEXED BY "{name}"' for (name,) in names)):
        for order in ("", "DESC"):
            try:
                for (row,) in connection.execute(f"SELECT id FROM {table} {how} ORDER BY id {order}"):  # noqa: S608
                    met.add(row)
            except sqlite3.DatabaseError:
                continue
    if not met or max(met) - min(met) > _SPREAD + 10 * len(met):  # a damaged index may name any number
        return sorted(met)
    return list(range(min(met), max(met) + 1))

"""Save what can be read of a store's file whose pages are damaged, into a new file; the old one is kept beside it."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from maggma.core import StoreError

from iface_wf.errors import InputError
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.rows import row_numbers
from iface_wf.store.sqlite_file import may_write, open_database, refuse_read_only

_MAGIC, _HEADER = b"SQLite format 3\0", 100
_COLLECTIONS = ("blobs", "keys", "outputs")
_SIDE_FILES = ("-wal", "-shm", "-journal")


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
    with _readable(path) as (source, whole):
        if whole and _sound(source):
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
    found.kept_as = path.with_name(f"{path.name}.damaged-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}")
    for ending in ("", *_SIDE_FILES):
        side = Path(f"{path}{ending}")
        if side.exists():
            side.rename(f"{found.kept_as}{ending}")
    new.rename(path)
    return found


@contextmanager
def _readable(path: Path) -> Iterator[tuple[sqlite3.Connection, bool]]:
    """Open a file or, where its end is missing, a copy that is filled up to the size that its header tells.

    Yields
    ------
    tuple of sqlite3.Connection and bool
        The second says whether it is the file itself.
    """
    try:
        source, folder = open_database(path), None
    except (sqlite3.DatabaseError, StoreError) as error:
        missing = _missing(path)
        hopeless = InputError(
            f"Nothing can be read of {path} ({error}): put a backup in its place, or ask the program sqlite3 for .recover."
        )
        if not missing:
            raise hopeless from error
        # SQLite itself lets nobody read or write such a file, so that the copy cannot be behind it
        folder = tempfile.TemporaryDirectory(prefix="iface-wf-", dir=path.parent if may_write(path) else None)
        try:
            copy = Path(folder.name) / path.name
            shutil.copyfile(path, copy)
            with copy.open("ab") as file:
                file.truncate(path.stat().st_size + missing)
            source = open_database(copy)
        except (sqlite3.DatabaseError, StoreError) as further:
            folder.cleanup()
            raise hopeless from further
        except BaseException:
            folder.cleanup()
            raise
    try:
        yield source, folder is None
    finally:
        source.close()
        if folder is not None:
            folder.cleanup()


def _missing(path: Path) -> int:
    """Return how many bytes of a file are missing at its end, by its header; see sqlite.org/fileformat.html."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        return 0
    size, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    there = path.stat().st_size
    # a header that is damaged itself may tell any size; half a page is not worth a guess
    return max(0, (65536 if size == 1 else size) * pages - there) if there >= size else 0


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
    for row in row_numbers(connection, f"docs_{name}"):
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

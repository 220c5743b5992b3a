"""Open the SQLite file of an embedded store so that several processes can use it at once, or only read it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
import warnings
from pathlib import Path

from maggma.core import StoreError

from iface_wf.errors import InputError, NoticeWarning
from iface_wf.store.filesystem import file_system, is_local, shares_memory

APPLICATION_ID = 0x49464157
"""Marks a SQLite file as ours (the letters IFAW), so that no other program's database is written into."""

BUSY_SECONDS = 60.0
"""How long a process waits for another one that is writing."""

SWITCH_SECONDS = 10.0
"""How long to wait until nobody uses a file that must leave write-ahead mode."""

_WAL_BYTE = 18  # of the file's header: 2 in write-ahead mode
_SIDE_FILES = ("-wal", "-journal")

_settled: set[tuple[int, int] | None] = set()
"""Files of no local disk that this process has opened, by device and inode: their header is never read again, see `_in_write_ahead_mode`."""


def open_database(path: str | Path) -> sqlite3.Connection:
    """Open a SQLite file, and create it if there is none.

    A commit returns when the data is on the disk, not earlier. On a local disk the file is in write-ahead mode, in
    which readers and the writer never wait for each other; that needs memory shared between the processes, so where a
    trial shows that there is none, and where other machines might use the file too, the file gets a rollback journal; a
    file in write-ahead mode that was moved there is switched. A file that may not be written is opened for reading.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode, usable from any thread.

    Raises
    ------
    sqlite3.Error
        If the file cannot be opened, or is no database.
    maggma.core.StoreError
        If the file is the database of another program.
    InputError
        If it must be switched from write-ahead mode and another process uses it.
    """
    path = Path(path)
    local = is_local(path)
    if not may_write(path):
        connection = _open_for_reading(path)
    else:
        if not local and _identity(path) not in _settled and _in_write_ahead_mode(path):
            _leave_write_ahead_mode(path)
        connection = _connect(str(path))
    try:
        # Tables first: who creates the file marks it before a table is in it, so tables without a mark, read in this
        # order, are another program's even while several of us create the file at once.
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        if mark != APPLICATION_ID:
            if mark or tables:
                raise StoreError(f"{path} is the database of another program.")
            suited = local and shares_memory(path.parent)
            _set_journal(connection, "WAL" if suited else "DELETE")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    if not local:
        _settled.add(_identity(path))
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def may_write(path: Path) -> bool:
    """Whether a file, if it exists, may be written by this process; where nobody may write it, root shall not either."""
    path = Path(os.path.realpath(path))
    try:
        mode = path.stat().st_mode
    except OSError:
        return True  # to be created, or what opening it says
    return bool(mode & 0o222) and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def refuse_read_only(path: str | Path) -> None:
    """Refuse to write into a file that may only be read.

    Raises
    ------
    InputError
        In one sentence.
    """
    if not may_write(Path(path)):
        raise InputError(
            f"The store {path} can only be read, for the file or its folder may not be written by you: give another --store "
            "for what is calculated."
        )


def _connect(name: str, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri)
    connection.text_factory = _text
    return connection


def _text(raw: bytes) -> str:
    """Read a text of any damage; documents themselves are read as bytes."""
    return raw.decode(errors="replace")


def _open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a file that may not be written, in write-ahead mode too, which by itself would write beside it."""
    path = Path(os.path.realpath(path))
    if not Path(f"{path}-wal").exists() and _in_write_ahead_mode(path):  # nobody has it open
        connection = _connect(f"{path.as_uri()}?immutable=1", uri=True)
    else:
        connection = _connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:  # a process was killed that wrote: what it left has to be worked in
            connection.close()
            connection = _open_copy(path)
    connection.execute("PRAGMA query_only = 1")
    return connection


def _open_copy(path: Path) -> sqlite3.Connection:
    """Open a copy of a file with what a killed process left beside it; the copy is gone when it is closed."""
    with tempfile.TemporaryDirectory(prefix="iface-wf-") as folder:
        copy = Path(folder) / "store.sqlite"
        shutil.copyfile(path, copy)
        for ending in _SIDE_FILES:
            if Path(f"{path}{ending}").exists():
                shutil.copyfile(f"{path}{ending}", f"{copy}{ending}")
        connection = _connect(str(copy))
        try:
            connection.execute("PRAGMA journal_mode = DELETE")  # then nothing but the open file is needed
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
    return connection


def _in_write_ahead_mode(path: Path) -> bool:
    """Read it in the header.

    Not while this process has the file open: to close it again, however it was opened, gives back all locks that this process
    has on it (POSIX). Another process that then closes it takes itself for the last one, and removes the write-ahead log
    from under us: see "How To Corrupt An SQLite Database File", 2.2.
    """
    try:
        with path.open("rb") as file:
            return file.read(_WAL_BYTE + 1)[_WAL_BYTE:] == b"\x02"
    except OSError:
        return False


def _leave_write_ahead_mode(path: Path) -> None:
    """Give a file a rollback journal, without the shared memory that there may be none of."""
    connection = _connect(str(path))
    try:
        connection.execute(f"PRAGMA busy_timeout = {round(1000 * SWITCH_SECONDS)}")
        connection.execute(
            "PRAGMA locking_mode = EXCLUSIVE"
        )  # before the first access: the index of the log is private then
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        mode = "wal"
    finally:
        connection.close()
    where = f"The store {path} lies on a file system ({file_system(path) or 'unknown'}) that other machines may use too"
    if mode != "delete":
        raise InputError(
            f"{where}, and must leave write-ahead mode, which is unsafe there: end the processes that use it, and try again."
        )
    warnings.warn(
        NoticeWarning(f"{where}: write-ahead mode is unsafe there, so it has got a rollback journal."), stacklevel=2
    )


def _set_journal(connection: sqlite3.Connection, mode: str) -> None:
    """Switch the journal; SQLite does not itself wait here while another process does the same."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)

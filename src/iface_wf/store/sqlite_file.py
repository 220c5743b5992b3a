"""Open the SQLite file of an embedded store so that several processes can use it at once."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path

import psutil
from maggma.core import StoreError

APPLICATION_ID = 0x49464157
"""Marks a SQLite file as ours (the letters IFAW), so that no other program's database is written into."""

BUSY_SECONDS = 60.0
"""How long a process waits for another one that is writing."""

_NETWORK = re.compile(r"(nfs|cifs|smb|lustre|gpfs|beegfs|ceph|afs|panfs|9p|fuse\.sshfs)", re.IGNORECASE)


def open_database(path: str | Path) -> sqlite3.Connection:
    """Open a SQLite file, and create it if there is none.

    A commit returns when the data is on the disk, not earlier. On a local disk the file is in write-ahead mode, in
    which readers and the writer never wait for each other; that needs memory shared between the processes, so on a
    network file system the file gets a rollback journal.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode, usable from any thread.

    Raises
    ------
    sqlite3.Error
        If the file cannot be opened or written, or is no database.
    maggma.core.StoreError
        If the file is the database of another program.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # Tables first: who creates the file marks it before a table is in it, so tables without a mark, read in this
        # order, are another program's even while several of us create the file at once.
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        if mark != APPLICATION_ID:
            if mark or tables:
                raise StoreError(f"{path} is the database of another program.")
            _set_journal(connection, "DELETE" if _on_network(Path(path)) else "WAL")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _on_network(path: Path) -> bool:
    """Say whether a path lies on a network file system."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    for folder in path.resolve().parents:
        if folder in mounts:
            return bool(_NETWORK.match(mounts[folder]))
    return False


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

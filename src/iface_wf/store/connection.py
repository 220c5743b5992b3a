"""One process's connection to the SQLite file of a store, which several collections may share."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from maggma.core import StoreError

from iface_wf.errors import InputError
from iface_wf.store.sqlite_file import open_database, refuse_read_only

_inherited: list[sqlite3.Connection] = []  # a connection must not even be closed in a forked child
BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class BrokenFileError(InputError):
    """The pages of a file are damaged, not only what stands on them."""


class Connection:
    """The connection; collections of one file that share it write in one transaction.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._writing = False
        self._lock = threading.RLock()

    @property
    def open(self) -> sqlite3.Connection:
        """The open connection; in a forked child one of its own."""
        if self._connection is None:
            raise StoreError(f"The store {self.path} is not connected.")
        if self._pid != os.getpid():
            self.connect()
        assert self._connection is not None
        return self._connection

    def connect(self, force_reset: bool = False) -> None:
        """Open the file, and create it where it does not exist; errors as of `open_database`."""
        with self._lock:
            if self._connection is not None:
                if self._pid != os.getpid():
                    _inherited.append(self._connection)
                elif force_reset:
                    self._connection.close()
                else:
                    return
            self._connection = open_database(self.path)
            self._pid = os.getpid()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    @property
    def read_only(self) -> bool:
        """Whether the file may only be read."""
        return bool(self.open.execute("PRAGMA query_only").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; other writers wait meanwhile. Inside of another transaction this is part of that.

        Raises
        ------
        InputError
            If the file may only be read, or is damaged.
        """
        with self._lock, self._in_words():
            connection = self.open
            if self._writing:
                yield connection
                return
            refuse_read_only(self.path)
            connection.execute("BEGIN IMMEDIATE")
            self._writing = True
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # some errors, as a full disk, have ended it already
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._writing = False

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return all rows at once: a cursor left open would hold back writers and checkpoints.

        Raises
        ------
        BrokenFileError
            If what is to be read of the file is damaged.
        """
        with self._lock, self._in_words():
            return self.open.execute(sql, parameters).fetchall()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in BROKEN:
                raise BrokenFileError(
                    f"The file of the store {self.path} is damaged: iface-wf store repair saves what can be read."
                ) from error
            raise

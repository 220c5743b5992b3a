"""The rows of one collection in the file of a store: looked for by SQL, read with a look at their checksums."""

# ruff: noqa: S608 - table and column names come from checked names only, values are always parameters

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from iface_wf.foreign import without_foreign
from iface_wf.store.checksum import DamagedError, checked_text, document_of
from iface_wf.store.connection import BrokenFileError, Connection
from iface_wf.store.damage import Damage, DamageLog, Inspected, name_in_text

_ASIDE = (
    "CREATE TABLE IF NOT EXISTS set_aside (id INTEGER PRIMARY KEY, collection TEXT, row INTEGER, name TEXT, reason TEXT, "
    "at TEXT, doc BLOB)"
)
_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
_SPREAD = 1_000_000
_BATCH, _BATCH_BYTES = 16, 1 << 22


class Rows:
    """The rows of a collection.

    Parameters
    ----------
    connection
        To the file.
    collection
        Name of the collection.
    """

    def __init__(self, connection: Connection, collection: str) -> None:
        self.connection = connection
        self.collection = collection
        self.table = f"docs_{collection}"
        self.damaged = DamageLog(connection.path)
        self._unreadable: list[int] = []

    def exist(self, name: str) -> bool:
        """Say whether there is a table or index, without waiting for a writer."""
        return bool(self.connection.rows("SELECT 1 FROM sqlite_master WHERE name = ?", [name]))

    def select(self, columns: Sequence[str], condition: str, parameters: Sequence[Any]) -> list[Any]:
        """Return some columns of the rows that fulfil a condition; rows that are no JSON, which SQLite stops at, are left out."""

        def rows() -> list[Any]:
            readable = f"id NOT IN ({', '.join(map(str, self._unreadable))}) AND " if self._unreadable else ""
            sql = f"SELECT {', '.join(columns)} FROM {self.table} WHERE {readable}{condition} ORDER BY id"
            return self.connection.rows(sql, parameters)

        try:
            return rows()
        except sqlite3.OperationalError as error:
            if "malformed JSON" not in str(error):
                raise
        found = self.connection.rows(f"SELECT id FROM {self.table} WHERE NOT json_valid(doc)")
        self._unreadable = [row for (row,) in found]
        for row in self._unreadable:
            self.read(row)  # which tells of it
        return rows()

    def read(self, row: int) -> dict[str, Any] | None:
        """Read one document; None if another process has removed it meanwhile, or if it is damaged, which is told."""
        found = self.inspect(row)
        if found.damage is not None:
            self.damaged.add(found.damage)
        return found.document

    def read_all(self, rows: Sequence[int]) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Read documents in small batches, in the order given; as `read` does for each.

        The batches grow, so that who wants the first one only waits for no other.
        """
        start, size = 0, 1
        while start < len(rows):
            batch = rows[start : start + size]
            marks = ", ".join("?" * len(batch))
            sql = f"SELECT id, CAST(doc AS BLOB) FROM {self.table} WHERE id IN ({marks})"
            try:
                texts: dict[int, bytes] = dict(self.connection.rows(sql, batch))
            except BrokenFileError:  # each by itself, so that those beside it are read
                yield from ((row, self.read(row)) for row in batch)
                start += len(batch)
                continue
            largest = max(map(len, texts.values()), default=1)
            for row in batch:
                found = self._seen(row, texts[row]) if row in texts else Inspected(row, None, None)
                if found.damage is not None:
                    self.damaged.add(found.damage)
                yield row, found.document
            start, size = start + len(batch), max(1, min(2 * size, _BATCH, _BATCH_BYTES // max(largest, 1)))

    def unchanged(self, row: int) -> bool:
        """Whether a document agrees with its checksum, if it has one; else it is told."""
        try:
            found = self.connection.rows(f"SELECT CAST(doc AS BLOB) FROM {self.table} WHERE id = ?", [row])
            if found:
                checked_text(found[0][0])
        except (BrokenFileError, DamagedError):
            self.read(row)
            return False
        return bool(found)

    def inspect(self, row: int) -> Inspected:
        """Look closely at one document."""
        try:
            texts = self.connection.rows(f"SELECT CAST(doc AS BLOB) FROM {self.table} WHERE id = ?", [row])
        except BrokenFileError:
            return Inspected(row, None, Damage(self.collection, str(row), "document", "cannot be read from the file"))
        return self._seen(row, texts[0][0]) if texts else Inspected(row, None, None)

    def _seen(self, row: int, raw: bytes) -> Inspected:
        try:
            document, text, sealed = document_of(raw)
        except DamagedError as error:
            name = name_in_text(raw)
            return Inspected(row, None, Damage(self.collection, str(row), name, str(error)))
        return Inspected(row, without_foreign(document, text), None, sealed)

    def inspect_all(self) -> Iterator[Inspected]:
        """Look closely at every document."""
        try:
            numbers = [row for (row,) in self.connection.rows(f"SELECT id FROM {self.table} NOT INDEXED ORDER BY id")]
        except BrokenFileError:
            numbers = row_numbers(self.connection.open, self.table)
        for row in numbers:
            found = self.inspect(row)
            if found.document is not None or found.damage is not None:  # else there is no such row, or no longer
                yield found

    def set_aside(self, damaged: Sequence[Damage]) -> None:
        """Move documents into the table ``set_aside``, where nothing looks for them, as they are."""
        rows = [(damage, int(damage.place)) for damage in damaged]
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with self.connection.transaction() as connection:
            connection.execute(_ASIDE)
            # An index on what is no JSON can neither be kept nor changed, and one on a field that was damaged later than it
            # was indexed holds the old value, of which SQLite cannot find the entry to be removed.
            indexes = connection.execute(_INDEXES, [self.table]).fetchall()
            for name, _ in indexes:
                connection.execute(f'DROP INDEX "{name}"')
            for damage, row in rows:
                connection.execute(
                    "INSERT INTO set_aside (collection, row, name, reason, at, doc) "
                    f"SELECT ?, id, ?, ?, ?, CAST(doc AS BLOB) FROM {self.table} WHERE id = ?",
                    (self.collection, damage.name, damage.reason, at, row),
                )
                connection.execute(f"DELETE FROM {self.table} WHERE id = ?", [row])
            for _, sql in indexes:
                try:
                    connection.execute(sql)
                except sqlite3.IntegrityError:
                    continue  # of another damaged document; made when the store is opened after that has been set aside
                except sqlite3.OperationalError as error:
                    if "malformed JSON" not in str(error):
                        raise


def row_numbers(connection: sqlite3.Connection, table: str) -> list[int]:
    """Return the numbers of rows that there may be in a damaged file: those met from both ends of table and indexes, and all between."""
    try:
        names = connection.execute(_INDEXES, [table]).fetchall()
    except sqlite3.DatabaseError:
        names = []
    met: set[int] = set()
    for how in ("NOT INDEXED", *(f'INDEXED BY "{name}"' for name, _ in names)):
        for order in ("", "DESC"):
            try:
                for (row,) in connection.execute(f"SELECT id FROM {table} {how} ORDER BY id {order}"):
                    met.add(row)
            except sqlite3.DatabaseError:
                continue
    if not met or max(met) - min(met) > _SPREAD + 10 * len(met):  # a damaged index may name any number
        return sorted(met)
    return list(range(min(met), max(met) + 1))

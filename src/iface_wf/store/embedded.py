"""A document store in one SQLite file: no server, many processes, nothing lost when one of them is killed."""

# ruff: noqa: S608 - table and column names come from checked names only, values are always parameters

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from maggma.core import Sort, Store
from mongomock_ng.filtering import NOTHING, iter_key_candidates
from monty.json import jsanitize

from iface_wf.store.checksum import sealed_text
from iface_wf.store.connection import Connection
from iface_wf.store.extended_json import encode, map_leaves, naive_utc
from iface_wf.store.matching import matcher
from iface_wf.store.projection import projector, sort_key
from iface_wf.store.pushdown import ARRAY, column, prefilter
from iface_wf.store.rows import Rows


class SqliteStore(Store):
    """A maggma store that keeps one collection of documents in a SQLite file.

    Filters have MongoDB's meaning: simple conditions are looked up in SQLite's indexes, then every document found is
    checked with mongomock. Every call is one transaction, so several processes may read and write at once, and a
    process killed at any moment leaves either all of an update or nothing of it. Each document has a checksum; one that
    is damaged is told by name and left out.

    Parameters
    ----------
    path
        The file; its folder must exist.
    collection_name
        Letters, digits and underscores.
    **kwargs
        Passed to :class:`maggma.core.Store`: ``key``, ``last_updated_field``, ``validator``...

    Notes
    -----
    On a local disk the file is in write-ahead mode (readers never wait). On a network file system, where that is
    unsafe, it uses a rollback journal; there a MongoDB is the better choice once several machines write.
    """

    def __init__(self, path: str | Path, collection_name: str = "documents", **kwargs: Any) -> None:
        if not re.fullmatch(r"\w+", collection_name, re.ASCII):
            raise ValueError(f"Collection name {collection_name!r} has other than letters, digits, underscores.")
        self.path = str(Path(path).expanduser().absolute())
        self.collection_name = collection_name
        self.kwargs = kwargs
        self.share(Connection(self.path))
        super().__init__(**kwargs)

    @property
    def name(self) -> str:
        """Where the documents are."""
        return f"sqlite:///{self.path}#{self.collection_name}"

    def share(self, connection: Connection) -> None:
        """Use a connection, perhaps that of another collection of the file, with which it then writes in one transaction."""
        self.connection = connection
        self.rows = Rows(connection, self.collection_name)
        self._table = self.rows.table

    @property
    def _collection(self) -> sqlite3.Connection:
        """The open connection."""
        return self.connection.open

    def connect(self, force_reset: bool = False) -> None:
        """Open the file, and create it and the collection where they do not exist.

        Raises
        ------
        sqlite3.Error
            If the file cannot be opened, or is no database.
        maggma.core.StoreError
            If the file is the database of another program.
        InputError
            If the file may only be read and has no such collection, or is damaged.
        """
        self.connection.connect(force_reset)
        if not self.rows.exist(self._table):
            with self.transaction() as connection:
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {self._table} (id INTEGER PRIMARY KEY, doc TEXT NOT NULL)"
                )

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Write all or nothing; other writers wait meanwhile."""
        return self.connection.transaction()

    def count(self, criteria: dict[str, Any] | None = None) -> int:
        """Count the documents that match."""
        if not criteria:
            return int(self.connection.rows(f"SELECT count(*) FROM {self._table}")[0][0])
        return sum(1 for _ in self._matching(criteria))

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Find documents.

        Parameters
        ----------
        criteria
            MongoDB filter; None matches all.
        properties
            Dotted paths to return, as a list or as ``{path: 1}``; ``{path: 0}`` leaves the paths out instead.
        sort
            Dotted paths with 1 (ascending) or -1.
        skip, limit
            Leave out the first ones; return at most so many (0: all).

        Yields
        ------
        dict
            The documents, read in small batches while the caller iterates.
        """
        project = projector(properties) if properties else None
        for position, (_, document) in enumerate(self._matching(criteria or {}, sort)):
            if limit and position >= skip + limit:
                return
            if position >= skip:
                yield project(document) if project else document

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None) -> None:
        """Insert documents, or replace the ones with the same key fields, all in one transaction.

        Parameters
        ----------
        docs
            One document or several.
        key
            The field or fields that identify a document; None for the store's ``key``.
        """
        fields = [key or self.key] if not isinstance(key, list) else key
        prepared = [
            map_leaves(jsanitize(d, allow_bson=True, recursive_msonable=True), naive_utc)
            for d in (docs if isinstance(docs, list) else [docs])
        ]
        texts = [(document, sealed_text(document)) for document in prepared if self._valid(document)]
        with self.transaction() as connection:
            for document, text in texts:
                same = self._same({field: document[field] for field in fields})
                if same is None:
                    connection.execute(f"INSERT INTO {self._table} (doc) VALUES (?)", (text,))
                else:
                    connection.execute(f"UPDATE {self._table} SET doc = ? WHERE id = ?", (text, same))

    def _same(self, identity: dict[str, Any]) -> int | None:
        """Find the row of the document that has an identity; a damaged one gives way to what replaces it."""
        found = next(self._matching(identity), None)
        if found is not None:
            return found[0]
        condition, parameters = prefilter(map_leaves(identity, naive_utc))
        for row in self._sorted_ids(condition, parameters, {}) if condition != "1" else []:
            if (damage := self.rows.inspect(row).damage) is not None:
                self.rows.set_aside([damage])
        return None

    def _valid(self, document: dict[str, Any]) -> bool:
        if not self.validator or self.validator.is_valid(document):
            return True
        if self.validator.strict:
            raise ValueError(self.validator.validation_errors(document))
        self.logger.error(self.validator.validation_errors(document))
        return False

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that match."""
        with self.transaction() as connection:
            ids = [(row,) for row, _ in self._matching(criteria)]
            connection.executemany(f"DELETE FROM {self._table} WHERE id = ?", ids)

    def ensure_index(self, key: str | list[str], unique: bool = False) -> bool:
        """Create an index on a field, or on several together.

        Returns
        -------
        bool
            False if it cannot be created: duplicates in a unique index, a name no index can have, a document that is no
            JSON, a file that may only be read.
        """
        fields = [key] if isinstance(key, str) else key
        expressions = [column(field) for field in fields]
        if None in expressions:
            return False
        name = "_".join(["unique" if unique else "index", self.collection_name, *fields])
        if self.rows.exist(name):
            return True
        if self.connection.read_only:
            return False
        try:
            with self.transaction() as connection:
                connection.execute(
                    f'CREATE {"UNIQUE " * unique}INDEX IF NOT EXISTS "{name}" '
                    f"ON {self._table} ({', '.join(str(e) for e in expressions)})"
                )
        except sqlite3.IntegrityError:
            return False
        except sqlite3.OperationalError as error:
            if "malformed JSON" in str(error):  # until that document has been set aside
                return False
            raise
        return True

    def distinct(self, field: str, criteria: dict[str, Any] | None = None, all_exist: bool = False) -> list[Any]:
        """List the different values of a field, those inside arrays one by one, in the order found.

        Parameters
        ----------
        field
            Dotted path.
        criteria
            MongoDB filter; None matches all.
        all_exist
            Part of maggma's interface, without effect.
        """
        found: dict[str, Any] = {}
        for document in self.query(criteria, [field]):
            for value in iter_key_candidates(field, document):
                if value is not NOTHING:
                    for item in value if isinstance(value, list) else [value]:
                        found.setdefault(encode({"": item}), item)
        return list(found.values())

    def groupby(
        self,
        keys: list[str] | str,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Sort | int] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Group documents by the values of some fields; documents without one of them are left out.

        Parameters
        ----------
        keys
            Dotted path of a field, or several.
        criteria, properties, sort, skip, limit
            As for `query`, before the documents are grouped.

        Yields
        ------
        tuple of dict and list of dict
            The values, nested as in the documents, and the documents (with ``properties`` and the fields, if given).
        """
        fields = [keys] if isinstance(keys, str) else keys
        wanted = [*properties, *fields] if properties else None
        grouped = projector({"_id": 0} | dict.fromkeys(fields, 1))
        groups: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        exist = {field: {"$exists": True} for field in fields}
        for document in self.query({"$and": [criteria or {}, exist]}, wanted, sort, skip, limit):
            values = grouped(document)
            groups.setdefault(encode(values), (values, []))[1].append(document)
        yield from groups.values()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SqliteStore):
            return False
        fields = ("path", "collection_name", "last_updated_field")
        return all(getattr(self, f) == getattr(other, f) for f in fields)

    def __hash__(self) -> int:
        return hash((self.path, self.collection_name, self.last_updated_field))

    def _matching(
        self, criteria: dict[str, Any], sort: dict[str, Sort | int] | None = None
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give row numbers and documents that match, in order."""
        criteria = map_leaves(criteria, naive_utc)
        condition, parameters = prefilter(criteria)
        fulfils = matcher(criteria)
        for row, document in self.rows.read_all(self._sorted_ids(condition, parameters, sort or {})):
            if document is not None and fulfils(document):
                yield row, document

    def _sorted_ids(self, condition: str, parameters: list[Any], sort: dict[str, Sort | int]) -> list[int]:
        columns = [column(field) or f"'{ARRAY}'" for field in sort]
        rows = self.rows.select(["id", *columns], condition, parameters)
        for position, (field, direction) in reversed(list(enumerate(sort.items(), start=1))):
            descending = Sort(direction) == Sort.Descending
            keys = {}
            for row in rows:
                value = row[position]
                if value == ARRAY:
                    value = list(iter_key_candidates(field, self.rows.read(row[0]) or {}))
                keys[row[0]] = sort_key(value, descending)
            rows.sort(key=lambda row: keys[row[0]], reverse=descending)
        return [row[0] for row in rows]

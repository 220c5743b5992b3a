"""Read all that a store holds, and say what of it is damaged."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jobflow import JobStore
from maggma.core import Store

from iface_wf.errors import InputError
from iface_wf.store.connection import BROKEN
from iface_wf.store.damage import Damage, Inspected, name_of
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.mongo import Blobs, Documents

MISSING = "has lost its density: what stored it was killed, or the density is damaged"
_STEPS = 10_000  # of SQLite's machine, a few ms
Tell = Callable[[int, int], None]


@dataclass
class Findings:
    """What a store holds, and what of it cannot be trusted.

    Attributes
    ----------
    documents
        How many were read, by collection.
    unsealed
        How many of them have no checksum, since an earlier version wrote them: of these only what is no document is seen.
    damaged
        Documents that are damaged, by collection and place.
    torn
        Documents that are sound, but refer to large data that are missing.
    pages
        What SQLite finds wrong with the pages of a file.
    """

    documents: Counter[str] = field(default_factory=Counter)
    unsealed: Counter[str] = field(default_factory=Counter)
    damaged: dict[tuple[str, Any], Damage] = field(default_factory=dict)
    torn: dict[tuple[str, Any], Damage] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.damaged or self.torn or self.pages)

    def sentences(self) -> list[str]:
        """Say each thing that is wrong."""
        told = [f"The file is damaged: {page}" for page in self.pages]
        return told + [f"{damage.sentence}" for damage in (*self.damaged.values(), *self.torn.values())]


def collections(store: JobStore) -> dict[str, Any]:
    """Return the collections of a store whose documents have checksums: large data first, what refers to them last.

    Raises
    ------
    InputError
        For a store of another kind.
    """
    found: dict[str, Store] = {each.collection_name: each for each in store.additional_stores.values()}
    documents = store.docs_store
    if isinstance(documents, SqliteStore) and documents.rows.exist("docs_keys"):
        register = SqliteStore(documents.path, "keys", key="key")
        register.share(documents.connection)
        found["keys"] = register
    found[documents.collection_name] = documents
    if not all(isinstance(each, SqliteStore | Documents | Blobs) for each in found.values()):
        raise InputError("Only stores in a file and on a MongoDB server can be checked.")
    return found


def check(store: JobStore, tell: Tell = lambda done, total: None) -> Findings:
    """Read every document of a store.

    Parameters
    ----------
    store
        Connected job store.
    tell
        Is told how many documents have been read, and how many there are.

    Returns
    -------
    Findings
        Nothing is changed.
    """
    findings, places = Findings(), collections(store)
    if isinstance(store.docs_store, SqliteStore):
        findings.pages = bad_pages(store.docs_store)
    total = sum(each.count() for each in places.values()) if not findings.pages else 0
    there: set[str] = set()
    for name, each in places.items():
        for found in _inspected(each):
            findings.documents[name] += 1
            tell(findings.documents.total(), total)
            _note(findings, name, found, there)
    return findings


def _inspected(store: Any) -> Iterator[Inspected]:
    found: Iterator[Inspected] = store.rows.inspect_all() if isinstance(store, SqliteStore) else store.inspect_all()
    return found


def _note(findings: Findings, name: str, found: Inspected, there: set[str]) -> None:
    if found.damage is not None:
        findings.damaged[name, found.place] = found.damage
        return
    document = found.document or {}
    findings.unsealed[name] += not found.sealed
    if "blob_uuid" in document:
        there.add(str(document["blob_uuid"]))
    elif "output" in document and not references(document["output"]) <= there:
        findings.torn[name, found.place] = Damage(name, str(found.place), name_of(document), MISSING)


def bad_pages(documents: SqliteStore, seconds: float | None = None) -> list[str]:
    """Return what SQLite finds wrong with the structure of a file, in its own words; at most 20.

    Parameters
    ----------
    documents
        Of the file.
    seconds
        How long to look at most; None: at everything.
    """
    found: list[str] = []
    connection = documents.connection.open
    deadline = time.monotonic() + (seconds or 0.0)
    if seconds is not None:
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        for (line,) in connection.execute("PRAGMA quick_check(20)"):
            found += [" ".join(each.split()) for each in str(line).splitlines() if each != "ok"]
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in BROKEN:
            found += _each_tree(connection) or [str(error)]
        elif code != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        connection.set_progress_handler(None, 0)
    return [line for line in found if not line.startswith("*** in database")][:20]


def _each_tree(connection: sqlite3.Connection) -> list[str]:
    """Name the tables and indexes that cannot be gone through, where SQLite gives up a look at all of them."""
    found = []
    for name, table in connection.execute(
        "SELECT name, tbl_name FROM sqlite_master WHERE rootpage AND sql IS NOT NULL"
    ).fetchall():
        how = "NOT INDEXED" if name == table else f'INDEXED BY "{name}"'
        try:
            connection.execute(f'SELECT count(*) FROM "{table}" {how}').fetchone()  # noqa: S608 - names of our own tables
        except sqlite3.DatabaseError as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in BROKEN:  # else no time is left
                found.append(f"{name}: {error}")
    return found


def references(output: Any) -> set[str]:
    """Return the identifiers of the large data that a document refers to."""
    found: set[str] = set()
    left = [output]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if "blob_uuid" in item:
                found.add(str(item["blob_uuid"]))
            left += [each for each in item.values() if isinstance(each, dict | list)]
        elif isinstance(item, list):
            left += [each for each in item if isinstance(each, dict | list)]
    return found

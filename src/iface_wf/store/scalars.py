"""A few plain fields of many documents, of which nothing but the checksum is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobflow import JobStore

from iface_wf.store.embedded import SqliteStore
from iface_wf.store.pushdown import column, prefilter


def scalars(store: JobStore, fields: Sequence[str], criteria: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Give the values of some fields of the documents that match.

    Parameters
    ----------
    store
        Connected job store.
    fields
        Dotted paths of texts and numbers; None where a document has none.
    criteria
        Equality and ``$in`` on texts and numbers only, with at most 500 values: this much SQLite decides by itself.

    Yields
    ------
    tuple
        In the order of ``fields``.
    """
    documents = store.docs_store
    if isinstance(documents, SqliteStore):
        columns = [str(column(field)) for field in fields]
        for row, *values in documents.rows.select(["id", *columns], *prefilter(criteria)):
            if documents.rows.unchanged(row):
                yield tuple(values)
        return
    for document in store.query(criteria, properties=list(fields), load=False):
        yield tuple(_at(document, field) for field in fields)


def _at(document: dict[str, Any], field: str) -> Any:
    value: Any = document
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value

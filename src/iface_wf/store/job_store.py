"""The job store: a document is never there without its large data, and large data that are missing are said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from jobflow import JobStore
from maggma.core.store import DateTimeFormat

from iface_wf.errors import InputError
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.sqlite_file import refuse_read_only


class MissingDataError(InputError):
    """Large data that a document refers to are not in the store."""


class _Gathered:
    """Stands in for the store of documents: what it is given is kept for later."""

    key = "uuid"
    last_updated_field = "last_updated"
    last_updated_type = DateTimeFormat.DateTime

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []

    def update(self, docs: list[dict[str, Any]], key: Any = None) -> None:
        self.documents += docs


def require_writable(store: JobStore) -> None:
    """Refuse to begin what could not be stored.

    Raises
    ------
    InputError
        When the store is a file that may only be read.
    """
    if isinstance(store.docs_store, SqliteStore):
        refuse_read_only(store.docs_store.path)


class WholeJobStore(JobStore):
    """A job store that writes large data before the document that refers to them; in one file both in one transaction."""

    def connect(self, force_reset: bool = False) -> None:
        """Connect to the stores; those in one file share a connection."""
        documents = self.docs_store
        if isinstance(documents, SqliteStore):
            for store in self._in_the_file():
                store.share(documents.connection)
        super().connect(force_reset)

    def update(self, docs: Any, key: Any = None, save: Any = None) -> None:
        """Insert or replace documents, see :meth:`jobflow.JobStore.update`."""
        gathered = _Gathered()
        first = JobStore(gathered, save=self.save)
        first.additional_stores = self.additional_stores
        with self._one_transaction():
            first.update(docs, key=key, save=save)
            self.docs_store.update(gathered.documents, key=key or ["uuid", "index"])

    def query(self, *arguments: Any, **options: Any) -> Iterator[dict[str, Any]]:
        """Find documents, see :meth:`jobflow.JobStore.query`.

        Raises
        ------
        MissingDataError
            When large data that shall be loaded are not there.
        """
        try:
            yield from super().query(*arguments, **options)
        except KeyError as error:  # of the identifiers in a document, one was not found
            raise MissingDataError(
                f"The large data {str(error.args[0])[:40]!r} of a document are missing from the store, or damaged: what is "
                "asked for again is calculated again."
            ) from error

    def _in_the_file(self) -> list[SqliteStore]:
        path = getattr(self.docs_store, "path", None)
        return [s for s in self.additional_stores.values() if isinstance(s, SqliteStore) and s.path == path]

    def _one_transaction(self) -> AbstractContextManager[Any]:
        return self.docs_store.transaction() if isinstance(self.docs_store, SqliteStore) else nullcontext()

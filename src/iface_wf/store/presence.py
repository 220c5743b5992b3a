"""Whether the file of a store is still the one that was opened: SQLite goes on writing into a file that is deleted."""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from jobflow import JobStore

from iface_wf.errors import OutageError
from iface_wf.store.embedded import SqliteStore

_opened: dict[int, os.stat_result] = {}


def remember_file(documents: SqliteStore) -> None:
    """Remember which file has been opened."""
    if id(documents) not in _opened:
        weakref.finalize(documents, _opened.pop, id(documents), None)
    _opened[id(documents)] = Path(documents.path).stat()


def require_file(store: JobStore) -> None:
    """Look whether the file of a store is there; servers, and stores that others have opened, are not looked at.

    Raises
    ------
    OutageError
        When it has been deleted or replaced; waiting does not help then.
    """
    documents = store.docs_store
    known = _opened.get(id(documents))
    if not isinstance(documents, SqliteStore) or known is None:
        return
    try:
        same = os.path.samestat(Path(documents.path).stat(), known)
    except FileNotFoundError:
        same = False
    if not same:
        raise OutageError(
            f"The store {documents.path} was deleted or replaced while it was in use: what came since is in no store. Finished "
            "calculations lie in the work folder: the same command puts them into the store that is there now.",
            final=True,
        )

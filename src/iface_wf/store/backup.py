"""Copy the file of a store while others write into it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from jobflow import JobStore

from iface_wf.errors import InputError
from iface_wf.store.embedded import SqliteStore


def backup(store: JobStore, target: Path, force: bool = False) -> int:
    """Write a consistent copy of a store's file, as it is at one moment.

    Parameters
    ----------
    store
        Connected job store, of a file.
    target
        File to write.
    force
        Replace a file that exists.

    Returns
    -------
    int
        Number of documents in the copy.

    Raises
    ------
    InputError
        For a store on a server, and when the file exists or cannot be written.
    """
    documents = store.docs_store
    if not isinstance(documents, SqliteStore):
        raise InputError(
            "A store on a MongoDB server is copied by MongoDB's own program: mongodump --uri ADDRESS --gzip --archive=FILE, see "
            "docs/mongodb.md."
        )
    target = target.expanduser().absolute()
    if target.exists() and target.samefile(documents.path):
        raise InputError(f"{target} is the store itself: give another file.")
    if target.exists() and not (force and target.is_file()):
        raise InputError(f"{target} exists already: give another file, or --force to replace it.")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".iface-wf-backup-") as folder:
            copy = Path(folder) / "copy.sqlite"
            with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                # in one go: page by page it would begin anew whenever another process writes
                documents.connection.open.backup(connection, pages=-1)
                (problem,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                table = documents.rows.table
                (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own name
            if problem != "ok":
                raise InputError(
                    f"The store {documents.path} is damaged, so no backup was written: iface-wf store repair."
                )
            with copy.open("rb") as file:
                os.fsync(file.fileno())
            if force:
                copy.replace(target)
            else:
                os.link(copy, target)  # unlike a renaming it refuses a file that has come meanwhile
    except FileExistsError as error:
        raise InputError(f"{target} exists already: give another file, or --force to replace it.") from error
    except OSError as error:
        raise InputError(f"The backup {target} cannot be written: {error.strerror}.") from error
    return int(count)

"""Where results are kept: one setting, from a file on this machine to a MongoDB server."""

from __future__ import annotations

import difflib
import os
import re
import sqlite3
from contextlib import suppress
from pathlib import Path

from jobflow import JobStore
from maggma.core import StoreError
from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from iface_wf.errors import InputError, unknown_name
from iface_wf.secrets import value_of
from iface_wf.store import mongo
from iface_wf.store.address import SCHEMES
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.fields import INDEXED_FIELDS, UNIQUE_FIELDS, VERSION_FIELDS
from iface_wf.store.job_store import WholeJobStore
from iface_wf.store.presence import remember_file

#: What files of stores are commonly called, to say which one was meant.
_SUFFIXES = frozenset({".sqlite", ".sqlite3", ".db"})
_LOGIN = r"/*[^/]*:.*@"


class StoreSettings(BaseSettings):
    """Settings of the store, from the environment: ``IFACE_WF_STORE``, ``IFACE_WF_MONGO_PASSWORD``..."""

    model_config = SettingsConfigDict(env_prefix="IFACE_WF_", env_ignore_empty=True)

    store: str | None = Field(
        default=None,
        description="A file, sqlite:///file, mongodb://... or mongodb+srv://...; without it a file in the "
        "user's data folder",
    )
    mongo_password: SecretStr | None = Field(
        default=None, description="Password of the user that a MongoDB address names without one"
    )
    mongo_tls_key_password: SecretStr | None = Field(
        default=None, description="Password of the file that tlsCertificateKeyFile in a MongoDB address names"
    )


def mongo_password() -> str | None:
    """Return the password of the MongoDB user from the environment, or what has been kept of it."""
    return value_of("IFACE_WF_MONGO_PASSWORD")


def default_path() -> Path:
    """Return the file used without any setting, in the user's data folder."""
    return user_data_path("iface-wf") / "store.sqlite"


def open_store(uri: str | None = None, create: bool = True) -> JobStore:
    """Open the store of all results.

    Parameters
    ----------
    uri
        A path, ``sqlite:///path`` (an absolute path begins with a fourth slash), ``mongodb://...`` or
        ``mongodb+srv://...``; None takes ``IFACE_WF_STORE``, and without that a file in the user's data folder,
        which is created.
    create
        Whether a file that is not there is made; else it is refused, see `require_store`.

    Returns
    -------
    jobflow.JobStore
        Connected, indexed, with the additional store ``data`` for large data. The same code works on both kinds.

    Raises
    ------
    InputError
        If the store cannot be used, in one sentence that never shows a password.
    """
    uri = uri or StoreSettings().store
    if uri is None:
        path = default_path()
        if not path.is_absolute():  # nobody's home
            raise InputError(f"The data folder {path.parent} is no absolute path: set HOME, or name a --store.")
        if not create:
            require_store()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The data folder {path.parent} cannot be created: {error.strerror}.") from error
        return open_embedded(path)
    named = _file_of(uri)
    if not create:
        require_store(uri)
    return mongo.open_mongo(uri, mongo_password()) if named is None else open_embedded(named)


def file_of(uri: str | None = None) -> Path | None:
    """Return the file of a store, which need not exist; None for one on a server. Parameter and errors as of `open_store`."""
    uri = uri or StoreSettings().store
    path = default_path() if uri is None else _file_of(uri)
    return None if path is None else path.expanduser().absolute()


def require_store(uri: str | None = None) -> None:
    """Refuse a store in a file that is not there or holds nothing; parameter and errors as of `open_store`.

    Opening one makes it, which nobody wants who reads what is stored and has mistyped its name.
    """
    path = file_of(uri)
    if path is None or path.is_dir():
        return
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise InputError(f"There is no store {path}: {_instead(path, uri)}") from None
    except OSError as error:
        raise InputError(f"The store {path} cannot be opened: {error.strerror}.") from error
    if size == 0 and path.is_file() and not _log_of(path):
        raise InputError(f"The file {path} is empty, which no store is: put a backup in its place, or remove it.")


def _instead(path: Path, uri: str | None) -> str:
    """Say what to do about a store that is not there."""
    if uri is None and StoreSettings().store is None:
        return "iface-wf run makes it with its first result, --store or IFACE_WF_STORE names another."
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix in _SUFFIXES]
    except OSError:
        return f"the folder {path.parent} does not exist or may not be read."
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {near[0]}?" if near else "iface-wf run and screen make one, no other command does."


def _log_of(path: Path) -> bool:
    """Whether a process writes, or was killed writing, what will be the first page of the file."""
    return any(os.path.exists(f"{path}{ending}") for ending in ("-wal", "-journal"))  # noqa: PTH110


def _file_of(uri: str) -> Path | None:
    if re.match(r"sqlite:", uri, re.IGNORECASE):
        return _of_sqlite(uri)
    scheme, separator, _ = uri.partition("://")
    no_scheme = not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme)
    if no_scheme and _like_login(uri):  # as a path it would be repeated in messages, with a password in it
        raise InputError("The store looks like an address, but does not begin with mongodb:// or mongodb+srv://.")
    if not separator:
        return Path(uri)
    if scheme.lower() in SCHEMES:
        return None
    raise unknown_name("kind of store", scheme, ["sqlite", *SCHEMES])


def _of_sqlite(uri: str) -> Path:
    rest = uri[len("sqlite:") :]
    if re.match(_LOGIN, rest):
        raise InputError("A sqlite:/// address names a file and has no login; a server's begins with mongodb://.")
    if not rest.startswith("///") or not rest.strip("/"):  # what stands behind two slashes would be a server
        raise InputError(
            "A sqlite: address has three slashes and a file: sqlite:///results.sqlite, or sqlite:////abs/results.sqlite."
        )
    return Path(rest.removeprefix("///"))


def _like_login(path: str) -> bool:
    """Whether a path looks like an address with a login: ``user:password@`` at its beginning, or in any part."""
    if os.path.exists(path):  # noqa: PTH110
        return False
    if re.match(rf"mongodb(\+srv)?:|{_LOGIN}", path, re.IGNORECASE):
        return True
    folder, _, name = path.rpartition("/")
    inside = re.compile(r"(^|/)[^/:]*:[^/]*@")  # folders with such names exist
    return bool(inside.search(name)) or (bool(inside.search(path)) and not os.path.isdir(folder))  # noqa: PTH112


def open_embedded(path: Path) -> JobStore:
    """Open the store in a SQLite file.

    Parameters
    ----------
    path
        The file; it is created, its folder must exist. One that may not be written is opened for reading.

    Returns
    -------
    jobflow.JobStore
        Connected and indexed.

    Raises
    ------
    InputError
        If the file cannot be opened, or is something else than a store.
    """
    path = path.expanduser().absolute()
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()  # says what is wrong where others only say that there is none, as of links in a circle
        folder_exists, is_folder = path.parent.is_dir(), path.is_dir()
        is_other = path.exists() and not path.is_file() and not is_folder
    except OSError as error:
        raise InputError(f"The store {path} cannot be opened: {error.strerror}.") from error
    if not folder_exists:
        raise InputError(f"The store {path} cannot be opened: the folder {path.parent} does not exist.")
    if is_folder:
        raise InputError(f"The store {path} is a folder; name a file, for example {path / 'store.sqlite'}.")
    if is_other:  # a pipe or device: opening it may never end
        raise InputError(f"The store {path} cannot be opened: it is no regular file.")
    documents, blobs = SqliteStore(path, "outputs"), SqliteStore(path, "blobs")
    store = WholeJobStore(documents, additional_stores={"data": blobs})
    try:
        store.connect()
        documents.ensure_index(list(UNIQUE_FIELDS), unique=True)
        for field in INDEXED_FIELDS:
            documents.ensure_index(field)
        documents.ensure_index(list(VERSION_FIELDS))
        blobs.ensure_index("blob_uuid", unique=True)
        blobs.ensure_index(["job_uuid", "job_index"])
    except StoreError as error:
        raise InputError(f"The store {path} cannot be used: it is the database of another program.") from error
    except sqlite3.Error as error:
        raise InputError(f"The store {path} cannot be used: {_reason(error)}.") from error
    remember_file(documents)
    return store


def _reason(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return "the file or its folder may not be written by you"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return "the file is not a database, or is damaged; iface-wf store repair saves what can be read of a store"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another process has been writing for a long time"
    if name.startswith("SQLITE_FULL"):
        return "the disk is full"
    return str(error)

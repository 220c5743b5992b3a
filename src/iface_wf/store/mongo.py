"""The job store on a MongoDB server: documents in a collection, large data in GridFS."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from jobflow import JobStore
from maggma.core import StoreError
from maggma.stores import GridFSStore, MongoStore
from pymongo import ASCENDING, IndexModel
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from iface_wf.errors import InputError
from iface_wf.store.fields import INDEXED_FIELDS, UNIQUE_FIELDS

SCHEMES = ("mongodb", "mongodb+srv")
DEFAULT_DATABASE = "iface_wf"
TIMEOUT_SECONDS = 3
"""How long to look for a server before giving up."""

_BAD_LOGIN = 18
_NOT_ALLOWED = 13


class Secret(str):
    """A password that does not show in the repr of what holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'**********'"


class Address(NamedTuple):
    """A MongoDB address taken apart, so that no later message or name can show the password.

    Attributes
    ----------
    uri
        Scheme, hosts, database and options, without any login.
    hosts
        For messages.
    database
        Name of the database.
    options
        Login and time limits, for :class:`pymongo.MongoClient`.
    """

    uri: str
    hosts: str
    database: str
    options: dict[str, Any]


def parse_address(uri: str, password: str | None = None) -> Address:
    """Take a MongoDB address apart.

    Parameters
    ----------
    uri
        ``mongodb://[user[:password]@]host[:port][,...][/database][?options]``, or ``mongodb+srv://...``.
    password
        Used if the address names a user without password.

    Raises
    ------
    InputError
        If the address cannot be read; the text shows nothing of it.
    """
    try:
        parts = urlsplit(uri)
        query = parse_qsl(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise InputError("The MongoDB address cannot be read: write mongodb://user@host:27017/database.") from None
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, own_password = login.partition(":")
    if not parts.netloc:
        raise InputError("The MongoDB address names no server: write mongodb://user@host:27017/database.")
    if not hosts or "@" in parts.path + parts.query + parts.fragment:
        raise InputError(
            "The MongoDB address cannot be read: characters such as / ? # @ in a user name or password must be "
            "written percent-encoded, for example %2F."
        )
    database = parts.path.strip("/") or DEFAULT_DATABASE
    given = {name.lower() for name, _ in query}
    options: dict[str, Any] = {name: Secret(value) for name, value in query if "password" in name.lower()}
    visible = urlencode([(name, value) for name, value in query if name not in options])
    for name in ("serverSelectionTimeoutMS", "connectTimeoutMS"):
        if name.lower() not in given:
            options[name] = 1000 * TIMEOUT_SECONDS
    if user:
        options["username"] = unquote_plus(user)
        if secret := unquote_plus(own_password) or password:
            options["password"] = Secret(secret)
        if "authsource" not in given:
            options["authSource"] = parts.path.strip("/") or "admin"
    return Address(f"{parts.scheme}://{hosts}/{database}{'?' * bool(visible)}{visible}", hosts, database, options)


def open_mongo(uri: str, password: str | None = None) -> JobStore:
    """Connect to a job store on a MongoDB server and create its indexes.

    Parameters
    ----------
    uri, password
        See :func:`parse_address`.

    Returns
    -------
    jobflow.JobStore
        Connected, with the additional store ``data`` in GridFS.

    Raises
    ------
    InputError
        If the server does not answer, or refuses the user; never with the password in the text.
    """
    address = parse_address(uri, password)
    common = {"database": address.database, "uri": address.uri, "mongoclient_kwargs": address.options}
    documents = MongoStore(collection_name="outputs", **common)
    blobs = GridFSStore(collection_name="blobs", **common)
    store = JobStore(documents, additional_stores={"data": blobs})
    try:
        store.connect()
        _create_indexes(documents, blobs)
    except PyMongoError as error:
        with suppress(StoreError):  # a store that could not be opened refuses to be closed
            store.close()
        raise InputError(_reason(address, error)) from None  # the chained error could show the address
    return store


def _create_indexes(documents: MongoStore, blobs: GridFSStore) -> None:
    """Create the indexes that finding results needs; those that exist are left alone."""
    unique = IndexModel([(field, ASCENDING) for field in UNIQUE_FIELDS], unique=True)
    single = [IndexModel([(field, ASCENDING)]) for field in INDEXED_FIELDS]
    documents._collection.create_indexes([unique, *single])
    files = [IndexModel("metadata.blob_uuid"), IndexModel([("metadata.job_uuid", 1), ("metadata.job_index", 1)])]
    blobs._files_collection.create_indexes(files)
    database = documents._collection.database
    database["claims"].create_index("expires", expireAfterSeconds=0)
    database["keys"].create_indexes([IndexModel("key", unique=True), IndexModel("family")])


def _reason(address: Address, error: PyMongoError) -> str:
    where = f"The MongoDB server at {address.hosts}"
    user = address.options.get("username")
    if isinstance(error, OperationFailure) and error.code == _BAD_LOGIN:
        return (
            f"{where} refuses the user {user!r}: wrong name or password (IFACE_WF_MONGO_PASSWORD), or an account "
            "of another database than the one in authSource."
        )
    if isinstance(error, OperationFailure) and error.code == _NOT_ALLOWED:
        who = f"does not let the user {user!r} write" if user else "wants a user name and password for writing"
        return f"{where} {who} to the database {address.database!r}."
    if isinstance(error, ConnectionFailure):
        return f"{where} does not answer within {TIMEOUT_SECONDS} s: is it running, and reachable from here?"
    if isinstance(error, ConfigurationError) and user and "password" not in address.options:
        return f"{where} wants the password of the user {user!r}: export it as IFACE_WF_MONGO_PASSWORD."
    if isinstance(error, ConfigurationError):
        return f"{where} cannot be used with this address: {error}"
    return f"{where} cannot be used: {type(error).__name__}: {error}"

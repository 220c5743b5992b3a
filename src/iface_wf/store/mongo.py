"""The job store on a MongoDB server: documents in a collection, large data in GridFS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from jobflow import JobStore
from maggma.core import StoreError
from maggma.stores import GridFSStore, MongoStore
from pymongo import ASCENDING, IndexModel
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from iface_wf.errors import InputError
from iface_wf.foreign import without_foreign
from iface_wf.secrets import scrub
from iface_wf.store.address import TIMEOUT_SECONDS, Address, parse_address
from iface_wf.store.fields import INDEXED_FIELDS, UNIQUE_FIELDS, VERSION_FIELDS

_BAD_LOGIN = 18
_NOT_ALLOWED = 13
_NOT_THERE = (26, 27)  # collection or index; somebody else may have dropped it this moment


class _Private:
    """A store of maggma on a server: its description shows no login, and its documents name no unknown objects."""

    uri: str
    database: str
    collection_name: str

    @property
    def name(self) -> str:
        """Where the documents are."""
        return f"{self.uri.partition('?')[0].rstrip('/')} {self.database}.{self.collection_name}"

    def as_dict(self) -> dict[str, Any]:
        """Say where the documents are; a login is no part of it, so it cannot be opened from this."""
        return {
            "@module": type(self).__module__,
            "@class": type(self).__name__,
            "uri": self.uri,
            "database": self.database,
            "collection_name": self.collection_name,
        }

    def query(self, *arguments: Any, **options: Any) -> Iterator[dict[str, Any]]:
        """Find documents, see :meth:`maggma.core.Store.query`."""
        for document in super().query(*arguments, **options):  # type: ignore[misc]  # of the store that it is mixed into
            yield without_foreign(document)


class Documents(_Private, MongoStore):
    """maggma's store of documents on a server."""


class Blobs(_Private, GridFSStore):
    """maggma's store of large data on a server."""


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
    # a server that is killed forgets what is not in its journal: the last tenth of a second of results that it has confirmed
    given = {option.partition("=")[0].lower() for option in re.split("[&;]", address.uri.partition("?")[2])}
    durable = {} if given & {"journal", "j", "w"} else {"journal": True}
    common = {"database": address.database, "uri": address.uri, "mongoclient_kwargs": durable | address.options}
    documents = Documents(collection_name="outputs", **common)
    blobs = Blobs(collection_name="blobs", **common)
    store = JobStore(documents, additional_stores={"data": blobs})
    try:
        store.connect()
        _create_indexes(documents, blobs)
    except (PyMongoError, OSError, ValueError) as error:  # the latter of files and options that pymongo cannot use
        with suppress(StoreError):  # a store that could not be opened refuses to be closed
            store.close()
        raise InputError(_reason(address, error)) from None  # the chained error could show the address
    return store


def _create_indexes(documents: MongoStore, blobs: GridFSStore) -> None:
    """Create the indexes that finding results needs; those that exist are left alone."""
    unique = IndexModel([(field, ASCENDING) for field in UNIQUE_FIELDS], unique=True)
    versions = IndexModel([(field, ASCENDING) for field in VERSION_FIELDS])
    single = [IndexModel([(field, ASCENDING)]) for field in INDEXED_FIELDS]
    documents._collection.create_indexes([unique, versions, *single])
    files = [IndexModel("metadata.blob_uuid"), IndexModel([("metadata.job_uuid", 1), ("metadata.job_index", 1)])]
    blobs._files_collection.create_indexes(files)
    database = documents._collection.database
    try:  # earlier versions let the server remove claims by time, those of processes that are only stopped too
        database["claims"].drop_index("expires_1")
    except OperationFailure as error:
        if error.code not in _NOT_THERE:
            raise
    database["keys"].create_indexes([IndexModel("key", unique=True), IndexModel("family")])


def _reason(address: Address, error: Exception) -> str:
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
        return f"{where} {_no_connection(str(error))}"
    if isinstance(error, ConfigurationError) and user and "password" not in address.options:
        return f"{where} wants the password of the user {user!r}: export it as IFACE_WF_MONGO_PASSWORD."
    said = " ".join(scrub(str(error)).split())[:300].rstrip(".")
    if isinstance(error, ConfigurationError | OSError | ValueError):
        return f"{where} cannot be used with this address: {said}."
    return f"{where} cannot be used: {type(error).__name__}: {said}."


def _no_connection(said: str) -> str:
    """Say what hinders a connection, from the words of the library."""
    if "CERTIFICATE_VERIFY_FAILED" in said or "certificate verify failed" in said or "doesn't match" in said:
        return (
            "shows a certificate that is not accepted here: name the authority that signed it with tlsCAFile=..., and the "
            "host as the certificate names it."
        )
    if "SSL" in said:
        return (
            "does not agree on an encrypted connection: tls=true only where it speaks TLS, and its client certificate, if "
            "it wants one, with tlsCertificateKeyFile=..."
        )
    if "connection closed" in said:
        return "closes the connection: if it wants an encrypted one, add tls=true to the address."
    return f"does not answer within {TIMEOUT_SECONDS} s: is it running, and reachable from here?"

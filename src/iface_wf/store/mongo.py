"""The job store on a MongoDB server: documents in a collection, large data in GridFS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from gridfs.errors import CorruptGridFile
from jobflow import JobStore
from maggma.core import StoreError
from maggma.stores import GridFSStore, MongoStore
from monty.json import jsanitize
from pymongo import ASCENDING, IndexModel
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from iface_wf.errors import InputError
from iface_wf.foreign import without_foreign
from iface_wf.secrets import scrub
from iface_wf.store.address import TIMEOUT_SECONDS, Address, parse_address
from iface_wf.store.checksum import FIELD, NO_TEXT, covering, fault_of, with_sums
from iface_wf.store.damage import Damage, DamageLog, Inspected, name_of
from iface_wf.store.fields import INDEXED_FIELDS, UNIQUE_FIELDS, VERSION_FIELDS
from iface_wf.store.job_store import WholeJobStore
from iface_wf.store.projection import projector

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


class Documents(_Private, MongoStore):
    """maggma's store of documents on a server; each has checksums, and a damaged one is told by name and left out."""

    _log: DamageLog | None = None

    @property
    def damaged(self) -> DamageLog:
        """The damaged documents that were met."""
        self._log = self._log or DamageLog(self.name)
        return self._log

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None) -> None:
        """Insert or replace documents, see :meth:`maggma.core.Store.update`."""
        given = docs if isinstance(docs, list) else [docs]
        super().update([with_sums(jsanitize(each, allow_bson=True, recursive_msonable=True)) for each in given], key)

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Any] | None = None,
        hint: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
        **options: Any,
    ) -> Iterator[dict[str, Any]]:
        """Find documents, see :meth:`maggma.core.Store.query`."""
        flags = properties if isinstance(properties, dict) else dict.fromkeys(properties or [], 1)
        fields = covering(path for path, flag in flags.items() if flag and path != "_id")
        wanted = [*fields, FIELD] if fields else None
        project = projector(flags) if flags else None
        while True:
            left_out = 0
            for found in super().query(criteria, wanted, sort, hint, skip, limit, **options):
                reason = fault_of(found, fields or None)
                if reason is not None:
                    left_out += 1
                    self._tell(found["_id"], reason)
                    continue
                found.pop(FIELD, None)
                yield without_foreign(project(found) if project else found)
            if not limit or not left_out:
                return
            skip, limit = skip + limit, left_out

    def _tell(self, identity: Any, reason: str) -> None:
        whole = self._collection.find_one({"_id": identity}) or {}
        self.damaged.add(Damage(self.collection_name, str(identity), name_of(whole), reason))

    def inspect_all(self) -> Iterator[Inspected]:
        """Look closely at every document."""
        for found in self._collection.find({}):
            reason, place = fault_of(found), found["_id"]
            damage = None if reason is None else Damage(self.collection_name, str(place), name_of(found), reason)
            sealed = FIELD in found
            found.pop(FIELD, None)
            yield Inspected(place, found if damage is None else None, damage, sealed)

    def set_aside(self, places: Mapping[Any, Damage]) -> None:
        """Move documents, by ``_id``, into the collection ``set_aside``, where nothing looks for them."""
        aside = self._collection.database["set_aside"]
        for place, damage in places.items():
            found = self._collection.find_one({"_id": place})
            if found is not None:
                entry = {"collection": self.collection_name, "name": damage.name, "reason": damage.reason, "doc": found}
                aside.replace_one({"_id": place}, {"_id": place, **entry}, upsert=True)
                self._collection.delete_one({"_id": place})


class Blobs(_Private, GridFSStore):
    """maggma's store of large data on a server, with a checksum in each."""

    _log: DamageLog | None = None

    @property
    def damaged(self) -> DamageLog:
        """The damaged data that were met."""
        self._log = self._log or DamageLog(self.name)
        return self._log

    def update(
        self,
        docs: list[dict[str, Any]] | dict[str, Any],
        key: list[str] | str | None = None,
        additional_metadata: str | list[str] | None = None,
    ) -> None:
        """Insert or replace documents, see :meth:`maggma.core.Store.update`."""
        given = docs if isinstance(docs, list) else [docs]
        sealed = [with_sums(jsanitize(each, recursive_msonable=True)) for each in given]
        super().update(sealed, key, additional_metadata)

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Find documents, see :meth:`maggma.core.Store.query`."""
        files = self._files_store.query(
            self.transform_criteria(criteria or {}), ["metadata"], sort=sort, skip=skip, limit=limit
        )
        for file in list(files):
            found = self._inspect(file, properties)
            if found.damage is not None:
                self.damaged.add(found.damage)
            elif found.document is not None:
                yield without_foreign(found.document)

    def _inspect(self, file: dict[str, Any], properties: Any = None) -> Inspected:
        place, uuid = file["_id"], str(file.get("metadata", {}).get("blob_uuid"))
        reason: str | None = None
        try:
            document = next(super().query({"_id": place}, properties), None)
        except CorruptGridFile:
            document, reason = {}, "is not complete"
        else:
            if document is not None:
                # what is no JSON comes as bytes
                reason = NO_TEXT if isinstance(document.get("data"), bytes) else fault_of(document)
        damage = None if reason is None else Damage(self.collection_name, str(place), name_of({"uuid": uuid}), reason)
        sealed = document is None or document.pop(FIELD, None) is not None
        return Inspected(place, document if damage is None else None, damage, sealed)

    def inspect_all(self) -> Iterator[Inspected]:
        """Look closely at every one."""
        for file in self._files_store.query({"metadata.damaged": {"$exists": False}}, ["metadata"]):
            yield self._inspect(file)

    def set_aside(self, places: Mapping[Any, Damage]) -> None:
        """Mark files, by ``_id``, as what nothing looks for any more."""
        for place, damage in places.items():
            names = {f"metadata.{name}": f"metadata.damaged_{name}" for name in ("blob_uuid", "job_uuid", "job_index")}
            change = {"$rename": names, "$set": {"metadata.damaged": damage.reason}}
            self._files_collection.update_one({"_id": place}, change)


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
    store = WholeJobStore(documents, additional_stores={"data": blobs})
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

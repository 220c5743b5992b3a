"""MongoDB stores that can be written down: they hold an address without password, and read that when they connect.

A job queue keeps the description of its stores in files and documents; with these no password gets into any of them.
"""

from __future__ import annotations

from typing import Any

from maggma.stores import GridFSStore, MongoStore

from iface_wf.store.mongo import parse_address
from iface_wf.store.settings import mongo_password

#: How long a queue waits for its server, s, before it calls a step failed and tries again later.
QUEUE_TIMEOUT = 20


def _options(address: str) -> dict[str, Any]:
    """Take an address apart, with the password from the environment."""
    parsed = parse_address(address, mongo_password())
    options = parsed.options | {"serverSelectionTimeoutMS": 1000 * QUEUE_TIMEOUT}
    return {"database": parsed.database, "uri": parsed.uri, "mongoclient_kwargs": options}


class LoginMongoStore(MongoStore):
    """maggma's store of documents, from an address without password.

    Parameters
    ----------
    address
        ``mongodb://[user@]host[:port][/database][?options]``; the password is read from ``IFACE_WF_MONGO_PASSWORD``.
    collection_name
        Collection of the documents.
    """

    def __init__(self, address: str, collection_name: str, **kwargs: Any) -> None:
        self.address = address
        super().__init__(collection_name=collection_name, **_options(address), **kwargs)

    def close(self) -> None:
        """Close the connection, if there is one: a queue also closes stores that it never opened."""
        if self._coll is not None:
            super().close()

    def as_dict(self) -> dict[str, Any]:
        """Return what `from_dict` needs: nothing secret."""
        return _as_dict(self)

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> LoginMongoStore:
        """Make the store that `as_dict` described."""
        return cls(d["address"], d["collection_name"])


class LoginGridFSStore(GridFSStore):
    """maggma's store of large data, from an address without password; parameters as of `LoginMongoStore`."""

    def __init__(self, address: str, collection_name: str, **kwargs: Any) -> None:
        self.address = address
        super().__init__(collection_name=collection_name, **_options(address), **kwargs)

    def close(self) -> None:
        """Close the connection, if there is one: a queue also closes stores that it never opened."""
        if self._coll is not None:
            super().close()

    def as_dict(self) -> dict[str, Any]:
        """Return what `from_dict` needs: nothing secret."""
        return _as_dict(self)

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> LoginGridFSStore:
        """Make the store that `as_dict` described."""
        return cls(d["address"], d["collection_name"])


def _as_dict(store: LoginMongoStore | LoginGridFSStore) -> dict[str, Any]:
    return {
        "@module": type(store).__module__,
        "@class": type(store).__name__,
        "address": store.address,
        "collection_name": store.collection_name,
    }

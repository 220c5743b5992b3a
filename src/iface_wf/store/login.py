"""MongoDB stores that can be written down: they hold an address without password, and read that when they connect.

A job queue keeps the description of its stores in files and documents; with these no password gets into any of them.
"""

from __future__ import annotations

from typing import Any, Self

from iface_wf.store.address import parse_address
from iface_wf.store.mongo import Blobs, Documents
from iface_wf.store.settings import mongo_password

#: How long a queue waits for its server, s, before it calls a step failed and tries again later.
QUEUE_TIMEOUT = 20


def _options(address: str) -> dict[str, Any]:
    """Take an address apart, with the password from the environment."""
    parsed = parse_address(address, mongo_password())
    options = dict(parsed.options)
    if "serverSelectionTimeoutMS" in options:  # our default, which the address says nothing about
        options["serverSelectionTimeoutMS"] = 1000 * QUEUE_TIMEOUT
    return {"database": parsed.database, "uri": parsed.uri, "mongoclient_kwargs": options}


class _WithoutPassword:
    """What both kinds of store have in common.

    Parameters
    ----------
    address
        ``mongodb://[user@]host[:port][/database][?options]``; the password is read from ``IFACE_WF_MONGO_PASSWORD``.
    collection_name
        Collection of the documents.
    """

    _coll: Any

    def __init__(self, address: str, collection_name: str, **kwargs: Any) -> None:
        self.address, self.collection_name = address, collection_name
        super().__init__(collection_name=collection_name, **_options(address), **kwargs)  # type: ignore[call-arg]

    def close(self) -> None:
        """Close the connection, if there is one: a queue also closes stores that it never opened."""
        if self._coll is not None:
            super().close()  # type: ignore[misc]  # of the store that it is mixed into

    def as_dict(self) -> dict[str, Any]:
        """Return what `from_dict` needs: nothing secret."""
        return {
            "@module": type(self).__module__,
            "@class": type(self).__name__,
            "address": self.address,
            "collection_name": self.collection_name,
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Make the store that `as_dict` described."""
        return cls(d["address"], d["collection_name"])


class LoginMongoStore(_WithoutPassword, Documents):
    """maggma's store of documents, from an address without password."""


class LoginGridFSStore(_WithoutPassword, Blobs):
    """maggma's store of large data, from an address without password."""

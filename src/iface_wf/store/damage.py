"""Documents that are not what was stored: named, once each, and left out of what is read."""

from __future__ import annotations

import re
import warnings
from typing import Any, NamedTuple

from iface_wf.errors import NoticeWarning

_MARKS = {
    "document_type": re.compile(rb'"document_type":"(\w{1,40})"'),
    "key": re.compile(rb'"key":"([0-9a-f]{10})[0-9a-f]*"'),
    "uuid": re.compile(rb'"(?:blob_)?uuid":"([0-9a-f-]{8,40})"'),
}


class Damage(NamedTuple):
    """A document that cannot be trusted.

    Attributes
    ----------
    collection
        ``outputs``, ``blobs`` or ``keys``.
    place
        Row of a file, or ``_id`` on a server.
    name
        What it says of itself, as far as that can be read: kind, key, uuid.
    reason
        What is wrong with it.
    """

    collection: str
    place: str
    name: str
    reason: str

    @property
    def sentence(self) -> str:
        """What is damaged, where and how."""
        return f"The {self.name} in {self.collection}, entry {self.place}, {self.reason}"


class Inspected(NamedTuple):
    """A document that was looked at closely.

    Attributes
    ----------
    place
        Row of a file, or ``_id`` on a server.
    document
        The document; None for a damaged one.
    damage
        What is wrong, if anything is.
    sealed
        Whether it has a checksum.
    """

    place: Any
    document: dict[str, Any] | None
    damage: Damage | None
    sealed: bool = True


class DamageLog:
    """The damaged documents that a store has met; each is told once.

    Parameters
    ----------
    where
        The store, for messages; without any login.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.found: dict[str, Damage] = {}

    def add(self, damage: Damage) -> None:
        """Note a damaged document, and tell of it."""
        if damage.place not in self.found:
            self.found[damage.place] = damage
            warnings.warn(
                NoticeWarning(f"{damage.sentence} and is left out ({self.where}); see: iface-wf store check"),
                stacklevel=2,
            )


def name_in_text(raw: bytes) -> str:
    """Name a document by what can still be read of its text."""
    found = {mark: pattern.search(raw) for mark, pattern in _MARKS.items()}
    return _name(*(match.group(1).decode() if match else None for match in found.values()))


def name_of(document: dict[str, Any]) -> str:
    """Name a document by its kind, key and uuid."""
    output = document.get("output")
    said = output if isinstance(output, dict) else {}
    uuid = document.get("uuid", document.get("blob_uuid"))
    return _name(
        *(None if each is None else str(each)[:40] for each in (said.get("document_type"), said.get("key"), uuid))
    )


def _name(kind: str | None, key: str | None, uuid: str | None) -> str:
    return f"{kind or 'document'}{f' {key[:10]}' if key else ''}{f' (uuid {uuid})' if uuid else ''}"

"""Checksums of documents: a changed bit is seen when a document is read.

In a file the checksum is the end of the text that it is of. On a server, which gives back parts of documents, there is one
for each field of a document and of its output, over the canonical text of the value, so parts can be checked too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from iface_wf.store.extended_json import canonical, decode, encode, map_leaves, naive_utc

FIELD = "_checksum"
"""Field of a stored document that holds it; no document that is read has this field."""

WRONG = "does not agree with its checksum"
NO_TEXT = "cannot be read as JSON"

_HEAD = f',"{FIELD}":"'.encode()
_DIGITS = 32  # of 128 bits: chance never gives the same
_TAIL = len(_HEAD) + _DIGITS + 2
_FIELD_BYTES = 8
_OUTPUT = "output"


class DamagedError(ValueError):
    """A text is not what was stored."""


def sealed_text(document: dict[str, Any]) -> str:
    """Write a document as JSON text that ends with its checksum."""
    return sealed(encode({name: value for name, value in document.items() if name != FIELD}))


def sealed(text: str) -> str:
    """End the JSON text of an object with its checksum."""
    if text == "{}":
        return text
    return f'{text[:-1]}{_HEAD.decode()}{_of_text(text[:-1].encode(errors="surrogatepass"))}"}}'


def checked_text(raw: bytes) -> tuple[bytes, bool]:
    """Take the checksum off a text.

    Parameters
    ----------
    raw
        The text as stored, UTF-8.

    Returns
    -------
    tuple of bytes and bool
        The text of the document, and whether it had a checksum; those of earlier versions have none.

    Raises
    ------
    DamagedError
        When the checksum is wrong.
    """
    if raw[-_TAIL:].startswith(_HEAD) and raw.endswith(b'"}'):
        if _of_text(raw[:-_TAIL]).encode() != raw[-_DIGITS - 2 : -2]:
            raise DamagedError(WRONG)
        return raw[:-_TAIL] + b"}", True
    return raw, False


def document_of(raw: bytes) -> tuple[dict[str, Any], str, bool]:
    """Read a text that :func:`sealed_text` or an earlier version wrote.

    Returns
    -------
    tuple of dict, str and bool
        The document, its text, and whether it had a checksum.

    Raises
    ------
    DamagedError
        When the checksum is wrong, or the text is no document.
    """
    body, sealed = checked_text(raw)
    try:
        text = body.decode()
        return decode(text), text, sealed
    except (orjson.JSONDecodeError, ValueError, AssertionError) as error:
        raise DamagedError(NO_TEXT) from error


def _of_text(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=_DIGITS // 2).hexdigest()


def with_sums(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document for a server with the checksums of its fields.

    Parameters
    ----------
    document
        What is to be stored, as BSON can hold it. Dates are rounded down to milliseconds, as BSON keeps them.
    """
    kept = map_leaves({name: value for name, value in document.items() if name != FIELD}, _as_bson)
    return {**kept, FIELD: _sums(kept)}


def fault_of(document: dict[str, Any], fields: Iterable[str] | None = None) -> str | None:
    """Say what is wrong with a document of a server, or with a part of it.

    Parameters
    ----------
    document
        As the server gave it, with its checksums; without any, as of earlier versions, nothing is known to be wrong.
    fields
        The only fields that were asked for, as :func:`covering` names them; None: all.
    """
    known = document.get(FIELD)
    if known is None:
        return None
    if not isinstance(known, dict):
        return WRONG
    found = _flat(_sums({name: value for name, value in document.items() if name != FIELD}))
    wanted = _flat(known)
    if fields is not None:
        asked = tuple(fields)
        wanted = {name: digest for name, digest in wanted.items() if name in asked or name.split(".")[0] in asked}
    found.pop("_id", None)
    wanted.pop("_id", None)
    return None if found == wanted else WRONG


def covering(paths: Iterable[str]) -> list[str]:
    """Name the fields with a checksum of their own that hold some dotted paths."""
    fields = {".".join(path.split(".")[: 2 if path.startswith(f"{_OUTPUT}.") else 1]) for path in paths}
    return sorted(field for field in fields if _OUTPUT not in fields or not field.startswith(f"{_OUTPUT}."))


def _sums(document: dict[str, Any]) -> dict[str, Any]:
    own = {name: _of_value(value) for name, value in document.items() if name != _OUTPUT and name != "_id"}
    output = document.get(_OUTPUT)
    if isinstance(output, dict):
        return {"own": own, _OUTPUT: {name: _of_value(value) for name, value in output.items()}}
    return {"own": own | ({_OUTPUT: _of_value(output)} if _OUTPUT in document else {})}


def _flat(sums: dict[str, Any]) -> dict[str, str]:
    own, output = sums.get("own"), sums.get(_OUTPUT, {})
    flat = dict(own) if isinstance(own, dict) else {}
    if isinstance(output, dict):
        flat |= {f"{_OUTPUT}.{name}": digest for name, digest in output.items()}
    return flat


def _of_value(value: Any) -> str:
    text = canonical({"": value}).encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=_FIELD_BYTES).hexdigest()


def _as_bson(value: Any) -> Any:
    value = naive_utc(value)
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value

"""Documents of a store that another version of this program wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from jobflow import JobStore
from pydantic import ValidationError

from iface_wf.documents.base import StoredDocument
from iface_wf.documents.upgrade import FIRST_VERSION, SCHEMA_VERSION, upgrade
from iface_wf.errors import InputError, validate
from iface_wf.store.scalars import scalars

D = TypeVar("D", bound=StoredDocument)


def of_today(kind: str) -> dict[str, Any]:
    """Return the condition for documents of a kind with the schema of this version."""
    return {"output.document_type": kind, "output.schema_version": SCHEMA_VERSION}


def older(kinds: Sequence[str]) -> dict[str, Any]:
    """Return the condition for documents of some kinds that an older version wrote; the first ones say no version."""
    versions = [None, *range(FIRST_VERSION, SCHEMA_VERSION)]
    return {"output.document_type": {"$in": list(kinds)}, "output.schema_version": {"$in": versions}}


def count_older(store: JobStore, kinds: Sequence[str]) -> int:
    """Count the documents of some kinds that an older version wrote, without reading them."""
    return sum(1 for _ in scalars(store, ["uuid"], older(kinds)))


def refuse_newer(store: JobStore, kind: str) -> None:
    """Refuse to read around documents of a newer version of this program.

    Raises
    ------
    InputError
        Naming one of them.
    """
    criteria = {"output.document_type": kind, "output.schema_version": {"$gte": SCHEMA_VERSION + 1}}
    fields = ["output.document_type", "output.schema_version", "output.key"]
    for entry in store.query(criteria, properties=fields, limit=1, load=False):
        upgrade(entry["output"])


def upgraded(
    store: JobStore, document: type[StoredDocument], tell: Callable[[dict[str, Any], InputError], None]
) -> Iterator[dict[str, Any]]:
    """Give the entries of a class of documents that an older version wrote, as this version would have stored them.

    Parameters
    ----------
    store
        Connected job store.
    document
        The class.
    tell
        Is told of entries that are left out since they cannot be read, and why.

    Yields
    ------
    dict
        As the job store holds it, large data as references.
    """
    kind = str(document.model_fields["document_type"].default)
    for entry in store.query(older([kind]), load=False):
        try:
            yield as_of_today(entry, document)
        except InputError as error:
            tell(entry, error)


def as_of_today(entry: dict[str, Any], document: type[StoredDocument]) -> dict[str, Any]:
    """Return an entry of the job store with its document in the schema of this version; its marks for jobflow stay.

    Parameters
    ----------
    entry
        As the job store holds it.
    document
        Class of its document.

    Raises
    ------
    InputError
        When the document is of a newer version, or damaged.
    """
    output = entry["output"]
    marks = {name: value for name, value in output.items() if name.startswith("@")}
    return {**entry, "output": marks | document_in(entry, document).model_dump(mode="json")}


def document_in(entry: dict[str, Any], document: type[D]) -> D:
    """Return the document of an entry of the job store.

    Parameters
    ----------
    entry
        As the job store holds it.
    document
        Class of its document.

    Raises
    ------
    InputError
        When a newer version wrote the document, or it has fields that this one does not know, or it is damaged.
    """
    output = entry["output"]
    where = f"The stored {output.get('document_type')} {str(output.get('key', ''))[:10]} (uuid {entry['uuid']})"
    try:
        return document.model_validate(output)
    except ValidationError as error:
        unknown = [str(e["loc"][-1]) for e in error.errors(include_url=False) if e["type"] == "extra_forbidden"]
        if unknown:
            raise InputError(
                f"{where} has a field that this version of iface-wf does not know, {unknown[0][:80]!r}: a newer one wrote it; "
                "update iface-wf."
            ) from error
        return validate(output, document, where)
    except (LookupError, TypeError, AttributeError) as error:  # a step from an older form misses what it needs
        raise InputError(f"{where} is damaged: it has not the form of its kind.") from error

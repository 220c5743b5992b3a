"""Fields of the job store's documents: those that have an index, in a file and on a server alike, and what stands in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

UNIQUE_FIELDS = ("uuid", "index")
"""What identifies a document of the job store."""

INDEXED_FIELDS = (
    "output.key",
    "output.provenance.former_key",
    "output.document_type",
    "output.kind",
    "output.engine",
    "output.level",
    "output.filler",
    "output.polymer",
    "output.salt",
    "completed_at",
    "metadata.interface",
)
"""What results are looked up by."""

VERSION_FIELDS = ("output.document_type", "output.schema_version")
"""One index of these together tells the documents of older versions."""


def value_at(document: Mapping[str, Any], field: str) -> Any:
    """Return what a stored document has at a field such as ``deformation_energy.A``; None where it has nothing."""
    return value_under(document, field.split("."))


def value_under(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return what a stored document has under the names of a path, one within the other; None where it has nothing."""
    value: Any = document
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value

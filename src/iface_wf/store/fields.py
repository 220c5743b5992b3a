"""Fields of the job store's documents that have an index, in a file and on a server alike."""

from __future__ import annotations

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

"""What is stored of an electron density on a grid."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from iface_wf.documents.base import Document

DensityKind = Literal["pseudo", "all_electron", "valence", "difference"]
Vector = tuple[float, float, float]


class DensityRecord(Document):
    """An electron density as a compressed file plus the facts needed to use it without unpacking it.

    The grid is periodic: point ``i`` of ``n`` lies at the fraction ``i / n`` of its cell vector. Along
    directions that are not periodic the plane at 0 is the boundary, where the density is zero. The values
    count electrons, so they are positive (``difference``: positive where electrons accumulate).
    `iface_wf.analysis.density.pack` writes a record, `iface_wf.analysis.density.unpack` reads it.
    """

    kind: DensityKind = Field(
        description="pseudo: smooth density of a PAW code; all_electron: with the core; valence: without; "
        "difference: of two or more densities on one grid"
    )
    shape: tuple[int, int, int] = Field(description="number of points along each cell vector")
    cell: tuple[Vector, Vector, Vector] = Field(description="cell vectors as rows, A")
    pbc: tuple[bool, bool, bool] = Field(description="which directions are periodic")
    unit: Literal["e/A^3"] = "e/A^3"
    n_electrons: float = Field(description="integral over the cell, e")
    planar: list[float] | None = Field(
        default=None, description="integral over each plane of the first two vectors, e/A, along c"
    )
    sha256: str = Field(description="SHA-256 of the compressed bytes, hexadecimal")
    n_bytes: int = Field(description="number of compressed bytes")
    blob: str | dict[str, Any] | None = Field(
        default=None,
        description="base64 text of the compressed bytes (HDF5, float32), or the reference that jobflow's "
        "additional store leaves in its place",
    )

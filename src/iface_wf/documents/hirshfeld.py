"""What is stored of a Hirshfeld analysis."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from iface_wf.documents.charges import ChargesDocument


class HirshfeldDocument(ChargesDocument):
    """Charges of the atoms by Hirshfeld's stockholder partition (10.1007/BF00549096).

    Each point's electrons are divided between the atoms as their free, neutral, spherical atoms share the density there. All electrons
    are given to atoms: the charges add up to the charge of the system. They are smaller than Bader's.
    """

    scheme: Literal["hirshfeld"] = "hirshfeld"
    free_atoms: str = Field(description="Where the densities of the free atoms are from")
    shape: tuple[int, int, int] = Field(description="grid points along each cell vector")
    spacing: tuple[float, float, float] = Field(description="distance of grid points along each cell vector, A")
    electrons: list[float] = Field(description="electrons of each atom, e")
    total_electrons: float = Field(description="integral of the density over the cell, e")
    far_electrons: float = Field(
        description="electrons where no free atom reaches, which the nearest atoms have, e; within `electrons`"
    )

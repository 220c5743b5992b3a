"""What is stored of a Bader analysis."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from iface_wf.documents.charges import ChargesDocument
from iface_wf.documents.density import DensityKind

BaderFlag = Literal["grid_too_coarse", "grid_coarse_for_hydrogen", "negative_density", "maximum_off_nucleus"]

FLAG_MEANINGS: dict[BaderFlag, str] = {
    "grid_too_coarse": "grid spacing above 0.08 A: charges may be off by some 0.1 e",
    "grid_coarse_for_hydrogen": "grid spacing above 0.05 A with hydrogen: its charge may be off by 0.01 e",
    "negative_density": "density below -1e-3 e/A^3 somewhere: the smooth part was interpolated too coarsely",
    "maximum_off_nucleus": "a maximum more than 0.5 A from every nucleus was given to the nearest atom",
}


class BaderDocument(ChargesDocument):
    """Electrons and charges of the atoms from Bader's partition, with all that is needed to judge them.

    Lists have one entry per atom in the order of the structure. Positive charges mean lost electrons.
    Below the vacuum cut no atom owns the density; its electrons are stored apart (``vacuum_charge``) and also
    attributed to atoms (``vacuum_electrons``): to the basins continued downwards, and where the density is
    below 1e-5 e/A^3, hence noise, to the nearest atom. ``net_charges`` includes them, so that the charges of
    all atoms add up to the charge of the system; ``net_charges_above_cut`` leaves them out.
    """

    scheme: Literal["bader"] = "bader"
    method: Literal["weight"] = Field(description="how grid points are divided between atoms")
    density_kind: DensityKind = Field(description="density that was integrated")
    partition_kind: DensityKind = Field(description="density whose basins were used")
    shape: tuple[int, int, int] = Field(description="grid points along each cell vector")
    spacing: tuple[float, float, float] = Field(description="distance of grid points along each cell vector, A")
    vacuum_cut: float = Field(description="density at or below which a point belongs to no atom, e/A^3")

    reference_charges: list[float] = Field(description="electrons of the neutral atom in a density of this kind, e")
    electrons: list[float] = Field(description="electrons in the basin of each atom above the vacuum cut, e")
    vacuum_electrons: list[float] = Field(description="electrons below the vacuum cut that each atom has, e")
    net_charges: list[float] = Field(description="reference - electrons - vacuum_electrons, e, positive = lost")
    net_charges_above_cut: list[float] = Field(description="reference - electrons, e, positive = lost electrons")
    volumes: list[float] = Field(description="volume of each basin above the vacuum cut, A^3")

    total_electrons: float = Field(description="integral of the density over the cell, e")
    vacuum_charge: float = Field(description="electrons below the vacuum cut, e")
    vacuum_volume: float = Field(description="volume below the vacuum cut, A^3")
    negative_charge: float = Field(description="integral over the points of negative density, e; part of the vacuum")
    min_density: float = Field(description="e/A^3")
    max_density: float = Field(description="e/A^3")
    n_maxima: int = Field(description="local maxima of the partitioned density above the vacuum cut")
    max_distance: float = Field(description="largest distance of a nucleus to the maximum nearest to it, A")
    flags: list[BaderFlag] = Field(description="what makes the numbers doubtful; meanings in FLAG_MEANINGS")

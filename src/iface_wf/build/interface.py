"""One interface from names: slab, fragment and placements, with a report of what was built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pymatgen.core import Structure

from iface_wf.build.oligomers import Tacticity, build_oligomer
from iface_wf.build.placements import footprint, place
from iface_wf.build.slabs import build_slab
from iface_wf.errors import InputError
from iface_wf.library.library import Library
from iface_wf.library.records import Caps, Miller


class InterfaceSpec(BaseModel):
    """What to build; every field is part of the provenance of the result.

    Attributes
    ----------
    filler, surface
        Filler of the library (or a structure file) and Miller indices or text; by default its first surface.
    polymer, units, sequence, caps, tacticity
        Polymer of the library and how its oligomer is made.
    salt
        Salt of the library, alone or as an ion pair beside the polymer.
    n_placements, seed, clearance
        Number of placements, seed of everything random, contact distance in van der Waals sums.
    thickness, vacuum, min_in_plane
        Slab thickness, empty space above the topmost atom and smallest in-plane lengths, A; by default the
        surface's thickness and the fragment's footprint.
    max_atoms
        Refuse interfaces with more atoms.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    filler: str
    surface: Miller | str | None = None
    polymer: str | None = None
    units: int | None = None
    sequence: str | None = None
    caps: Caps | None = None
    tacticity: Tacticity = "atactic"
    salt: str | None = None
    n_placements: int = Field(default=8, ge=1, le=1000)
    seed: int = Field(default=0, ge=0, lt=2**31)
    clearance: float = Field(default=0.85, ge=0.5, le=1.5)
    thickness: float | None = Field(default=None, gt=0, le=60)
    vacuum: float = Field(default=8.0, ge=6, le=100)
    min_in_plane: tuple[float, float] | None = None
    n_conformers: int = Field(default=10, ge=1, le=500)
    max_atoms: int = Field(default=600, ge=1)

    @model_validator(mode="after")
    def _something_on_top(self) -> InterfaceSpec:
        if self.polymer is None and self.salt is None:
            raise ValueError("give a polymer, a salt, or both")
        return self


@dataclass(frozen=True)
class InterfaceBuild:
    """Slab, fragment, their placements, and a report.

    Attributes
    ----------
    slab, fragment
        The isolated parts, labelled.
    placements
        Interfaces; slab sites first.
    report
        Plain JSON: formula, charge (e), area (A^2), thickness (A), atoms, the slab's dipole per area by formal
        charges (e/A, along +z; None where its oxidation states are unknown), the closest contact of each placement.
    """

    slab: Structure
    fragment: Structure
    placements: list[Structure]
    report: dict[str, Any]


def build_interface(spec: InterfaceSpec, library: Library) -> InterfaceBuild:
    """Build the slab, the fragment and the placements of one interface.

    Parameters
    ----------
    spec
        What to build.
    library
        Where names are looked up.

    Returns
    -------
    InterfaceBuild
        At least one placement.

    Raises
    ------
    InputError
        For unknown names, impossible requests, or more than ``spec.max_atoms`` atoms.
    """
    fragment = build_fragment(spec, library)
    slab = build_slab(
        library.filler(spec.filler),
        spec.surface,
        spec.thickness,
        _in_plane(spec, fragment),
        spec.vacuum,
        spec.seed,
    )
    count = len(slab) + len(fragment)
    if count > spec.max_atoms:
        raise InputError(
            f"The interface would have {count} atoms ({len(slab)} slab, {len(fragment)} fragment), at most "
            f"{spec.max_atoms} are allowed: use fewer units, a thinner slab or raise max_atoms."
        )
    placements = place(slab, fragment, spec.n_placements, spec.seed, spec.vacuum, spec.clearance)
    for placement in placements:
        placement.properties["spec"] = spec.model_dump(mode="json", exclude_none=True)
    return InterfaceBuild(slab, fragment, placements, report_of(slab, fragment, placements))


def build_fragment(spec: InterfaceSpec, library: Library) -> Structure:
    """Build the isolated fragment of a spec: the oligomer, the salt, or the oligomer with an ion pair."""
    if spec.polymer is None or spec.salt is not None:
        raise InputError("Only a polymer can be placed: give a polymer and no salt.")
    return build_oligomer(
        library.polymer(spec.polymer),
        spec.units,
        spec.caps,
        spec.seed,
        spec.n_conformers,
        sequence=spec.sequence,
        tacticity=spec.tacticity,
    )


def _in_plane(spec: InterfaceSpec, fragment: Structure) -> tuple[float, float]:
    return spec.min_in_plane or footprint(fragment)


def report_of(slab: Structure, fragment: Structure, placements: Sequence[Structure]) -> dict[str, Any]:
    """Summarise an interface as plain JSON; see `InterfaceBuild`."""
    a, b, _ = slab.lattice.matrix
    first = placements[0]
    return {
        "formula": first.properties["formula"],
        "atoms": {"slab": len(slab), "fragment": len(fragment), "total": len(first)},
        "charge": first.properties["charge"],
        "area": float(np.linalg.norm(np.cross(a, b))),
        "thickness": float(np.ptp(slab.cart_coords[:, 2])),
        "dipole_per_area": slab.properties.get("dipole_per_area"),
        "contacts": [placement.properties["placement"]["contact"] for placement in placements],
    }

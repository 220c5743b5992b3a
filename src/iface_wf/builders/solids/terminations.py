"""Where a crystal can be cleaved along a plane, and what the two faces are then like."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import spglib
from pymatgen.core import Composition, Lattice, Structure

from iface_wf.builders.edges import area_of
from iface_wf.builders.solids.bonds import Bonds, find_bonds, rigid_units
from iface_wf.builders.solids.planes import SYMPREC, oriented_cell, period

PLANE_TOLERANCE = 0.1
"""Units whose heights differ by less (A) lie in one plane."""
POLAR_TOLERANCE = 0.002
"""Dipole per area in e/A from which on a stacking is called polar; it is a potential step of 0.4 V."""
VACANT = "Kr"
"""Element that stands for an empty lattice site while a slab is being cut."""


@dataclass(frozen=True)
class BrokenBond:
    """One bond that a cut broke.

    Attributes
    ----------
    site
        Index of the atom that stayed in the slab.
    element
        Element of the atom that was removed.
    vector
        From the site to where the removed atom was, in A, shape (3,).
    strength
        Pauling strength in e.
    """

    site: int
    element: str
    vector: npt.NDArray[np.float64]
    strength: float


@dataclass(frozen=True)
class Termination:
    """One way to cleave a crystal along a plane.

    Attributes
    ----------
    label
        Unique, for example ``"1:O2|Si1"``: rank, atoms of the topmost plane, atoms of the lowest plane.
    cell
        The oriented cell with the cut at its bottom and top face; sites of cut units stay together.
    broken_strength
        Pauling strength of the bonds broken at each face, in e per nm^2.
    dipole_per_area
        Formal-charge dipole of one repeat along +z, in e/A (e A per A^2); 0 for an unpolar stacking.
    symmetric
        A symmetry operation maps the top face onto the bottom face.
    gap
        Distance between the two planes on either side of the cut in A.
    """

    label: str
    cell: Structure
    broken_strength: float
    dipole_per_area: float
    symmetric: bool
    gap: float

    @property
    def polar(self) -> bool:
        """Whether the stacking carries a dipole (type 3 of P. W. Tasker, 10.1088/0022-3719/12/22/036)."""
        return abs(self.dipole_per_area) > POLAR_TOLERANCE

    def layers(self, thickness: float) -> int:
        """Smallest number of repeats whose extent along z is at least ``thickness`` (A)."""
        one = float(np.ptp(atoms_only(self.cell).cart_coords[:, 2]))
        return 1 + max(0, math.ceil((thickness - one) / period(self.cell) - 1e-6))

    def stack(self, layers: int) -> Structure:
        """Stack repeats into a slab: lowest atom at z = 0, c normal to the plane, pbc in a and b."""
        frac = np.concatenate([self.cell.frac_coords + np.array([0.0, 0.0, k]) for k in range(layers)])
        cart = frac @ self.cell.lattice.matrix
        species = list(self.cell.species) * layers
        atoms = [k for k, s in enumerate(species) if s.symbol != VACANT]
        cart[:, 2] -= cart[atoms, 2].min()
        a, b, _ = self.cell.lattice.matrix
        lattice = Lattice([a, b, [0.0, 0.0, float(np.ptp(cart[:, 2])) + 20.0]], pbc=(True, True, False))
        return Structure(lattice, species, cart, coords_are_cartesian=True)

    def broken(self, layers: int, charges: dict[str, float]) -> list[BrokenBond]:
        """List the bonds of a stack that end outside it; site indices are those of ``stack(layers)``."""
        bonds = find_bonds(self.cell, charges)
        count = len(self.cell)
        return [
            BrokenBond(layer * count + int(i), self.cell[int(j)].specie.symbol, vector, float(strength))
            for layer in range(layers)
            for i, j, image, vector, strength in _rows(bonds)
            if not 0 <= layer + image[2] < layers
        ]


def _rows(bonds: Bonds) -> zip:  # type: ignore[type-arg]
    return zip(bonds.start, bonds.end, bonds.image, bonds.vector, bonds.strength, strict=True)


def atoms_only(structure: Structure) -> Structure:
    """Give a copy without the stand-ins for empty lattice sites."""
    keep = [i for i, site in enumerate(structure) if site.specie.symbol != VACANT]
    return Structure.from_sites([structure[i] for i in keep], properties=dict(structure.properties))


def dipole_of(structure: Structure, charges: dict[str, float]) -> float:
    """Formal-charge dipole along +z in e A; meaningful for a neutral slab."""
    q = np.array([charges.get(site.specie.symbol, 0.0) for site in structure])
    return float(q @ structure.cart_coords[:, 2])


def terminations(
    bulk: Structure, miller: tuple[int, int, int], charges: dict[str, float] | None = None
) -> list[Termination]:
    """List all distinct terminations of a plane, the most likely first.

    Cuts run between planes of rigid units, so that no phosphate, hydroxide or molecule is torn. Cuts that a
    symmetry operation of the crystal maps onto each other without turning the normal over are given once;
    those related by turning it over are both kept, because their top faces differ. Equal composition of two
    terminations never merges them: the rank in the label keeps them apart.

    Parameters
    ----------
    bulk
        Ordered crystal.
    miller
        Plane; see ``planes.oriented_cell``.
    charges
        Formal charge of each element in e.

    Returns
    -------
    list of Termination
        Unpolar ones first, then by the strength of the bonds they break, then by the widest gap.

    Raises
    ------
    InputError
        If the indices are no plane.
    """
    charges = charges or {}
    cell = oriented_cell(bulk, miller)
    levels = rigid_units(cell, find_bonds(cell, charges))[:, 2]
    area = area_of(cell)
    found = []
    for height, gap in _cuts(cell, levels):
        shifted = _shifted(cell, levels, height)
        atoms = atoms_only(shifted)
        strength = 100.0 * find_bonds(shifted, charges).broken_strength() / area
        planes = _planes(shifted, levels - np.floor(levels - height))
        made = Termination("", shifted, strength, dipole_of(atoms, charges) / area, False, gap)
        found.append((planes, made, _symmetric(atoms_only(made.stack(2)))))
    found.sort(key=lambda f: (f[1].polar, round(f[1].broken_strength, 3), -round(f[1].gap, 3), not f[2], f[0]))
    return [
        Termination(f"{rank}:{planes[0]}|{planes[-1]}", t.cell, t.broken_strength, t.dipole_per_area, same, t.gap)
        for rank, (planes, t, same) in enumerate(found, start=1)
    ]


def _cuts(cell: Structure, levels: npt.NDArray[np.float64]) -> list[tuple[float, float]]:
    """Fractional heights of the distinct cuts and their gaps in A, from low to high."""
    spacing = period(cell)
    real = np.array([site.specie.symbol != VACANT for site in cell])
    heights = np.sort(np.mod(np.round(levels[real], 9), 1.0))
    steps = np.diff(np.append(heights, heights[0] + 1.0))
    shifts = _symmetry_shifts(cell)
    distinct: list[tuple[float, float]] = []
    for height, step in zip(heights, steps, strict=True):
        if step * spacing <= PLANE_TOLERANCE:
            continue
        middle = float(np.mod(height + step / 2, 1.0))
        moved = [np.mod(middle - other - shifts + 0.5, 1.0) - 0.5 for other, _ in distinct]
        if not any(np.abs(m).min() * spacing < PLANE_TOLERANCE / 2 for m in moved):
            distinct.append((middle, float(step * spacing)))
    return distinct


def _symmetry_shifts(cell: Structure) -> npt.NDArray[np.float64]:
    """Fractional heights by which symmetry operations that keep the normal move the planes."""
    numbers = [site.specie.Z for site in cell]
    found = spglib.get_symmetry((cell.lattice.matrix, cell.frac_coords, numbers), symprec=SYMPREC)
    if found is None:
        return np.zeros(1)
    # fractional height is the third coordinate; it is kept up to a shift if the third row is (0, 0, 1)
    keeps = [np.array_equal(rotation[2], (0, 0, 1)) for rotation in found["rotations"]]
    return np.unique(np.round(np.mod(found["translations"][keeps][:, 2], 1.0), 6))


def _shifted(cell: Structure, levels: npt.NDArray[np.float64], height: float) -> Structure:
    """Give the cell with a cut (fractional height) at its bottom: every unit's centre in [0, 1)."""
    frac = np.array(cell.frac_coords)
    frac[:, 2] -= height + np.floor(levels - height)
    return Structure(cell.lattice, cell.species, frac)


def _planes(shifted: Structure, levels: npt.NDArray[np.float64]) -> list[str]:
    """Formulas of the planes of units from the top down."""
    real = [i for i, site in enumerate(shifted) if site.specie.symbol != VACANT]
    planes: list[list[int]] = []
    for i in sorted(real, key=lambda k: -levels[k]):
        if planes and (levels[planes[-1][-1]] - levels[i]) * period(shifted) < PLANE_TOLERANCE:
            planes[-1].append(i)
        else:
            planes.append([i])
    symbols = [[shifted[i].specie.symbol for i in plane] for plane in planes]
    return [Composition(Counter(names)).alphabetical_formula.replace(" ", "") for names in symbols]


def _symmetric(slab: Structure) -> bool:
    """Whether an operation turns the slab over (inversion, a two-fold axis or a mirror in the plane)."""
    numbers = [site.specie.Z for site in slab]
    found = spglib.get_symmetry((slab.lattice.matrix, slab.frac_coords, numbers), symprec=0.05)
    return found is not None and any(rotation[2, 2] == -1 for rotation in found["rotations"])

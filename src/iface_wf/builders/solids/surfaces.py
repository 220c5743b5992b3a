"""Finish a cut: close broken bonds with OH and H."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pymatgen.core import Structure

from iface_wf.builders.solids.bonds import BOND_FACTOR, radius
from iface_wf.builders.solids.terminations import BrokenBond
from iface_wf.errors import InputError

Vector = npt.NDArray[np.float64]
OH_LENGTH = 0.96
SIOH_ANGLE = np.deg2rad(115.0)
"""Si-O-H angle of a free silanol; J. Sauer and J. R. Hill, 10.1016/0009-2614(94)00002-6."""
CONTACT = 0.75
"""No two atoms may be nearer than this share of the sum of their covalent radii."""
METAL_CONTACT = 0.6
"""The same where one of them is a metal and the other no hydrogen: radii of heavy cations are those of weak bonds.

A vanadyl bond (1.58 A) has 0.72 of the sum, La-O in La2O3 and hydrates down to 2.00 A 0.73, U-O in uranyl (1.75 A) 0.67.
"""
_WANTED = {"O": 1.9, "H": 2.2}  # comfortable distances (A) of a silanol's hydrogen; 2.6 to anything else


def hydroxylate(slab: Structure, broken: list[BrokenBond]) -> Structure:
    """Close the broken bonds of an oxide with OH on cations and H on oxygens, as many of each.

    A cleaved oxide that takes up water ends like this. By Pauling's rule a cation is satisfied when the
    oxygens put back where bonds were lost carry the lost strength: strength 1 is an OH, strength 2 (an
    oxygen that two cations lost) a bridging O. Cutting the same bonds at both faces leaves as much
    strength behind on cations as on oxygens, so the slab stays neutral.

    Parameters
    ----------
    slab
        Cut slab, periodic in a and b, with c normal to both.
    broken
        Its broken bonds.

    Returns
    -------
    Structure
        The slab with O and H appended; site property ``silanol`` is True on the hydrogens.

    Raises
    ------
    InputError
        If the cut leaves an oxygen that would need two H, or a cation without two bonds.
    """
    for site in sorted({b.site for b in broken}):
        name = slab[site].specie.symbol
        left = len(_bonded(slab, site))
        lost = sum(b.strength for b in broken if b.site == site)
        if left < (1 if name == "O" else 2) or (name == "O" and lost > 1.5):
            raise InputError(f"This termination leaves {name} with too few bonds to be closed; choose another.")
    places = _lost_oxygens(slab, [b for b in broken if b.element == "O"])
    donors = _oxygens_for_hydrogen(slab, [b for b in broken if b.element != "O"])
    charge = 0
    full, heads = slab.copy(), list[tuple[int, list[Vector]]]()
    for _, position, owners in places:
        bridging = len(owners) > 1
        needed = 2 if bridging else 1
        if charge + needed > len(donors):
            break  # keep as many OH as there are H
        full.append("O", position, coords_are_cartesian=True)
        charge += needed
        if not bridging:
            heads.append((len(full) - 1, [-owners[0].vector]))
    return _add_hydrogens(full, heads + donors[:charge])


def _lost_oxygens(slab: Structure, broken: list[BrokenBond]) -> list[tuple[float, Vector, list[BrokenBond]]]:
    """Places of removed oxygens with the strength lost there, strongest first, weaker than 1/2 left out."""
    places: list[tuple[float, Vector, list[BrokenBond]]] = []
    for bond in broken:
        position = slab[bond.site].coords + bond.vector
        for k, (strength, known, owners) in enumerate(places):
            frac = slab.lattice.get_fractional_coords(position - known)
            frac[:2] -= np.rint(frac[:2])
            if np.linalg.norm(slab.lattice.get_cartesian_coords(frac)) < 0.1:
                places[k] = (strength + bond.strength, known, [*owners, bond])
                break
        else:
            places.append((bond.strength, position, [bond]))
    return sorted((p for p in places if p[0] >= 0.5), key=lambda p: -round(p[0], 3))


def _oxygens_for_hydrogen(slab: Structure, broken: list[BrokenBond]) -> list[tuple[int, list[Vector]]]:
    """Oxygens that lost at least strength 1/2, most first, each with the bonds it kept."""
    lost: dict[int, float] = {}
    for bond in broken:
        if slab[bond.site].specie.symbol == "O":
            lost[bond.site] = lost.get(bond.site, 0.0) + bond.strength
    chosen = sorted((s for s in lost if lost[s] >= 0.5), key=lambda s: -round(lost[s], 3))
    return [(site, _bonded(slab, site)) for site in chosen]


def _bonded(slab: Structure, site: int) -> list[Vector]:
    """Vectors from a site to the atoms it is still bonded to, oxygen to cation or cation to oxygen."""
    oxygen = slab[site].specie.symbol == "O"
    own = radius(slab[site].specie.symbol)
    return [
        np.asarray(n.coords - slab[site].coords)
        for n in slab.get_neighbors(slab[site], 3.2)
        if (n.specie.symbol == "O") != oxygen and n.nn_distance < BOND_FACTOR * (own + radius(n.specie.symbol))
    ]


def _add_hydrogens(slab: Structure, heads: list[tuple[int, list[Vector]]]) -> Structure:
    """Put one H on each oxygen, on the cone of the free angle, turned where it has most room."""
    angles = np.linspace(0.0, 2 * np.pi, 36, endpoint=False)
    directions = [_cone(kept, angles) for _, kept in heads]
    full = slab.copy()
    first = len(full)
    for (oxygen, _), cone in zip(heads, directions, strict=True):
        full.append("H", full[oxygen].coords + OH_LENGTH * cone[0], coords_are_cartesian=True)
    for _ in range(4):  # turn one after the other until nothing moves
        moved = False
        for k, (oxygen, _) in enumerate(heads):
            trial = full[oxygen].coords + OH_LENGTH * directions[k]
            scores = _crowding(full, trial, skip=(oxygen, first + k))
            best = int(np.argmin(scores.round(6)))
            if np.linalg.norm(trial[best] - full[first + k].coords) > 1e-6:
                full.translate_sites([first + k], trial[best] - full[first + k].coords, False, False)
                moved = True
        if not moved:
            break
    full.add_site_property("silanol", [False] * first + [True] * len(heads))
    return full


def _cone(kept: list[Vector], angles: Vector) -> Vector:
    """Give unit vectors from an oxygen, shape (n, 3), for an O-H beside the bonds it kept."""
    axis = np.sum([v / np.linalg.norm(v) for v in kept], axis=0)
    axis /= np.linalg.norm(axis)
    opening = SIOH_ANGLE if len(kept) == 1 else np.pi  # between several bonds, hydrogen points away from all
    helper = np.eye(3)[int(np.argmin(np.abs(axis).round(6)))]
    e1 = np.cross(axis, helper)
    e1 /= np.linalg.norm(e1)
    e2 = np.cross(axis, e1)
    ring = np.outer(np.cos(angles), e1) + np.outer(np.sin(angles), e2)
    return np.asarray(np.cos(opening) * axis + np.sin(opening) * ring)


def _crowding(slab: Structure, trial: Vector, skip: tuple[int, int]) -> Vector:
    """Soft repulsion of trial hydrogen positions, shape (n, 3), from all other atoms; shape (n,)."""
    others = [i for i in range(len(slab)) if i not in skip]
    wanted = np.array([_WANTED.get(slab[i].specie.symbol, 2.6) for i in others])
    frac = slab.lattice.get_fractional_coords(trial)
    delta = frac[:, None, :] - slab.frac_coords[others][None]
    delta[..., :2] -= np.rint(delta[..., :2])
    shifts = np.array([[i, j, 0] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    cart = (delta[:, :, None, :] + shifts) @ slab.lattice.matrix
    distance = np.linalg.norm(cart, axis=-1).clip(min=0.3)
    return np.asarray(((wanted[None, :, None] / distance) ** 10).sum(axis=(1, 2)))


def closest_contact(structure: Structure) -> tuple[float, str]:
    """Return the smallest distance as a share of the sum of covalent radii, images included, and its elements."""
    radii = np.array([radius(site.specie.symbol) for site in structure])
    i, j, _, distance = structure.get_neighbor_list(2.0 * float(radii.max()))
    if not len(i):
        return float("inf"), ""
    share = distance / (radii[i] + radii[j])
    k = int(np.argmin(share))
    return float(share[k]), f"{structure[i[k]].specie.symbol}-{structure[j[k]].specie.symbol}"


def check_contacts(structure: Structure, what: str) -> None:
    """Refuse a structure in which two atoms are nearer than any bond between them.

    Raises
    ------
    InputError
        Begins with ``what``, and names the elements of the nearest pair and their distance.
    """
    near = _too_near(structure)
    if near is not None:
        raise InputError(f"{what} has a {near}, which is too short.")


def _too_near(structure: Structure) -> str | None:
    """Name the elements of two atoms that are nearer than any bond between them, and their distance; else None."""
    radii = np.array([radius(site.specie.symbol) for site in structure])
    metal = np.array([site.specie.is_metal for site in structure])
    hydrogen = np.array([site.specie.symbol == "H" for site in structure])
    i, j, _, distance = structure.get_neighbor_list(2.0 * CONTACT * float(radii.max()))
    weak = (metal[i] | metal[j]) & ~hydrogen[i] & ~hydrogen[j]
    share = distance / (radii[i] + radii[j]) / np.where(weak, METAL_CONTACT, CONTACT)
    if not len(i) or share.min() >= 1:
        return None
    k = int(np.argmin(share))
    return f"{structure[i[k]].specie.symbol}-{structure[j[k]].specie.symbol} contact of {distance[k]:.2f} A"

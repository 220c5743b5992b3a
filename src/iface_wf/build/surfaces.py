"""Finish a cut: close broken bonds with OH and H."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Structure

from iface_wf.build.bonds import radius
from iface_wf.errors import InputError

Vector = npt.NDArray[np.float64]
OH_LENGTH = 0.96
SIOH_ANGLE = np.deg2rad(115.0)
"""Si-O-H angle of a free silanol; J. Sauer and J. R. Hill, Chem. Phys. Lett. 218, 333 (1994)."""
CONTACT = 0.75
"""No two atoms may be nearer than this share of the sum of their covalent radii."""
_WANTED = {"O": 1.9, "H": 2.2}  # comfortable distances (A) of a silanol's hydrogen; 2.6 to anything else


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
    """

    site: int
    element: str
    vector: Vector


def hydroxylate(slab: Structure, broken: list[BrokenBond]) -> Structure:
    """Close the broken bonds of an oxide: a cation gets OH where its oxygen was, an oxygen gets H.

    A cleaved oxide that takes up water ends like this. Cutting the same bonds at both faces leaves as many
    cations as oxygens behind, so the slab stays neutral. An oxygen that two cations have lost is put back
    and bridges them.

    Parameters
    ----------
    slab
        Cut slab, periodic in a and b, with c normal to both.
    broken
        Its broken bonds.

    Returns
    -------
    Structure
        The slab with O and H appended; site property ``silanol`` marks the hydrogen (True).

    Raises
    ------
    InputError
        If the cut leaves an oxygen without any bond, or a cation with more than two broken ones.
    """
    oxygens, owners = _missing_oxygens(slab, [b for b in broken if b.element == "O"])
    lost = [(b.site, b.vector) for b in broken if b.element != "O"]
    for site in {b.site for b in broken if b.element == "O"}:
        if sum(site in o for o in owners) > 2:
            name = slab[site].specie.symbol
            raise InputError(
                f"This termination leaves {name} with more than two broken bonds; choose another."
            )
    full = slab.copy()
    heads: list[tuple[int, Vector]] = []  # oxygen that carries H, and the direction of its bond away from it
    for position, owner in zip(oxygens, owners, strict=True):
        full.append("O", position, coords_are_cartesian=True)
        if len(owner) == 1:
            (site,) = owner
            back = next(-b.vector for b in broken if b.site == site and _same(slab, site, b.vector, position))
            heads.append((len(full) - 1, back))
    for site, _ in lost:
        away = _remaining_bond(slab, site)
        if away is None or sum(s == site for s, _ in lost) > 1:
            raise InputError("This termination leaves an oxygen without any bond; choose another.")
        heads.append((site, away))
    return _add_hydrogens(full, heads)


def _same(slab: Structure, site: int, vector: Vector, position: Vector) -> bool:
    delta = slab[site].coords + vector - position
    frac = slab.lattice.get_fractional_coords(delta)
    frac[:2] -= np.rint(frac[:2])
    return bool(np.linalg.norm(slab.lattice.get_cartesian_coords(frac)) < 0.1)


def _missing_oxygens(slab: Structure, broken: list[BrokenBond]) -> tuple[list[Vector], list[list[int]]]:
    """Positions of removed oxygens and the cations that lost each, periodic images counted once."""
    positions: list[Vector] = []
    owners: list[list[int]] = []
    for bond in broken:
        known = [k for k, p in enumerate(positions) if _same(slab, bond.site, bond.vector, p)]
        if known:
            owners[known[0]].append(bond.site)
        else:
            positions.append(slab[bond.site].coords + bond.vector)
            owners.append([bond.site])
    return positions, owners


def _remaining_bond(slab: Structure, site: int) -> Vector | None:
    """Vector from an oxygen to the nearest atom it is still bonded to, or None."""
    near = slab.get_neighbors(slab[site], 3.2)
    bonded = [n for n in near if n.nn_distance < 1.15 * (radius("O") + radius(n.specie.symbol))]
    if not bonded:
        return None
    nearest = min(bonded, key=lambda n: n.nn_distance)
    return np.asarray(nearest.coords - slab[site].coords, dtype=float)


def _add_hydrogens(slab: Structure, heads: list[tuple[int, Vector]]) -> Structure:
    """Put one H on each oxygen, on the cone of the free angle, turned where it has most room."""
    angles = np.linspace(0.0, 2 * np.pi, 36, endpoint=False)
    directions = [_cone(back, angles) for _, back in heads]
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


def _cone(back: Vector, angles: Vector) -> Vector:
    """Give unit vectors from an oxygen, shape (n, 3), at the silanol angle to its bond ``back``."""
    axis = back / np.linalg.norm(back)
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    e1 = np.cross(axis, helper)
    e1 /= np.linalg.norm(e1)
    e2 = np.cross(axis, e1)
    ring = np.outer(np.cos(angles), e1) + np.outer(np.sin(angles), e2)
    return np.asarray(np.cos(SIOH_ANGLE) * axis + np.sin(SIOH_ANGLE) * ring)


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
    """Smallest distance as a share of the sum of covalent radii, and the pair's elements."""
    radii = np.array([radius(site.specie.symbol) for site in structure])
    i, j, _, distance = structure.get_neighbor_list(2.0 * float(radii.max()))
    if not len(i):
        return float("inf"), ""
    share: Any = distance / (radii[i] + radii[j])
    k = int(np.argmin(share))
    return float(share[k]), f"{structure[i[k]].specie.symbol}-{structure[j[k]].specie.symbol}"

"""Contacts between groups of atoms: radii, periodic images, and the height at which two bodies touch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase.data import atomic_numbers
from ase.data import covalent_radii as _covalent
from ase.data.vdw_alvarez import vdw_radii as _alvarez
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from iface_wf.errors import InputError

Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Contact:
    """The pair of atoms of two groups that is nearest relative to its van der Waals sum.

    Attributes
    ----------
    distance
        Distance of the pair, A.
    pair
        Indices of the two atoms, (first group, second group).
    vdw_ratio, covalent_ratio
        Distance over the sum of van der Waals radii (10.1039/c3dt50599e) and of covalent radii
        (10.1039/b801115j) of that pair.
    """

    distance: float
    pair: tuple[int, int]
    vdw_ratio: float
    covalent_ratio: float


def symbols_of(structure: Structure) -> list[str]:
    """Return the element of every site of an ordered structure."""
    return [site.specie.symbol for site in structure]


def vdw_radii(symbols: list[str]) -> Vectors:
    """Return van der Waals radii in A, shape (atoms,), from 10.1039/c3dt50599e.

    Raises
    ------
    InputError
        When no radius is tabulated for an element.
    """
    numbers = [atomic_numbers[s] for s in symbols]
    radii = np.array([_alvarez[z] if z < len(_alvarez) else np.nan for z in numbers], dtype=float)
    missing = sorted({s for s, r in zip(symbols, radii, strict=True) if not np.isfinite(r)})
    if missing:
        raise InputError(f"No van der Waals radius is known for {', '.join(missing)}, so it cannot be placed.")
    return radii


def covalent_radii(symbols: list[str]) -> Vectors:
    """Return covalent radii in A, shape (atoms,), from 10.1039/b801115j."""
    return np.array([_covalent[atomic_numbers[s]] for s in symbols], dtype=float)


def images_within(lattice: Lattice, xyz: Vectors, low: Vectors, high: Vectors) -> tuple[Vectors, NDArray[np.intp]]:
    """Repeat atoms along the periodic directions to fill a lateral box.

    Parameters
    ----------
    lattice
        Cell; only its periodic directions are repeated.
    xyz
        Coordinates of one cell, A, shape (n, 3).
    low, high
        Corners of the box in A, shape (3,); infinite along directions that do not matter.

    Returns
    -------
    tuple
        Coordinates of the atoms and images inside the box, shape (m, 3), and their indices in ``xyz``, (m,).
    """
    own = xyz @ np.linalg.inv(lattice.matrix)
    # Infinite sides are cut at the atoms' own extent: nothing lies beyond it along non-periodic directions.
    floor = np.where(np.isfinite(low), low, xyz.min(axis=0))
    ceiling = np.where(np.isfinite(high), high, xyz.max(axis=0))
    corners = np.array(list(product(*zip(floor, ceiling, strict=True)))) @ np.linalg.inv(lattice.matrix)
    first = np.floor(corners.min(axis=0) - own.max(axis=0)).astype(int)
    last = np.ceil(corners.max(axis=0) - own.min(axis=0)).astype(int)
    ranges = [
        range(i, j + 1) if periodic else range(1) for i, j, periodic in zip(first, last, lattice.pbc, strict=True)
    ]
    shifts = np.array(list(product(*ranges)), dtype=float).reshape(-1, 3) @ lattice.matrix
    every = (xyz[None] + shifts[:, None]).reshape(-1, 3)
    inside = np.flatnonzero(np.all((every >= low) & (every <= high), axis=1))
    return every[inside], inside % len(xyz)


def touch_height(body: Vectors, guest: Vectors, reach: Vectors) -> float:
    """Return the shift along z at which a guest coming from above first touches a body.

    A pair touches when its distance equals its reach; the result is exact.

    Parameters
    ----------
    body, guest
        Coordinates, A, shapes (n, 3) and (m, 3); periodic images of the body are given explicitly.
    reach
        Contact distance of every pair, A, shape (m, n).

    Returns
    -------
    float
        Shift in A to add to the guest's z.

    Raises
    ------
    InputError
        When the guest passes beside every atom of the body.
    """
    across = guest[:, None, :2] - body[None, :, :2]
    room = reach**2 - np.einsum("ijk,ijk->ij", across, across)
    meets = room > 0
    if not meets.any():
        raise InputError("The fragment passes beside every atom of the surface: it has a hole as wide as the fragment.")
    shift = body[None, :, 2] - guest[:, None, 2] + np.sqrt(np.where(meets, room, 0.0))
    return float(np.max(shift[meets]))


def closest_contact(first: Vectors, second: Vectors, symbols: list[str], others: list[str]) -> Contact:
    """Find the closest contact of two groups of atoms.

    Parameters
    ----------
    first, second
        Coordinates, A, shapes (n, 3) and (m, 3).
    symbols, others
        Elements of the two groups.
    """
    distance = np.linalg.norm(first[:, None] - second[None], axis=-1)
    ratio = distance / (vdw_radii(symbols)[:, None] + vdw_radii(others)[None])
    i, j = (int(k) for k in np.unravel_index(np.argmin(ratio), ratio.shape))
    bonded = covalent_radii([symbols[i]])[0] + covalent_radii([others[j]])[0]
    return Contact(float(distance[i, j]), (i, j), float(ratio[i, j]), float(distance[i, j] / bonded))


def images_apart(xyz: Vectors, symbols: list[str], lattice: Lattice) -> bool:
    """Say whether a group keeps a van der Waals sum or more from all its own periodic images.

    Parameters
    ----------
    xyz
        Coordinates, A, shape (n, 3).
    symbols
        Elements.
    lattice
        Cell; only its periodic directions count.
    """
    radii = vdw_radii(symbols)
    margin = 2 * float(radii.max())
    every, index = images_within(lattice, xyz, xyz.min(axis=0) - margin, xyz.max(axis=0) + margin)
    image = np.linalg.norm(every - xyz[index], axis=1) > 1e-6
    distance = np.linalg.norm(xyz[:, None] - every[None, image], axis=-1)
    return not np.any(distance < radii[:, None] + radii[index[image]][None] - 1e-9)


def image_distance(xyz: Vectors, lattice: Lattice) -> float | None:
    """Return how far a group of atoms is from its own nearest periodic image.

    Parameters
    ----------
    xyz
        Coordinates of the whole group, not wrapped into the cell, A, shape (n, 3).
    lattice
        Cell; only its periodic directions count.

    Returns
    -------
    float or None
        Smallest distance between an atom and an atom of an image, A; None where nothing is periodic.
    """
    periodic = [axis for axis in range(3) if lattice.pbc[axis]]
    if not periodic:
        return None
    vectors = lattice.matrix[periodic]
    diameter = float(np.linalg.norm(xyz[:, None] - xyz[None], axis=-1).max())
    # an atom and its own image are as far apart as the shortest vector; whole groups come nearer by their diameter at most
    reach = float(np.linalg.norm(vectors, axis=1).min()) + diameter
    heights = 1.0 / np.linalg.norm(np.linalg.pinv(vectors), axis=0)
    counts = [range(-int(reach / height) - 1, int(reach / height) + 2) for height in heights]
    steps = np.array([step for step in product(*counts) if any(step)], dtype=float) @ vectors
    steps = steps[np.linalg.norm(steps, axis=1) <= reach + 1e-6]
    pairs = (xyz[:, None] - xyz[None]).reshape(-1, 3)
    return float(min(np.linalg.norm(pairs + step, axis=1).min() for step in steps))


def gathered(xyz: Vectors, lattice: Lattice) -> Vectors:
    """Move atoms by cell vectors until the group that they form is whole: codes write atoms back into the cell.

    Atoms are joined one by one, each to the nearest one that is there already.

    Parameters
    ----------
    xyz
        Coordinates, A, shape (n, 3).
    lattice
        Cell; only its periodic directions count.

    Returns
    -------
    array, shape (n, 3)
        Coordinates, A; the first atom keeps its place.
    """
    whole = np.array(xyz, dtype=float)
    periodic = np.array(lattice.pbc)
    inverse = np.linalg.inv(lattice.matrix)
    joined, missing = [0], list(range(1, len(whole)))
    while missing:
        away = whole[missing][:, None] - whole[joined][None]
        turns = np.where(periodic, np.round(away @ inverse), 0.0) @ lattice.matrix
        distance = np.linalg.norm(away - turns, axis=-1)
        i, j = np.unravel_index(int(np.argmin(distance)), distance.shape)
        atom = missing.pop(int(i))
        whole[atom] -= turns[i, j]
        joined.append(atom)
    return whole

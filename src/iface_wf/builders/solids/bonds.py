"""Cation-anion bonds of a crystal, their Pauling strengths, and the rigid units that they hold together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ase.data import covalent_radii
from pymatgen.core import Element, Structure

BOND_FACTOR = 1.15
"""A cation and an anion are bonded below this multiple of the sum of their covalent radii."""
NEUTRAL_FACTOR = 1.2
"""The same between neutral atoms; it joins bcc neighbours and keeps iodine molecules apart."""


@dataclass(frozen=True)
class Bonds:
    """Bonds of a periodic structure; every bond is listed from both ends.

    Attributes
    ----------
    start, end
        Site indices, shape (n,).
    image
        Lattice translation of ``end``, shape (n, 3).
    vector
        From start to end in A, shape (n, 3).
    strength
        Pauling strength, formal charge of the cation over its coordination number, in e, shape (n,).
    """

    start: npt.NDArray[np.int_]
    end: npt.NDArray[np.int_]
    image: npt.NDArray[np.int_]
    vector: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]

    def broken_strength(self) -> float:
        """Sum of the strengths (e) of the bonds that leave the cell upwards through its top face."""
        up = self.image[:, 2]
        return float((self.strength * np.clip(up, 0, None)).sum())


def radius(element: Any) -> float:
    """Covalent radius in A (B. Cordero et al., Dalton Trans. 2008, 2832, 10.1039/b801115j)."""
    return float(covalent_radii[Element(str(element)).Z])


def find_bonds(structure: Structure, charges: dict[str, float]) -> Bonds:
    """Find all bonds between cations and anions; without charges, between all near neighbours.

    Parameters
    ----------
    structure
        Ordered structure, periodic as its lattice says.
    charges
        Formal charge of each element in e; elements that are missing count as neutral.

    Returns
    -------
    Bonds
        Each bond from both of its ends. A bond between neutral atoms has the strength 1.
    """
    q = np.array([charges.get(site.specie.symbol, 0.0) for site in structure])
    r = np.array([radius(site.specie.symbol) for site in structure])
    factor = BOND_FACTOR if q.any() else NEUTRAL_FACTOR
    i, j, image, distance = structure.get_neighbor_list(2 * factor * float(r.max()))
    opposite = q[i] * q[j] < 0 if q.any() else np.ones(len(i), dtype=bool)
    keep = opposite & (distance < factor * (r[i] + r[j]))
    i, j, image = i[keep], j[keep], np.rint(image[keep]).astype(int)
    frac = structure.frac_coords
    vector = (frac[j] + image - frac[i]) @ structure.lattice.matrix
    coordination = np.bincount(i, minlength=len(structure)).clip(min=1)
    cation = np.where(q[i] > 0, i, j)
    strength = q[cation] / coordination[cation] if q.any() else np.ones(len(i))
    return Bonds(i, j, image, vector, strength)


def rigid_units(structure: Structure, bonds: Bonds) -> npt.NDArray[np.float64]:
    """Give each site the place of the rigid unit it belongs to, so that a cut can leave units whole.

    Units are the finite groups (PO4, ZrO6 that share no corner, OH, I2) which the strongest bonds hold
    together: bonds are added from strong to weak as long as no group becomes endless. In a network of
    equally strong bonds such as silica every atom is its own unit.

    Parameters
    ----------
    structure
        Periodic structure.
    bonds
        Its bonds.

    Returns
    -------
    array, shape (n, 3)
        Fractional centre of each site's unit, in the periodic image that holds the site itself.
    """
    frac = np.array(structure.frac_coords)
    centres = frac.copy()
    for members, offsets in unit_groups(structure, bonds):
        centres[members] = (frac[members] + offsets).mean(axis=0) - offsets
    return centres


def unit_groups(structure: Structure, bonds: Bonds) -> list[tuple[list[int], npt.NDArray[np.int_]]]:
    """List the rigid units of ``rigid_units``: their sites, and lattice offsets that make each one whole."""
    units = [([i], np.zeros((1, 3), dtype=int)) for i in range(len(structure))]
    for limit in sorted({round(float(x), 3) for x in bonds.strength}, reverse=True):
        groups = _groups(len(structure), bonds, bonds.strength >= limit - 2e-3)
        if groups is None:
            break
        units = groups
    return units


def connected(
    count: int, bonds: Iterable[tuple[int, int, npt.NDArray[np.int_]]]
) -> list[tuple[list[int], npt.NDArray[np.int_], bool]]:
    """Group sites that are bonded together, the group of the lowest site first.

    Parameters
    ----------
    count
        Number of sites.
    bonds
        Both sites and the lattice translation of the second one, each bond from both ends.

    Returns
    -------
    list of tuple
        Sites as they are reached; the lattice translation of each that makes the group whole; whether it is bonded to its own
        image, which makes translations arbitrary.
    """
    links: list[list[tuple[int, npt.NDArray[np.int_]]]] = [[] for _ in range(count)]
    for i, j, image in bonds:
        links[int(i)].append((int(j), image))
    offset: dict[int, npt.NDArray[np.int_]] = {}
    groups = []
    for first in range(count):
        if first in offset:
            continue
        offset[first] = np.zeros(3, dtype=int)
        members, queue, endless = [first], deque([first]), False
        while queue:
            i = queue.popleft()
            for j, image in links[i]:
                place = offset[i] + image
                if j not in offset:
                    offset[j] = place
                    members.append(j)
                    queue.append(j)
                elif not np.array_equal(offset[j], place):
                    endless = True
        groups.append((members, np.array([offset[m] for m in members]), endless))
    return groups


def _groups(
    count: int, bonds: Bonds, chosen: npt.NDArray[np.bool_]
) -> list[tuple[list[int], npt.NDArray[np.int_]]] | None:
    """List connected sites and their lattice offsets; None if a group connects to its own image."""
    groups = connected(count, zip(bonds.start[chosen], bonds.end[chosen], bonds.image[chosen], strict=True))
    return None if any(endless for *_, endless in groups) else [(members, offsets) for members, offsets, _ in groups]

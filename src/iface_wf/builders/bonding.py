"""Hydrogen bonds between two parts of a structure, and bonds that are longer than in the part alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Structure
from pymatgen.util.coord import pbc_diff

from iface_wf.builders.contact import covalent_radii, symbols_of
from iface_wf.documents.contacts import HydrogenBond, LongerBond

#: Elements that give and take hydrogen bonds.
POLAR = frozenset({"N", "O", "F"})
#: Longest H...A, A, and smallest angle D-H...A, degrees: the geometric criteria in use for classical hydrogen bonds
#: (10.1351/PAC-REC-10-01-02 asks for more than 110 degrees).
LONGEST, SMALLEST = 2.5, 120.0
#: A hydrogen belongs to the polar atom nearest to it, within this distance, A.
_OWN = 1.25
#: Atoms are bonded within this multiple of the sum of their covalent radii; metals, whose contacts are no bonds, are left out.
_BONDED = 1.2
#: A bond that is longer by less, A, is as it was.
_LONGER = 0.005

Vectors = NDArray[np.float64]


def hydrogen_bonds(structure: Structure, components: Sequence[str]) -> list[HydrogenBond]:
    """List the hydrogen bonds between the named components and the rest of a structure, the shortest first.

    Parameters
    ----------
    structure
        Labelled sites; periodic directions are respected.
    components
        Labels of one side.
    """
    symbols = symbols_of(structure)
    side = np.isin(structure.site_properties["component"], list(components))
    polar = [i for i, symbol in enumerate(symbols) if symbol in POLAR]
    found: list[HydrogenBond] = []
    for hydrogen in (i for i, symbol in enumerate(symbols) if symbol == "H"):
        if not polar:
            break
        vectors = _nearest(structure, hydrogen)
        distance = np.linalg.norm(vectors, axis=1)
        donor = min(polar, key=lambda i: distance[i])
        if distance[donor] > _OWN:
            continue
        for acceptor in polar:
            if acceptor == donor or side[acceptor] == side[hydrogen] or distance[acceptor] > LONGEST:
                continue
            cosine = vectors[donor] @ vectors[acceptor] / (distance[donor] * distance[acceptor])
            angle = float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
            if angle >= SMALLEST:
                between = float(np.linalg.norm(vectors[acceptor] - vectors[donor]))
                found.append(
                    HydrogenBond(
                        donor=symbols[donor],
                        acceptor=symbols[acceptor],
                        gives=str(structure.site_properties["component"][hydrogen]),
                        h_acceptor=round(float(distance[acceptor]), 3),
                        donor_acceptor=round(between, 3),
                        angle=round(angle, 1),
                    )
                )
    return sorted(found, key=lambda bond: bond.h_acceptor)


def longer_bonds(whole: Structure, alone: Structure, components: Sequence[str], most: int = 5) -> list[LongerBond]:
    """List the bonds of a part that are longer in the whole than in the part alone, those first that are stretched most.

    Parameters
    ----------
    whole
        Labelled sites.
    alone
        The part relaxed in isolation, its sites in the order that they have in the whole.
    components
        Labels of the part in the whole.
    most
        How many, at most.
    """
    inside = np.flatnonzero(np.isin(whole.site_properties["component"], list(components)))
    symbols = [whole[int(i)].specie.symbol for i in inside]
    if symbols != symbols_of(alone):
        return []
    metal = [Element(symbol).is_metal for symbol in symbols]
    radii = covalent_radii(symbols)
    found: list[LongerBond] = []
    for first in range(len(symbols)):
        before = np.linalg.norm(_nearest(alone, first), axis=1)
        after = np.linalg.norm(_nearest(whole, int(inside[first]))[inside], axis=1)
        for second in range(first + 1, len(symbols)):
            bonded = before[second] < _BONDED * (radii[first] + radii[second])
            change = float(after[second] - before[second])
            if bonded and change > _LONGER and not (metal[first] or metal[second]):
                pair = "-".join(sorted((symbols[first], symbols[second])))
                found.append(LongerBond(bond=pair, length=round(float(after[second]), 3), change=round(change, 3)))
    return sorted(found, key=lambda bond: -bond.change)[:most]


def _nearest(structure: Structure, site: int) -> Vectors:
    """Return the vectors from a site to the nearest image of every site, A."""
    difference = pbc_diff(structure.frac_coords, structure.frac_coords[site], structure.lattice.pbc)
    return np.asarray(difference @ structure.lattice.matrix)

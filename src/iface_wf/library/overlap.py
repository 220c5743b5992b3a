"""Sites that no crystal can hold together, and sites that hold nothing together."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from ase.data.vdw_alvarez import vdw_radii
from pymatgen.core import Structure

OVERLAP = 0.5
"""Two full sites nearer than this share of the sum of their covalent radii overlap."""
APART = 2.0
"""Atoms further from each other than this share of the sum of their covalent radii are not bonded..."""
NO_CONTACT = 1.3
"""...and than this share of that of their van der Waals radii (10.1039/c3dt50599e) not in contact: solid He and Ne are, at 1.25."""


def overlap(structure: Structure) -> str | None:
    """Name two full sites that overlap and their distance; None if there are none."""
    full = [i for i, site in enumerate(structure) if site.species.num_atoms > 1 - 1e-3]
    if not full:
        return None
    radii = np.array([_radius(structure, i) for i in full])
    sub = Structure.from_sites([structure[i] for i in full])
    i, j, _, distance = sub.get_neighbor_list(2 * OVERLAP * float(radii.max()))
    bad = np.flatnonzero(distance < OVERLAP * (radii[i] + radii[j]))
    if not bad.size:
        return None
    k = bad[0]
    return f"{sub[i[k]].species_string} and {sub[j[k]].species_string} overlap, they are {distance[k]:.2f} A apart"


def isolated(structure: Structure) -> str | None:
    """Say that no atom at all has another in contact, as where the unit or the scale of a cell is wrong; else None."""
    mains = [_main(structure, i) for i in range(len(structure))]
    kinds = set(mains)
    for z, site in zip(mains, structure, strict=True):
        for other in structure.get_neighbors(site, max(_reach(z, each) for each in kinds)):
            if other.nn_distance <= _reach(z, mains[other.index]):
                return None
    return "no atom has another one within reach of a bond or contact: is the unit or the scale of the cell wrong?"


def _reach(first: int, second: int) -> float:
    """Distance in A up to which two elements are bonded or in contact; no radius of contact is known beyond Es."""
    bond = APART * float(covalent_radii[first] + covalent_radii[second])
    contact = [float(vdw_radii[z]) if z < len(vdw_radii) else 0.0 for z in (first, second)]
    return max(bond, NO_CONTACT * float(np.nansum(contact)))


def _main(structure: Structure, index: int) -> int:
    """Atomic number of the main species of a site."""
    main = max(structure[index].species.items(), key=lambda item: item[1])[0]
    return int(main.Z)


def _radius(structure: Structure, index: int) -> float:
    """Covalent radius in A of the main species of a site."""
    return float(covalent_radii[_main(structure, index)])

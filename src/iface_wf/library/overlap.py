"""Sites that no crystal can hold together."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from pymatgen.core import Structure

OVERLAP = 0.5
"""Two full sites nearer than this share of the sum of their covalent radii overlap."""


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


def _radius(structure: Structure, index: int) -> float:
    """Covalent radius in A of the main species of a site."""
    main = max(structure[index].species.items(), key=lambda item: item[1])[0]
    return float(covalent_radii[main.Z])

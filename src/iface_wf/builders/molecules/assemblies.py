"""Several molecules and ions in one open box, without bonds between them: joined as parts, and cut apart again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from rdkit import Chem

from iface_wf.builders.contact import symbols_of, vdw_radii
from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.molecules.fragments import boxed, chemistry, mol_of

#: Distance between molecules that were joined without being placed, A: a start for searches, no geometry.
_APART = 3.0
#: Molecules touch when their atoms are within this many van der Waals sums; the same limit as for what lies on a slab.
TOUCHING = 1.25
#: A cation is coordinated by O, N and F within this distance, A; Li-O, Li-N and Li-F contacts are 1.8 to 2.2 A.
COORDINATED = {"O": 2.5, "N": 2.5, "F": 2.5}

Vectors = NDArray[np.float64]


def join(first: Structure, second: Structure, step: float = EDGE_STEP) -> Structure:
    """Put two fragments side by side into one box.

    Parameters
    ----------
    first, second
        Fragments that say their bonds; labels are kept.
    step
        See `iface_wf.builders.molecules.fragments.boxed`.

    Returns
    -------
    Structure
        The first one's sites, then the second one's; charge, formula and bonds are those of both.
    """
    mol = Chem.CombineMols(mol_of(first), mol_of(second))
    Chem.SanitizeMol(mol)
    one, two = (each.cart_coords - each.cart_coords.mean(axis=0) for each in (first, second))
    two = two + [one[:, 0].max() - two[:, 0].min() + _APART, 0.0, 0.0]
    labels = [*first.site_properties["component"], *second.site_properties["component"]]
    return boxed([*symbols_of(first), *symbols_of(second)], np.vstack([one, two]), labels, chemistry(mol), step)


def boxed_again(structure: Structure, xyz: Vectors | None = None, step: float = EDGE_STEP) -> Structure:
    """Give a molecule, with other coordinates (A) if they are given, the box that belongs to it."""
    positions = structure.cart_coords if xyz is None else xyz
    return boxed(symbols_of(structure), positions, structure.site_properties["component"], structure.properties, step)


def apart(structure: Structure, components: list[str]) -> bool:
    """Say whether the named components have no contact to the rest of a structure in an open box."""
    labels = np.isin(structure.site_properties["component"], components)
    radii = vdw_radii(symbols_of(structure))
    distance = np.linalg.norm(structure.cart_coords[labels][:, None] - structure.cart_coords[~labels][None], axis=-1)
    return bool((distance / (radii[labels][:, None] + radii[~labels][None])).min() > TOUCHING)


def coordination(structure: Structure, cation: int) -> dict[str, Any]:
    """Say what coordinates a cation in an open box.

    Parameters
    ----------
    structure
        Labelled sites.
    cation
        Its site.

    Returns
    -------
    dict
        ``donors``: elements in alphabetical order, such as ``"F O O"``; ``distances``: A, in the same order; ``components``:
        theirs.
    """
    symbols, labels = symbols_of(structure), structure.site_properties["component"]
    distance = np.linalg.norm(structure.cart_coords - structure.cart_coords[cation], axis=1)
    near = [i for i, symbol in enumerate(symbols) if i != cation and distance[i] < COORDINATED.get(symbol, 0.0)]
    near.sort(key=lambda i: (symbols[i], distance[i]))
    return {
        "donors": " ".join(symbols[i] for i in near),
        "distances": [round(float(distance[i]), 3) for i in near],
        "components": [str(labels[i]) for i in near],
    }

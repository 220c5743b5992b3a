"""The order of sites in files that list elements in blocks, as POSCAR and CHGCAR do."""

from __future__ import annotations

import math

from pymatgen.core import Element, Lattice, Structure


def poscar_order(structure: Structure) -> list[int]:
    """Return the indices of the sites in the order of the POSCAR: elements together, by electronegativity."""
    symbols = [site.specie.symbol for site in structure]
    known = {symbol: _electronegativity(symbol) for symbol in set(symbols)}
    return sorted(range(len(symbols)), key=lambda i: (known[symbols[i]], symbols[i]))


def poscar_structure(structure: Structure) -> Structure:
    """Return the sites in the order of the POSCAR, elements without charges, with magmom and selective dynamics."""
    order = poscar_order(structure)
    properties = {
        name: [structure.site_properties[name][i] for i in order]
        for name in ("selective_dynamics", "magmom")
        if name in structure.site_properties
    }
    lattice = structure.lattice.matrix
    species = [structure[i].specie.symbol for i in order]
    return Structure(
        Lattice(lattice, pbc=structure.lattice.pbc),
        species,
        structure.frac_coords[order],
        site_properties=properties,
    )


def _electronegativity(symbol: str) -> float:
    """Return Pauling's value; noble gases, of which some have none, come last."""
    if Element(symbol).is_noble_gas:  # pymatgen warns where it has no value
        return math.inf
    return float(Element(symbol).X)

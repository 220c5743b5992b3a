"""Charges and radii of the docking force field: crude, but the same for every pair of elements.

They put hydrogen bonds at 1.9 A, Li-O contacts at 1.9 to 2.1 A and van der Waals contacts at the usual distances; that is
all they are for.
"""

from __future__ import annotations

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

from iface_wf.builders.contact import covalent_radii, symbols_of, vdw_radii
from iface_wf.builders.placing.targets import BONDED

Vectors = NDArray[np.float64]

#: Charge that a bond carries for each unit of difference of Pauling's electronegativities, e; O-H bonds are stronger
#: dipoles than their difference says.
_POLARITY, _POLARITY_H = 0.16, 0.28
#: Depths of Lennard-Jones minima, eV, of UFF (10.1021/ja00051a040); others have the default.
_DEPTH = {"H": 0.0019, "C": 0.0046, "N": 0.0030, "O": 0.0026, "F": 0.0022, "Si": 0.0174, "P": 0.0132, "S": 0.0119,
          "Cl": 0.0098, "I": 0.0147}  # fmt: skip
_OTHER_DEPTH = 0.004
#: Of the depth of pairs without a metal so much is taken: with all of it molecules lie pressed flat where GFN1-xTB has them high, and forces of
#: GFN1-xTB on an ether on quartz want a third or less (docs/search.md).
_PART = 0.3
#: Charges of a neutral molecule on a surface are larger than those of MMFF94 by so much; those of ions are not.
POLARISED = 1.4
#: A hydrogen on O or N has this radius, A, for others than its own molecule.
_POLAR_H = 0.9
#: Minima lie at these multiples of the sum of van der Waals radii, and with metals of covalent radii.
_VDW, _METAL = 1.1, 1.4


def bond_charges(structure: Structure) -> Vectors:
    """Return charges that follow from the bonds: each one moves charge from the less to the more electronegative end.

    Parameters
    ----------
    structure
        Slab, wire or molecule.

    Returns
    -------
    ndarray
        e, shape (atoms,); they sum to zero.
    """
    symbols = symbols_of(structure)
    chi = np.array([float(Element(symbol).X) for symbol in symbols])
    charges = np.zeros(len(symbols))
    bonded = bonds(structure)
    for i, j in zip(*np.nonzero(np.triu(bonded)), strict=True):
        polar = _POLARITY_H if "H" in (symbols[i], symbols[j]) and {symbols[i], symbols[j]} & {"O", "N"} else _POLARITY
        moved = polar * (chi[j] - chi[i])
        charges[i] += moved
        charges[j] -= moved
    # an alkali ion with many neighbours does not give away more than its electron
    alkali = np.array([Element(symbol).is_alkali for symbol in symbols])
    excess = np.where(alkali, np.maximum(charges - 0.9, 0.0), 0.0)
    others = ~alkali & (charges < 0)
    charges -= excess
    if others.any():
        charges[others] += excess.sum() / others.sum()
    return charges


def bonds(structure: Structure) -> NDArray[np.bool_]:
    """Return which atoms are bonded, or in contact with a metal, shape (atoms, atoms); periodic images count."""
    radii = covalent_radii(symbols_of(structure))
    bonded = np.array(structure.distance_matrix) < BONDED * (radii[:, None] + radii[None])
    np.fill_diagonal(bonded, val=False)
    return np.asarray(bonded)


class Kinds:
    """Numbers for the kinds of atoms (elements, and hydrogens on O or N), with the tables of their pairs.

    Parameters
    ----------
    *parts
        Structures whose atoms are to be numbered.

    Attributes
    ----------
    of
        For each structure the kinds of its atoms.
    reach, depth
        Distance (A) and depth (eV) of the minimum of each pair of kinds.
    """

    def __init__(self, *parts: Structure) -> None:
        names = [_kinds(part) for part in parts]
        known = sorted(set().union(*names))
        self.of = [np.array([known.index(name) for name in own], dtype=np.int64) for own in names]
        elements = [name.removesuffix("*") for name in known]
        vdw = np.array([_POLAR_H if name.endswith("*") else vdw_radii([name])[0] for name in known])
        covalent = covalent_radii(elements)
        metal = np.array([Element(element).is_metal for element in elements])
        depth = np.array([_DEPTH.get(element, _OTHER_DEPTH) for element in elements])
        self.reach = np.where(
            metal[:, None] | metal[None],
            _METAL * (covalent[:, None] + covalent[None]),
            _VDW * (vdw[:, None] + vdw[None]),
        )
        part = np.where(metal[:, None] | metal[None], 1.0, _PART)
        self.depth = part * np.sqrt(depth[:, None] * depth[None])


def _kinds(structure: Structure) -> list[str]:
    symbols = symbols_of(structure)
    bonded = bonds(structure)
    polar = np.array([atomic_numbers[symbol] in (7, 8) for symbol in symbols])
    return [
        f"{symbol}*" if symbol == "H" and bool(np.any(bonded[i] & polar)) else symbol
        for i, symbol in enumerate(symbols)
    ]

"""Read crystals and refuse those that cannot be what they say."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from pymatgen.core import DummySpecies, Element, Structure
from pymatgen.core.structure import StructureError
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp import Poscar
from pymatgen.io.vasp.inputs import BadPoscarWarning

from iface_wf.errors import InputError
from iface_wf.library.files import read_bytes

MAX_BYTES = 5_000_000
MAX_ATOMS = 2000
_PARSE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BadPoscarWarning,
    LookupError,
    StructureError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What pymatgen raises on text that is no crystal."""
_TYPE_SYMBOL = re.compile(r"([A-Za-z]{1,2})[0-9.+-]*$")
_LABEL = re.compile(r"([A-Za-z]+)")
MIN_LENGTH, MAX_LENGTH = 1.5, 200.0
"""Allowed lengths of cell vectors in A."""
OVERLAP = 0.5
"""Two full sites nearer than this share of the sum of their covalent radii overlap."""
SLAB_GAP = 6.0
"""Empty space along c in A from which on a cell is taken for a slab."""


def read_crystal(path: Path, max_atoms: int = MAX_ATOMS) -> Structure:
    """Read a crystal from a CIF or POSCAR file, in the file's own cell.

    Parameters
    ----------
    path
        File, at most 5 MB; a CIF is recognised by its suffix.
    max_atoms
        Largest number of sites allowed.

    Returns
    -------
    Structure
        All sites of the cell, in space-group P1, without oxidation states; partial occupancies are kept.

    Raises
    ------
    InputError
        If the file is unreadable, too large, names unknown elements, or holds overlapping sites.
    """
    text = read_bytes(path, MAX_BYTES).decode("utf-8", errors="replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # notes on rounding; what matters is checked below
            structure = _parse_cif(text) if path.suffix.lower() == ".cif" else Poscar.from_str(text).structure
    except _PARSE_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} cannot be read as a crystal: {reason[:200]}.") from error
    if len(structure) > max_atoms:
        raise InputError(f"{path} has {len(structure)} sites in the cell, at most {max_atoms} are allowed.")
    _check_cell(structure, str(path))
    inside = np.mod(structure.frac_coords, 1.0)
    structure = Structure(structure.lattice, structure.species_and_occu, np.where(inside > 1 - 1e-9, 0.0, inside))
    _check_sites(structure, str(path))
    structure.remove_oxidation_states()
    return structure


def _parse_cif(text: str) -> Structure:
    parser = CifParser.from_str(text, occupancy_tolerance=1.0)
    for block in parser.as_dict().values():
        symbols = block.get("_atom_site_type_symbol")
        for entry in symbols or block.get("_atom_site_label", []):
            match = (_TYPE_SYMBOL if symbols else _LABEL).match(entry.strip())
            if match is None or not _is_element(match[1], exact=bool(symbols)):
                raise ValueError(f"unknown element {entry[:20]!r}")
        for axis in "xyz":
            if {"?", "."} & {value.strip() for value in block.get(f"_atom_site_fract_{axis}", [])}:
                raise ValueError(f"a site has no coordinate along {axis}")
    structures = parser.parse_structures(primitive=False, check_occu=True, on_error="raise")
    if len(structures) != 1:
        raise ValueError(f"it holds {len(structures)} structures, exactly one is needed")
    structure: Structure = structures[0]
    return structure


def _is_element(letters: str, exact: bool) -> bool:
    """Whether letters name an element (or D); a label may have more letters behind its element."""
    known = [letters.capitalize()] if exact else [letters[:2].capitalize(), letters[:1].upper()]
    return any(Element.is_valid_symbol(name) or name == "D" for name in known)


def _check_cell(structure: Structure, where: str) -> None:
    """Refuse cells and coordinates that no crystal has, before anything walks through their neighbours."""
    lengths = structure.lattice.abc
    if not (np.all(np.isfinite(structure.lattice.matrix)) and np.all(np.isfinite(structure.frac_coords))):
        raise InputError(f"{where}: the cell or a coordinate is not a finite number.")
    if len(structure) == 0 or min(lengths) < MIN_LENGTH or max(lengths) > MAX_LENGTH:
        raise InputError(f"{where}: it needs at least one site and cell lengths from {MIN_LENGTH} to {MAX_LENGTH} A.")
    if structure.volume < 0.05 * float(np.prod(lengths)):
        raise InputError(f"{where}: the cell is almost flat.")
    if structure.volume / len(structure) < 1.0:
        raise InputError(f"{where}: the cell is too small for its {len(structure)} sites.")


def _check_sites(structure: Structure, where: str) -> None:
    for site in structure:
        for species in site.species:
            if isinstance(species, DummySpecies):
                raise InputError(f"{where}: unknown element {str(species)[:20]!r}.")
    full = [i for i, site in enumerate(structure) if site.species.num_atoms > 1 - 1e-3]
    if not full:
        return
    radii = np.array([_radius(structure, i) for i in full])
    sub = Structure.from_sites([structure[i] for i in full])
    i, j, _, distance = sub.get_neighbor_list(2 * OVERLAP * float(radii.max()))
    bad = np.flatnonzero(distance < OVERLAP * (radii[i] + radii[j]))
    if bad.size:
        k = bad[0]
        names = f"{sub[i[k]].species_string} and {sub[j[k]].species_string}"
        raise InputError(f"{where}: {names} overlap, they are {distance[k]:.2f} A apart.")


def _radius(structure: Structure, index: int) -> float:
    """Covalent radius in A of the main species of a site."""
    from ase.data import covalent_radii

    main = max(structure[index].species.items(), key=lambda item: item[1])[0]
    return float(covalent_radii[main.Z])


def looks_like_slab(structure: Structure) -> bool:
    """Whether the cell has an empty layer of 6 A or more along c and c is close to its normal."""
    heights = np.sort(np.mod(structure.frac_coords[:, 2], 1.0))
    gaps = np.diff(np.append(heights, heights[0] + 1.0))
    spacing = structure.volume / float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))
    return bool(gaps.max() * spacing >= SLAB_GAP)

"""Read crystals and refuse those that cannot be what they say."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from pymatgen.core import DummySpecies, Element, Structure
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp import Poscar

from iface_wf.errors import InputError

MAX_BYTES = 5_000_000
MAX_ATOMS = 2000
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
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than the allowed {MAX_BYTES} bytes.")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # notes on rounding; what matters is checked below
            structure = _parse_cif(text) if path.suffix.lower() == ".cif" else Poscar.from_str(text).structure
    except (
        ValueError,
        KeyError,
        IndexError,
        AssertionError,
        TypeError,
        AttributeError,
        ZeroDivisionError,
    ) as error:
        raise InputError(f"{path} cannot be read as a crystal: {str(error).splitlines()[0][:200]}.") from error
    if len(structure) > max_atoms:
        raise InputError(f"{path} has {len(structure)} sites in the cell, at most {max_atoms} are allowed.")
    _check_sites(structure, str(path))
    structure.remove_oxidation_states()
    return structure


def _parse_cif(text: str) -> Structure:
    parser = CifParser.from_str(text, occupancy_tolerance=1.0)
    blocks = list(parser.as_dict().values())
    for block in blocks:
        for symbol in block.get("_atom_site_type_symbol", block.get("_atom_site_label", [])):
            letters = "".join(c for c in symbol.strip()[:2] if c.isalpha())
            if not (Element.is_valid_symbol(letters.capitalize()) or Element.is_valid_symbol(letters[:1].upper())):
                raise ValueError(f"unknown element {symbol[:20]!r}")
    structures = parser.parse_structures(primitive=False, check_occu=True, on_error="raise")
    if len(structures) != 1:
        raise ValueError(f"it holds {len(structures)} structures, exactly one is needed")
    structure: Structure = structures[0]
    return structure


def _check_sites(structure: Structure, where: str) -> None:
    if structure.volume / max(len(structure), 1) < 1.0:
        raise InputError(f"{where}: the cell is too small for its {len(structure)} sites.")
    for site in structure:
        for species in site.species:
            if isinstance(species, DummySpecies):
                raise InputError(f"{where}: unknown element {str(species)[:20]!r}.")
    full = [i for i, site in enumerate(structure) if site.species.num_atoms > 1 - 1e-3]
    radii = np.array([_radius(structure, i) for i in full])
    if len(full) < 1:
        return
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

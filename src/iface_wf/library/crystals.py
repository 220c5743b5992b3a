"""Read crystals and refuse those that cannot be what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pymatgen.core import Structure
from pymatgen.core.structure import StructureError

from iface_wf.errors import InputError, reasons
from iface_wf.library.cif import parse_cif
from iface_wf.library.extxyz import looks_like_xyz, parse_extxyz
from iface_wf.library.overlap import isolated, overlap
from iface_wf.library.poscar import parse_poscar
from iface_wf.library.text import read_text

MAX_BYTES = 5_000_000
MAX_ATOMS = 2000
XYZ_SUFFIXES = (".xyz", ".extxyz")
NAMED = (".cif", ".vasp", ".poscar", *XYZ_SUFFIXES)
"""Suffixes that say how a file is to be read."""
_CIF = re.compile(r"^_(cell_length_a|atom_site_)", re.MULTILINE)
SITE_PROPERTIES = ("selective_dynamics", "magmom")
"""What a file may say about its sites besides element and place."""
_PARSE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    StructureError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What text that is no crystal raises."""
MIN_LENGTH, MAX_LENGTH = 1.5, 200.0
"""Allowed lengths of cell vectors in A."""
SLAB_GAP = 6.0
"""Empty space along a cell vector in A from which on a cell is taken for a slab."""
WIDE_GAP = 4.0
"""Empty space from which on a crystal is said to have it: layered ones have 2.5 to 3.5 A (graphite 3.35)."""


def read_crystal(path: Path, max_atoms: int = MAX_ATOMS) -> Structure:
    """Read a crystal from a CIF, extended XYZ or POSCAR file, in the file's own cell.

    Parameters
    ----------
    path
        File, at most 5 MB; recognised by its suffix, or by how it begins where its name says nothing.
    max_atoms
        Largest number of sites allowed.

    Returns
    -------
    Structure
        All sites of the cell, in space-group P1, without oxidation states; partial occupancies are kept, and what the
        file says about its sites: ``selective_dynamics``, ``magmom`` (Bohr magnetons). ``properties["warnings"]``, where
        present, names what was assumed or left out, one sentence each.

    Raises
    ------
    InputError
        If the file is unreadable, too large, names unknown elements, holds other atoms than its own formula, a space
        group that is not known, overlapping sites, or no two atoms in contact.
    """
    text = read_text(path, MAX_BYTES)
    try:
        structure = _parser(path, text)(text)
    except _PARSE_ERRORS as error:
        reason = reasons(error)[0].rstrip(".")
        raise InputError(f"{path} cannot be read as a crystal: {reason[:250]}.") from error
    if len(structure) > max_atoms:
        raise InputError(f"{path} has {len(structure)} sites in the cell, at most {max_atoms} are allowed.")
    _check_cell(structure, str(path))
    inside = np.mod(structure.frac_coords, 1.0)
    kept = {name: values for name, values in structure.site_properties.items() if name in SITE_PROPERTIES}
    structure = Structure(
        structure.lattice,
        structure.species_and_occu,
        np.where(inside > 1 - 1e-9, 0.0, inside),
        site_properties=kept,
        properties=structure.properties,
    )
    wrong = overlap(structure) or isolated(structure)
    if wrong is not None:
        raise InputError(f"{path}: {wrong.removesuffix('?')}{'?' if wrong.endswith('?') else '.'}")
    return structure


def _parser(path: Path, text: str) -> Callable[[str], Structure]:
    """Choose what reads a file: by its suffix, else by how it begins."""
    suffix = path.suffix.lower()
    if suffix == ".cif" or (suffix not in NAMED and _CIF.search(text)):
        return parse_cif
    if suffix in XYZ_SUFFIXES or (suffix not in NAMED and not is_poscar_name(path.name) and looks_like_xyz(text)):
        return parse_extxyz
    return parse_poscar


def is_poscar_name(name: str) -> bool:
    """Whether VASP's users call a POSCAR so."""
    return name.startswith(("POSCAR", "CONTCAR"))


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


def empty_along(structure: Structure) -> list[float]:
    """Give the largest empty layer along each cell vector, measured across it, in A."""
    found = []
    for axis in range(3):
        others = np.delete(structure.lattice.matrix, axis, axis=0)
        spacing = structure.volume / float(np.linalg.norm(np.cross(*others)))
        places = np.sort(np.mod(structure.frac_coords[:, axis], 1.0))
        found.append(float(np.diff(np.append(places, places[0] + 1.0)).max()) * spacing)
    return found


def vacuum_axis(structure: Structure) -> int | None:
    """Tell along which cell vector (0, 1, 2) a slab has its vacuum; None for a bulk crystal.

    The vacuum is the widest empty layer, of 6 A or more; of equal ones the one along c.
    """
    axis, gap = _widest_gap(structure)
    return axis if gap >= SLAB_GAP else None


def _widest_gap(structure: Structure) -> tuple[int, float]:
    """Return along which cell vector the widest empty layer lies, and how wide it is, A; of equal ones the one along c."""
    gaps = empty_along(structure)
    axis = max((2, 1, 0), key=lambda axis: round(gaps[axis], 3))
    return axis, gaps[axis]


def about_gap(structure: Structure, name: str) -> list[str]:
    """Say of a crystal that might have been meant as a slab with little vacuum that it was taken as a crystal."""
    axis, gap = _widest_gap(structure)
    if not WIDE_GAP <= gap < SLAB_GAP:
        return []
    return [
        f"{name} has an empty layer of {gap:.1f} A along {'abc'[axis]}: it was taken as a crystal, from which a slab is "
        f"cut; one that is a slab already needs {SLAB_GAP:g} A or more of it."
    ]


def looks_like_slab(structure: Structure) -> bool:
    """Whether the cell has an empty layer of 6 A or more along one of its vectors."""
    return vacuum_axis(structure) is not None

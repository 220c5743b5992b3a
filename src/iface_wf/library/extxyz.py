"""Read crystals and slabs from extended XYZ: cell and periodic directions stand in the comment of such a file."""

from __future__ import annotations

from io import StringIO
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian
from ase.io.extxyz import read_xyz
from pymatgen.core import Lattice, Structure

SLAB_VACUUM = 20.0
"""Empty space given to the direction along which a file says that it is not periodic, A."""


def looks_like_xyz(text: str) -> bool:
    """Whether a text begins as XYZ files do: a number of atoms, a comment, and a line of symbol and coordinates."""
    lines = text.split("\n", 3)
    return len(lines) > 2 and lines[0].strip().isdigit() and len(lines[2].split()) >= 4


def parse_extxyz(text: str) -> Structure:
    """Read one structure with a cell from extended XYZ, as ASE, OVITO and ML codes write it.

    Parameters
    ----------
    text
        The file's content; ``Lattice`` in the comment is the cell (A), ``pbc`` its periodic directions, and of the
        columns ``move_mask`` says what is held, ``initial_magmoms`` or ``magmoms`` the moments (Bohr magnetons).

    Returns
    -------
    Structure
        Of a slab (one direction not periodic) with 20 A of empty space along that direction, whatever the file gives it.

    Raises
    ------
    ValueError
        With the reason, if there is no cell, more than one structure, or a direction too few.
    """
    count = text.split("\n", 1)[0].strip()
    if not count.isdigit():
        raise ValueError("its first line must be the number of atoms")
    if any(line.strip() for line in text.split("\n")[int(count) + 2 :]):
        raise ValueError("it holds more than one structure: give a file of the one that is meant")
    try:
        atoms: Atoms = next(read_xyz(StringIO(text), 0))
    except (OSError, StopIteration) as error:  # XYZError of ASE is an OSError
        raise ValueError(f"it is no extended XYZ file of {count} atoms") from error
    periodic = [bool(each) for each in atoms.pbc]
    if atoms.cell.rank and not any(periodic):
        raise ValueError(
            'it has a cell but its pbc="F F F" says that nothing repeats: a slab has pbc="T T F", a crystal "T T T"'
        )
    if not any(periodic):
        raise ValueError(
            'it has no cell (Lattice="..." in its second line): a molecule is given as such (--molecule), a slab needs one'
        )
    if sum(periodic) < 2 or np.linalg.matrix_rank(np.array(atoms.cell)[periodic]) < sum(periodic):
        raise ValueError("it must be periodic in two or three directions that do not lie in one line")
    matrix, xyz = _with_vacuum(atoms, periodic)
    structure = Structure(Lattice(matrix), atoms.get_chemical_symbols(), xyz, coords_are_cartesian=True)
    for name, values in _about_sites(atoms).items():
        structure.add_site_property(name, values)
    return structure


def _with_vacuum(atoms: Atoms, periodic: list[bool]) -> tuple[Any, Any]:
    """Give the cell and the positions; the vector of the direction that is not periodic becomes normal to the others."""
    matrix, xyz = np.array(atoms.cell), np.array(atoms.positions)
    if all(periodic):
        return matrix, xyz
    axis = periodic.index(False)
    normal = np.cross(matrix[(axis + 1) % 3], matrix[(axis + 2) % 3])
    normal /= np.linalg.norm(normal)
    heights = xyz @ normal
    matrix[axis] = normal * (float(np.ptp(heights)) + SLAB_VACUUM)
    return matrix, xyz + (SLAB_VACUUM / 2 - heights.min()) * normal


def _about_sites(atoms: Atoms) -> dict[str, list[Any]]:
    """Give what the file says of its sites: whether they may move along each vector, and their moments."""
    free = np.ones((len(atoms), 3), dtype=bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            free[constraint.index] = False
        elif isinstance(constraint, FixCartesian):
            free[constraint.index] = ~np.asarray(constraint.mask, dtype=bool)
    found: dict[str, list[Any]] = {} if free.all() else {"selective_dynamics": free.tolist()}
    moments = atoms.arrays.get("initial_magmoms", atoms.arrays.get("magmoms"))
    if moments is None and atoms.calc is not None:
        moments = atoms.calc.results.get("magmoms")
    if moments is not None and np.ndim(moments) == 1:
        found["magmom"] = [float(each) for each in moments]
    return found


def labels_of(text: str) -> list[str] | None:
    """Give what the column ``component`` of an extended XYZ file calls each atom, as our own files do; None without one."""
    if not looks_like_xyz(text):
        return None
    try:
        atoms: Atoms = next(read_xyz(StringIO(text), 0))
    except (OSError, StopIteration, ValueError, LookupError):
        return None  # whoever reads the crystal says why
    labels = atoms.arrays.get("component")
    return None if labels is None or np.ndim(labels) != 1 else [str(label) for label in labels]

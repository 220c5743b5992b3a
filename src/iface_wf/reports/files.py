"""Write structures and densities in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np
from ase.io import write
from ase.io.cube import write_cube
from ase.units import Bohr
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Chgcar, Poscar

from iface_wf.errors import InputError, unknown_name

STRUCTURE_FORMATS = ("cif", "xyz", "poscar")
DENSITY_FORMATS = ("cube", "chgcar")


def write_structure(structure: Structure, path: Path, fmt: str) -> None:
    """Write a structure.

    Parameters
    ----------
    structure
        Labelled or not.
    path
        The file; it must not exist.
    fmt
        ``cif`` (space group P1), ``xyz`` (extended, with cell and ``component``) or ``poscar`` (with frozen atoms).

    Raises
    ------
    InputError
        For an unknown format, or when the file exists or cannot be written.
    """
    if fmt not in STRUCTURE_FORMATS:
        raise unknown_name("format of a structure", fmt, STRUCTURE_FORMATS)
    if fmt == "cif":
        text = str(CifWriter(structure))
    elif fmt == "poscar":
        text = Poscar(structure).get_str(significant_figures=10)
    else:
        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        atoms.pbc = structure.lattice.pbc
        atoms.constraints = []
        atoms.info = {}
        labels = structure.site_properties.get("component")
        atoms.arrays = {k: v for k, v in atoms.arrays.items() if k in ("numbers", "positions")}
        if labels is not None:
            atoms.set_array("component", np.array(labels, dtype=str))
        with _new(path) as file:
            write(file, atoms, format="extxyz")
        return
    with _new(path) as file:
        file.write(text)


def write_density(values: NDArray[np.float64], structure: Structure, path: Path, fmt: str) -> None:
    """Write a density on the grid of a structure's cell.

    Parameters
    ----------
    values
        e/A^3, shape (nx, ny, nz).
    structure
        Atoms and cell.
    path
        The file; it must not exist.
    fmt
        ``cube`` (Gaussian cube, in e/Bohr^3 as other programs expect) or ``chgcar`` (VASP, density times volume).

    Raises
    ------
    InputError
        For an unknown format, or when the file exists or cannot be written.
    """
    if fmt not in DENSITY_FORMATS:
        raise unknown_name("format of a density", fmt, DENSITY_FORMATS)
    if fmt == "cube":
        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        with _new(path) as file:
            write_cube(file, atoms, data=values * Bohr**3, comment="iface-wf, density in e/Bohr^3")
        return
    plain = Structure(structure.lattice, structure.species, structure.frac_coords)
    ordered = plain.get_sorted_structure(key=lambda site: structure.species.index(site.specie))
    _new(path).close()  # pymatgen writes by name: claim the name first
    Chgcar(Poscar(ordered), {"total": values * structure.volume}).write_file(str(path))


def _new(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{path} exists already; give another name or remove it first.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error

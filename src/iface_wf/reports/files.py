"""Write structures and densities in the formats of other programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
from numpy.typing import NDArray

from iface_wf.errors import InputError, unknown_name

if TYPE_CHECKING:  # readers and writers take a second, which tables in files do without
    from pymatgen.core import Structure

STRUCTURE_FORMATS = ("cif", "xyz", "poscar")
DENSITY_FORMATS = ("cube", "chgcar")
#: Formats by suffix, in small letters; ``.vasp``, by which VESTA knows the files of VASP, has two.
_SUFFIXES = {
    ".cif": "cif",
    ".xyz": "xyz",
    ".extxyz": "xyz",
    ".poscar": "poscar",
    ".cube": "cube",
    ".cub": "cube",
    ".chgcar": "chgcar",
}
#: Formats by the letters that names of VASP begin with.
_NAMES = {"poscar": "poscar", "contcar": "poscar", "chgcar": "chgcar", "chg": "chgcar"}


def file_format(path: Path, density: bool) -> str | None:
    """Return the format that the name of a file stands for; None for a name that says nothing.

    Parameters
    ----------
    path
        The file.
    density
        Whether a density is to be written, else a structure: ``.vasp`` ends the names of both.
    """
    name, suffix = path.name.lower(), path.suffix.lower()
    if suffix == ".vasp":
        return "chgcar" if density else "poscar"
    beginning = re.match(r"[a-z]*", name)
    return _SUFFIXES.get(suffix) or _NAMES.get(beginning[0] if beginning else "")


def write_structure(structure: Structure, path: Path, fmt: str) -> None:
    """Write a structure.

    Parameters
    ----------
    structure
        Labelled or not.
    path
        The file; it must not exist.
    fmt
        ``cif`` (space group P1), ``xyz`` (extended, with cell and ``component``) or ``poscar`` (elements in blocks,
        as all that we write for VASP, with frozen atoms).

    Raises
    ------
    InputError
        For an unknown format, or when the file exists or cannot be written.
    """
    if fmt not in STRUCTURE_FORMATS:
        raise unknown_name("format of a structure", fmt, STRUCTURE_FORMATS)
    if fmt == "cif":
        from pymatgen.io.cif import CifWriter

        text = str(CifWriter(structure))
    elif fmt == "poscar":
        from pymatgen.io.vasp import Poscar

        from iface_wf.builders.order import poscar_structure

        text = Poscar(poscar_structure(structure)).get_str(significant_figures=10)
    else:
        from ase.io import write
        from pymatgen.io.ase import AseAtomsAdaptor

        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        atoms.pbc = structure.lattice.pbc
        atoms.constraints = []
        atoms.info = {}
        labels = structure.site_properties.get("component")
        atoms.arrays = {k: v for k, v in atoms.arrays.items() if k in ("numbers", "positions")}
        if labels is not None:
            atoms.set_array("component", np.array(labels, dtype=str))
        with new_text(path) as file:
            write(file, atoms, format="extxyz")
        return
    with new_text(path) as file:
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
    from ase.io.cube import write_cube
    from ase.units import Bohr
    from pymatgen.core import Structure as Plain
    from pymatgen.io.ase import AseAtomsAdaptor
    from pymatgen.io.vasp import Chgcar, Poscar

    from iface_wf.builders.order import poscar_structure

    ordered = poscar_structure(structure)  # the order of the POSCAR beside it
    if fmt == "cube":
        atoms = AseAtomsAdaptor.get_atoms(ordered, msonable=False)
        with new_text(path) as file:
            write_cube(file, atoms, data=values * Bohr**3, comment="iface-wf, density in e/Bohr^3")
        return
    plain = Plain(ordered.lattice, ordered.species, ordered.frac_coords)
    new_text(path).close()  # pymatgen writes by name: claim the name first
    Chgcar(Poscar(plain), {"total": values * structure.volume}).write_file(str(path))


def new_text(path: Path) -> TextIO:
    """Open a new file for text.

    Raises
    ------
    InputError
        When it exists or cannot be written.
    """
    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{path} exists already; give another name or remove it first.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error

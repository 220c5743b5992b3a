"""Scalar fields on a regular grid: what describes a grid, when two are the same, and file formats.

Convention of the whole project: an array covers one cell, and point ``(i, j, k)`` lies at the fractional
coordinates ``(i / nx, j / ny, k / nz)``. A direction that is not periodic has its boundary plane at
index 0, where densities vanish, so that every array can be treated as if it were periodic.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from ase.io.cube import write_cube
from ase.units import Bohr
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.errors import InputError, MismatchError

FloatArray = NDArray[np.float64]
FileFormat = Literal["cube", "chgcar"]

CELL_TOLERANCE = 1e-4
"""Two cells are the same when no component differs by more than this (A)."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A scalar field over one cell.

    Parameters
    ----------
    values
        Array of shape (nx, ny, nz); point (i, j, k) lies at the fractions (i/nx, j/ny, k/nz).
        A density is in e/A^3.
    cell
        Cell vectors as rows, A.
    pbc
        Which directions are periodic.
    """

    values: FloatArray
    cell: FloatArray
    pbc: tuple[bool, bool, bool] = (True, True, True)

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        cell = np.array(self.cell, dtype=np.float64)
        if values.ndim != 3 or 0 in values.shape:
            raise InputError(f"A grid needs a three-dimensional array, not one of shape {values.shape}.")
        if cell.shape != (3, 3) or abs(np.linalg.det(cell)) < 1e-6:
            raise InputError("A grid needs three linearly independent cell vectors.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "cell", cell)
        object.__setattr__(self, "pbc", tuple(bool(p) for p in self.pbc))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of points along each cell vector."""
        nx, ny, nz = self.values.shape
        return nx, ny, nz

    @property
    def volume(self) -> float:
        """Volume of the cell, A^3."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def point_volume(self) -> float:
        """Volume that belongs to one point, A^3."""
        return self.volume / self.values.size

    @property
    def steps(self) -> FloatArray:
        """Vectors between neighbouring points as rows, A."""
        steps: FloatArray = self.cell / np.array(self.shape)[:, None]
        return steps

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between neighbouring points along each cell vector, A."""
        a, b, c = np.linalg.norm(self.steps, axis=1)
        return float(a), float(b), float(c)

    def integral(self) -> float:
        """Return the integral over the cell (a density: the number of electrons)."""
        return float(self.values.sum()) * self.point_volume


def check_same_grid(*grids: Grid) -> None:
    """Refuse to combine fields that do not share shape, cell and periodicity.

    Raises
    ------
    MismatchError
        The text names everything that differs.
    """
    first = grids[0]
    for number, other in enumerate(grids[1:], start=2):
        differs = []
        if other.shape != first.shape:
            differs.append(f"shape {first.shape} and {other.shape}")
        shift = float(abs(other.cell - first.cell).max())
        if shift > CELL_TOLERANCE:
            differs.append(f"cell (a component differs by {shift:.2g} A)")
        if other.pbc != first.pbc:
            differs.append(f"pbc {first.pbc} and {other.pbc}")
        if differs:
            raise MismatchError(f"Grids 1 and {number} cannot be combined; they differ in {'; '.join(differs)}.")


def pad_boundary(values: ArrayLike, pbc: tuple[bool, bool, bool], shape: tuple[int, int, int]) -> FloatArray:
    """Add the boundary planes that a code leaves out along directions that are not periodic.

    Parameters
    ----------
    values
        Array whose length along direction ``d`` is ``shape[d]``, or one less where ``pbc[d]`` is False.
    pbc
        Which directions are periodic.
    shape
        Number of intervals along each cell vector: the shape of the result.

    Returns
    -------
    numpy.ndarray
        Array of the given shape, zero at index 0 of every direction that was padded.

    Raises
    ------
    MismatchError
        The array has another shape.
    """
    field = np.asarray(values, dtype=np.float64)
    missing = [n - m for n, m in zip(shape, field.shape, strict=True)]
    if any(gap not in (0, 1) or (gap == 1 and periodic) for gap, periodic in zip(missing, pbc, strict=True)):
        raise MismatchError(f"An array of shape {field.shape} does not fit a grid of {shape} points with pbc {pbc}.")
    return np.pad(field, [(gap, 0) for gap in missing])


def write_grid(path: str | Path, grid: Grid, structure: Structure, fmt: FileFormat) -> None:
    """Write a density for other programs.

    Parameters
    ----------
    path
        File to write.
    grid
        Density, e/A^3.
    structure
        The atoms; its lattice must be the grid's cell.
    fmt
        ``"cube"`` stores e/bohr^3, ``"chgcar"`` stores density times cell volume, as their readers expect.

    Raises
    ------
    MismatchError
        Structure and grid have different cells.
    """
    check_cell(grid, structure)
    if fmt == "cube":
        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        with Path(path).open("w") as handle:
            write_cube(handle, atoms, grid.values * Bohr**3, comment="electron density, e/bohr^3")
    elif fmt == "chgcar":
        bare = Structure(structure.lattice, structure.species, structure.frac_coords)
        # CHGCAR lists the atoms by element, which pymatgen only writes for sorted structures.
        bare.sort(key=lambda site: site.species_string)
        from pymatgen.io.vasp import Chgcar  # half a second to import, which jobs of a queue do without

        Chgcar(bare, {"total": grid.values * grid.volume}).write_file(str(path))
    else:
        raise InputError(f"Unknown density format {fmt!r}: allowed are 'cube' and 'chgcar'.")


def read_grid(
    path: str | Path, fmt: FileFormat, pbc: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[Grid, Structure]:
    """Read a density in e/A^3, whatever unit the format stores.

    Parameters
    ----------
    path
        File to read.
    fmt
        ``"cube"`` (read as e/bohr^3) or ``"chgcar"`` (read as density times
        cell volume; spin summed).
    pbc
        Which directions are periodic; neither format says so.

    Returns
    -------
    tuple
        The grid and the atoms in the file's order.

    Raises
    ------
    InputError
        The file is missing or not of that format.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"No density file at {source}.")
    if fmt not in ("cube", "chgcar"):
        raise InputError(f"Unknown density format {fmt!r}: allowed are 'cube' and 'chgcar'.")
    try:
        from pymatgen.io.common import VolumetricData
        from pymatgen.io.vasp import Chgcar

        data = VolumetricData.from_cube(source) if fmt == "cube" else Chgcar.from_file(source)
        total = np.asarray(data.data["total"], dtype=np.float64)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise InputError(f"{source} is not a readable {fmt} file: {error}.") from error
    structure = data.structure.copy()
    structure.lattice = type(structure.lattice)(structure.lattice.matrix, pbc=pbc)
    scale = Bohr**-3 if fmt == "cube" else 1 / structure.volume
    return Grid(total * scale, structure.lattice.matrix, pbc), structure


def check_cell(grid: Grid, structure: Structure) -> None:
    """Raise a MismatchError unless the lattice of the structure is the cell of the grid."""
    shift = float(abs(grid.cell - structure.lattice.matrix).max())
    if shift > CELL_TOLERANCE:
        raise MismatchError(f"Structure and density have different cells: a component differs by {shift:.2g} A.")
    if tuple(structure.lattice.pbc) != grid.pbc:
        raise MismatchError(f"Structure and density differ in pbc: {structure.lattice.pbc} and {grid.pbc}.")

"""Scalar fields on a regular grid: what describes a grid, and when two are the same.

Convention of the whole project: an array covers one cell, and point ``(i, j, k)`` lies at the fractional
coordinates ``(i / nx, j / ny, k / nz)``. A direction that is not periodic has its boundary plane at
index 0, where densities vanish, so that every array can be treated as if it were periodic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from iface_wf.errors import InputError, MismatchError

FloatArray = NDArray[np.float64]

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
    def area(self) -> float:
        """Area of the plane of the first two cell vectors, A^2."""
        return float(np.linalg.norm(np.cross(self.cell[0], self.cell[1])))

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


def check_cell(grid: Grid, structure: Structure) -> None:
    """Refuse to combine a field with a structure in another cell.

    Raises
    ------
    MismatchError
        Cell or periodic directions differ.
    """
    shift = float(abs(grid.cell - structure.lattice.matrix).max())
    if shift > CELL_TOLERANCE:
        raise MismatchError(f"Structure and density have different cells: a component differs by {shift:.2g} A.")
    if tuple(structure.lattice.pbc) != grid.pbc:
        raise MismatchError(f"Structure and density differ in pbc: {structure.lattice.pbc} and {grid.pbc}.")

"""Cells, grids and k-points of a calculation, and structures with new positions."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from pymatgen.core import Lattice, Structure

from iface_wf.analysis.grid import FloatArray


def grid_shape(structure: Structure, spacing: float) -> tuple[int, int, int]:
    """Choose the real-space grid of a cell.

    Parameters
    ----------
    structure
        The structure; only the cell counts.
    spacing
        Wanted spacing between grid planes, A.

    Returns
    -------
    tuple of int
        (nx, ny, nz), each a multiple of 4 where that keeps the spacing, so that half-cell translations are
        grid translations.
    """
    heights = 1.0 / np.linalg.norm(np.linalg.inv(structure.lattice.matrix), axis=0)
    in_plane = [max(4, round(h / spacing / 4) * 4) for h in heights[:2]]
    # along c the cell edge is a multiple of 0.8 A: the exact spacing keeps the slab on the same grid points in every cell
    along_c = max(4, round(heights[2] / spacing))
    return int(in_plane[0]), int(in_plane[1]), int(along_c)


def is_metal(structure: Structure) -> bool:
    """Whether a cell conducts: by what its builder knew of the filler, else where all elements are metals."""
    known = structure.properties.get("metal")
    return all(x.is_metal for x in structure.composition.elements) if known is None else bool(known)


#: What a metal's periodic edges times their k-points reach at least, A, and how many times as long they are as an insulator's.
METAL_LENGTH, METAL_FACTOR = 30.0, 2.0


def kpoint_mesh(structure: Structure, length: float, *, exact: bool = False) -> tuple[int, int, int]:
    """Choose a Monkhorst-Pack mesh by length, with one point along non-periodic directions.

    Parameters
    ----------
    structure
        The structure.
    length
        Every periodic edge times its k-points reaches at least this length, A; in metals, whose energies need more points,
        twice that and at least 30 A.
    exact
        Metals have no more.

    Returns
    -------
    tuple of int
        k-points along each reciprocal axis.
    """
    if not exact and any(structure.lattice.pbc) and is_metal(structure):
        length = length_of_metals(length)
    mesh = [
        kpoints_along(edge, length) if periodic else 1
        for edge, periodic in zip(structure.lattice.abc, structure.lattice.pbc, strict=True)
    ]
    return mesh[0], mesh[1], mesh[2]


def kpoints_along(edge: float, length: float) -> int:
    """Return how often an edge (A) must be repeated to reach a length (A)."""
    return max(1, int(np.ceil(length / edge - 0.01)))


def length_of_metals(length: float) -> float:
    """Return the length (A) that edges of metals reach where those of insulators reach a given one."""
    return max(METAL_LENGTH, METAL_FACTOR * length)


#: Empty space on every side of an isolated part, A.
BOX_VACUUM = 6.0


def boxed_on_steps(structure: Structure, steps: FloatArray) -> tuple[Structure, list[int]]:
    """Put an isolated molecule into a box whose grid has given steps.

    On a real-space grid an absolute energy depends on the grid's steps by tenths of an eV; it cancels only between
    calculations with the same ones. So an isolated part gets a box made of whole steps of the interface's grid.

    Parameters
    ----------
    structure
        The molecule, not periodic.
    steps
        Vectors between neighbouring grid points as rows, shape (3, 3), A.

    Returns
    -------
    tuple
        The molecule in its box, labels kept, and the number of grid points along each edge.
    """
    reciprocal = np.linalg.inv(steps)
    along = structure.cart_coords @ reciprocal  # in steps
    margin = BOX_VACUUM * np.linalg.norm(reciprocal, axis=0)
    points = np.ceil((np.ptp(along, axis=0) + 2 * margin) / 4).astype(int) * 4
    # GPAW takes oblique axes only when they are periodic: then the images are kept apart by the vacuum
    oblique = abs(float(steps[0] @ steps[1])) > 1e-6
    lattice = Lattice(steps * points[:, None], pbc=(oblique, oblique, False))
    shift = (points - along.max(axis=0) - along.min(axis=0)) / 2 @ steps
    box = Structure(
        lattice,
        structure.species,
        structure.cart_coords + shift,
        coords_are_cartesian=True,
        site_properties=structure.site_properties,
        properties=structure.properties,
    )
    return box, [int(n) for n in points]


def opened(atoms: Atoms, vacuum: float) -> FloatArray:
    """Return a cell with at least so much empty space along open directions, for codes that repeat everything.

    Parameters
    ----------
    atoms
        Their ``pbc`` says which directions are open; positions stay as they are.
    vacuum
        A.

    Returns
    -------
    numpy.ndarray
        Cell vectors as rows, A.
    """
    cell: FloatArray = atoms.cell.array.copy()
    for axis in np.flatnonzero(~atoms.pbc):
        normal = np.cross(cell[axis - 2], cell[axis - 1])
        normal /= np.linalg.norm(normal)
        needed = float(np.ptp(atoms.positions @ normal)) + vacuum
        cell[axis] *= max(1.0, needed / abs(float(cell[axis] @ normal)))
    return cell


def moved(structure: Structure, positions: list[list[float]]) -> Structure:
    """Return the structure with new Cartesian positions (A), labels kept."""
    copy = structure.copy()
    for index, position in enumerate(positions):
        copy[index].coords = position
    return copy

"""Lattice planes: a cell oriented along (hkl), and supercells in the plane."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import spglib
from pymatgen.core import Lattice, Structure

from iface_wf.errors import InputError

Matrix = npt.NDArray[np.float64]
SYMPREC = 0.01
MAX_MILLER = 9
MAX_CELLS = 36
"""Largest in-plane supercell, in primitive surface cells."""


def primitive(structure: Structure) -> tuple[Structure, Matrix]:
    """Give the primitive cell without turning the crystal, and its vectors in the old basis (rows).

    Site properties are dropped, because sites that differ only in them may merge.
    """
    numbers = [sorted(structure.composition.elements).index(site.specie) for site in structure]
    cell = (structure.lattice.matrix, structure.frac_coords, numbers)
    found = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=SYMPREC)
    if found is None:
        return structure.copy(), np.eye(3)
    lattice, positions, kinds = found
    elements = sorted(structure.composition.elements)
    small = Structure(lattice, [elements[k] for k in kinds], positions)
    vectors = np.linalg.solve(structure.lattice.matrix.T, np.asarray(lattice).T).T
    if abs(small.density - structure.density) > 1e-3 * structure.density:
        return structure.copy(), np.eye(3)
    return small, vectors


def conventional_basis(structure: Structure) -> tuple[Matrix | None, str]:
    """Give the vectors that Miller indices refer to where these are not the structure's own, and a sentence about it.

    Parameters
    ----------
    structure
        Crystal in the cell of its file, ordered or not.

    Returns
    -------
    array, shape (3, 3), or None
        Rows in A: the conventional cell, not turned, where the structure's cell is a primitive one of a centred lattice.
        None where indices refer to the structure's own cell.
    str
        What a user must know about it; empty where the cell is a conventional one.
    """
    kinds = sorted({site.species_string for site in structure})
    numbers = [kinds.index(site.species_string) + 1 for site in structure]
    found = spglib.get_symmetry_dataset((structure.lattice.matrix, structure.frac_coords, numbers), symprec=SYMPREC)
    if found is None:
        return None, ""
    # conventional cells in the file's; the determinant of a left-handed file is negative
    times = round(1.0 / abs(float(np.linalg.det(found.transformation_matrix))), 3)
    if abs(times - 1) < 0.01:
        return None, ""
    vectors = np.linalg.inv(found.transformation_matrix).T @ structure.lattice.matrix
    a, b, c = np.linalg.norm(vectors, axis=1)
    cell = f"({a:.3f} x {b:.3f} x {c:.3f} A)"
    if times > 1:
        return vectors, f"The file holds a primitive cell: Miller indices are those of the conventional cell {cell}."
    return None, f"Miller indices are those of the file's own cell, which is larger than the conventional one {cell}."


def oriented_cell(bulk: Structure, miller: tuple[int, int, int]) -> Structure:
    """Give the smallest cell of a crystal with a and b in the plane (hkl) and the plane's normal along +z.

    Parameters
    ----------
    bulk
        Ordered crystal, periodic along all three vectors.
    miller
        Indices in the basis of ``bulk``'s own cell, or of ``bulk.properties["miller_basis"]`` (rows in A)
        where the crystal was ordered in another cell; a common factor is removed.

    Returns
    -------
    Structure
        a along +x, b in the xy plane (the two shortest vectors of the plane's lattice), c one plane
        spacing high and in general oblique. The primitive cell is used, so centred lattices work.

    Raises
    ------
    InputError
        If the indices are 0 0 0 or larger than 9.
    """
    if len(miller) != 3 or not any(miller):
        raise InputError("Miller indices 0 0 0 are no plane, at least one must differ from 0.")
    if max(abs(h) for h in miller) > MAX_MILLER:
        raise InputError(f"Miller indices {miller} are too large, at most {MAX_MILLER} is allowed.")
    small, vectors = primitive(bulk)
    if "miller_basis" in bulk.properties:
        vectors = np.linalg.solve(np.asarray(bulk.properties["miller_basis"]).T, small.lattice.matrix.T).T
    # a plane's indices are the projections of the cell vectors on its normal, up to a common factor
    projections = 12.0 * vectors @ np.asarray(miller, dtype=float)
    hkl = np.rint(projections).astype(int)
    if not np.allclose(projections, hkl, atol=0.05):
        raise InputError(f"The plane {miller} is no lattice plane of {bulk.composition.reduced_formula}.")
    hkl //= math.gcd(*map(int, hkl))
    rows = _basis(hkl, small.lattice.matrix)
    small.make_supercell(rows, to_unit_cell=False)
    a, b, _ = small.lattice.matrix
    x = a / np.linalg.norm(a)
    z = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
    turn = np.array([x, np.cross(z, x), z]).T
    matrix = small.lattice.matrix @ turn
    matrix[np.abs(matrix) < 1e-12] = 0.0
    return Structure(Lattice(matrix), small.species, small.frac_coords)


def _basis(hkl: npt.NDArray[np.int_], lattice: Matrix) -> npt.NDArray[np.int_]:
    """Rows u, v, w of integers: u, v the reduced basis of the plane's lattice, w one plane further up."""
    reach = int(np.abs(hkl).max()) + 1
    grid = np.array(list(itertools.product(range(-reach, reach + 1), repeat=3)))
    dot = grid @ hkl
    length = np.linalg.norm(grid @ lattice, axis=1)
    order = np.lexsort((np.arange(len(grid)), length.round(6)))
    plane = [grid[i] for i in order if dot[i] == 0 and grid[i].any()]
    u = plane[0]
    v = next(p for p in plane if np.array_equal(np.abs(np.cross(u, p)), np.abs(hkl)))
    u, v = _reduce(u, v, lattice)
    if np.dot(np.cross(u, v), hkl) < 0:
        v = -v
    normal = np.cross(u @ lattice, v @ lattice)
    above = grid[dot == 1]
    rise = above @ lattice @ normal
    if rise[0] < 0:  # a left-handed cell: keep w on the positive side of the plane
        u, v = v, u
    flat = np.linalg.norm(above @ lattice, axis=1)
    w = above[int(np.argmin(flat.round(6)))]
    return np.array([u, v, w])


def _reduce(u: Any, v: Any, lattice: Matrix) -> tuple[Any, Any]:
    """Gauss reduction of two integer vectors by their lengths in the lattice."""
    while True:
        if np.linalg.norm(v @ lattice) < np.linalg.norm(u @ lattice) - 1e-9:
            u, v = v, u
        a, b = u @ lattice, v @ lattice
        # a half goes the same way whatever arithmetic makes of its last digit, so that every machine builds the same slab
        shift = math.floor(float(a @ b) / float(a @ a) + 0.5 + 1e-9)
        shorter = v - shift * u
        if np.linalg.norm(shorter @ lattice) > np.linalg.norm(b) - 1e-9:  # also ends ties of hexagonal planes
            return u, v
        v = shorter


def period(cell: Structure) -> float:
    """Height in A of one oriented cell, the spacing of equivalent planes."""
    return float(cell.lattice.matrix[2, 2])


def in_plane_supercell(a: Matrix, b: Matrix, lengths: tuple[float, float]) -> npt.NDArray[np.int_]:
    """Find the smallest supercell of a plane lattice whose reduced vectors have at least the given lengths.

    Parameters
    ----------
    a, b
        Vectors of the plane lattice in A, shape (3,) or (2,).
    lengths
        Smallest lengths of the two new vectors in A; 0.1 A less is accepted.

    Returns
    -------
    array of int, shape (2, 2)
        Rows are the new vectors in the old basis; among cells of equal area the most rectangular one.

    Raises
    ------
    InputError
        If more than 36 surface cells would be needed.
    """
    if not all(math.isfinite(x) and x >= 0 for x in lengths):
        raise InputError(f"The in-plane lengths {lengths} must be two non-negative numbers in A.")
    base = np.array([a, b])
    wanted = np.sort(np.asarray(lengths)) - 0.1
    for size in range(1, MAX_CELLS + 1):
        best: tuple[float, npt.NDArray[np.int_]] | None = None
        for i in (n for n in range(1, size + 1) if size % n == 0):
            for j in range(size // i):
                u, v = _reduce(np.array([i, j]), np.array([0, size // i]), base)
                if np.linalg.det([u, v]) < 0:
                    v = -v
                new = np.array([u, v])
                x, y = new @ base
                skew = abs(float(x @ y)) / float(np.linalg.norm(x) * np.linalg.norm(y))
                fits = np.all(np.array([np.linalg.norm(x), np.linalg.norm(y)]) >= wanted)
                if fits and (best is None or skew < best[0] - 1e-6):
                    best = (skew, new)
        if best is not None:
            return best[1]
    raise InputError(f"In-plane lengths {lengths} A need more than {MAX_CELLS} surface cells.")

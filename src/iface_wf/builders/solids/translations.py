"""One solid moved over another: which translations are distinct, and the stack at each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure

from iface_wf.builders.components import label
from iface_wf.builders.edges import round_up
from iface_wf.builders.solids.stacks import layers_of
from iface_wf.documents.labels import PARTNER, SLAB

Matrix = npt.NDArray[np.float64]
Repeats = Sequence[Sequence[int]]


def distinct_translations(cell: Matrix, lower: Repeats, upper: Repeats, count: int) -> list[tuple[float, float]]:
    """Return a grid of translations of the upper solid that no translation of either solid maps onto each other.

    Moving a solid by a vector of its own plane lattice, or by one of the other's, changes nothing; so the grid spans the cell of
    all sums of both. Where the solids fit badly, that cell is far smaller than the common one.

    Parameters
    ----------
    cell
        In-plane vectors of the common cell, rows, A, shape (2, 2).
    lower, upper
        Common vectors in each solid's own plane lattice, rows, integers.
    count
        Points along each of the two directions.

    Returns
    -------
    list of (float, float)
        Fractions of the common vectors, the first one (0, 0).

    Examples
    --------
    A cell of 2 x 2 squares on one of 3 x 3: the sums of both lattices are sixths of the common vectors.

    >>> import numpy as np
    >>> grid = distinct_translations(6.0 * np.eye(2), [[2, 0], [0, 2]], [[3, 0], [0, 3]], 2)
    >>> [(round(12 * x), round(12 * y)) for x, y in grid]
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    basis = _shortest(_sums(np.array(lower, dtype=int), np.array(upper, dtype=int)), cell)
    steps = [np.array([i, j]) / count @ basis for i in range(count) for j in range(count)]
    return [(float(x), float(y)) for x, y in (step - np.floor(step + 1e-9) for step in steps)]


def _sums(lower: npt.NDArray[np.int_], upper: npt.NDArray[np.int_]) -> Matrix:
    """Return a basis of all sums of two plane lattices, rows, in fractions of the common vectors."""
    sizes = [abs(round(float(np.linalg.det(each)))) for each in (lower, upper)]
    whole = math.lcm(*sizes)
    rows = [list(map(int, row)) for each in (lower, upper) for row in np.rint(whole * np.linalg.inv(each))]
    basis = []
    for column in (0, 1):  # Euclid's algorithm on one column after the other: Hermite's normal form
        while len(left := [row for row in rows if row[column]]) > 1:
            least = min(left, key=lambda row: abs(row[column]))
            for row in left:
                if row is not least:
                    times = row[column] // least[column]
                    row[:] = [x - times * y for x, y in zip(row, least, strict=True)]
        basis.append(left[0])
        rows = [row for row in rows if row is not left[0]]
    return np.array(basis, dtype=float) / whole


def _shortest(basis: Matrix, cell: Matrix) -> Matrix:
    """Return the shortest vectors that span a plane lattice (Lagrange and Gauss), in the same fractions."""
    first, second = basis
    while True:
        if np.linalg.norm(first @ cell) > np.linalg.norm(second @ cell):
            first, second = second, first
        times = round(float((second @ cell) @ (first @ cell) / ((first @ cell) @ (first @ cell))))
        if times == 0:
            return np.array([first, second])
        second = second - times * first


def halves(stack: Structure, room: float) -> tuple[Structure, Structure]:
    """Take a stack of two solids apart: both as they are, in one cell with room to move the upper one up.

    Parameters
    ----------
    stack
        From `iface_wf.builders.solids.stacks.build_stack`.
    room
        Room above, A; c stays a multiple of 0.8 A.

    Returns
    -------
    tuple of Structure
        The lower one, labelled ``slab``, and the upper one, labelled ``slab`` too: alone each is a slab.
    """
    a, b, c = stack.lattice.matrix
    lattice = Lattice([a, b, [0.0, 0.0, round_up(float(c[2]) + room)]], pbc=stack.lattice.pbc)
    lower, upper = (
        Structure(
            lattice,
            half.species,
            half.cart_coords,
            coords_are_cartesian=True,
            site_properties=half.site_properties,
            properties=half.properties | {"formula": half.composition.formula},
        )
        for half in layers_of(stack)
    )
    return lower, upper


def laid(lower: Structure, upper: Structure, translation: tuple[float, float], gap: float) -> Structure:
    """Lay one solid on another.

    Parameters
    ----------
    lower, upper
        Both in one cell.
    translation
        Of the upper one, in fractions of the in-plane vectors.
    gap
        Between the highest atom below and the lowest atom above, along z, A.

    Returns
    -------
    Structure
        Sites of the lower one first, labelled ``slab``, then those of the upper one, labelled ``partner``.
    """
    a, b, _ = lower.lattice.matrix
    rise = lower.cart_coords[:, 2].max() + gap - upper.cart_coords[:, 2].min()
    above = upper.cart_coords + translation[0] * a + translation[1] * b + [0.0, 0.0, rise]
    joined = Structure(
        lower.lattice,
        lower.species + upper.species,
        np.concatenate([lower.cart_coords, above]),
        coords_are_cartesian=True,
        site_properties={
            "selective_dynamics": [
                *lower.site_properties.get("selective_dynamics", [[True] * 3] * len(lower)),
                *upper.site_properties.get("selective_dynamics", [[True] * 3] * len(upper)),
            ]
        },
        properties=lower.properties | {"formula": (lower.composition + upper.composition).formula},
    )
    count = len(lower)
    return label(label(joined, SLAB, range(count)), PARTNER, range(count, len(joined)))

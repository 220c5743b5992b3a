"""Compare two arrangements of the same atoms up to order, shift, orientation and noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

TOLERANCE = 2e-4
"""A: larger than noise of files and arithmetic, smaller than half of the 0.001 A that make a difference."""

Floats = NDArray[np.float64]


class Geometry(NamedTuple):
    """Cell and positions of sites that are sorted by kind, as plain JSON.

    Attributes
    ----------
    pbc
        Periodic directions.
    counts
        How many sites there are of each kind, the kinds in alphabetical order.
    cell
        Cell vectors as rows in the standard orientation, A.
    positions
        Cartesian, in that orientation, A, to 1e-7.
    """

    pbc: list[bool]
    counts: list[int]
    cell: list[list[float]]
    positions: list[list[float]]

    @classmethod
    def of(cls, structure: Structure, tokens: Sequence[str]) -> Geometry:
        """Take the geometry of a structure whose sites are of the given kinds."""
        cell = standard_cell(structure.lattice)
        positions = (structure.frac_coords @ cell)[np.argsort(np.array(tokens), kind="stable")]
        counts = Counter(tokens)
        return cls(
            [bool(direction) for direction in structure.lattice.pbc],
            [counts[token] for token in sorted(counts)],
            np.round(cell, 7).tolist(),
            np.round(positions, 7).tolist(),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, to be stored."""
        return self._asdict()


def standard_cell(lattice: Lattice) -> Floats:
    """Orient a cell: a along x, b in the xy plane.

    Returns
    -------
    numpy.ndarray
        (3, 3), rows are the vectors, A; the same for every orientation and handedness of the cell.
    """
    return np.linalg.cholesky(lattice.matrix @ lattice.matrix.T)


def same_geometry(one: Geometry, other: Geometry, tolerance: float = TOLERANCE) -> bool:
    """Say whether a shift and a permutation of sites of one kind make two geometries equal.

    Parameters
    ----------
    one, other
        The geometries; that their kinds have the same names is for the caller to know.
    tolerance
        Largest difference of a cell vector component, and largest distance of an atom from its place after the
        best shift, A.

    Returns
    -------
    bool
        True or False, the same for any noise well below the tolerance.
    """
    if one.pbc != other.pbc or one.counts != other.counts:
        return False
    cell = np.array(other.cell)
    if np.abs(np.array(one.cell) - cell).max() > tolerance:
        return False
    rare = int(np.argmin(one.counts))
    first = sum(one.counts[:rare])
    here, there = (_fractions(geometry) for geometry in (one, other))
    search = _Search(there, other, tolerance)
    return any(
        search.fits(here + (there[candidate] - here[first])) for candidate in range(first, first + one.counts[rare])
    )


class _Search:
    """Finds the sites of one geometry nearest to given places."""

    def __init__(self, fractions: Floats, geometry: Geometry, tolerance: float) -> None:
        self.cell = np.array(geometry.cell)
        self.periodic = np.array(geometry.pbc)
        self.fractions = fractions
        self.tolerance = tolerance
        self.lengths = np.linalg.norm(self.cell, axis=1)
        self.kinds = np.repeat(np.arange(len(geometry.counts)), geometry.counts)
        # in the tree's coordinates (fraction times edge) a distance is at most so many times the true one
        stretch = np.linalg.norm(np.linalg.inv(self.cell) * self.lengths, ord=2)
        self.reach = 4 * tolerance * stretch
        box = np.append(np.where(self.periodic, self.lengths, 0.0), 0.0)
        from scipy.spatial import cKDTree  # takes a quarter of a second to import, which tables do without

        self.tree = cKDTree(self._places(fractions), boxsize=box)

    def fits(self, fractions: Floats) -> bool:
        """Say whether every place has a site of its own, of its own kind, after the best shift."""
        _, nearest = self.tree.query(self._places(fractions), distance_upper_bound=self.reach)
        if nearest.max() == len(fractions) or len(set(nearest.tolist())) < len(fractions):
            return False
        apart = fractions - self.fractions[nearest]
        apart[:, self.periodic] -= np.rint(apart[:, self.periodic])
        vectors = apart @ self.cell
        vectors -= vectors.mean(axis=0)
        return bool(np.linalg.norm(vectors, axis=1).max() <= self.tolerance)

    def _places(self, fractions: Floats) -> Floats:
        wrapped = fractions.copy()
        wrapped[:, self.periodic] %= 1.0
        wrapped[:, self.periodic] %= 1.0  # a tiny negative number gives 1.0 the first time
        # the kind is a fourth coordinate, far out of reach of another kind
        return np.column_stack([wrapped * self.lengths, 10.0 * self.kinds])


def _fractions(geometry: Geometry) -> Floats:
    return np.asarray(np.array(geometry.positions) @ np.linalg.inv(np.array(geometry.cell)))

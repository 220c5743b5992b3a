"""Thin out a density for a page, and say how far its isosurfaces move by that."""

from __future__ import annotations

import base64
from typing import NamedTuple

import numpy as np
from pymatgen.core import Structure
from scipy.ndimage import map_coordinates
from skimage.measure import marching_cubes

from iface_wf.reports.scene import Array, centring_shift, level_enclosing, rounded_down
from iface_wf.reports.site.models import VolumeData

MOVED = 0.1
"""Isosurfaces may move by this, A."""
SPACINGS = (0.36, 0.3, 0.25, 0.2, 0.16)
"""Distances between points, A, that are tried, the largest first."""
SHARES = (0.92, 0.5, 0.08)
"""Lowest, first and highest isovalue: the share of the displaced charge that their surfaces enclose."""
PERCENTILE = 95.0
"""Share of the surface, in percent, for which the displacement is told: where the density is flat it has no meaning."""
_LARGEST = 32767


class Thinned(NamedTuple):
    """A density on fewer points.

    Attributes
    ----------
    values
        e/A^3, shape (nx, ny, nz), point i of n at the fraction i/n.
    moved
        What `displacement` says of it, A.
    """

    values: Array
    moved: float


def levels_of(values: Array) -> tuple[float, float, float]:
    """Return the lowest, the first and the highest isovalue of a page, e/A^3."""
    low, first, high = (rounded_down(level_enclosing(values, share)) for share in SHARES)
    return min(low, first), first, max(high, 2 * first)


def thinned(values: Array, cell: Array, levels: tuple[float, float, float]) -> Thinned:
    """Thin out a density to the coarsest grid on which isosurfaces move by less than `MOVED`.

    Parameters
    ----------
    values
        e/A^3, shape (nx, ny, nz).
    cell
        Vectors as rows, A.
    levels
        Isovalues that count, e/A^3.

    Returns
    -------
    Thinned
        The density as given where nothing coarser will do.
    """
    surfaces = [_surface(values, cell, sign * level) for level in set(levels) for sign in (1, -1)]
    lengths = np.linalg.norm(cell, axis=1)
    for spacing in SPACINGS:
        shape = np.minimum(np.maximum(np.ceil(lengths / spacing).astype(int), 4), values.shape)
        if (shape == values.shape).all():
            break
        coarse = _quantised(_resampled(values, shape))
        moved = displacement(coarse, surfaces)
        if moved < MOVED:
            return Thinned(coarse, moved)
    return Thinned(_quantised(values), displacement(_quantised(values), surfaces))


class _Surface(NamedTuple):
    level: float
    fractions: Array
    steepness: Array


def _surface(values: Array, cell: Array, level: float) -> _Surface:
    """Return points of an isosurface (fractions) and how steep the density is there, e/A^4."""
    padded = np.pad(values, [(0, 1)] * 3, mode="wrap")
    if not padded.min() < level < padded.max():
        return _Surface(level, np.zeros((0, 3)), np.zeros(0))
    vertices = marching_cubes(padded, level=level)[0]
    shape = np.array(values.shape)
    by_fraction = np.stack([
        map_coordinates(np.gradient(padded, axis=axis), vertices.T, order=1) * shape[axis] for axis in range(3)
    ])  # fmt: skip
    steepness = np.linalg.norm(np.linalg.inv(cell) @ by_fraction, axis=0)
    return _Surface(level, vertices / shape, steepness)


def displacement(coarse: Array, surfaces: list[_Surface]) -> float:
    """Return by how much isosurfaces move when a coarser density is interpolated linearly, A: 95 % move by less.

    To first order a surface moves by the error of the density over its steepness.

    Parameters
    ----------
    coarse
        The density on fewer points, e/A^3.
    surfaces
        Those of the full density.
    """
    shape = np.array(coarse.shape)
    worst = 0.0
    for level, fractions, steepness in surfaces:
        if not len(fractions):
            continue
        there = map_coordinates(coarse, (fractions * shape).T, order=1, mode="grid-wrap")
        apart = np.abs(there - level) / np.maximum(steepness, 1e-12)
        worst = max(worst, float(np.percentile(apart, PERCENTILE)))
    return worst


def _resampled(values: Array, shape: np.ndarray) -> Array:
    """Interpolate a density on another grid of the same cell by cubic splines."""
    axes = [np.arange(n) * m / n for n, m in zip(shape, values.shape, strict=True)]
    at = np.stack(np.meshgrid(*axes, indexing="ij"))
    found: Array = map_coordinates(values, at, order=3, mode="grid-wrap")
    return found


def _scale(values: Array) -> float:
    return float(np.abs(values).max()) / _LARGEST or 1.0


def _quantised(values: Array) -> Array:
    scale = _scale(values)
    return np.asarray(np.rint(values / scale) * scale)


def volume_data(
    thin: Thinned, structure: Structure, full_shape: tuple[int, ...], levels: tuple[float, float, float]
) -> VolumeData:
    """Write a density for the interactive view: in the frame of the drawn atoms, closed along periodic directions.

    Parameters
    ----------
    thin
        The density.
    structure
        Gives the cell and the shift of the scene, see `iface_wf.reports.scene.scene_of`.
    full_shape
        Of the grid that the density was thinned out from.
    levels
        Isovalues, e/A^3.
    """
    values = thin.values
    shape = np.array(values.shape)
    shift = centring_shift(structure)
    steps = np.rint(shift * shape).astype(int)
    rolled = np.roll(values, steps, axis=(0, 1, 2))
    closed = np.pad(rolled, [(0, int(periodic)) for periodic in structure.lattice.pbc], mode="wrap")
    first, last = _filled(closed, levels[0])
    closed = closed[:, :, first:last]
    matrix = np.asarray(structure.lattice.matrix)
    origin = (shift - steps / shape + np.array([0, 0, first]) / shape) @ matrix
    scale = _scale(values)
    whole = np.rint(closed / scale).astype("<i2")
    vectors = matrix / shape[:, None]
    return VolumeData(
        shape=closed.shape,
        origin=tuple(origin.tolist()),
        steps=[tuple(v) for v in vectors.tolist()],
        scale=scale,
        values=base64.b64encode(whole.tobytes()).decode("ascii"),
        levels=levels,
        spacing=float(np.linalg.norm(vectors, axis=1).max()),
        full_shape=full_shape,
        moved=thin.moved,
    )  # fmt: skip


def _filled(values: Array, level: float) -> tuple[int, int]:
    """Return the range of planes along c that the surfaces of a level, and all higher ones, reach."""
    reached = np.flatnonzero(np.abs(values).max(axis=(0, 1)) >= level)
    if not len(reached):
        return 0, values.shape[2]
    return max(int(reached[0]) - 1, 0), min(int(reached[-1]) + 2, values.shape[2])

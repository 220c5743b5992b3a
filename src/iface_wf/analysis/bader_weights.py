"""Kernel of Bader's partition by weights: how grid points are shared between the atoms uphill of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase.geometry.minkowski_reduction import minkowski_reduce
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from iface_wf.analysis.grid import FloatArray

IntArray = NDArray[np.int64]

_inlined = njit(cache=True, inline="always")  # calls would cost the kernel a sixth of its speed

_PRUNE = 1e-10
"""Weights below this are dropped: they never add up to 1e-6 e, but would spread over the whole vacuum."""


def voronoi_facets(steps: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the neighbours that share a facet with a point of a lattice.

    Parameters
    ----------
    steps
        Vectors between neighbouring grid points as rows, shape (3, 3), A.

    Returns
    -------
    tuple
        Index offsets of the m neighbours, shape (m, 3), and facet area divided by distance, shape (m,), A. An
        orthogonal grid has 6 neighbours, a hexagonal one 8, a general one up to 14.
    """
    scale = abs(np.linalg.det(steps)) ** (1 / 3)
    # Only in the reduced basis do the nearest 124 points certainly enclose the cell of the origin.
    reduced, transform = minkowski_reduce(steps / scale)
    counts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    points = counts @ reduced
    origin = int(np.flatnonzero((counts == 0).all(axis=1))[0])
    diagram = Voronoi(points)
    offsets, ratios = [], []
    for pair, corners in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True):
        if origin not in pair or -1 in corners:
            continue
        other = int(pair[0] if pair[1] == origin else pair[1])
        distance = float(np.linalg.norm(points[other]))
        area = _polygon_area(diagram.vertices[corners], points[other] / distance)
        if area > 1e-6:  # a facet that shrank to an edge or a corner, as between diagonal points of a cube
            offsets.append(counts[other] @ transform)
            ratios.append(area / distance * scale)
    order = np.lexsort(np.array(offsets).T)
    return np.array(offsets, dtype=np.int64)[order], np.array(ratios, dtype=np.float64)[order]


def _polygon_area(corners: FloatArray, normal: FloatArray) -> float:
    """Area of a convex planar polygon whose corners come in any order."""
    centre = corners.mean(axis=0)
    first = np.cross(normal, np.eye(3)[np.argmin(abs(normal))])
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    x, y = (corners - centre) @ first, (corners - centre) @ second
    order = np.argsort(np.arctan2(y, x))
    x, y = x[order], y[order]
    return float(0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


@njit(cache=True)
def share(
    ref: FloatArray,
    rho: FloatArray,
    order: IntArray,
    shape: IntArray,
    offsets: IntArray,
    ratios: FloatArray,
    labels: NDArray[np.int32],
    n_atoms: int,
    n_above: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Share every point between atoms and sum up.

    A point sends its density uphill: to each higher neighbour in proportion to the facet they share, divided by
    their distance, times the difference in density (Yu and Trinkle, J. Chem. Phys. 134, 064111 (2011),
    doi 10.1063/1.3553716). It therefore belongs to the atoms of those neighbours with the same weights, which
    are known because points are visited from the highest downwards.

    Parameters
    ----------
    ref
        Density that makes the basins, flattened, e/A^3.
    rho
        Density to integrate, flattened, e/A^3.
    order
        Points to share, highest ``ref`` first.
    shape
        Points along each cell vector.
    offsets, ratios
        Neighbours from `voronoi_facets`.
    labels
        Shape (n,): atom of each maximum, -1 elsewhere. Overwritten.
    n_atoms
        Number of atoms.
    n_above
        How many of the points in ``order`` lie above the vacuum cut.

    Returns
    -------
    tuple
        Per atom: sum of ``rho`` and number of points above the vacuum cut, and sum of ``rho`` below it.
    """
    charge = np.zeros(n_atoms)
    count = np.zeros(n_atoms)
    tail = np.zeros(n_atoms)
    # Shared points have label -2 - k; their atoms and weights stand at first[k] ... first[k + 1].
    n_shared = 0
    n_entries = 0
    first = np.zeros(1024, np.int64)
    atoms = np.zeros(4096, np.int32)
    weights = np.zeros(4096)
    mix = np.zeros(n_atoms)
    seen = np.zeros(n_atoms, np.int32)
    flow = np.zeros(len(ratios))
    uphill = np.zeros(len(ratios), np.int64)
    for rank in range(len(order)):
        point = order[rank]
        above = rank < n_above
        label = labels[point]
        if label < 0:
            label, n_up, total = _look_uphill(point, ref, labels, shape, offsets, ratios, flow, uphill)
            if label < 0:
                n_seen = _mix_neighbours(labels, flow, uphill, n_up, total, first, atoms, weights, mix, seen)
                label, n_kept, kept = _prune(mix, seen, n_seen)
                if n_kept > 1:
                    if n_shared + 2 > len(first):
                        first = _longer(first, 2 * len(first))
                    if n_entries + n_kept > len(atoms):
                        atoms = _longer(atoms, 2 * (n_entries + n_kept))
                        weights = _longer(weights, len(atoms))
                    label = np.int32(-2 - n_shared)
                    for s in range(n_seen):
                        atom = seen[s]
                        if mix[atom] > _PRUNE:
                            weight = mix[atom] / kept
                            atoms[n_entries] = atom
                            weights[n_entries] = weight
                            n_entries += 1
                            if above:
                                charge[atom] += weight * rho[point]
                                count[atom] += weight
                            else:
                                tail[atom] += weight * rho[point]
                    n_shared += 1
                    first[n_shared] = n_entries
                for s in range(n_seen):
                    mix[seen[s]] = 0.0
            labels[point] = label
        if label >= 0 and above:
            charge[label] += rho[point]
            count[label] += 1.0
        elif label >= 0:
            tail[label] += rho[point]
    return charge, count, tail


@_inlined
def _look_uphill(
    point: int,
    ref: FloatArray,
    labels: NDArray[np.int32],
    shape: IntArray,
    offsets: IntArray,
    ratios: FloatArray,
    flow: FloatArray,
    uphill: IntArray,
) -> tuple[np.int32, int, float]:
    """Fill in the higher neighbours of a point and what flows to each.

    Return the one atom that all of them belong to (or a negative number), their number, and the sum of the flows.
    """
    value = ref[point]
    nx, ny, nz = shape[0], shape[1], shape[2]
    i = point // (ny * nz)
    j = (point // nz) % ny
    k = point % nz
    label = np.int32(-1)
    n_up = 0
    total = 0.0
    for f in range(len(ratios)):
        x, y, z = i + offsets[f, 0], j + offsets[f, 1], k + offsets[f, 2]
        if x < 0 or x >= nx or y < 0 or y >= ny or z < 0 or z >= nz:  # seldom, and a remainder costs most of all
            x, y, z = x % nx, y % ny, z % nz
        other = (x * ny + y) * nz + z
        rise = ref[other] - value
        if rise > 0.0:
            flow[n_up] = rise * ratios[f]
            uphill[n_up] = other
            total += flow[n_up]
            if n_up == 0:
                label = labels[other]
            elif labels[other] != label:
                label = np.int32(-1)
            n_up += 1
    return label, n_up, total


@_inlined
def _mix_neighbours(
    labels: NDArray[np.int32],
    flow: FloatArray,
    uphill: IntArray,
    n_up: int,
    total: float,
    first: IntArray,
    atoms: NDArray[np.int32],
    weights: FloatArray,
    mix: FloatArray,
    seen: NDArray[np.int32],
) -> int:
    """Add up the atoms of the higher neighbours in ``mix``; list them in ``seen`` and return how many they are."""
    n_seen = 0
    for f in range(n_up):
        part = flow[f] / total
        up = labels[uphill[f]]
        if up >= 0:
            if mix[up] == 0.0:
                seen[n_seen] = up
                n_seen += 1
            mix[up] += part
        else:
            for e in range(first[-2 - up], first[-1 - up]):
                atom = atoms[e]
                if mix[atom] == 0.0:
                    seen[n_seen] = atom
                    n_seen += 1
                mix[atom] += part * weights[e]
    return n_seen


@_inlined
def _prune(mix: FloatArray, seen: NDArray[np.int32], n_seen: int) -> tuple[np.int32, int, float]:
    """Return the last atom whose weight is not negligible, how many such atoms there are, and the sum of their weights."""
    label = np.int32(-1)
    n_kept = 0
    kept = 0.0
    for s in range(n_seen):
        if mix[seen[s]] > _PRUNE:
            kept += mix[seen[s]]
            label = seen[s]
            n_kept += 1
    return label, n_kept, kept


@_inlined
def _longer(values: NDArray[Any], length: int) -> NDArray[Any]:
    """Copy an array into a longer one, the rest zero."""
    longer = np.zeros(length, values.dtype)
    longer[: len(values)] = values
    return longer

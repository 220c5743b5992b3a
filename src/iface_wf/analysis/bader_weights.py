"""Kernel of Bader's partition by weights: how grid points are shared between the atoms uphill of them."""

from __future__ import annotations

import numpy as np
from ase.geometry.minkowski_reduction import minkowski_reduce
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from iface_wf.analysis.grid import FloatArray

IntArray = NDArray[np.int64]

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


@njit(cache=True)  # type: ignore[untyped-decorator,unused-ignore]
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
    ny, nz = shape[1], shape[2]
    m = len(ratios)
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
    flow = np.zeros(m)
    uphill = np.zeros(m, np.int64)
    for rank in range(len(order)):
        point = order[rank]
        value = ref[point]
        above = rank < n_above
        label = labels[point]
        if label < 0:
            i = point // (ny * nz)
            j = (point // nz) % ny
            k = point % nz
            n_up = 0
            total = 0.0
            same = True
            for f in range(m):
                x = (i + offsets[f, 0]) % shape[0]
                y = (j + offsets[f, 1]) % ny
                z = (k + offsets[f, 2]) % nz
                other = (x * ny + y) * nz + z
                rise = ref[other] - value
                if rise > 0.0:
                    flow[n_up] = rise * ratios[f]
                    uphill[n_up] = other
                    total += flow[n_up]
                    n_up += 1
                    if labels[other] != labels[uphill[0]]:
                        same = False
            if same and labels[uphill[0]] >= 0:
                label = labels[uphill[0]]
            else:
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
                kept = 0.0
                n_kept = 0
                for s in range(n_seen):
                    if mix[seen[s]] > _PRUNE:
                        kept += mix[seen[s]]
                        label = seen[s]
                        n_kept += 1
                if n_kept > 1:
                    if n_shared + 2 > len(first):
                        longer = np.zeros(2 * len(first), np.int64)
                        longer[: len(first)] = first
                        first = longer
                    if n_entries + n_kept > len(atoms):
                        more = np.zeros(2 * (n_entries + n_kept), np.int32)
                        more[:n_entries] = atoms[:n_entries]
                        atoms = more
                        wider = np.zeros(2 * (n_entries + n_kept))
                        wider[:n_entries] = weights[:n_entries]
                        weights = wider
                    label = np.int32(-2 - n_shared)
                for s in range(n_seen):
                    atom = seen[s]
                    if n_kept > 1 and mix[atom] > _PRUNE:
                        weight = mix[atom] / kept
                        atoms[n_entries] = atom
                        weights[n_entries] = weight
                        n_entries += 1
                        if above:
                            charge[atom] += weight * rho[point]
                            count[atom] += weight
                        else:
                            tail[atom] += weight * rho[point]
                    mix[atom] = 0.0
                if n_kept > 1:
                    n_shared += 1
                    first[n_shared] = n_entries
            labels[point] = label
        if label >= 0 and above:
            charge[label] += rho[point]
            count[label] += 1.0
        elif label >= 0:
            tail[label] += rho[point]
    return charge, count, tail

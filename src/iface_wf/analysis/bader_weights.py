"""Kernels of Bader's partition by weights: how grid points are shared between the atoms uphill of them.

Points are taken as they lie in memory, and before a point those uphill of it: that needs neither the points sorted by density
nor the jumps through memory that follow from it. A kernel sees some planes of the grid, a domain; `iface_wf.analysis.bader_domains`
gives each thread one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase.geometry.minkowski_reduction import minkowski_reduce
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from iface_wf.analysis.grid import FloatArray
from iface_wf.kernels import inlined, kernel

IntArray = NDArray[np.int64]

LabelArray = NDArray[np.int32]
"""What is known of each point: the atom it belongs to, or -2 - k for the k-th shared point, or one of the next two."""

UNKNOWN = np.int32(-1)
"""Label of a point that was not visited, or is too low to belong to an atom."""

WAITING = np.int32(-(2**31))
"""Label of a point that waits for one of another domain."""

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


@kernel
def maxima_of(
    ref: FloatArray, shape: IntArray, offsets: IntArray, low: int, high: int, cut: float
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Find the points of some planes that no neighbour is higher than.

    Parameters
    ----------
    ref
        Density that makes the basins, flattened, e/A^3.
    shape
        Points along each cell vector.
    offsets
        Neighbours from `voronoi_facets`.
    low, high
        First plane, and the one behind the last.
    cut
        Density that a maximum exceeds, e/A^3.

    Returns
    -------
    tuple
        Their indices, rising, and whether each counts as a maximum: of equally high neighbours one does, the one with the
        largest index.
    """
    nx, ny, nz = shape[0], shape[1], shape[2]
    points = np.zeros(256, np.int64)
    single = np.zeros(256, np.bool_)
    n = 0
    for point in range(low * ny * nz, high * ny * nz):
        value = ref[point]
        if value <= cut:
            continue
        i = point // (ny * nz)
        j = (point // nz) % ny
        k = point % nz
        highest, alone = True, True
        for f in range(len(offsets)):
            a, b, c = offsets[f, 0], offsets[f, 1], offsets[f, 2]
            x, y, z = i + a, j + b, k + c
            if x < 0 or x >= nx or y < 0 or y >= ny or z < 0 or z >= nz:  # seldom, and a remainder costs most of all
                x, y, z = x % nx, y % ny, z % nz
            other = ref[(x * ny + y) * nz + z]
            if other > value:
                highest = False
                break
            if other == value and (a > 0 or (a == 0 and (b > 0 or (b == 0 and c > 0)))):
                alone = False
        if highest:
            if n == len(points):
                points, single = _longer(points, 2 * n), _longer(single, 2 * n)
            points[n] = point
            single[n] = alone
            n += 1
    return points[:n], single[:n]


@kernel
def label_points(
    ref: FloatArray,
    shape: IntArray,
    offsets: IntArray,
    ratios: FloatArray,
    n_atoms: int,
    cut: float,
    low: int,
    planes: int,
    halo: int,
    labels: LabelArray,
    base: int,
    first: IntArray,
    atoms: LabelArray,
    weights: FloatArray,
    filled: IntArray,
    waiting: IntArray,
    again: bool,
) -> IntArray:
    """Label the points of a domain, as far as is known what lies uphill of them.

    A point sends its density uphill: to each higher neighbour in proportion to the facet they share, divided by
    their distance, times the difference in density (Yu and Trinkle, J. Chem. Phys. 134, 064111 (2011),
    doi 10.1063/1.3553716). It therefore belongs to the atoms of those neighbours with the same weights.

    Atoms and weights of the shared point k begin at ``first[k]``; the last atom is written as its complement. Which atoms and
    weights a point gets depends on nothing but the density, neither on the domains nor on the order of visits.

    Parameters
    ----------
    ref
        Density that makes the basins, flattened, e/A^3.
    shape
        Points along each cell vector.
    offsets, ratios
        Neighbours from `voronoi_facets`.
    n_atoms
        Number of atoms.
    cut
        Points at or below this density keep their label, e/A^3.
    low, planes
        First plane of the domain, and how many it has; they go on at the other side of the cell.
    halo
        Planes of neighbouring domains in ``labels`` on each side; 0 where the domain is the whole cell.
    labels
        Of the planes with their halos, flattened. Overwritten, but for the halos.
    base
        Number of the first shared point of the domain.
    first, atoms, weights
        Shared points of all domains. Overwritten in the share of this domain.
    filled
        Shared points of this domain, where their next atom goes, where its share of ``atoms`` ends, and whether that was too
        short. Overwritten.
    waiting
        The points that waited the last time, as places in ``labels``.
    again
        Whether there was a last time.

    Returns
    -------
    numpy.ndarray
        The points that wait for others, those uphill first.
    """
    ny, nz = shape[1], shape[2]
    n_shared, n_entries = filled[0], filled[1]
    mix = np.zeros(n_atoms)
    seen = np.zeros(n_atoms, np.int32)
    flow = np.zeros(len(ratios))
    uphill = np.zeros(len(ratios), np.int32)
    stack = np.zeros(1024, np.int64)
    wait = np.zeros(1024, np.int64)
    n_wait = 0
    for number in range(len(waiting) if again else planes * ny * nz):
        if again:
            stack[0] = waiting[number]
        else:
            point = low * ny * nz + number
            if ref[point if point < len(ref) else point - len(ref)] <= cut:
                continue
            stack[0] = halo * ny * nz + number
        depth = 1
        while depth > 0:
            place = stack[depth - 1]
            if not again and labels[place] != UNKNOWN:
                depth -= 1
                continue
            if depth + len(ratios) > len(stack):
                stack = _longer(stack, 2 * len(stack))
            label, n_up, total, deeper, waits = _look_uphill(
                place, ref, shape, offsets, ratios, low, planes, halo, labels, flow, uphill, stack, depth
            )
            if deeper > depth:  # first what lies uphill
                depth = deeper
                continue
            depth -= 1
            if waits:
                label = WAITING
                if n_wait == len(wait):
                    wait = _longer(wait, 2 * n_wait)
                wait[n_wait] = place
                n_wait += 1
            elif n_up > 0 and label < 0:
                n_seen = _mix_neighbours(flow, uphill, n_up, total, first, atoms, weights, mix, seen)
                label, n_kept, kept = _prune(mix, seen, n_seen)
                if n_kept > 1:
                    if n_entries + n_kept > filled[2]:
                        filled[3] = 1
                        return wait[:0]
                    label = np.int32(-2 - base - n_shared)
                    first[base + n_shared] = n_entries
                    n_shared += 1
                    for s in range(n_seen):
                        if mix[seen[s]] > _PRUNE:
                            atoms[n_entries] = seen[s]
                            weights[n_entries] = mix[seen[s]] / kept
                            n_entries += 1
                    atoms[n_entries - 1] = ~atoms[n_entries - 1]
                for s in range(n_seen):
                    mix[seen[s]] = 0.0
            labels[place] = label
    filled[0], filled[1] = n_shared, n_entries
    return wait[:n_wait]


@inlined
def _look_uphill(
    place: int,
    ref: FloatArray,
    shape: IntArray,
    offsets: IntArray,
    ratios: FloatArray,
    low: int,
    planes: int,
    halo: int,
    labels: LabelArray,
    flow: FloatArray,
    uphill: LabelArray,
    stack: IntArray,
    depth: int,
) -> tuple[np.int32, int, float, int, bool]:
    """Fill in the labels of the higher neighbours of a point and what flows to each.

    Return the one atom that all of them belong to (or a negative number), their number, the sum of the flows, the height of
    the stack with those that are not labelled yet, and whether one of them must be waited for.
    """
    nx, ny, nz = shape[0], shape[1], shape[2]
    plane = place // (ny * nz)
    rest = place - plane * ny * nz
    j = rest // nz
    k = rest - j * nz
    i = low - halo + plane
    if i >= nx:
        i -= nx
    value = ref[(i * ny + j) * nz + k]
    label = UNKNOWN
    n_up = 0
    total = 0.0
    waits = False
    for f in range(len(ratios)):
        x, y, z = i + offsets[f, 0], j + offsets[f, 1], k + offsets[f, 2]
        if x < 0 or x >= nx or y < 0 or y >= ny or z < 0 or z >= nz:  # seldom, and a remainder costs most of all
            x, y, z = x % nx, y % ny, z % nz
        rise = ref[(x * ny + y) * nz + z] - value
        if rise > 0.0:
            w = plane + offsets[f, 0]
            if halo == 0 and (w < 0 or w >= planes):
                w %= planes
            other = (w * ny + y) * nz + z
            up = labels[other]
            if up == WAITING or (up == UNKNOWN and (w < halo or w >= halo + planes)):
                waits = True
            elif up == UNKNOWN:
                stack[depth] = other
                depth += 1
            else:
                flow[n_up] = rise * ratios[f]
                uphill[n_up] = up
                total += flow[n_up]
                if n_up == 0:
                    label = up
                elif up != label:
                    label = np.int32(-2)
                n_up += 1
    return label, n_up, total, depth, waits


@inlined
def _mix_neighbours(
    flow: FloatArray,
    uphill: LabelArray,
    n_up: int,
    total: float,
    first: IntArray,
    atoms: LabelArray,
    weights: FloatArray,
    mix: FloatArray,
    seen: LabelArray,
) -> int:
    """Add up the atoms of the higher neighbours in ``mix``; list them in ``seen`` and return how many they are."""
    n_seen = 0
    for f in range(n_up):
        part = flow[f] / total
        up = uphill[f]
        if up >= 0:
            if mix[up] == 0.0:
                seen[n_seen] = up
                n_seen += 1
            mix[up] += part
        else:
            entry = first[-2 - up]
            last = False
            while not last:
                atom = atoms[entry]
                if atom < 0:
                    atom = ~atom
                    last = True
                if mix[atom] == 0.0:
                    seen[n_seen] = atom
                    n_seen += 1
                mix[atom] += part * weights[entry]
                entry += 1
    return n_seen


@inlined
def _prune(mix: FloatArray, seen: LabelArray, n_seen: int) -> tuple[np.int32, int, float]:
    """Return the last atom whose weight is not negligible, how many such atoms there are, and the sum of their weights."""
    label = UNKNOWN
    n_kept = 0
    kept = 0.0
    for s in range(n_seen):
        if mix[seen[s]] > _PRUNE:
            kept += mix[seen[s]]
            label = seen[s]
            n_kept += 1
    return label, n_kept, kept


@kernel
def add_up(
    ref: FloatArray,
    rho: FloatArray,
    shape: IntArray,
    cut: float,
    low: int,
    planes: int,
    halo: int,
    labels: LabelArray,
    first: IntArray,
    atoms: LabelArray,
    weights: FloatArray,
    sums: FloatArray,
) -> None:
    """Add what belongs to each atom, plane by plane, so that the sums do not depend on the domains.

    Parameters
    ----------
    ref
        Density that made the basins, flattened, e/A^3.
    rho
        Density to integrate, flattened, e/A^3.
    cut
        Where the vacuum begins, e/A^3.
    sums
        Shape (nx, 3, n_atoms): for each plane and atom the sum of ``rho`` and the number of points above ``cut``, and the sum of
        ``rho`` below it. Overwritten for the planes of the domain.
    shape, low, planes, halo, labels, first, atoms, weights
        As in `label_points`.
    """
    nx, ny, nz = shape[0], shape[1], shape[2]
    for plane in range(planes):
        i = (low + plane) % nx
        whole = sums[i]
        for n in range(ny * nz):
            label = labels[(halo + plane) * ny * nz + n]
            if label == UNKNOWN:
                continue
            point = i * ny * nz + n
            value = rho[point]
            above = ref[point] > cut
            if label >= 0:
                if above:
                    whole[0, label] += value
                    whole[1, label] += 1.0
                else:
                    whole[2, label] += value
                continue
            entry = first[-2 - label]
            last = False
            while not last:
                atom = atoms[entry]
                if atom < 0:
                    atom = ~atom
                    last = True
                weight = weights[entry]
                if above:
                    whole[0, atom] += weight * value
                    whole[1, atom] += weight
                else:
                    whole[2, atom] += weight * value
                entry += 1


@inlined
def _longer(values: NDArray[Any], length: int) -> NDArray[Any]:
    """Copy an array into a longer one, the rest zero."""
    longer = np.zeros(length, values.dtype)
    longer[: len(values)] = values
    return longer

"""Bader's partition by weights on several cores: each thread labels the planes of one domain."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from iface_wf.analysis.bader_weights import UNKNOWN, IntArray, LabelArray, add_up, label_points, maxima_of
from iface_wf.analysis.grid import FloatArray

_LEAST_PLANES = 16
"""Thinner domains would mostly wait for each other."""

_ROOM = 2
"""Atoms of shared points that there is room for at first, for each point of the grid; usual are 0.5."""


def threads_to_use() -> int:
    """Return ``OMP_NUM_THREADS`` where it is set, else the number of cores that this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return max(1, int(given)) if given.isdecimal() and len(given) < 6 else len(os.sched_getaffinity(0))


def find_maxima(values: FloatArray, offsets: IntArray, cut: float, threads: int) -> tuple[IntArray, NDArray[np.bool_]]:
    """Find the points of a field that no neighbour is higher than.

    Parameters
    ----------
    values
        Density, shape (nx, ny, nz), e/A^3.
    offsets
        Neighbours from `iface_wf.analysis.bader_weights.voronoi_facets`.
    cut
        Density that a maximum exceeds, e/A^3.
    threads
        How many planes are searched at the same time.

    Returns
    -------
    tuple
        Indices into the flattened array, shape (m,), and which of them count as a maximum, shape (m,): of equally high
        neighbours one does.
    """
    ref, shape = values.reshape(-1), np.array(values.shape, dtype=np.int64)
    threads = min(threads, len(values))
    edges = np.linspace(0, len(values), threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(maxima_of, ref, shape, offsets, a, b, cut) for a, b in pairwise(edges)]
        found = [job.result() for job in jobs]
    return np.concatenate([points for points, _ in found]), np.concatenate([single for _, single in found])


@dataclass
class _Domain:
    """Some planes of the grid.

    Attributes
    ----------
    low, planes
        First plane, and how many there are; they go on at the other side of the cell.
    labels
        Of the planes, with halos of other domains on both sides, shape (planes + 2 halo, ny nz).
    base
        Number of its first shared point.
    filled
        How much of its share of room is used, see `iface_wf.analysis.bader_weights.label_points`.
    waiting
        Points that wait for those of other domains.
    """

    low: int
    planes: int
    labels: LabelArray
    base: int
    filled: IntArray
    waiting: IntArray


def share(
    reference: FloatArray,
    density: FloatArray,
    offsets: IntArray,
    ratios: FloatArray,
    maxima: IntArray,
    owners: IntArray,
    n_atoms: int,
    tail_cut: float,
    vacuum_cut: float,
    threads: int,
    room: int = _ROOM,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Share every point between atoms and sum up.

    All domains are labelled at the same time; points that wait for one of another domain go on in the next round, with what was
    found there. The result is the same for every number of threads.

    Parameters
    ----------
    reference
        Density that makes the basins, shape (nx, ny, nz), e/A^3.
    density
        Density to integrate, of the same shape, e/A^3.
    offsets, ratios
        Neighbours from `iface_wf.analysis.bader_weights.voronoi_facets`.
    maxima, owners
        Points that are no lower than any neighbour, from `find_maxima`, and the atom of each, shape (m,).
    n_atoms
        Number of atoms.
    tail_cut
        Points at or below it are left out, e/A^3.
    vacuum_cut
        Where the vacuum begins, e/A^3.
    threads
        How many domains are labelled at the same time.
    room
        Atoms of shared points that there is room for at first, for each point of the grid. Memory is taken as it is filled.

    Returns
    -------
    tuple
        Per atom, shape (n_atoms,) each: sum of ``density`` and number of points above the vacuum cut, and sum of
        ``density`` below it.
    """
    while True:
        sums = _shared(
            reference, density, offsets, ratios, maxima, owners, n_atoms, tail_cut, vacuum_cut, threads, room
        )
        if sums is not None:
            charge, count, tail = sums
            return charge, count, tail
        room = max(1, 4 * room)


def _shared(
    reference: FloatArray,
    density: FloatArray,
    offsets: IntArray,
    ratios: FloatArray,
    maxima: IntArray,
    owners: IntArray,
    n_atoms: int,
    tail_cut: float,
    vacuum_cut: float,
    threads: int,
    room: int,
) -> FloatArray | None:
    """Return the sums of `share`, shape (3, n_atoms); None where the shared points have more atoms than there is room for."""
    ref, rho, shape = reference.reshape(-1), density.reshape(-1), np.array(reference.shape, dtype=np.int64)
    cuts = _cuts(reference, min(threads, len(reference) // _LEAST_PLANES))
    halo = 0 if len(cuts) == 1 else int(np.abs(offsets[:, 0]).max())
    domains = _domains(reference.shape, cuts, halo, maxima, owners, room)
    first = np.empty(reference.size, dtype=np.int64)
    atoms, weights = np.empty(room * reference.size, dtype=np.int32), np.empty(room * reference.size)

    def label(domain: _Domain, again: bool) -> None:
        domain.waiting = label_points(
            ref, shape, offsets, ratios, n_atoms, tail_cut,
            domain.low, domain.planes, halo, domain.labels.reshape(-1), domain.base,
            first, atoms, weights, domain.filled, domain.waiting, again,
        )  # fmt: skip

    sums = np.zeros((len(reference), 3, n_atoms))
    with ThreadPoolExecutor(len(domains)) as pool:
        active, again = domains, False
        while active:
            _exchange(domains, len(reference), halo)
            list(pool.map(label, active, [again] * len(active)))
            if any(domain.filled[3] for domain in domains):
                return None
            active, again = [domain for domain in domains if len(domain.waiting)], True
        list(
            pool.map(
                lambda domain: add_up(
                    ref, rho, shape, vacuum_cut, domain.low, domain.planes, halo, domain.labels.reshape(-1),
                    first, atoms, weights, sums,
                ),
                domains,
            )
        )  # fmt: skip
    return np.asarray(sums.sum(axis=0))


def _cuts(reference: FloatArray, number: int) -> list[int]:
    """Return the first planes of so many domains: of those near an even share the one with the lowest density.

    From there the density rises to both sides, so that few points wait for another domain.
    """
    if number < 2:
        return [0]
    n = len(reference)
    profile = reference.sum(axis=(1, 2))
    window = n // (4 * number)
    centres = [round(part * n / number) for part in range(number)]
    return sorted((c + min(range(-window, window + 1), key=lambda s: profile[(c + s) % n])) % n for c in centres)


def _domains(
    shape: tuple[int, ...], cuts: Sequence[int], halo: int, maxima: IntArray, owners: IntArray, room: int
) -> list[_Domain]:
    """Divide the planes at the cuts; maxima are labelled, all else is not."""
    size = shape[1] * shape[2]
    domains, done = [], 0
    for low, following in zip(cuts, [*cuts[1:], cuts[0] + shape[0]], strict=True):
        planes = following - low
        labels = np.full((planes + 2 * halo, size), UNKNOWN, dtype=np.int32)
        plane = (maxima // size - low) % shape[0]
        inside = plane < planes
        labels[plane[inside] + halo, maxima[inside] % size] = owners[inside]
        filled = np.array([0, room * done * size, room * (done + planes) * size, 0], dtype=np.int64)
        domains.append(_Domain(low, planes, labels, done * size, filled, np.empty(0, dtype=np.int64)))
        done += planes
    return domains


def _exchange(domains: Sequence[_Domain], n_planes: int, halo: int) -> None:
    """Copy the outer planes of every domain into the halos of its neighbours."""
    home = {(d.low + p) % n_planes: (d, p + halo) for d in domains for p in range(d.planes)} if halo else {}
    for domain in domains:
        for outside in (*range(halo), *range(halo + domain.planes, 2 * halo + domain.planes)) if halo else ():
            owner, plane = home[(domain.low + outside - halo) % n_planes]
            domain.labels[outside] = owner.labels[plane]

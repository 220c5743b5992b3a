"""Replica exchange among arrangements of charges on sites: the kernel of the search for the lowest Ewald energy.

Copies of the crystal at a ladder of temperatures exchange atoms and vacancies, and now and then each other's temperature, so
that what is stuck at a low one gets free at a high one: Swendsen and Wang, 10.1103/PhysRevLett.57.2607.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from iface_wf.kernels import kernel

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Marks = NDArray[np.bool_]

CLASH = 30.0
"""Penalty in eV for a pair that is too close, above any gain in Ewald energy."""

SWEEP = 500
"""Steps of each copy between two exchanges of temperatures."""

LOCAL = 0.6
"""Share of the steps that move an atom to a site too near to the old one to be filled beside it, one hop of an ion."""


@kernel
def _clashes(kinds: Integers, site: int, kind: int, near: Marks, neighbours: Integers) -> int:
    """Count the atoms too close to an atom of a kind at a site."""
    count = 0
    for m in range(neighbours.shape[1]):
        other = neighbours[site, m]
        if other < 0:
            break
        if near[kind, kinds[other], site, m]:
            count += 1
    return count


@kernel
def temper(
    matrix: Numbers,
    start: Integers,
    charge: Numbers,
    allowed: Marks,
    neighbours: Integers,
    near: Marks,
    movable: Integers,
    ends: Integers,
    temperatures: Numbers,
    rounds: int,
    seed: int,
) -> tuple[float, Integers]:
    """Search one arrangement.

    Parameters
    ----------
    matrix
        Interaction of unit charges, eV, shape (n, n); the energy is q M q.
    start
        Kind of what is on each site, shape (copies, n); 0 is a vacancy.
    charge
        Of each kind, e.
    allowed
        Whether a site may hold a kind, shape (n, kinds).
    neighbours
        Sites that may be too near to each one, shape (n, m), filled up with -1.
    near
        Whether two kinds may not be on a site and its neighbour together, shape (kinds, kinds, n, m).
    movable, ends
        Sites that exchange what they hold, group by group, and where each group ends.
    temperatures
        As energies, eV, ascending, one for each copy.
    rounds
        Exchanges of temperatures.
    seed
        Of all random numbers.

    Returns
    -------
    tuple
        Energy with penalties (eV) and kinds of the lowest arrangement that was met.
    """
    np.random.seed(seed)
    copies, n = start.shape
    kinds = start.copy()
    q, field = np.empty((copies, n)), np.empty((copies, n))
    energy, bad = np.zeros(copies), np.zeros(copies, dtype=np.int64)
    for c in range(copies):
        for i in range(n):
            q[c, i] = charge[kinds[c, i]]
        for i in range(n):
            bad[c] += _clashes(kinds[c], i, kinds[c, i], near, neighbours)
        bad[c] //= 2
        field[c] = matrix @ q[c]
        energy[c] = q[c] @ field[c] + CLASH * bad[c]
    best, found = np.inf, start[0].copy()
    for turn in range(rounds):
        for c in range(copies):
            k, here, f = kinds[c], q[c], field[c]
            for _ in range(SWEEP):
                pick = np.random.randint(0, len(movable))
                group = 0
                while pick >= ends[group]:
                    group += 1
                i = movable[pick]
                if np.random.random() < LOCAL:
                    j = neighbours[i, np.random.randint(0, neighbours.shape[1])]
                    if j < 0:
                        continue
                else:
                    first = ends[group - 1] if group > 0 else 0
                    j = movable[np.random.randint(first, ends[group])]
                a, b = k[i], k[j]
                if a == b or not allowed[i, b] or not allowed[j, a]:
                    continue
                before = _clashes(k, i, a, near, neighbours) + _clashes(k, j, b, near, neighbours) if bad[c] else 0
                k[i], k[j] = b, a
                after = _clashes(k, i, b, near, neighbours)
                if after == 0 or bad[c]:
                    after += _clashes(k, j, a, near, neighbours)
                if after and not bad[c]:
                    k[i], k[j] = a, b
                    continue
                di, dj = charge[b] - here[i], charge[a] - here[j]
                gain = 2.0 * (di * f[i] + dj * f[j]) + di * di * matrix[i, i] + dj * dj * matrix[j, j]
                gain += 2.0 * di * dj * matrix[i, j] + CLASH * (after - before)
                if gain <= 0.0 or np.random.random() < math.exp(-gain / temperatures[c]):
                    here[i] += di
                    here[j] += dj
                    bad[c] += after - before
                    energy[c] += gain
                    for x in range(n):
                        f[x] += di * matrix[i, x] + dj * matrix[j, x]
                    if energy[c] < best - 1e-6:
                        best = energy[c]
                        found[:] = k
                else:
                    k[i], k[j] = a, b
        for c in range(turn % 2, copies - 1, 2):
            weight = (1.0 / temperatures[c] - 1.0 / temperatures[c + 1]) * (energy[c] - energy[c + 1])
            if weight >= 0.0 or np.random.random() < math.exp(weight):
                for x in range(n):
                    kinds[c, x], kinds[c + 1, x] = kinds[c + 1, x], kinds[c, x]
                    q[c, x], q[c + 1, x] = q[c + 1, x], q[c, x]
                    field[c, x], field[c + 1, x] = field[c + 1, x], field[c, x]
                energy[c], energy[c + 1] = energy[c + 1], energy[c]
                bad[c], bad[c + 1] = bad[c + 1], bad[c]
    return best, found

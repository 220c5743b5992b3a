"""Kernels of the docking force field: pair energies and their gradients, with periodic images."""

from __future__ import annotations

import math

import numpy as np
from ase.units import Bohr, Hartree
from numpy.typing import NDArray

from iface_wf.kernels import inlined, kernel

Vectors = NDArray[np.float64]
Integers = NDArray[np.int64]

COULOMB = Hartree * Bohr
"""e^2 / (4 pi epsilon_0), eV A."""

CUTOFF = 9.0
"""Pairs beyond this do not see each other, A."""

_NEAREST = 0.6
"""Nearer pairs count as if they were so far apart, A: energies stay finite for atoms on top of each other."""


@inlined
def _pair(r2: float, charges: float, reach: float, depth: float) -> tuple[float, float]:
    """Return energy (eV) and dE/dr / r (eV/A^2) of a pair.

    Lennard-Jones, and Coulomb in a conducting reaction field, so that energy and force of charges end at the cutoff
    (Barker and Watts, 10.1080/00268977300102101).
    """
    r2 = max(r2, _NEAREST * _NEAREST)
    x2 = reach * reach / r2
    x6 = x2 * x2 * x2
    coulomb = COULOMB * charges
    inverse = 1.0 / math.sqrt(r2)
    field = r2 / (CUTOFF * CUTOFF * CUTOFF)
    energy = depth * (x6 * x6 - 2.0 * x6) + coulomb * (inverse + 0.5 * field - 1.5 / CUTOFF)
    slope = -12.0 * depth * (x6 * x6 - x6) / r2 + coulomb * (1.0 / (CUTOFF * CUTOFF * CUTOFF) - inverse / r2)
    return energy, slope


@kernel
def between(
    moving: Vectors,
    fixed: Vectors,
    kinds: Integers,
    others: Integers,
    charges: Vectors,
    other_charges: Vectors,
    reach: Vectors,
    depth: Vectors,
    gradient: Vectors,
) -> float:
    """Add the energy of moving atoms with fixed ones, and its gradient.

    Parameters
    ----------
    moving, fixed
        Coordinates, A, shapes (n, 3) and (m, 3).
    kinds, others
        Kinds of both, which number the rows of ``reach`` and ``depth``.
    charges, other_charges
        Charges of both, e.
    reach, depth
        Distance (A) and depth (eV) of the minimum of each pair of kinds.
    gradient
        Is added to, eV/A, shape (n, 3).

    Returns
    -------
    float
        Energy, eV.
    """
    total = 0.0
    for i in range(moving.shape[0]):
        for j in range(fixed.shape[0]):
            dx = moving[i, 0] - fixed[j, 0]
            dy = moving[i, 1] - fixed[j, 1]
            dz = moving[i, 2] - fixed[j, 2]
            r2 = dx * dx + dy * dy + dz * dz
            if r2 > CUTOFF * CUTOFF:
                continue
            energy, slope = _pair(
                r2, charges[i] * other_charges[j], reach[kinds[i], others[j]], depth[kinds[i], others[j]]
            )
            total += energy
            gradient[i, 0] += slope * dx
            gradient[i, 1] += slope * dy
            gradient[i, 2] += slope * dz
    return total


@kernel
def among(
    moving: Vectors,
    kinds: Integers,
    charges: Vectors,
    groups: Integers,
    shifts: Vectors,
    reach: Vectors,
    depth: Vectors,
    gradient: Vectors,
) -> float:
    """Add the energy of moving atoms with each other and with their images, and its gradient.

    Parameters
    ----------
    moving, kinds, charges, reach, depth, gradient
        As in `between`.
    groups
        Atoms of one group see each other's images only; what holds them together is counted elsewhere. Atoms of the
        group -1 see those of other groups only, and no images of their own.
    shifts
        Translations of the lattice within reach, A, the zero one first.
    """
    total = 0.0
    n = moving.shape[0]
    for s in range(shifts.shape[0]):
        for i in range(n):
            for j in range(n):
                if (groups[i] == groups[j] and (s == 0 or groups[i] < 0)) or (s == 0 and j < i):
                    continue
                dx = moving[i, 0] - moving[j, 0] - shifts[s, 0]
                dy = moving[i, 1] - moving[j, 1] - shifts[s, 1]
                dz = moving[i, 2] - moving[j, 2] - shifts[s, 2]
                r2 = dx * dx + dy * dy + dz * dz
                if r2 > CUTOFF * CUTOFF:
                    continue
                energy, slope = _pair(r2, charges[i] * charges[j], reach[kinds[i], kinds[j]], depth[kinds[i], kinds[j]])
                if s > 0:  # each pair of images is met twice, from either end
                    energy *= 0.5
                    slope *= 0.5
                total += energy
                gradient[i, 0] += slope * dx
                gradient[i, 1] += slope * dy
                gradient[i, 2] += slope * dz
                gradient[j, 0] -= slope * dx
                gradient[j, 1] -= slope * dy
                gradient[j, 2] -= slope * dz
    return total

"""Exchange and correlation of empty points, evaluated once.

In LCAO mode the density is exactly zero where no function reaches: at four fifths of the points of a molecule in its box, and
at half of a slab's. GPAW evaluates the functional at all of them, to the same numbers. Here one of them stands for all, so that
results are the same to the last bit. `use_one_empty_point` puts it in GPAW's place in this process.
"""

from __future__ import annotations

import numpy as np
from gpaw.new.xc import GGAFunctional

#: Below this share of empty points, sorting them out saves nothing.
WORTHWHILE = 0.2

_evaluate_of_gpaw = GGAFunctional._evaluate_xc_cpu


def evaluate(functional: GGAFunctional, args: list[np.ndarray]) -> None:
    """Evaluate a functional on the grid; as GPAW's method of the same purpose.

    Parameters
    ----------
    functional
        GPAW's; one that is not semilocal is left to it.
    args
        Energy (set), density, potential (added to), squared gradients, and derivative with respect to these (set): Hartree and
        Bohr, the last three axes are those of the grid.
    """
    _, density, _, gradients, _ = args
    filled = density.any(axis=0) | gradients.any(axis=0)
    chosen = np.flatnonzero(filled)
    if "vdW" in functional.name or filled.size - len(chosen) < WORTHWHILE * filled.size:
        _evaluate_of_gpaw(functional, args)
        return
    chosen = np.append(chosen, filled.argmin())  # the last one is empty
    flat = [array.reshape(*array.shape[:-3], -1) for array in args]
    points = [np.ascontiguousarray(array[..., chosen]) for array in flat]
    functional.xc.kernel.calculate(*points)
    for place in (0, 2, 4):  # what was set or added to
        flat[place][...] = points[place][..., -1:]
        flat[place][..., chosen] = points[place]


def use_one_empty_point() -> None:
    """Let GPAW's functionals use it, in this process."""
    GGAFunctional._evaluate_xc_cpu = evaluate

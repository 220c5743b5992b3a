"""Cells of slabs and molecules: their area, and edges along directions with vacuum, which are multiples of one step."""

from __future__ import annotations

import math

import numpy as np
from pymatgen.core import Structure

from iface_wf.errors import InputError

EDGE_STEP = 0.8
"""Edges along directions with vacuum are multiples of this (A): grids of 0.2 and 0.16 A of a part and of its interface
then coincide."""

MIN_VACUUM, MAX_VACUUM = 6.0, 100.0
"""Allowed empty space around a part (A)."""


def area_of(structure: Structure) -> float:
    """Return the area of the a-b face, A^2."""
    return float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))


def round_up(length: float, step: float = EDGE_STEP) -> float:
    """Return the smallest multiple of ``step`` not below ``length`` (A), forgiving rounding noise."""
    return round(math.ceil(length / step - 1e-9) * step, 10)


def check_vacuum(vacuum: float) -> None:
    """Refuse a vacuum that is too thin, absurd or no number.

    Raises
    ------
    InputError
        When it (A) lies outside ``MIN_VACUUM`` to ``MAX_VACUUM``.
    """
    if not MIN_VACUUM <= vacuum <= MAX_VACUUM:  # false for nan too
        raise InputError(
            f"The vacuum of {vacuum} A is not allowed, it must lie between {MIN_VACUUM:g} and {MAX_VACUUM:g} A."
        )

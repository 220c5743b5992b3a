"""Checkpoints that cannot be read: set aside, so that the calculation starts anew instead of failing for ever.

A kill, a full disk or a machine that loses its power leaves files that are empty, cut off or full of zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

T = TypeVar("T")
ASIDE = ".unreadable"
#: Distance, A, within which atoms that are held must be where they were.
_HELD = 1e-3


def readable(path: Path, read: Callable[[Path], T | None]) -> T | None:
    """Read a checkpoint, or set it aside.

    Parameters
    ----------
    path
        The file, which need not exist.
    read
        Reads it; what it raises, and None, mean that nobody can go on from it.

    Returns
    -------
    object or None
        What was read; None where there is nothing to go on from.
    """
    if not path.is_file():
        return None
    try:
        found = read(path)
    except Exception:  # noqa: BLE001 - libraries stumble in their own ways over files that are none
        found = None
    if found is None:
        set_aside(path)
    return found


def set_aside(path: Path) -> None:
    """Put a file out of the way; `taken_aside` tells of it."""
    path.replace(path.with_name(path.name + ASIDE))


def taken_aside(folder: Path) -> list[str]:
    """Name the checkpoints of a folder that could not be read, and remove them: nothing can be learnt from them."""
    found = sorted(folder.glob(f"*{ASIDE}"))
    for path in found:
        path.unlink()
    return [path.name.removesuffix(ASIDE) for path in found]


def usable_positions(positions: np.ndarray, start: np.ndarray, held: np.ndarray) -> np.ndarray | None:
    """Return positions of a checkpoint if they can be those of a relaxation.

    Parameters
    ----------
    positions
        From the checkpoint, A.
    start
        Where the relaxation began, A.
    held
        Indices of the atoms that do not move.

    Returns
    -------
    numpy.ndarray or None
        The positions; None where they are not numbers, of another structure, or held atoms have moved.
    """
    values = np.asarray(positions)
    if values.shape != start.shape or values.dtype.kind != "f" or not np.isfinite(values).all():
        return None
    return values if not len(held) or np.abs(values[held] - start[held]).max() < _HELD else None

"""Where along an axis there are no atoms, in a cell that is periodic: files put slabs on, and across, its border."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from iface_wf.analysis.grid import FloatArray


def widest_gap(fractions: ArrayLike) -> float:
    """Return the width of the widest gap between atoms along an axis, a fraction of it; 1 for a single atom."""
    places = np.sort(np.mod(np.asarray(fractions, dtype=float), 1.0))
    return float(np.diff(np.append(places, places[0] + 1.0)).max())


def vacuum_middle(fractions: ArrayLike) -> float:
    """Return the middle of the widest gap between atoms along an axis, a fraction from 0 to 1.

    Parameters
    ----------
    fractions
        Fractional coordinates along the axis, any image of each atom.

    Returns
    -------
    float
        0 where the border of the cell lies in that gap already.
    """
    places = np.sort(np.mod(np.asarray(fractions, dtype=float), 1.0))
    gaps = np.diff(np.append(places, places[0] + 1.0))
    widest = int(np.argmax(gaps))
    if widest == len(places) - 1:
        return 0.0
    return float(places[widest] + gaps[widest] / 2)


def together(fractions: ArrayLike) -> FloatArray:
    """Return the images of atoms along an axis that stand together, with the widest gap around them.

    Parameters
    ----------
    fractions
        Fractional coordinates along the axis.

    Returns
    -------
    numpy.ndarray
        From 0 to 1, but below 0 for those behind a gap that lies inside of the cell.
    """
    places: FloatArray = np.mod(np.asarray(fractions, dtype=np.float64), 1.0)
    middle = vacuum_middle(places)
    if middle:
        places[places > middle] -= 1.0
    return places

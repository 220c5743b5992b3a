"""Whether a WAVECAR was written to its end; its contents are VASP's business."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

#: Marks of the format in its first record: single and double precision, of VASP 5 and 6, and of older ones.
TAGS = frozenset({45200, 45210, 53300, 53310})


def whole_wavecar(path: Path) -> bool | None:
    """Say whether a file has the head and the length of a WAVECAR.

    It consists of records of one length: a head of three numbers (length of a record in bytes, spins, mark of the format), one
    of k-points, bands and cell, then for each spin and k-point one of eigenvalues and one for each band
    (https://www.vasp.at/wiki/WAVECAR).

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool or None
        True, or None where VASP could not go on from it.
    """
    with path.open("rb") as file:
        head = np.fromfile(file, dtype="<f8", count=3)
        if len(head) < 3 or not np.isfinite(head).all() or head[2] not in TAGS:
            return None
        length, spins = int(head[0]), int(head[1])
        file.seek(length)
        sizes = np.fromfile(file, dtype="<f8", count=12)
        if len(sizes) < 12 or not np.isfinite(sizes).all() or length <= 0:
            return None
        k_points, bands = int(sizes[0]), int(sizes[1])
        records = 2 + spins * k_points * (1 + bands)
        complete = length * records
        if (
            spins not in (1, 2)
            or k_points < 1
            or bands < 1
            or not math.isclose(path.stat().st_size, complete, abs_tol=length)
        ):
            return None
        file.seek(complete - length)
        return True if any(file.read(length)) else None

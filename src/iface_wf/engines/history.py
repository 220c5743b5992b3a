"""How a relaxation went, step by step, as ASE's optimisers log it."""

from __future__ import annotations

import re
from pathlib import Path

#: Log of the optimiser in the folder of a relaxation by GPAW or a calculator of ASE.
RELAX_LOG = "relax.log"
#: Most steps that are kept: the last ones.
MOST = 2000
_STEP = re.compile(r"^\w+:\s+\d+\s+\S+\s+([-+.\deE]+)\*?\s+([-+.\deE]+)\s*$", re.MULTILINE)


def logged_steps(directory: Path) -> tuple[list[float], list[float]]:
    """Read energies (eV) and largest forces (eV/A) of all steps of a relaxation, those before a kill among them.

    Parameters
    ----------
    directory
        Folder of the calculation.

    Returns
    -------
    tuple of list
        Both empty where there is no such log, as of VASP.
    """
    try:
        text = (directory / RELAX_LOG).read_text(encoding="utf-8", errors="replace")
        rows = [(float(energy), float(force)) for energy, force in _STEP.findall(text)][-MOST:]
    except (OSError, ValueError):
        return [], []
    return [energy for energy, _ in rows], [force for _, force in rows]

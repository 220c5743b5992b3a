"""Work functions from VASP's LOCPOT."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from iface_wf.analysis.density import heights
from iface_wf.analysis.grid import Grid
from iface_wf.analysis.potential import planar_average, vacuum_levels
from iface_wf.documents.potential import PotentialDocument
from iface_wf.errors import CalculationError

COULOMB = 14.399645
"""e^2 / (4 pi epsilon_0), eV A."""


def slab_potential(
    potential: Grid, structure: Structure, fermi_level: float | None, centre: float | None
) -> PotentialDocument:
    """Average the potential of a slab over planes and read the vacuum level of each side.

    Parameters
    ----------
    potential
        Potential energy of an electron, eV, from LOCPOT written with LVHAR.
    structure
        The atoms, in the same cell.
    fermi_level
        eV.
    centre
        Third component of DIPOL; half a cell away from it the dipole correction makes its step. None without a
        correction: then the middle of the atoms.

    Returns
    -------
    PotentialDocument
        Without levels, and with the reason, where the vacuum is too thin or not flat.
    """
    z, profile = heights(potential), planar_average(potential)
    fractions = structure.frac_coords[:, 2]
    if centre is None:
        centre = float(fractions.max() + fractions.min()) / 2
    document = PotentialDocument(z=z.tolist(), potential_z=profile.tolist())
    # begin at the step, so that all vacuum above the slab is at the end
    start = round((centre - 0.5) * len(z))
    height = float(z[-1] + z[1])
    places = (fractions - start / len(z)) % 1.0 * height
    try:
        levels = vacuum_levels(np.roll(profile, -start), z, places.min(), places.max(), fermi_level)
    except CalculationError as error:
        return document.model_copy(update={"flag": str(error)})
    area = potential.volume / height
    return document.model_copy(
        update={
            "vacuum_lower": levels.lower,
            "vacuum_upper": levels.upper,
            "work_function_lower": levels.work_function_lower,
            "work_function_upper": levels.work_function_upper,
            # a dipole along +z lowers the energy of an electron above it
            "dipole": -levels.step * area / (4 * np.pi * COULOMB),
        }
    )

"""Work functions from VASP's LOCPOT."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from pymatgen.core import Structure

from iface_wf.analysis.density import heights
from iface_wf.analysis.grid import Grid
from iface_wf.analysis.potential import planar_average, vacuum_levels
from iface_wf.errors import CalculationError

COULOMB = 14.399645
"""e^2 / (4 pi epsilon_0), eV A."""


@dataclass(frozen=True)
class SlabPotential:
    """What LOCPOT says of a slab; see the fields of the same names in `CalculationDocument`."""

    potential_z: list[float]
    vacuum_level: dict[str, float] = field(default_factory=dict)
    work_function: dict[str, float] = field(default_factory=dict)
    dipole: float | None = None
    flags: list[str] = field(default_factory=list)


def slab_potential(
    potential: Grid, structure: Structure, fermi_level: float | None, centre: float | None
) -> SlabPotential:
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
    SlabPotential
        Without levels, and with a flag that says why, where the vacuum is too thin or not flat. The dipole of the
        cell along z (e A, positive charges count positive) follows from the step between the levels.
    """
    z, profile = heights(potential), planar_average(potential)
    fractions = structure.frac_coords[:, 2]
    if centre is None:
        centre = float(fractions.max() + fractions.min()) / 2
    # begin at the step, so that all vacuum above the slab is at the end
    start = round((centre - 0.5) * len(z))
    height = float(z[-1] + z[1])
    places = (fractions - start / len(z)) % 1.0 * height
    try:
        levels = vacuum_levels(np.roll(profile, -start), z, places.min(), places.max(), fermi_level)
    except CalculationError as error:
        return SlabPotential(profile.tolist(), flags=[f"vacuum_level_unclear: {error}"])
    below, above = levels.work_function_lower, levels.work_function_upper
    return SlabPotential(
        potential_z=profile.tolist(),
        vacuum_level={"below": levels.lower, "above": levels.upper},
        work_function={} if below is None or above is None else {"below": below, "above": above},
        # a dipole along +z lowers the energy of an electron above it
        dipole=-levels.step * (potential.volume / height) / (4 * np.pi * COULOMB),
    )

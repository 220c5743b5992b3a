"""Electrostatic potential along the normal of a slab: averages, vacuum levels and work functions.

Energies of an electron are meant: the potential is high in the vacuum, and the work function is the vacuum level
minus the Fermi level on the same scale.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ase.units import Bohr, Hartree
from pymatgen.core import Structure

from iface_wf.analysis.density import heights
from iface_wf.analysis.grid import FloatArray, Grid
from iface_wf.analysis.vacuum import together
from iface_wf.errors import CalculationError, InputError

FLATNESS = 0.05
"""The potential of a vacuum may vary by no more than this over the inspected region (eV)."""

CORRUGATION = 0.5
"""Within a plane of the vacuum the potential may vary by this (eV): molecules and steps reach far, a wrong digit farther."""

VACUUM_REGION = 1.0
"""Thickness of the vacuum that is inspected on each side (A)."""

EDGE = 0.5
"""Distance kept from the boundaries of the cell, where dipole corrections jump (A)."""

COULOMB = Hartree * Bohr
"""e^2 / (4 pi epsilon_0), eV A."""


@dataclass(frozen=True)
class VacuumLevels:
    """Vacuum levels and work functions of both sides of a slab, eV.

    Attributes
    ----------
    lower, upper
        Potential far below and far above the slab.
    work_function_lower, work_function_upper
        Vacuum level minus Fermi level; None when no Fermi level was given.
    step
        Upper minus lower vacuum level: the potential step that the dipole of the slab makes.
    """

    lower: float
    upper: float
    work_function_lower: float | None
    work_function_upper: float | None

    @property
    def step(self) -> float:
        """Upper minus lower vacuum level, eV."""
        return self.upper - self.lower


def planar_average(potential: Grid) -> FloatArray:
    """Return the average over each plane of the first two cell vectors, shape (nz,), unit of the grid."""
    average: FloatArray = np.asarray(potential.values.mean(axis=(0, 1)), dtype=np.float64)
    return average


def macroscopic_average(profile: FloatArray, spacing: float, period: float) -> FloatArray:
    """Return the average of a periodic profile over a window that slides along it.

    A window as wide as the distance of equivalent layers removes their oscillation (Baldereschi, Baroni and
    Resta, Phys. Rev. Lett. 61, 734 (1988), doi 10.1103/PhysRevLett.61.734); apply it once for each material of
    an interface.

    Parameters
    ----------
    profile
        Planar average, shape (nz,), on equidistant planes over the whole cell.
    spacing
        Distance of planes, A.
    period
        Width of the window, A. Fractions of planes at its ends count by their share.

    Raises
    ------
    InputError
        The window is not positive or wider than the cell.
    """
    n = len(profile)
    if not 0 < period <= n * spacing:
        raise InputError(f"The averaging window must be wider than 0 and at most {n * spacing:.3f} A, not {period} A.")
    # Integrate the piecewise linear profile exactly; three periods hold every window.
    repeated = np.concatenate([profile, profile, profile, profile[:1]])
    from scipy.interpolate import make_interp_spline  # half a second, which most jobs do without

    integral = make_interp_spline(np.arange(3 * n + 1) * spacing, repeated, k=1).antiderivative()
    centres = (np.arange(n) + n) * spacing
    result: FloatArray = (integral(centres + period / 2) - integral(centres - period / 2)) / period
    return result


def vacuum_levels(
    profile: FloatArray,
    z: FloatArray,
    lowest_atom: float,
    highest_atom: float,
    fermi_level: float | None = None,
    corrugation: FloatArray | None = None,
) -> VacuumLevels:
    """Read the vacuum level on each side of a slab, at the ends of the cell, and check that it is flat there.

    Parameters
    ----------
    profile
        Planar average of the electrostatic potential energy of an electron, shape (nz,), eV.
    z
        Heights of the planes, shape (nz,), A.
    lowest_atom, highest_atom
        Heights of the outermost atoms, A.
    fermi_level
        On the same scale as the potential, eV.
    corrugation
        Difference of the highest and the lowest value in each plane, shape (nz,), eV, to be checked too.

    Raises
    ------
    CalculationError
        There is too little vacuum, or the potential varies by more than 0.05 eV in it, or by more than 0.5 eV within a
        plane: the vacuum is too thin, the dipole correction is missing, or a value is damaged.
    """
    top = float(z[-1] + (z[1] - z[0]))
    levels = []
    for side, low, high, space in (
        ("below", EDGE, EDGE + VACUUM_REGION, lowest_atom),
        ("above", top - EDGE - VACUUM_REGION, top - EDGE, top - highest_atom),
    ):
        # Closer than this to an atom the density still screens.
        needed = EDGE + VACUUM_REGION + 3.0
        if space < needed:
            raise CalculationError(
                f"No vacuum level {side} the slab: {space:.1f} A of vacuum, at least {needed:.1f} A are needed."
            )
        inspected = (z >= low) & (z <= high)
        region = profile[inspected]
        if len(region) < 2:
            raise CalculationError(f"No vacuum level {side} the slab: the planes are too far apart.")
        variation = float(region.max() - region.min())
        if variation > FLATNESS:
            raise CalculationError(
                f"No vacuum level {side} the slab: the potential varies by {variation:.2f} eV over "
                f"{VACUUM_REGION:.1f} A; more vacuum or a dipole correction is needed."
            )
        if corrugation is not None and (spread := float(corrugation[inspected].max())) > CORRUGATION:
            raise CalculationError(
                f"No vacuum level {side} the slab: the potential varies by {spread:.2f} eV within a plane of the vacuum; "
                "more vacuum is needed, or a value is damaged."
            )
        levels.append(float(region.mean()))
    lower, upper = levels
    return VacuumLevels(
        lower=lower,
        upper=upper,
        work_function_lower=None if fermi_level is None else lower - fermi_level,
        work_function_upper=None if fermi_level is None else upper - fermi_level,
    )


@dataclass(frozen=True)
class SlabPotential:
    """What the potential of a slab tells; see the fields of the same names in `CalculationDocument`."""

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
        Potential energy of an electron, eV; electrostatic alone, without exchange and correlation.
    structure
        The atoms, in the same cell.
    fermi_level
        eV.
    centre
        Fraction of c about which the dipole correction is made (VASP's third DIPOL); half a cell away from it the
        correction makes its step. None without a correction: then the middle of the atoms.

    Returns
    -------
    SlabPotential
        Without levels, and with a flag that says why, where the vacuum is too thin or not flat. The dipole of the
        cell along z (e A, positive charges count positive) follows from the step between the levels.
    """
    z, profile = heights(potential), planar_average(potential)
    fractions = structure.frac_coords[:, 2]
    if centre is None:
        fractions = together(fractions)
        centre = float(fractions.max() + fractions.min()) / 2
    # begin at the step, so that all vacuum above the slab is at the end
    start = round((centre - 0.5) * len(z))
    height = potential.volume / potential.area
    places = (fractions - start / len(z)) % 1.0 * height
    try:
        corrugation = np.roll(np.ptp(potential.values, axis=(0, 1)), -start)
        levels = vacuum_levels(np.roll(profile, -start), z, places.min(), places.max(), fermi_level, corrugation)
    except CalculationError as error:
        return SlabPotential(profile.tolist(), flags=[f"vacuum_level_unclear: {error}"])
    below, above = levels.work_function_lower, levels.work_function_upper
    return SlabPotential(
        potential_z=profile.tolist(),
        vacuum_level={"below": levels.lower, "above": levels.upper},
        work_function={} if below is None or above is None else {"below": below, "above": above},
        # a dipole along +z lowers the energy of an electron above it
        dipole=-levels.step * potential.area / (4 * np.pi * COULOMB),
    )

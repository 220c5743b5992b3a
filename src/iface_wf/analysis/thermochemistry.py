"""Zero-point and thermal energies from wavenumbers: of what is held by a slab, and of a molecule as an ideal gas.

Harmonic oscillators; entropies of soft modes go over into those of free rotors (quasi-RRHO, Grimme, 10.1002/chem.201200497), since
a harmonic mode of some 10 1/cm has an entropy without limit. Translation and rotation of the gas are those of an ideal gas of
rigid rotors. All by `ase.thermochemistry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms, units
from ase.thermochemistry import IdealGasThermo, RRHOMode

#: Wavenumber about which entropies go over from oscillator to rotor, 1/cm.
SOFT = 100.0
#: Largest moment of inertia of the rotors, u A^2: 1e-44 kg m^2, as there.
_LARGEST = 1e-44 * units.kg * units.m**2
#: How soft modes are treated, as it is stored.
LOW_FREQUENCY = f"quasi-RRHO at {SOFT:g} 1/cm, imaginary ones by their magnitude (10.1002/chem.201200497)"
Shape = Literal["monatomic", "linear", "nonlinear"]
#: By the number of directions that move a molecule as a whole.
SHAPES: dict[int, Shape] = {3: "monatomic", 5: "linear", 6: "nonlinear"}


@dataclass(frozen=True)
class Thermal:
    """What vibrations, and of a gas translation and rotation, add to the electronic energy; eV and eV/K.

    Attributes
    ----------
    zero_point
        Energy at 0 K.
    energy
        Internal energy at T, the zero-point energy within; of a gas with pV, which makes it an enthalpy.
    entropy
        At T and p.
    vibrational_free_energy
        Share of the vibrations in `free_energy`.
    free_energy
        energy - T entropy.
    """

    zero_point: float
    energy: float
    entropy: float
    vibrational_free_energy: float
    free_energy: float


def held(wavenumbers: Sequence[float], temperature: float) -> Thermal:
    """Return the thermal energies of what is held: all of its motions are vibrations.

    Parameters
    ----------
    wavenumbers
        1/cm; negative ones are imaginary and count by their magnitude.
    temperature
        K.
    """
    zero_point, energy, entropy = _vibrations(wavenumbers, temperature)
    free = energy - temperature * entropy
    return Thermal(zero_point, energy, entropy, free, free)


def gas(
    wavenumbers: Sequence[float],
    atoms: Atoms,
    shape: Shape,
    symmetry_number: int,
    spin: float,
    temperature: float,
    pressure: float,
) -> Thermal:
    """Return the thermal energies of a molecule of an ideal gas.

    Parameters
    ----------
    wavenumbers
        Of its vibrations, 1/cm, as for `held`.
    atoms
        The molecule, which has its masses and moments of inertia.
    shape, symmetry_number
        Of the rotor.
    spin
        Total spin quantum number: 0 of a closed shell, 0.5 of a radical.
    temperature
        K.
    pressure
        bar.
    """
    zero_point, energy, entropy = _vibrations(wavenumbers, temperature)
    free = energy - temperature * entropy
    rotor = IdealGasThermo(
        vib_energies=[],
        geometry="monatomic",  # without vibrations, which are counted above
        atoms=atoms,
        symmetrynumber=symmetry_number,
        spin=spin,
    )
    moved = rotor.get_ideal_translational_energy(temperature) + rotor.get_ideal_rotational_energy(shape, temperature)
    moved += units.kB * temperature  # pV
    disorder, _ = rotor.get_ideal_entropy(
        temperature,
        translation=True,
        vibration=False,
        rotation=True,
        geometry=shape,
        electronic=True,
        pressure=pressure * 1e5,
        symmetrynumber=symmetry_number,
    )
    energy, entropy = energy + moved, entropy + disorder
    return Thermal(zero_point, energy, entropy, free, energy - temperature * entropy)


def _vibrations(wavenumbers: Sequence[float], temperature: float) -> tuple[float, float, float]:
    """Return zero-point energy, internal energy and entropy of oscillators."""
    oscillators = [RRHOMode(abs(each) * units.invcm, _LARGEST, tau=SOFT) for each in wavenumbers if each != 0.0]
    with np.errstate(over="ignore"):  # the exponential of a stiff mode in the cold; its inverse is 0
        energy = sum(float(mode.get_internal_energy(temperature, contributions=False)) for mode in oscillators)
        entropy = sum(float(mode.get_entropy(temperature, contributions=False)) for mode in oscillators)
    return sum(float(mode.get_ZPE_correction()) for mode in oscillators), energy, entropy

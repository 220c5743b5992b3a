"""What is stored of a binding free energy: the vibrations of both sides, and what they add to the binding energy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from iface_wf.documents.base import Document
from iface_wf.documents.result import ResultDocument

UNITS: dict[str, str] = {
    "binding_free_energy": "eV, negative = bound; ideal gas of the molecule at T and p to the adsorbate on the frozen slab",
    "binding_energy": "eV per interface cell, negative = bound; electronic, counterpoise corrected where the basis is atom-centred",
    "binding_energy_zpe": "eV, negative = bound; binding_energy with the zero-point energies",
    "binding_enthalpy": "eV, negative = bound",
    "binding_entropy": "eV/K, negative = the adsorbate is more ordered than the gas",
    "zero_point_change": "eV, zero-point energy of the adsorbate minus that of the molecule",
    "vibrational_change": "eV, vibrational free energy of the adsorbate minus that of the molecule",
    "uncertainty": "eV, half-spread of binding_energy; that of the vibrations is not known",
    "temperature": "K",
    "pressure": "bar",
    "wavenumbers": "1/cm, negative = imaginary",
    "zero_point": "eV",
    "energy": "eV",
    "entropy": "eV/K",
    "free_energy": "eV",
    "vibrational_free_energy": "eV",
    "area": "A^2",
}


class VibrationsDocument(Document):
    """Vibrations of one system, and what follows from them at a temperature."""

    role: str = Field(description="AB: the adsorbate on the frozen slab; B: the molecule as a gas")
    wavenumbers: list[float] = Field(description="1/cm, ascending; imaginary ones are negative")
    imaginary_modes: int = Field(description="How many wavenumbers are imaginary")
    rigid: float | None = Field(
        None,
        description="Largest wavenumber, 1/cm, of what moves a free molecule as a whole, before it was projected out",
    )
    max_force: float | None = Field(None, description="Largest force on an atom that vibrates, eV/A")
    displacement: float = Field(description="Of each atom to both sides, A")
    shape: Literal["monatomic", "linear", "nonlinear"] | None = Field(
        None, description="Of the rotor; None of an adsorbate"
    )
    symmetry_number: int | None = Field(None, description="Of the rotor, from its point group")
    spin: float | None = Field(None, description="Total spin quantum number of the gas")
    zero_point: float = Field(description="eV")
    energy: float = Field(
        description="Internal energy of the adsorbate, enthalpy of the gas; zero-point energy within, eV"
    )
    entropy: float = Field(description="eV/K")
    vibrational_free_energy: float = Field(description="Share of the vibrations, eV")
    free_energy: float = Field(description="eV")
    key: str = Field(description="Key of the CalculationDocument with the second derivatives")
    uuid: str = Field("", description="Job that holds it")


class ThermalDocument(ResultDocument):
    """Binding free energy of a molecule B, an ideal gas at T and p, on a slab A that is frozen.

    binding_free_energy = binding_energy + F_vib(AB) - G(B); the vibrations of the slab are taken to be the same with and without B.
    """

    document_type: Literal["thermal"] = "thermal"
    temperature: float = Field(description="K")
    pressure: float = Field(description="Of the gas, bar")
    binding_free_energy: float | None = Field(description="Binding energy + F_vib(AB) - G(B), eV")
    binding_energy: float | None = Field(description="Electronic, as in the binding result, eV")
    uncertainty: float | None = Field(None, description="Of binding_energy, eV")
    binding_energy_zpe: float | None = Field(None, description="Binding energy with the zero-point energies, eV")
    binding_enthalpy: float | None = Field(None, description="eV")
    binding_entropy: float | None = Field(None, description="eV/K")
    zero_point_change: float | None = Field(None, description="ZPE(AB) - ZPE(B), eV")
    vibrational_change: float | None = Field(None, description="F_vib(AB) - F_vib(B), eV")
    imaginary_modes: int = Field(0, description="Of both systems together")
    vibrations: dict[str, VibrationsDocument] = Field(default_factory=dict, description="By role: AB, B")
    vibrations_engine: str = Field("", description="Which engine gave the second derivatives, with its method")
    low_frequency: str = Field("", description="How soft and imaginary modes are treated")
    binding_key: str = Field("", description="Key of the binding result")
    units_of: dict[str, str] = Field(default_factory=lambda: dict(UNITS), description="Unit and sign by field")

    @property
    def number(self) -> float | None:
        """The binding free energy, eV."""
        return self.binding_free_energy

"""Put a binding energy and the vibrations of both sides together to a binding free energy."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
from ase import Atoms
from jobflow import job
from pymatgen.core import Molecule
from pymatgen.symmetry.analyzer import PointGroupAnalyzer

from iface_wf.analysis.thermochemistry import LOW_FREQUENCY, SHAPES, SOFT, gas, held
from iface_wf.analysis.vibrations import modes
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import WHOLE, B
from iface_wf.documents.result import method_in_words, term_of
from iface_wf.documents.trust import NOT_A_MINIMUM
from iface_wf.engines.document import now, package_versions
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.thermal.document import ThermalDocument, VibrationsDocument

#: Atoms may lie so far beside a symmetric place, A, and a molecule still counts as symmetric.
_SYMMETRIC = 0.1
#: A molecule that is moved as a whole should have no wavenumber; from here on, 1/cm, soft modes are noise of forces, too: of a grid's.
ROUGH = 200.0
#: What the document takes from that of the binding energy.
_SAME = (
    *("filler", "surface", "polymer", "units", "salt", "formula", "n_atoms", "area", "charge"),
    *("engine", "engine_version", "level", "functional", "dispersion", "basis", "kpoints", "grid", "energy_type"),
    *("geometry_engine", "structure", "binding_energy", "uncertainty"),
)


@job
def collect_thermal(
    binding: BindingDocument, vibrations: dict[str, CalculationDocument], uuids: dict[str, str], about: dict[str, Any]
) -> ThermalDocument:
    """Put the energies together; see `thermal_document`."""
    return thermal_document(binding, vibrations, uuids, about)


def thermal_document(
    binding: BindingDocument, vibrations: dict[str, CalculationDocument], uuids: dict[str, str], about: dict[str, Any]
) -> ThermalDocument:
    """Put a binding energy and the vibrations of both sides together.

    Parameters
    ----------
    binding
        The binding result.
    vibrations
        Second derivatives by role: ``AB`` with a frozen slab, ``B``.
    uuids
        Jobs that hold them.
    about
        Key, temperature (K), pressure (bar) and provenance.

    Returns
    -------
    ThermalDocument
        Without a number where a calculation did not converge; flags say which.
    """
    temperature, pressure = float(about["temperature"]), float(about["pressure"])
    found = {
        role: vibrations_document(role, each, uuids.get(role, ""), temperature, pressure)
        for role, each in vibrations.items()
        if each.converged and each.hessian is not None
    }
    flags = [
        *binding.flags,
        *(f"{flag} (vibrations {role})" for role, each in vibrations.items() for flag in each.flags),
    ]
    for role, each in found.items():
        imaginary = [-x for x in each.wavenumbers if x < 0.0]
        if imaginary:
            flags.append(f"imaginary_modes ({role}: {len(imaginary)}, up to {max(imaginary):.0f}i 1/cm)")
        if imaginary and max(imaginary) > SOFT:
            flags.append(f"{NOT_A_MINIMUM} ({role}: {max(imaginary):.0f}i 1/cm)")
        if each.rigid is not None and each.rigid > ROUGH:
            flags.append(f"rough_forces ({role}: moved as a whole it has {each.rigid:.0f} 1/cm)")
    one = vibrations[WHOLE]
    return ThermalDocument(
        key=about["key"],
        temperature=temperature,
        pressure=pressure,
        **{name: getattr(binding, name) for name in _SAME},
        **_changes(binding.binding_energy, found, temperature),
        terms=[
            *binding.terms,
            *(term_of(f"vibrations {role}", each, uuids.get(role, "")) for role, each in vibrations.items()),
        ],
        imaginary_modes=sum(each.imaginary_modes for each in found.values()),
        vibrations=found,
        vibrations_engine=method_in_words(one),
        low_frequency=LOW_FREQUENCY,
        binding_key=binding.key,
        converged=binding.converged and len(found) == len(vibrations),
        flags=flags,
        provenance={
            **binding.provenance,
            **about.get("provenance", {}),
            "versions": package_versions() | one.versions,
            "iface_wf": metadata.version("iface-wf"),
        },
        wall_time=(binding.wall_time or 0.0) + sum(each.wall_time or 0.0 for each in vibrations.values()),
        completed_at=now(),
    )


def _changes(
    binding: float | None, found: dict[str, VibrationsDocument], temperature: float
) -> dict[str, float | None]:
    """Return what becomes of the binding energy; None where something is missing."""
    if WHOLE not in found or B.name not in found:
        return {"binding_free_energy": None}
    whole, molecule = found[WHOLE], found[B.name]
    zero_point, entropy = whole.zero_point - molecule.zero_point, whole.entropy - molecule.entropy
    enthalpy = whole.energy - molecule.energy
    changes: dict[str, float | None] = {
        "zero_point_change": zero_point,
        "vibrational_change": whole.vibrational_free_energy - molecule.vibrational_free_energy,
        "binding_entropy": entropy,
    }
    if binding is None:
        return changes | {"binding_free_energy": None}
    return changes | {
        "binding_energy_zpe": binding + zero_point,
        "binding_enthalpy": binding + enthalpy,
        "binding_free_energy": binding + enthalpy - temperature * entropy,
    }


def vibrations_document(
    role: str, calculation: CalculationDocument, uuid: str, temperature: float, pressure: float
) -> VibrationsDocument:
    """Return the vibrations of one system, and what follows from them.

    Parameters
    ----------
    role
        ``AB``: what vibrates is held by a slab; ``B``: it is an ideal gas.
    calculation
        With the second derivatives.
    uuid
        Job that holds it.
    temperature
        K.
    pressure
        Of the gas, bar.
    """
    moving = _vibrating(calculation)
    hessian = np.array(calculation.hessian)
    rotor: dict[str, Any] = {}
    if role == B.name:
        found = modes(hessian, moving.get_masses(), moving.positions)
        shape, symmetry, spin = SHAPES[found.n_rigid], symmetry_number(moving), spin_of(calculation)
        rotor = {"shape": shape, "symmetry_number": symmetry, "spin": spin}
        thermal = gas(found.wavenumbers.tolist(), moving, shape, symmetry, spin, temperature, pressure)
    else:
        found = modes(hessian, moving.get_masses())
        thermal = held(found.wavenumbers.tolist(), temperature)
    return VibrationsDocument(
        role=role,
        wavenumbers=[round(float(x), 4) for x in found.wavenumbers],
        imaginary_modes=len(found.imaginary),
        rigid=found.rigid,
        max_force=calculation.max_force,
        displacement=calculation.settings["displacement"],
        key=calculation.key,
        uuid=uuid,
        **rotor,
        **vars(thermal),
    )


def _vibrating(calculation: CalculationDocument) -> Atoms:
    """Return the atoms that vibrate, by themselves."""
    sites = [calculation.atoms_structure[i] for i in calculation.vibrating]
    return Atoms([site.specie.symbol for site in sites], positions=[site.coords for site in sites])


def symmetry_number(molecule: Atoms) -> int:
    """Return in how many ways a molecule can be turned into itself."""
    if len(molecule) == 1:
        return 1
    found = PointGroupAnalyzer(Molecule(molecule.symbols, molecule.positions), tolerance=_SYMMETRIC)
    return int(found.get_rotational_symmetry_number())


def spin_of(calculation: CalculationDocument) -> float:
    """Return the total spin quantum number: from the moment, or that of one odd electron where the code knows no spin."""
    if abs(calculation.magnetic_moment) > 0.5:
        return round(abs(calculation.magnetic_moment)) / 2
    electrons = sum(site.specie.Z for site in calculation.atoms_structure) - round(calculation.charge)
    return 0.5 if electrons % 2 else 0.0

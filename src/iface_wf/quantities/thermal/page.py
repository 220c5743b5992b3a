"""A binding free energy for people: columns, summary, tables of wavenumbers, and a figure of both spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iface_wf.documents.kinds import Row, Section
from iface_wf.quantities.thermal.document import ThermalDocument, VibrationsDocument
from iface_wf.reports.names import interface_name, method_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What vibrates, by role.
OF = {"AB": "the adsorbate", "B": "the molecule"}


def summary(document: ThermalDocument) -> list[Row]:
    """Return the free energy with its parts."""
    at = f"at {document.temperature:g} K and {document.pressure:g} bar"
    entropy = None if document.binding_entropy is None else -document.temperature * document.binding_entropy
    rows = [
        Row("binding free energy", document.binding_free_energy, "eV", f"{at}; negative = bound", document.uncertainty),
        Row("binding energy", document.binding_energy, "eV", "electronic; negative = bound", document.uncertainty),
        Row("  with zero point", document.binding_energy_zpe, "eV", "binding energy + ZPE(AB) - ZPE(B)"),
        Row("binding enthalpy", document.binding_enthalpy, "eV", f"{at}, pV of the gas within"),
        Row("  - T entropy", entropy, "eV", "positive = the gas is the less ordered"),
        Row("vibrational change", document.vibrational_change, "eV", "F_vib(AB) - F_vib(B), without the gas's motion"),
    ]
    for role, each in document.vibrations.items():
        rows.append(Row(f"zero point {role}", each.zero_point, "eV", f"of {OF[role]}; {_soft(each)}"))
    return rows


def _soft(vibrations: VibrationsDocument) -> str:
    if not vibrations.wavenumbers:
        return "no vibrations"
    imaginary = f", {vibrations.imaginary_modes} imaginary" if vibrations.imaginary_modes else ""
    return f"{len(vibrations.wavenumbers)} modes{imaginary}, the lowest {wavenumber(vibrations.wavenumbers[0])} 1/cm"


def wavenumber(value: float) -> str:
    """Write a wavenumber, 1/cm, an imaginary one as such."""
    return f"{-value:.1f}i" if value < 0 else f"{value:.1f}"


def sections(document: ThermalDocument) -> list[Section]:
    """Return the tables of the thermal energies and of the wavenumbers."""
    temperature = document.temperature
    energies = [
        (
            f"{role}: {OF[role]}",
            each.zero_point,
            each.energy,
            -temperature * each.entropy,
            each.free_energy,
            each.vibrational_free_energy,
            _told(each),
        )
        for role, each in document.vibrations.items()
    ]
    head = ("of", "zero point, eV", "energy, eV", "- T S, eV", "free energy, eV", "of vibrations, eV", "what it is")
    most = max((len(each.wavenumbers) for each in document.vibrations.values()), default=0)
    columns = [[wavenumber(x) for x in reversed(each.wavenumbers)] for each in document.vibrations.values()]
    rows = [(i + 1, *(column[i] if i < len(column) else "" for column in columns)) for i in range(most)]
    found = [Section(f"Thermal energies at {temperature:g} K, {document.pressure:g} bar", head, energies)]
    names = tuple(f"{role}: {OF[role]}" for role in document.vibrations)
    title = f"Wavenumbers, 1/cm, by {document.vibrations_engine}; {document.low_frequency}"
    return [*found, Section(title, ("", *names), rows)] if rows else found


def _told(each: VibrationsDocument) -> str:
    if each.shape is None:
        return "held by the frozen slab: vibrations only"
    exact = "" if each.rigid is None else f"; moved as a whole {each.rigid:.0f} 1/cm before projection"
    return f"ideal gas, {each.shape}, symmetry number {each.symmetry_number}, spin {each.spin:g}{exact}"


def figure(document: ThermalDocument) -> Figure | None:
    """Draw the wavenumbers of both systems as sticks, imaginary ones to the left of zero."""
    if not any(each.wavenumbers for each in document.vibrations.values()):
        return None
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(7.0, 3.2), layout="constrained")
    axes = drawn.subplots()
    for level, (role, each) in enumerate(reversed(document.vibrations.items())):
        real = [x for x in each.wavenumbers if x >= 0.0]
        imaginary = [x for x in each.wavenumbers if x < 0.0]
        axes.vlines(real, level, level + 0.8, color="#1f4e79", linewidth=1.2)
        axes.vlines(imaginary, level, level + 0.8, color="#b22222", linewidth=1.2)
        axes.text(1.01, level + 0.4, f"{role}: {OF[role]}", transform=axes.get_yaxis_transform(), va="center")
    axes.set_yticks([])
    axes.set_xlabel("wavenumber / cm$^{-1}$ (red, negative: imaginary)")
    free = document.binding_free_energy
    told = "no binding free energy" if free is None else f"binding free energy {free:+.2f} eV".replace("-", "−")
    if not document.trustworthy:
        told += ", not trustworthy"
    axes.set_title(
        f"{interface_name(document)}\n{told} at {document.temperature:g} K, {document.pressure:g} bar\n"
        f"{method_name(document)}; vibrations {document.vibrations_engine}",
        fontsize=9,
    )
    return drawn

"""The adhesion of two solids for people: title, summary, tables, and the energy against the translation."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from iface_wf.documents.kinds import Row, Section
from iface_wf.quantities.adhesion.document import AdhesionDocument

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def title(document: AdhesionDocument) -> str:
    """Name a result, for example ``LiI (001) | Li (001)``."""
    sides = ((document.filler, document.surface), (document.partner, document.partner_surface))
    return " | ".join(f"{PurePath(name).name}{_plane(surface)}" for name, surface in sides)


def _plane(surface: str) -> str:
    indices = surface.split(")")[0].strip("( ").split()
    return f" ({('' if all(len(i) == 1 for i in indices) else ' ').join(indices)})" if len(indices) == 3 else ""


def rows(document: AdhesionDocument) -> list[Row]:
    """Return the works and what they hang on."""
    covers = ", ".join(f"{name} {size:.3f}" for name, size in document.uncertainty_parts.items())
    meaning = "(E(A) + E(B) - E(AB)) / area, A and B relaxed alone in the common cell; positive = sticks"
    found = [
        Row("work of adhesion", document.work_of_adhesion, "J/m^2", meaning, document.uncertainty),
        Row("  uncertainty", document.uncertainty, "J/m^2", f"covers {covers or 'nothing'}"),
        Row("  the same", document.work_of_adhesion_ev, "eV/A^2"),
        Row("rigid work of separation", document.work_of_separation_rigid, "J/m^2", "A and B frozen as in AB"),
    ]
    found += [
        Row(f"deformation {part}", energy, "eV", f"what {document.solids[part].name} gains by relaxing alone")
        for part, energy in sorted(document.deformation_energy.items())
    ]
    if document.dispersion_work is not None:
        found.append(Row("dispersion part", document.dispersion_work, "J/m^2", "share of the work of adhesion"))
    if document.bsse_work is not None:
        found.append(Row("counterpoise", document.bsse_work, "J/m^2", "basis superposition error, >= 0, taken off"))
    strains = " and ".join(f"{strain:+.1%}" for strain in document.solids["B"].strains)
    found.append(Row("area", document.area, "A^2", f"of the common cell; {document.partner} strained by {strains}"))
    found.append(Row("gap", document.gap, "A", "between the outermost atoms along z, relaxed"))
    known = [each.work for each in document.translations if each.work is not None]
    if len(known) > 1:
        meaning = f"of {len(known)} translations, the worst {min(known):.3f}; {document.translations_engine}"
        found.append(Row("work at best translation", max(known), "J/m^2", meaning))
    return found


def sections(document: AdhesionDocument) -> list[Section]:
    """Return the tables of the two solids and of the translations."""
    solids = [
        (
            f"{role}: {PurePath(solid.name).name}",
            solid.surface,
            solid.face,
            solid.n_atoms,
            solid.thickness,
            ", ".join(f"{100 * strain:+.2f}" for strain in solid.strains),
            solid.energy,
            solid.taken,
        )
        for role, solid in document.solids.items()
    ]
    head = ("solid", "surface", "face", "atoms", "thickness, A", "strains, %", "energy alone, eV", "relaxed as")
    moves = [
        (each.shift[0], each.shift[1], each.gap, each.energy, each.work, each.failed) for each in document.translations
    ]
    return [
        Section("Solids", head, solids),
        Section(
            "Translations of B over A, both rigid",
            ("x, A", "y, A", "gap, A", "above the lowest, eV", "work, J/m^2", "failed"),
            moves,
        ),
    ]


def figure(document: AdhesionDocument) -> Figure | None:
    """Draw the energy of the rigid solids against the translation; None where there are fewer than two."""
    from matplotlib.figure import Figure

    known = [each for each in document.translations if each.energy is not None]
    if len(known) < 2:
        return None
    drawn = Figure(figsize=(5.2, 4.2), layout="constrained")
    axes = drawn.subplots()
    x, y = ([each.shift[i] for each in known] for i in (0, 1))
    energies = [1000.0 * (each.energy or 0.0) / document.area for each in known]
    highest = max(0.1, *energies)  # what differs by less than 0.1 meV/A^2 differs by noise, and gets one colour
    points = axes.scatter(x, y, c=energies, vmin=0.0, vmax=highest, s=160, cmap="viridis", edgecolors="black")
    for each, energy in zip(known, energies, strict=True):
        axes.annotate(f"{energy:.1f}", each.shift, xytext=(0, 11), textcoords="offset points", ha="center", fontsize=8)
    axes.scatter(*known[0].shift, marker="*", color="white", edgecolors="black", s=90, zorder=3)
    axes.margins(0.15)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("shift of B along x, Å")
    axes.set_ylabel("shift of B along y, Å")
    axes.set_title(f"{title(document)}: rigid, {document.translations_engine.split(',')[0]}", fontsize=9)
    drawn.colorbar(points, ax=axes, label="above the lowest, meV/Å$^2$")
    return drawn

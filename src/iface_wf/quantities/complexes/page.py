"""The result of a complex for people: columns, summary and tables that all its kinds share."""

from __future__ import annotations

from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.documents.labels import PARTS
from iface_wf.quantities.complexes.document import ComplexDocument
from iface_wf.reports.contacts import contact_sections
from iface_wf.reports.uncertainty import uncertainty_section

_CORRECTED = "counterpoise corrected where the basis is atom-centred"
#: Columns beside the headline.
COLUMNS = (
    Column("uncertainty", "uncertainty", "eV, half-spread"),
    Column("binding_energy_raw", "binding_energy_raw", "eV, without counterpoise correction"),
    Column("interaction_energy", "interaction_energy", f"eV, negative = attractive; {_CORRECTED}", shown=True),
    Column("interaction_energy_raw", "interaction_energy_raw", "eV, without counterpoise correction"),
    *(Column(f"deformation_{part.name}", f"deformation_energy.{part.name}", "eV") for part in PARTS),
    Column("dispersion_energy", "dispersion_energy", "eV, share of the binding energy"),
    Column("bsse_energy", "bsse_energy", "eV, >= 0"),
    Column("donors", "donors", shown=True),
)
BINDING = Column(
    "binding_energy", "binding_energy", f"eV, negative = bound; {_CORRECTED}", shown=True, uncertainty="uncertainty"
)

DISSOCIATION = Column(
    "dissociation_energy",
    "dissociation_energy",
    f"eV, positive = costs energy; {_CORRECTED}",
    shown=True,
    uncertainty="uncertainty",
)
LITHIUM = Column(
    "li_binding_energy",
    "li_binding_energy",
    f"eV, negative = bound; {_CORRECTED}",
    shown=True,
    uncertainty="uncertainty",
)


def rows(document: ComplexDocument, headline: Row) -> list[Row]:
    """Return the headline and the energies that it is made of."""
    corrected = document.bsse_energy is not None
    how = ", counterpoise corrected" if corrected else ""
    covers = ", ".join(f"{name} {size:.3f}" for name, size in document.uncertainty_parts.items())
    found = [headline, Row("  uncertainty", document.uncertainty, "eV", f"covers {covers or 'nothing'}")]
    if corrected:
        found.append(
            Row(
                "  raw binding", document.binding_energy_raw, "eV", "E(AB) - E(A) - E(B) without correction: too strong"
            )
        )
    found.append(
        Row("interaction", document.interaction_energy, "eV", f"A, B frozen as in AB{how}; negative = attractive")
    )
    found += [
        Row(f"deformation {part}", energy, "eV", f"cost of the change of shape of {document.pieces[part].name}")
        for part, energy in sorted(document.deformation_energy.items())
    ]
    found.append(Row("dispersion part", document.dispersion_energy, "eV", "share of the binding energy"))
    if corrected:
        found.append(Row("counterpoise", document.bsse_energy, "eV", "basis superposition error, >= 0"))
    found += [
        Row(f"isomer {number}", isomer.energy, "eV", f"above the lowest; {isomer.donors or 'no cation'}")
        for number, isomer in enumerate(document.isomers, start=1)
        if len(document.isomers) > 1
    ]
    return found


def sections(document: ComplexDocument) -> list[Section]:
    """Return the tables of the pieces, the isomers and the uncertainty."""
    pieces = [
        (f"{role}: {piece.name}", piece.formula, piece.charge, piece.energy, piece.taken)
        for role, piece in document.pieces.items()
    ]
    isomers = [
        (number, isomer.energy, isomer.donors, ", ".join(f"{d:.2f}" for d in isomer.distances), ", ".join(isomer.flags))
        for number, isomer in enumerate(document.isomers, start=1)
    ]
    return [
        Section("Pieces in isolation", ("piece", "formula", "charge, e", "energy, eV", "relaxed as"), pieces),
        Section("Isomers", ("", "above the lowest, eV", "donors", "distances, A", "flags"), isomers),
        uncertainty_section(document.uncertainty_parts),
        *contact_sections(document.hydrogen_bonds, document.longer_bonds),
    ]


def molecule_name(document: ComplexDocument) -> str:
    """Name the first molecule, for example ``PEO (2 units)``."""
    units = "" if document.units is None else f" ({document.units} unit{'s' if document.units != 1 else ''})"
    return f"{document.polymer or ''}{units}"

"""An interface's result for people: its quantities in a table, and its figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iface_wf.analysis.density import unpack
from iface_wf.analysis.uncertainty import SOURCES
from iface_wf.documents.kinds import Row, Section
from iface_wf.documents.labels import UNCERTAINTY_PARTS, UNCORRECTED, WHOLE
from iface_wf.documents.search import SearchSummary
from iface_wf.quantities.binding.document import UNITS, BindingDocument
from iface_wf.reports.contacts import contact_sections
from iface_wf.reports.names import interface_name, method_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PARTS = {"A": "the filler", "B": "the molecule"}


def summary(document: BindingDocument) -> list[Row]:
    """Return energies with their definitions, charges and displaced charge."""
    corrected = document.bsse_energy is not None
    how = ", counterpoise corrected" if corrected else ""
    several = bool(document.molecules)
    alone = "sum of E(each molecule)" if several else "E(B)"
    rows = [
        Row("binding energy", document.binding_energy, "eV", f"E(AB) - E(A) - {alone}{how}; negative = bound",
            document.uncertainty),
        Row("  uncertainty", document.uncertainty, "eV", covered(document)),
    ]  # fmt: skip
    if corrected:
        rows.append(Row("  raw", document.binding_energy_raw, "eV", "without counterpoise correction: too strong"))
    rows.append(
        Row("interaction", document.interaction_energy, "eV", f"A, B frozen as in AB{how}; negative = attractive")
    )
    if corrected:
        rows.append(Row("  raw", document.interaction_energy_raw, "eV", "without counterpoise correction: too strong"))
    rows += [
        Row(f"deformation {part}", energy, "eV", _deformation(part, several))
        for part, energy in sorted(document.deformation_energy.items())
    ]
    rows.append(Row("dispersion part", document.dispersion_energy, "eV", "share of the binding energy"))
    rows += [
        Row(f"  by {model}", share, "eV", "the same, whatever model was chosen")
        for model, share in document.dispersion_shares.items()
    ]
    if corrected:
        rows.append(Row("counterpoise", document.bsse_energy, "eV", "basis superposition error, >= 0; corrected - raw"))
    if several:
        number = sum(each.count for each in document.molecules)
        rows.insert(
            1,
            Row(
                "  per molecule",
                document.binding_energy_per_molecule,
                "eV",
                f"by {number} molecules: {document.polymer}",
            ),
        )
        rows.append(
            Row("mutual", document.mutual_energy, "eV", "the molecules with each other, without slab and images")
        )
    if document.lateral_energy is not None:
        apart = "" if document.image_distance is None else f", {document.image_distance:.1f} A away"
        rows.append(
            Row(
                "images",
                document.lateral_energy,
                "eV",
                f"{'all molecules with their' if several else 'the molecule with its own'} images{apart}",
            )
        )
    rows += [
        Row(f"charge transfer {component}", charge, "e", "positive = lost electrons; the components sum to 0")
        for component, charge in document.charge_transfer.items()
    ]
    rows += [
        Row(
            f"  {component} by {scheme}",
            charge,
            "e",
            "by another partition: where little moves, even the sign is the scheme's",
        )
        for scheme, transfer in document.charge_transfers.items()
        for component, charge in transfer.items()
        if scheme != document.charge_scheme
    ]
    if document.density_difference is not None:
        rows.append(Row("displaced charge", document.density_difference.displaced_charge, "e", "half of |delta rho|"))
    return rows


def _deformation(part: str, several: bool) -> str:
    if several and part == "B":
        return "all molecules as they lie in AB, with what they give each other, against each alone"
    return f"cost of {_PARTS.get(part, part)}'s change of shape"


def covered(document: BindingDocument) -> str:
    """Say which sources the uncertainty covers, with their sizes in eV, and which it does not."""
    parts = document.uncertainty_parts
    told = ", ".join(f"{name} {parts[name]:.3f}" for name in UNCERTAINTY_PARTS if name in parts)
    missing = ", ".join(name for name in UNCERTAINTY_PARTS if name not in parts)
    return f"covers {told or 'nothing'}" + (f"; not known: {missing}" if missing else "")


def sections(document: BindingDocument) -> list[Section]:
    """Return the numbers that the summary leaves out."""
    more = ("binding_energy_per_area", "dispersion_interaction")
    rows = [(name.replace("_", " "), getattr(document, name), UNITS[name]) for name in more]
    parts = [(name, document.uncertainty_parts.get(name), SOURCES[name]) for name in UNCERTAINTY_PARTS]
    heading = ("quantity", "value", "unit and sign")
    found = [
        Section("Uncertainty", ("part", "half-spread / eV", "what it is; - : not known"), parts),
        Section("Further numbers", heading, [row for row in rows if row[1] is not None]),
    ]
    for title, search in (
        ("Search for the placement", document.search),
        ("Search for the molecule's conformer", document.conformer_search),
    ):
        if search is not None:
            found.append(Section(title, heading, _search_rows(search)))
    if len(document.charge_transfers) > 1:
        found.append(_by_scheme(document))
    return found + contact_sections(document.hydrogen_bonds, document.longer_bonds)


def _by_scheme(document: BindingDocument) -> Section:
    """Return the charge transfers, and the charges of the components in the interface, side by side."""
    schemes = list(document.charge_transfers)
    whole = {
        name: document.charges[name].component_charges.get(WHOLE, {}) for name in schemes if name in document.charges
    }
    rows = [
        (
            component,
            *(document.charge_transfers[name].get(component) for name in schemes),
            *(whole.get(name, {}).get(component) for name in schemes),
        )
        for component in document.charge_transfers[schemes[0]]
    ]
    heads = (
        "component",
        *(f"lost, e ({name})" for name in schemes),
        *(f"charge in AB, e ({name})" for name in schemes),
    )
    return Section("Charges of the components by scheme", heads, rows)


def _search_rows(search: SearchSummary) -> list[tuple[str, Any, str]]:
    rows: list[tuple[str, Any, str]] = [
        ("candidates", search.tried, f"that {search.engine} looked at, of {search.docked} docked ones"),
        ("relaxed to the end", search.relaxed, ""),
        ("steps", search.steps, f"of relaxation; ended by {search.stopped}"),
        ("distinct minima", search.distinct_minima, ""),
        ("gap to the second", search.gap, "eV"),
        ("mean at 300 K", search.boltzmann_mean, "eV above the lowest"),
        ("spread", search.spread, "eV that half of the candidates would have missed"),
        ("success rate", search.success_rate, "of the independent starts"),
    ]
    return [row for row in rows if row[1] is not None]


def figure(document: BindingDocument, iso: float | None = None) -> Figure:
    """Draw the figure of a result; its density must have been loaded, see `iface_wf.store.results.find_result`.

    Parameters
    ----------
    document
        The result.
    iso
        Isovalue in e/A^3; chosen from the density by default.
    """
    from iface_wf.reports.figures import binding_figure  # matplotlib takes longer than all that `show` prints

    difference = document.density_difference
    energy = _energy_text(document)
    return binding_figure(
        document.structure,
        None if difference is None else unpack(difference.density),
        None if difference is None else difference.z,
        None if difference is None else difference.delta_rho_z,
        None if difference is None else difference.delta_q_z,
        title=f"{document.title}: {interface_name(document)}" if document.title else interface_name(document),
        subtitle=f"{energy}\n{method_name(document)}",
        iso=iso,
    )


def _energy_text(document: BindingDocument) -> str:
    if document.binding_energy is None:
        return "No binding energy: not converged"
    text = f"Binding energy {_signed(document.binding_energy)}"
    if document.uncertainty is not None:
        text += f" ± {document.uncertainty:.2f}"
    text += " eV"
    if document.bsse_energy is not None:
        text += f", counterpoise corrected (raw {_signed(document.binding_energy_raw)} eV)"
    elif UNCORRECTED in document.flags:
        text += ", not counterpoise corrected"
    return text if document.trustworthy else f"{text} - not trustworthy"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}".replace("-", "−")

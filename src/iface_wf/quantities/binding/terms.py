"""The energies of a document from those of its calculations; the same for interfaces and for complexes in open boxes."""

from __future__ import annotations

from typing import Any

from iface_wf.analysis.energies import BindingTerms, Energy, binding_terms
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE, A, B


def terms_of(calculations: dict[str, CalculationDocument]) -> tuple[Energy | None, BindingTerms | None]:
    """Return binding energy and all terms: None when a calculation did not converge, or A* and B* are not there."""
    energies = {
        role: Energy(c.energy, c.dispersion_energy or 0.0)
        for role, c in calculations.items()
        if c.converged and c.energy is not None
    }
    if len(energies) != len(calculations):
        return None, None
    terms = binding_terms(energies) if {A.frozen, B.frozen} <= set(energies) else None
    return energies[WHOLE] - energies[A.name] - energies[B.name], terms


def numbers_of(
    calculations: dict[str, CalculationDocument], binding: Energy | None, terms: BindingTerms | None
) -> dict[str, Any]:
    """Return the energies of the document, eV; None where a calculation that they need gave none."""
    told = all(c.dispersion_energy is not None for c in calculations.values())
    return {
        "binding_energy": terms.binding if terms else (binding.total if binding else None),
        "binding_energy_raw": binding.total if binding else None,
        "interaction_energy": terms.interaction if terms else None,
        "interaction_energy_raw": terms.interaction_raw.total if terms else None,
        "deformation_energy": {part: energy.total for part, energy in terms.deformation.items()} if terms else {},
        "bsse_energy": terms.bsse if terms else None,
        "dispersion_energy": binding.dispersion if binding and told else None,
        "dispersion_interaction": terms.interaction_raw.dispersion if terms and told else None,
        "dispersion_shares": _shares(calculations, [part.name for part in PARTS]) if binding else {},
        "dispersion_interaction_shares": _shares(calculations, [part.frozen for part in PARTS]) if terms else {},
    }


def _shares(calculations: dict[str, CalculationDocument], parts: list[str]) -> dict[str, float]:
    """Return AB's dispersion energy minus that of its parts by each model that all of them have, eV."""
    whole, *others = (calculations[role].dispersion_energies for role in (WHOLE, *parts))
    return {
        model: energy - sum(other[model] for other in others)
        for model, energy in whole.items()
        if all(model in other for other in others)
    }

"""Put the energies of the pieces of a reaction together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobflow import job
from pymatgen.core import Structure

from iface_wf.analysis.uncertainty import basis_part, combined, dispersion_part, geometry_part, searches_part
from iface_wf.builders.checks import flags as outcome_flags
from iface_wf.builders.edges import area_of
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.result import method_in_words, method_of, term_of
from iface_wf.engines.comparison import require_one_method
from iface_wf.engines.document import now, provenance_of
from iface_wf.flows.placements import RankedPlacements
from iface_wf.quantities.reactions.document import ReactionDocument, ReactionPiece


@job
def collect_reaction(
    calculations: dict[str, CalculationDocument],
    relaxations: dict[str, CalculationDocument],
    uuids: dict[str, str],
    searches: dict[str, RankedPlacements],
    about: dict[str, Any],
) -> ReactionDocument:
    """Put the energies together; see `reaction_document`."""
    return reaction_document(calculations, relaxations, uuids, searches, about)


def reaction_document(
    calculations: Mapping[str, CalculationDocument],
    relaxations: Mapping[str, CalculationDocument],
    uuids: Mapping[str, str],
    searches: Mapping[str, RankedPlacements],
    about: Mapping[str, Any],
) -> ReactionDocument:
    """Put the energies of the pieces of a reaction together.

    Parameters
    ----------
    calculations, relaxations
        Single points and relaxations by role.
    uuids
        Jobs that hold the single points.
    searches
        By role, where the lowest conformer was looked for.
    about
        Key, names and provenance; ``pieces``: role, name, units, factor, and whether it is a slab, of each.

    Raises
    ------
    MismatchError
        When calculations finally used unlike settings or grids.
    """
    told = dict(about)
    pieces, provenance = told.pop("pieces"), told.pop("provenance", {})
    factors = {each["role"]: each["factor"] for each in pieces}
    flags = require_one_method({role: calculations[role] for role in factors})
    shown = _shown(pieces, calculations)
    of_shown = calculations[shown]
    everything = (*calculations.values(), *relaxations.values())
    energies = {role: c.energy for role, c in calculations.items() if c.converged and c.energy is not None}
    energy = sum(factors[role] * found for role, found in energies.items()) if len(energies) == len(factors) else None
    shares = _shares(calculations, factors)
    of_model = None if energy is None or of_shown.dispersion is None else _dispersion(calculations, factors)
    other_method = any(c.engine != of_shown.engine for c in relaxations.values())
    parts = {
        "search": searches_part(each.search.model_dump() if each.search else None for each in searches.values()),
        "basis": basis_part(of_shown.basis, None, ions=False),
        "dispersion": dispersion_part(shares, of_shown.dispersion not in (None, "none")),
        "geometry": geometry_part({}, other_method),
    }
    sizes = {name: part for name, part in parts.items() if part is not None and energy is not None}
    return ReactionDocument(
        **told,
        **method_of(of_shown),
        reaction_energy=energy,
        uncertainty=combined(sizes.values()),
        uncertainty_parts=sizes,
        dispersion_energy=of_model,
        dispersion_shares=shares,
        pieces=[_piece(each, calculations[each["role"]], searches.get(each["role"])) for each in pieces],
        formula=of_shown.formula,
        n_atoms=of_shown.n_atoms,
        area=area_of(of_shown.atoms_structure) if any(each["slab"] for each in pieces) else 0.0,
        geometry_engine=method_in_words(relaxations[shown]),
        terms=[term_of(role, calculations[role], uuids.get(role, "")) for role in factors],
        structure=of_shown.structure,
        converged=all(c.converged for c in everything),
        flags=list(dict.fromkeys(flags + _flags(calculations, relaxations, searches))),
        provenance={
            **provenance,
            **provenance_of(of_shown, relaxations),
        },
        wall_time=sum(c.wall_time or 0.0 for c in everything),
        completed_at=now(),
    )


def _shown(pieces: list[dict[str, Any]], calculations: Mapping[str, CalculationDocument]) -> str:
    """Return the role of the piece that stands for the result: the first slab, or the largest molecule."""
    slabs = [each["role"] for each in pieces if each["slab"]]
    return slabs[0] if slabs else max(calculations, key=lambda role: calculations[role].n_atoms)


def _shares(calculations: Mapping[str, CalculationDocument], factors: Mapping[str, int]) -> dict[str, float]:
    """Return the dispersion share by each model that all pieces have, eV."""
    of_all = [calculations[role].dispersion_energies for role in factors]
    models = [model for model in of_all[0] if all(model in each for each in of_all)]
    return {m: sum(n * calculations[role].dispersion_energies[m] for role, n in factors.items()) for m in models}


def _dispersion(calculations: Mapping[str, CalculationDocument], factors: Mapping[str, int]) -> float | None:
    """Return the share of the model that was chosen, eV; None where a code does not tell it apart."""
    known = {role: calculations[role].dispersion_energy for role in factors}
    if any(energy is None for energy in known.values()):
        return None
    return sum(n * (known[role] or 0.0) for role, n in factors.items())


def _piece(told: Mapping[str, Any], calculation: CalculationDocument, search: RankedPlacements | None) -> ReactionPiece:
    return ReactionPiece(
        **told,
        formula=calculation.formula,
        n_atoms=calculation.n_atoms,
        energy=calculation.energy,
        key=calculation.key,
        search=search.search if search else None,
    )


def _flags(
    calculations: Mapping[str, CalculationDocument],
    relaxations: Mapping[str, CalculationDocument],
    searches: Mapping[str, RankedPlacements],
) -> list[str]:
    """Collect the flags of all calculations, and what became of molecules since they were built."""
    found = [f"{flag} ({role})" for role, c in calculations.items() for flag in c.flags]
    outcomes: dict[str, list[str]] = {role: list(c.flags) for role, c in relaxations.items()}
    for role, search in searches.items():
        built = Structure.from_dict(search.built or search.structure)
        # against the molecule as built: the search may have taken it apart already
        outcomes[role] += outcome_flags(built, relaxations[role].atoms_structure)
    return found + [f"{flag} (relax {role})" for role, flags in outcomes.items() for flag in dict.fromkeys(flags)]

"""Put the calculations of one complex into one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from iface_wf.analysis.energies import BindingTerms
from iface_wf.analysis.uncertainty import GEOMETRY_NOISE
from iface_wf.builders.bonding import hydrogen_bonds, longer_bonds
from iface_wf.builders.components import indices
from iface_wf.builders.molecules.assemblies import apart, coordination
from iface_wf.builders.molecules.complexes import BOUND
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import get_kind
from iface_wf.documents.labels import CATION, PARTS, UNCORRECTED, WHOLE
from iface_wf.documents.result import method_in_words, method_of, term_of
from iface_wf.engines.comparison import comparison_of, require_comparable
from iface_wf.engines.document import now, provenance_of
from iface_wf.flows.placements import RankedPlacements
from iface_wf.quantities.binding.references import lowest
from iface_wf.quantities.binding.terms import numbers_of, terms_of
from iface_wf.quantities.complexes.document import ComplexDocument, IsomerDocument, PieceDocument

#: Flag of a complex whose pieces do not touch.
SEPARATED = "separated"
#: Flag of a cation that has gone from the group that it was put to, to others of the same molecule: a remark.
LEFT_GROUP = "left_group"
#: Energies of two isomers that differ by less, eV, are of one minimum.
_SAME = 1e-3


@job
def collect_complex(
    isomers: list[CalculationDocument],
    isomer_relaxations: list[CalculationDocument],
    calculations: dict[str, CalculationDocument],
    relaxations: dict[str, CalculationDocument],
    uuids: dict[str, str],
    searches: dict[str, RankedPlacements],
    about: dict[str, Any],
) -> ComplexDocument:
    """Combine the energies; see `complex_document`."""
    return complex_document(isomers, isomer_relaxations, calculations, relaxations, uuids, searches, about)


def lowest_of(calculations: Sequence[CalculationDocument]) -> int:
    """Return the index of the lowest of several minima that converged; 0 where none did."""
    usable = {i: c.energy for i, c in enumerate(calculations) if c.converged and c.energy is not None}
    return min(usable, key=lambda i: (usable[i], i)) if usable else 0


def complex_document(
    isomers: Sequence[CalculationDocument],
    isomer_relaxations: Sequence[CalculationDocument],
    calculations: Mapping[str, CalculationDocument],
    relaxations: Mapping[str, CalculationDocument],
    uuids: Mapping[str, str],
    searches: Mapping[str, RankedPlacements],
    about: Mapping[str, Any],
) -> ComplexDocument:
    """Combine energies of a complex, its pieces and its frozen pieces into one document.

    Parameters
    ----------
    isomers, isomer_relaxations
        Single points and relaxations of the minima of AB; the lowest is AB.
    calculations
        Single points by role: A, B, A*, B*, for atom-centred functions those with ghosts, and the references from AB.
    relaxations
        Of the pieces, by role.
    uuids
        Jobs that hold the single points.
    searches
        By part, where it was searched for.
    about
        Key, kind, names and provenance; ``components``: labels of both pieces, ``names``: theirs; ``group_sites``: where a cation
        was put to, which it may have left.

    Raises
    ------
    MismatchError
        When calculations finally used unlike settings or grids, or charges do not add up.
    """
    best = lowest_of(isomers)
    together = {**calculations, WHOLE: isomers[best]}
    taken_of = {**relaxations, WHOLE: isomer_relaxations[best]}
    single, relaxed, taken = lowest(together, taken_of)
    binding, terms = terms_of(single)
    numbers = numbers_of(single, binding, terms)
    for name in ("dispersion_interaction", "dispersion_interaction_shares"):
        del numbers[name]
    ab = single[WHOLE]
    structure = ab.atoms_structure
    flags = _flags(single, relaxed, terms, about["components"], about.get("group_sites", ()))
    if binding and (terms is None or terms.bsse is None) and comparison_of(ab).counterpoise(ab.settings):
        flags.append(UNCORRECTED)
    kind = get_kind(about["kind"]).document
    assert issubclass(kind, ComplexDocument)
    named = {k: v for k, v in about.items() if k in kind.model_fields and k != "provenance"}
    uuid_of = {role: uuids.get(taken.get(role, role), "") for role in single}
    uuid_of[WHOLE] = about["isomer_uuids"][best]
    everything = (*single.values(), *relaxed.values())
    found = searches.get(WHOLE)
    return kind(
        **named,
        **method_of(ab),
        **numbers,
        pieces=_pieces(single, taken, searches, about["names"]),
        isomers=_isomers(isomers, best),
        search=found.search if found else None,
        donors=_donors(structure)["donors"],
        hydrogen_bonds=hydrogen_bonds(structure, about["components"]["A"]),
        longer_bonds=[
            bond
            for part in PARTS
            for bond in longer_bonds(structure, single[part.name].atoms_structure, about["components"][part.name])
        ],
        formula=structure.formula.replace(" ", ""),
        n_atoms=len(structure),
        area=0.0,
        charge=ab.charge,
        geometry_engine=method_in_words(relaxed[WHOLE]),
        terms=[term_of(role, c, uuid_of[role]) for role, c in single.items()],
        structure=ab.structure,
        converged=all(c.converged for c in everything),
        flags=flags,
        provenance={
            **about.get("provenance", {}),
            **provenance_of(ab, relaxed),
        },
        wall_time=sum(c.wall_time or 0.0 for c in everything),
        completed_at=now(),
    )


def _flags(
    single: Mapping[str, CalculationDocument],
    relaxed: Mapping[str, CalculationDocument],
    terms: BindingTerms | None,
    components: Mapping[str, list[str]],
    group: Sequence[int] = (),
) -> list[str]:
    """Collect the flags of all calculations, and what only their comparison tells."""
    ab = single[WHOLE].atoms_structure
    flags = sorted({f"{flag} ({role})" for role, c in single.items() for flag in c.flags})
    flags += require_comparable(single)
    flags += [f"{flag} (relax {role})" for role, c in relaxed.items() for flag in c.flags]
    if apart(ab, components[PARTS[0].name]):
        flags.append(SEPARATED)
    if group and not _held(ab, group):
        flags.append(LEFT_GROUP)
    cheap = any(c.engine != single[WHOLE].engine for c in relaxed.values())
    names = {True: "grid_noise", False: "deformation_of_cheap_geometry" if cheap else "negative_deformation"}
    deformation = {part: energy.total for part, energy in terms.deformation.items()} if terms else {}
    return flags + [
        # a single atom has no shape: what it gains is where it lies between grid points
        f"{names[single[part].n_atoms == 1]} ({part}: {energy:.3f} eV)"
        for part, energy in deformation.items()
        if energy < -GEOMETRY_NOISE
    ]


def _held(structure: Structure, group: Sequence[int]) -> bool:
    """Say whether the cation is still at one of the sites of a group."""
    (cation,) = indices(structure, CATION)
    near = np.linalg.norm(structure.cart_coords[list(group)] - structure.cart_coords[cation], axis=1)
    return bool(near.min() < BOUND)


def _donors(structure: Structure) -> dict[str, Any]:
    """Say what coordinates the cation of a complex; nothing where there is none, or several."""
    cations = indices(structure, CATION)
    return coordination(structure, cations[0]) if len(cations) == 1 else {"donors": "", "distances": []}


def _pieces(
    single: Mapping[str, CalculationDocument],
    taken: Mapping[str, str],
    searches: Mapping[str, RankedPlacements],
    names: Sequence[str],
) -> dict[str, PieceDocument]:
    return {
        part.name: PieceDocument(
            name=name,
            formula=single[part.name].formula,
            charge=single[part.name].charge,
            energy=single[part.name].energy,
            key=single[part.name].key,
            taken=taken.get(part.name, part.name),
            search=searches[part.name].search if part.name in searches else None,
        )
        for part, name in zip(PARTS, names, strict=True)
    }


def _isomers(calculations: Sequence[CalculationDocument], best: int) -> list[IsomerDocument]:
    """Describe the distinct minima, the lowest first: a search that found fewer than were wanted gives one twice."""
    zero = calculations[best].energy
    found: list[IsomerDocument] = []
    for document in sorted(calculations, key=lambda c: (c.energy is None, c.energy or 0.0)):
        above = None if document.energy is None or zero is None else document.energy - zero
        told = _donors(document.atoms_structure)
        twice = (
            other.key == document.key
            or (above is not None and other.energy is not None and abs(above - other.energy) < _SAME)
            for other in found
        )
        if not any(twice):
            found.append(
                IsomerDocument(
                    energy=above if document.converged else None,
                    donors=told["donors"],
                    distances=told["distances"],
                    structure=document.structure,
                    key=document.key,
                    flags=document.flags,
                )
            )
    return found

"""Turn partly occupied sites into ordered cells: exact composition, hard distances, lowest Ewald energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase.calculators.calculator import Calculator
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.builders.solids.arrangement import Problem
from iface_wf.builders.solids.planes import conventional_basis, primitive
from iface_wf.errors import CalculationError, InputError
from iface_wf.library.crystals import read_crystal
from iface_wf.library.records import Disorder, FillerRecord

MAX_SITES = 400
SAME = 0.01
"""Searches whose energies differ by less found the same arrangement, eV."""


@dataclass(frozen=True)
class Ordering:
    """An ordered cell.

    Attributes
    ----------
    structure
        Ordered cell; ``properties["ordering"]`` says how it came about. It is neutral by formal charges, or the crystal's
        own content is not; then its ``charge`` (e) and ``warnings`` say so.
    energy
        Its Ewald energy with formal charges, in eV per cell.
    """

    structure: Structure
    energy: float


def bulk(record: FillerRecord, seed: int = 0) -> Structure:
    """Give the ordered crystal of a filler.

    Parameters
    ----------
    record
        The filler.
    seed
        Seed of the search among orderings; the same seed gives the same crystal.

    Returns
    -------
    Structure
        Ordered crystal. ``properties["miller_basis"]``, where present, holds the vectors (A) in whose
        basis Miller indices are meant; else they are meant in the cell's own. ``"vacant_sites"`` holds the
        fractional coordinates of the sites that the ordering left empty.

    Raises
    ------
    InputError
        If the crystal has partial occupancies and the record does not say how to order them, or its
        oxidation states do not add up to 0.
    """
    return _bulk(record.model_dump_json(), record.crystal_path, seed).copy()


@lru_cache(maxsize=32)
def _bulk(record_json: str, path: Path, seed: int) -> Structure:
    record = FillerRecord.model_validate_json(record_json)
    structure = read_crystal(path)
    basis, note = conventional_basis(structure)
    notes = [*structure.properties.get("warnings", []), *([note] if note else [])]
    if structure.site_properties:
        notes.append("What the file says of single atoms (held, moments) counts in a ready slab only.")
    told = {"warnings": notes} if notes else {}
    if basis is not None:
        told["miller_basis"] = basis.tolist()
    if structure.is_ordered:
        _check_states(record, structure)
        bare = Structure(structure.lattice, structure.species, structure.frac_coords)
        bare.properties = told
        return bare
    if record.disorder is None:
        raise InputError(
            f"{path.name} has partly occupied sites; give a record with 'disorder' that says which composition to order."
        )
    ordered = order(structure, record.disorder, record.oxidation_states, seed, settle=True)[0].structure
    report = ordered.properties["ordering"]
    told["warnings"] = [*notes, *report.get("warnings", [])]
    if report["charge"]:
        raise InputError(f"{path.name}: {told['warnings'][-1]}")
    ordered.properties |= told
    return ordered


def _check_states(record: FillerRecord, structure: Structure) -> None:
    """Refuse oxidation states that miss an element or do not add up to 0."""
    states = record.oxidation_states
    missing = sorted({e.symbol for e in structure.composition.elements} - states.keys())
    if states and missing:
        raise InputError(f"{record.name} gives no oxidation state of {missing[0]}.")
    charge = sum(states.get(e.symbol, 0.0) * n for e, n in structure.composition.items())
    if abs(charge) > 1e-6:
        raise InputError(f"The oxidation states of {record.name} add up to {charge:+g} e per cell, not 0.")


def order(
    structure: Structure, rule: Disorder, charges: dict[str, float], seed: int = 0, settle: bool = False
) -> list[Ordering]:
    """Order a crystal with partly occupied sites.

    Whole numbers of atoms nearest to the wanted composition that balance the formal charges are chosen
    first; a site may have any number of partners, and an element any number of kinds of sites. Then replica exchange (Swendsen and Wang,
    10.1103/PhysRevLett.57.2607) of the Ewald energy moves atoms and vacancies among the sites that may hold them; pairs
    below their smallest distance are never accepted in a result. Of all images of an arrangement by the symmetry of the
    average crystal the same one is given, whichever was found, so that faces and their names do not hang on the seed.

    Parameters
    ----------
    structure
        Crystal with partial occupancies, at most 400 sites.
    rule
        Composition, cell, smallest distances in A and number of searches.
    charges
        Formal charge of every element in e.
    seed
        Seed of the searches.
    settle
        End when two searches have found the lowest energy.

    Returns
    -------
    list of Ordering
        The results of the searches, lowest Ewald energy first.

    Raises
    ------
    InputError
        If the composition does not fit the crystal, cannot be made neutral, or a charge is missing.
    CalculationError
        If no search finds an arrangement that keeps the smallest distances.
    """
    missing = sorted({e.symbol for e in structure.composition.elements} - charges.keys())
    if missing:
        raise InputError(f"Ordering needs the oxidation state of {missing[0]}.")
    basis = structure.lattice.matrix
    cell = _primitive_disordered(structure) if rule.cell == "primitive" else structure
    if len(cell) > MAX_SITES:
        raise InputError(f"The cell to order has {len(cell)} sites, at most {MAX_SITES} are allowed.")
    problem = Problem(cell, rule, charges)
    generator = np.random.default_rng(seed)
    found: list[tuple[float, npt.NDArray[Any]]] = []
    searches = 0
    while searches < rule.candidates and not (settle and _lowest(found) > 1):
        searches += 1
        result = problem.search(generator)
        found += [] if result is None else [result]
    if not found:
        limits = ", ".join(f"{pair} {d} A" for pair, d in rule.min_distances.items())
        kept = f"the smallest distances {limits}" if limits else "its atoms from overlapping"
        raise CalculationError(f"No ordering of {rule.composition} keeps {kept}.")
    found.sort(key=lambda r: r[0])
    told = {"seed": seed, "searches": searches, "found_lowest": _lowest(found)}
    return [
        Ordering(problem.structure(problem.canonical(kinds), energy, told, basis), energy) for energy, kinds in found
    ]


def _lowest(found: Sequence[tuple[float, Any]]) -> int:
    """Count how many searches found the lowest energy."""
    return sum(energy < min(e for e, _ in found) + SAME for energy, _ in found)


def rerank(orderings: Sequence[Ordering], calculator: Calculator, name: str | None = None) -> list[Ordering]:
    """Order candidates by the energy of any ASE calculator, for example an ML potential, instead of Ewald's.

    Ewald energies of formal charges know neither bonds nor polarisation; an ML potential such as CHGNet
    (10.1038/s42256-023-00716-3) tells near ones apart; `iface_wf.engines.mlip.models.rank_orderings` knows them by name.

    Parameters
    ----------
    orderings
        Results of `order`; their number is ``candidates`` of the rule.
    calculator
        Gives the total energy of a crystal, eV.
    name
        What the result says about who ranked; by default the class of the calculator.

    Returns
    -------
    list of Ordering
        Lowest energy of the calculator first; ``energy`` is still Ewald's, and the structure's properties hold the
        calculator's as ``rerank_energy`` (eV) with the name as ``reranked_by``.
    """
    ranked = []
    for ordering in orderings:
        atoms = AseAtomsAdaptor.get_atoms(ordering.structure.copy().remove_oxidation_states(), msonable=False)
        atoms.info = {}
        atoms.calc = calculator
        energy = float(atoms.get_potential_energy())
        structure = ordering.structure.copy()
        structure.properties |= {"rerank_energy": energy, "reranked_by": name or type(calculator).__name__}
        ranked.append((energy, Ordering(structure, ordering.energy)))
    ranked.sort(key=lambda pair: pair[0])
    return [ordering for _, ordering in ranked]


def _primitive_disordered(structure: Structure) -> Structure:
    """Give the primitive cell of a crystal with partial occupancies, without turning it."""
    kinds = sorted({site.species_string for site in structure})
    numbers = [kinds.index(site.species_string) + 19 for site in structure]  # elements stand in for mixtures
    small, _ = primitive(Structure(structure.lattice, numbers, structure.frac_coords))
    mixture = {number: site.species for number, site in zip(numbers, structure, strict=True)}
    return Structure(small.lattice, [mixture[site.specie.Z] for site in small], small.frac_coords)

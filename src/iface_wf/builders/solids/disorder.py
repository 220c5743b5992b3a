"""Turn partly occupied sites into ordered cells: exact composition, hard distances, lowest Ewald energy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase.calculators.calculator import Calculator
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Composition, Species, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.builders.solids.planes import conventional_basis, primitive
from iface_wf.errors import CalculationError, InputError
from iface_wf.library.crystals import read_crystal
from iface_wf.library.records import Disorder, FillerRecord

MAX_SITES = 400
MAX_STEPS = 40_000
HOT, COLD = 3.0, 0.05
"""Temperatures (as energies in eV) at the start and the end of a search."""
CLASH = 30.0
"""Penalty in eV for a pair that is too close, above any gain in Ewald energy; never accepted at the end."""
VACANCY = ""


@dataclass(frozen=True)
class Ordering:
    """An ordered cell.

    Attributes
    ----------
    structure
        Ordered, charge-neutral cell; ``properties["ordering"]`` says how it came about.
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
    ordered = order(structure, record.disorder, record.oxidation_states, seed)[0].structure
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


def order(structure: Structure, rule: Disorder, charges: dict[str, float], seed: int = 0) -> list[Ordering]:
    """Order a crystal with partly occupied sites.

    Whole numbers of atoms nearest to the wanted composition that balance the formal charges are chosen
    first. Then simulated annealing (S. Kirkpatrick et al., 10.1126/science.220.4598.671) of the Ewald
    energy exchanges atoms and vacancies among the sites that may hold them; pairs below their smallest
    distance are never accepted in a result.

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
    problem = _Problem(cell, rule, charges)
    generator = np.random.default_rng(seed)
    found = [r for r in (problem.anneal(generator) for _ in range(rule.candidates)) if r is not None]
    if not found:
        limits = ", ".join(f"{pair} {d} A" for pair, d in rule.min_distances.items())
        raise CalculationError(f"No ordering of {rule.composition} keeps the smallest distances {limits}.")
    found.sort(key=lambda r: r[0])
    return [Ordering(problem.structure(kinds, energy, seed, basis), energy) for energy, kinds in found]


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


def whole_numbers(
    wanted: dict[str, float], fixed_charge: float, charges: dict[str, float], sums: list[tuple[set[str], int, bool]]
) -> dict[str, int]:
    """Choose whole numbers of atoms nearest to the wanted ones (least squares) that make the cell neutral.

    Parameters
    ----------
    wanted
        Wanted number of atoms on the disordered sites, by element.
    fixed_charge
        Charge in e of all fully occupied sites.
    charges
        Formal charges in e.
    sums
        (elements, number of sites, may be vacant) of each class of sites.

    Raises
    ------
    InputError
        If no choice of rounding up or down is neutral.
    """
    elements = sorted(wanted)
    ranges = [sorted({math.floor(wanted[e] + 1e-6), math.ceil(wanted[e] - 1e-6)}) for e in elements]
    best: tuple[float, dict[str, int]] | None = None
    for numbers in itertools.product(*ranges):
        choice = dict(zip(elements, numbers, strict=True))
        if abs(fixed_charge + sum(charges[e] * n for e, n in choice.items())) > 1e-6:
            continue
        totals = [(sum(choice[e] for e in kinds), count, vacant) for kinds, count, vacant in sums]
        if any(total > count or (not vacant and total != count) for total, count, vacant in totals):
            continue
        error = sum((choice[e] - wanted[e]) ** 2 for e in elements)
        if best is None or error < best[0] - 1e-9:
            best = (error, choice)
    if best is None:
        asked = ", ".join(f"{e} {wanted[e]:.2f}" for e in elements)
        raise InputError(f"No rounding of {asked} to whole atoms makes the cell neutral.")
    return best[1]


class _Problem:
    """The disordered sites of a cell, who may sit there, and the energy of an arrangement."""

    def __init__(self, cell: Structure, rule: Disorder, charges: dict[str, float]) -> None:
        self.cell, self.rule, self.charges = cell, rule, charges
        self.open = [i for i, site in enumerate(cell) if not site.is_ordered]
        fixed = {i: site.specie.symbol for i, site in enumerate(cell) if site.is_ordered}
        self.kinds0 = np.array([fixed.get(i, VACANCY) for i in range(len(cell))], dtype=object)
        self.classes = self._classes()
        self.numbers, self.wanted = self._numbers(fixed)
        self.matrix = _ewald_matrix(cell)
        distances = cell.distance_matrix
        self.near = {}
        for pair, limit in rule.min_distances.items():
            first, second = pair.split("-")
            close = distances < limit
            np.fill_diagonal(close, val=False)
            for key in {(first, second), (second, first)}:
                self.near[key] = close

    def _classes(self) -> dict[tuple[frozenset[str], bool], list[int]]:
        """Open sites by the elements they may hold and whether they may be vacant."""
        classes: dict[tuple[frozenset[str], bool], list[int]] = {}
        for i in self.open:
            species = self.cell[i].species
            key = (frozenset(e.symbol for e in species), species.num_atoms < 1 - 1e-3)
            classes.setdefault(key, []).append(i)
        names = [e for kinds, _ in classes for e in kinds]
        twice = sorted({e for e in names if names.count(e) > 1})
        if twice:
            raise InputError(f"{twice[0]} shares sites with different partners; such a crystal cannot be ordered.")
        return classes

    def _numbers(self, fixed: dict[int, str]) -> tuple[dict[str, int], dict[str, float]]:
        """Whole numbers of atoms on the open sites, and the numbers that were wanted."""
        formula = Composition(self.rule.composition).get_el_amt_dict()
        here = list(fixed.values())
        movable = {e for kinds, _ in self.classes for e in kinds}
        frame = {e for e in here if e not in movable}
        if not frame or set(formula) != movable | set(here):
            raise InputError(f"{self.rule.composition} has not the elements of {self.cell.composition.formula}.")
        factors = {here.count(e) / formula[e] for e in frame}
        if max(factors) - min(factors) > 1e-3 * max(factors):
            raise InputError(f"{self.rule.composition} does not fit the fully occupied sites of the crystal.")
        factor = min(factors)
        wanted = {e: formula[e] * factor - here.count(e) for e in sorted(movable)}
        charge = sum(self.charges[e] for e in here)
        sums = [(set(kinds), len(sites), vacant) for (kinds, vacant), sites in self.classes.items()]
        return whole_numbers(wanted, charge, self.charges, sums), wanted

    def _start(self, generator: np.random.Generator) -> npt.NDArray[Any]:
        kinds = self.kinds0.copy()
        for (names, _), sites in self.classes.items():
            content = [e for e in sorted(names) for _ in range(self.numbers[e])]
            content += [VACANCY] * (len(sites) - len(content))
            kinds[sites] = generator.permutation(np.array(content, dtype=object))
        return kinds

    def _clashes(self, kinds: npt.NDArray[Any], i: int, kind: str) -> int:
        """Count the atoms too close to an atom of this kind at site i."""
        return sum(
            int(np.count_nonzero(close[i] & (kinds == second)))
            for (first, second), close in self.near.items()
            if first == kind
        )

    def anneal(self, generator: np.random.Generator) -> tuple[float, npt.NDArray[Any]] | None:
        """Search one arrangement; None if it still holds pairs that are too close."""
        kinds = self._start(generator)
        charge = {VACANCY: 0.0} | self.charges
        q = np.array([charge[k] for k in kinds])
        field = self.matrix @ q
        groups = [np.array(sites) for sites in self.classes.values()]
        weights = np.array([len(g) for g in groups]) / sum(len(g) for g in groups)
        steps = min(MAX_STEPS, 250 * len(self.open))
        picks = generator.choice(len(groups), size=steps, p=weights)
        for step in range(steps):
            group = groups[picks[step]]
            i, j = (int(x) for x in group[generator.integers(len(group), size=2)])
            a, b = kinds[i], kinds[j]
            if a == b:
                continue
            di, dj = charge[b] - q[i], charge[a] - q[j]
            gain = 2 * (di * field[i] + dj * field[j]) + self._self_energy(i, j, di, dj)
            before = self._clashes(kinds, i, a) + self._clashes(kinds, j, b)
            kinds[i], kinds[j] = b, a
            after = self._clashes(kinds, i, b) + self._clashes(kinds, j, a)
            gain += CLASH * (after - before)
            temperature = HOT * (COLD / HOT) ** (step / steps)
            if gain <= 0 or generator.random() < math.exp(-gain / temperature):
                q[i] += di
                q[j] += dj
                field += di * self.matrix[i] + dj * self.matrix[j]
            else:
                kinds[i], kinds[j] = a, b
        if any(self._clashes(kinds, i, kinds[i]) for i in self.open if kinds[i] != VACANCY):
            return None
        return float(q @ self.matrix @ q), kinds

    def _self_energy(self, i: int, j: int, di: float, dj: float) -> float:
        m = self.matrix
        return float(di * di * m[i, i] + dj * dj * m[j, j] + 2 * di * dj * m[i, j])

    def structure(self, kinds: npt.NDArray[Any], energy: float, seed: int, basis: npt.NDArray[np.float64]) -> Structure:
        """Build the ordered cell and check what it promises."""
        keep = [i for i, kind in enumerate(kinds) if kind != VACANCY]
        made = Structure(self.cell.lattice, [kinds[i] for i in keep], self.cell.frac_coords[keep])
        made = made.get_sorted_structure()
        counts = {e.symbol: int(n) for e, n in made.composition.items()}
        charge = sum(self.charges[e] * n for e, n in counts.items())
        if abs(charge) > 1e-6 or any(counts.get(e, 0) < n for e, n in self.numbers.items()):
            raise CalculationError(f"The ordered cell {made.composition.formula} has the charge {charge:+g}.")
        made.properties = {
            "ordering": {
                "target": self.rule.composition,
                "formula": made.composition.formula,
                "wanted": {e: round(n, 6) for e, n in self.wanted.items()},
                "placed": dict(self.numbers),
                "charge": 0,
                "ewald_energy": energy,
                "min_distances": dict(self.rule.min_distances),
                "seed": seed,
                "candidates": self.rule.candidates,
            },
            "miller_basis": basis.tolist(),
            "vacant_sites": self.cell.frac_coords[[i for i, kind in enumerate(kinds) if kind == VACANCY]].tolist(),
        }
        return made


def _ewald_matrix(cell: Structure) -> npt.NDArray[np.float64]:
    """Ewald interaction of unit charges on all sites in eV, shape (n, n); energy = q M q."""
    unit = Structure(cell.lattice, [Species("H", 1)] * len(cell), cell.frac_coords)
    return np.asarray(EwaldSummation(unit, acc_factor=8.0).total_energy_matrix, dtype=float)


def _primitive_disordered(structure: Structure) -> Structure:
    """Give the primitive cell of a crystal with partial occupancies, without turning it."""
    kinds = sorted({site.species_string for site in structure})
    numbers = [kinds.index(site.species_string) + 19 for site in structure]  # elements stand in for mixtures
    small, _ = primitive(Structure(structure.lattice, numbers, structure.frac_coords))
    mixture = {number: site.species for number, site in zip(numbers, structure, strict=True)}
    return Structure(small.lattice, [mixture[site.specie.Z] for site in small], small.frac_coords)

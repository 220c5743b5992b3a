"""Which atom sits where on disordered sites: the lowest Ewald energy with hard distances, by replica exchange."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import spglib
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Composition, Species, Structure
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from iface_wf.builders.solids.amounts import SLACK, charge_of, nearest_numbers, whole_numbers
from iface_wf.builders.solids.bonds import radius
from iface_wf.builders.solids.tempering import temper
from iface_wf.errors import CalculationError, InputError
from iface_wf.library.overlap import OVERLAP
from iface_wf.library.records import Disorder

COLD, HOT, COPIES = 0.15, 1.0, 12
"""Ladder of temperatures (as energies in eV) of a search."""
ROUNDS = 60
"""Exchanges of temperatures for each disordered site. LLZTO (136 sites): two of four searches end in the lowest energy that any
found, the others 0.1 and 0.3 eV above it."""
SYMPREC, SAME_PLACE = 0.01, 0.01
"""Tolerances of the symmetry of the average crystal, A and fractional."""
VACANCY = ""
FORBIDDEN = 1e6


class Problem:
    """The disordered sites of a cell, who may sit there, and the energy of an arrangement.

    Sites form a class by the elements that they may hold and whether they may be vacant. Classes that share an element
    form a group, within which atoms and vacancies change places where both sites allow it.

    Parameters
    ----------
    cell
        Crystal with partial occupancies.
    rule
        Wanted composition and smallest distances.
    charges
        Formal charges in e.

    Raises
    ------
    InputError
        If the composition does not fit the sites, or no whole numbers of atoms make the cell neutral.
    """

    def __init__(self, cell: Structure, rule: Disorder, charges: dict[str, float]) -> None:
        self.cell, self.rule, self.charges = cell, rule, charges
        self.open = [i for i, site in enumerate(cell) if not site.is_ordered]
        fixed = {i: site.specie.symbol for i, site in enumerate(cell) if site.is_ordered}
        self.kinds0 = np.array([fixed.get(i, VACANCY) for i in range(len(cell))], dtype=object)
        self.classes = self._classes()
        self.allowed = {
            i: kinds | ({VACANCY} if vacant else set())
            for (kinds, vacant), sites in self.classes.items()
            for i in sites
        }
        self.groups = self._groups()
        self.warnings: list[str] = []
        self.numbers, self.wanted = self._numbers(list(fixed.values()))
        lost = sorted(e for e, n in self.numbers.items() if n == 0 and e not in fixed.values())
        if lost:
            self.warnings.append(f"The cell is too small to hold {', '.join(lost)}: order a larger one to keep it.")
        self.content = self._content()
        self.matrix = _ewald_matrix(cell)
        self.near = self._near()

    def _classes(self) -> dict[tuple[frozenset[str], bool], list[int]]:
        """Open sites by the elements they may hold and whether they may be vacant."""
        classes: dict[tuple[frozenset[str], bool], list[int]] = {}
        for i in self.open:
            species = self.cell[i].species
            key = (frozenset(e.symbol for e in species), species.num_atoms < 1 - 1e-3)
            classes.setdefault(key, []).append(i)
        return classes

    def _groups(self) -> list[list[tuple[frozenset[str], bool]]]:
        """Classes that share elements, directly or through others, in the order of their first sites."""
        groups: list[list[tuple[frozenset[str], bool]]] = []
        for key in self.classes:
            joined = [group for group in groups if any(key[0] & other[0] for other in group)]
            merged = [member for group in joined for member in group] + [key]
            at = groups.index(joined[0]) if joined else len(groups)
            groups = [group for group in groups if group not in joined]
            groups.insert(at, merged)
        return groups

    def _near(self) -> dict[tuple[str, str], npt.NDArray[np.bool_]]:
        """Pairs of sites that two elements may not occupy together: nearer than the rule, or than atoms can be."""
        distances = self.cell.distance_matrix + 1e3 * np.eye(len(self.cell))
        movable = sorted({e for kinds, _ in self.classes for e in kinds})
        every = sorted({*movable, *self.kinds0.tolist()} - {VACANCY})
        limits = {(a, b): OVERLAP * (radius(a) + radius(b)) for a in movable for b in every}
        for pair, limit in self.rule.min_distances.items():
            first, second = pair.split("-")
            limits[first, second] = limits[second, first] = max(limit, limits.get((first, second), 0.0))
        near = {}
        for (first, second), limit in limits.items():
            close = distances < limit
            close[np.ix_(*[self.kinds0 != VACANCY] * 2)] = False  # what never moves is as the file says
            if close.any():
                near[first, second] = near[second, first] = close
        return near

    def _numbers(self, here: list[str]) -> tuple[dict[str, int], dict[str, float]]:
        """Whole numbers of atoms on the open sites, and the numbers that were wanted."""
        formula = Composition(self.rule.composition).get_el_amt_dict()
        movable = {e for kinds, _ in self.classes for e in kinds}
        present = movable | set(here)
        if set(formula) != present:
            odd = sorted(set(formula) - present) or sorted(present - set(formula))
            where = "no site holds" if set(formula) - present else "it lacks"
            raise InputError(
                f"{self.rule.composition} has not the elements of {self.cell.composition.formula}: {where} {odd[0]}."
            )
        factor, own = self._factor(formula, here, movable)
        wanted = {e: formula[e] * factor - here.count(e) for e in sorted(movable)}
        if min(wanted.values()) < -1e-3:
            raise InputError(f"{self.rule.composition} does not fit the fully occupied sites of the crystal.")
        charge = sum(self.charges[e] for e in here)
        sums = [
            (
                set().union(*(kinds for kinds, _ in group)),
                sum(len(self.classes[c]) for c in group),
                any(v for _, v in group),
            )
            for group in self.groups
        ]
        try:
            return whole_numbers(wanted, charge, self.charges, sums), wanted
        except InputError as error:
            return self._beyond_rounding(wanted, charge, sums, own, error), wanted

    def _beyond_rounding(
        self,
        wanted: dict[str, float],
        charge: float,
        sums: list[tuple[set[str], int, bool]],
        own: bool,
        error: InputError,
    ) -> dict[str, int]:
        """Choose numbers where rounding makes no cell neutral: within 5 %, or, for the file's own content, charged."""
        try:
            found = whole_numbers(wanted, charge, self.charges, sums, SLACK)
            self.warnings.append(
                "The amounts differ by more than rounding from those wanted, so that the cell is neutral."
            )
        except InputError:
            if not own:
                raise error from None
            found = nearest_numbers(wanted, charge, self.charges, sums)
            total = charge_of(found, charge, self.charges)
            self.warnings.append(
                f"The crystal's own content is not neutral: with these formal charges its ordered cell has {total:+g} e."
            )
        return found

    def _factor(self, formula: dict[str, float], here: list[str], movable: set[str]) -> tuple[float, bool]:
        """Give formula units per cell, and whether the composition is the crystal's own.

        What is certain is counted: elements on full sites only, else sites that are full with whatever partner.
        """
        amounts = self.cell.composition.get_el_amt_dict()
        ratios = [amounts[e] / formula[e] for e in formula]
        own = max(ratios) - min(ratios) < 1e-3 * max(ratios)
        frame = {e for e in here if e not in movable}
        factors = {here.count(e) / formula[e] for e in frame}
        if not factors:
            for group in self.groups:
                kinds = set().union(*(k for k, _ in group))
                if not any(vacant for _, vacant in group):
                    count = sum(len(self.classes[c]) for c in group) + sum(here.count(e) for e in kinds)
                    factors.add(count / sum(formula[e] for e in kinds))
        if not factors and own:
            factors = {min(ratios)}
        if not factors:
            raise InputError(
                f"No site of the crystal is full, so that {self.rule.composition} does not say how much the cell holds: "
                "give the composition of the file itself."
            )
        if max(factors) - min(factors) > 1e-3 * max(factors):
            raise InputError(f"{self.rule.composition} does not fit the fully occupied sites of the crystal.")
        return min(factors), own

    def _content(self) -> dict[tuple[frozenset[str], bool], list[str]]:
        """Atoms (and vacancies) of each class at the start; where classes share elements, as their occupancies say."""
        content: dict[tuple[frozenset[str], bool], list[str]] = {}
        for group in self.groups:
            sites = [i for key in group for i in self.classes[key]]
            names = sorted(set().union(*(kinds for kinds, _ in group)))
            atoms = [e for e in names for _ in range(self.numbers[e])]
            atoms += [VACANCY] * (len(sites) - len(atoms))
            if len(group) > 1:
                atoms = self._assigned(sites, atoms)
            for key in group:
                count = len(self.classes[key])
                content[key], atoms = atoms[:count], atoms[count:]
        return content

    def _assigned(self, sites: list[int], atoms: list[str]) -> list[str]:
        """Give each site of a group an atom or a vacancy that it allows, the likeliest by its occupancies."""
        kinds = sorted(set(atoms))
        cost = np.full((len(sites), len(kinds)), FORBIDDEN)
        for row, i in enumerate(sites):
            amounts = self.cell[i].species.get_el_amt_dict()
            amounts[VACANCY] = max(0.0, 1.0 - sum(amounts.values()))
            for column, kind in enumerate(kinds):
                if kind in self.allowed[i]:
                    cost[row, column] = 1.0 - amounts.get(kind, 0.0)
        full = cost[:, [kinds.index(atom) for atom in atoms]]
        rows, columns = linear_sum_assignment(full)
        if full[rows, columns].max() >= FORBIDDEN:
            raise InputError(f"The atoms of {self.rule.composition} do not fit the sites that may hold them.")
        return [atoms[column] for column in columns]

    def _start(self, generator: np.random.Generator) -> npt.NDArray[Any]:
        kinds = self.kinds0.copy()
        for key, sites in self.classes.items():
            kinds[sites] = generator.permutation(np.array(self.content[key], dtype=object))
        return kinds

    def search(self, generator: np.random.Generator) -> tuple[float, npt.NDArray[Any]] | None:
        """Search one arrangement; None if it still holds pairs that are too close."""
        names = [VACANCY, *sorted({*self.charges, *self.kinds0} - {VACANCY})]
        number = {name: i for i, name in enumerate(names)}
        charge = np.array([0.0] + [self.charges[name] for name in names[1:]])
        allowed = np.zeros((len(self.cell), len(names)), dtype=bool)
        for i, kinds in self.allowed.items():
            allowed[i, [number[kind] for kind in kinds]] = True
        neighbours, near = self._tables(number)
        groups = [[i for key in group for i in self.classes[key]] for group in self.groups]
        starts = [[number[kind] for kind in self._start(generator)] for _ in range(COPIES)]
        _, found = temper(
            self.matrix,
            np.array(starts),
            charge,
            allowed,
            neighbours,
            near,
            np.array([i for group in groups for i in group]),
            np.cumsum([len(group) for group in groups]),
            np.geomspace(COLD, HOT, COPIES),
            ROUNDS * len(self.open),
            int(generator.integers(2**31)),
        )
        here = np.arange(len(found))[:, None]
        if near[found[:, None], found[neighbours], here, np.arange(neighbours.shape[1])][neighbours >= 0].any():
            return None
        q = charge[found]
        return float(q @ self.matrix @ q), np.array(names, dtype=object)[found]

    def _tables(self, number: dict[str, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return the sites too near to each one, filled up with -1, and which kinds may not be on both."""
        pairs = np.zeros((len(self.cell),) * 2, dtype=bool)
        for close in self.near.values():
            pairs |= close
        most = max(1, int(pairs.sum(axis=1).max()))
        neighbours = np.full((len(pairs), most), -1)
        near = np.zeros((len(number), len(number), len(pairs), most), dtype=bool)
        for i, row in enumerate(pairs):
            others = np.flatnonzero(row)
            neighbours[i, : len(others)] = others
            for (first, second), close in self.near.items():
                near[number[first], number[second], i, : len(others)] = close[i, others]
        return neighbours, near

    def canonical(self, kinds: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the one of all images by the symmetry of the average crystal that is the same whichever of them was found."""
        return min((kinds[source] for source in self._images), key=lambda image: tuple(image.tolist()))

    @cached_property
    def _images(self) -> list[npt.NDArray[np.int64]]:
        """Say for each symmetry operation which site each one gets its content from."""
        mixtures = [str(site.species) for site in self.cell]
        numbers = [sorted(set(mixtures)).index(mixture) + 1 for mixture in mixtures]
        places = np.mod(self.cell.frac_coords, 1.0) % 1.0
        found = spglib.get_symmetry((self.cell.lattice.matrix, places, numbers), symprec=SYMPREC)
        tree = cKDTree(places, boxsize=1.0)
        images = [np.arange(len(places))]
        for turn, shift in zip(found["rotations"], found["translations"], strict=True):
            apart, source = tree.query(np.mod(places @ turn.T + shift, 1.0) % 1.0)
            if apart.max() < SAME_PLACE and len(set(source)) == len(places):
                images.append(source)
        return images

    def structure(
        self, kinds: npt.NDArray[Any], energy: float, told: dict[str, int], basis: npt.NDArray[np.float64]
    ) -> Structure:
        """Build the ordered cell and check what it promises."""
        keep = [i for i, kind in enumerate(kinds) if kind != VACANCY]
        made = Structure(self.cell.lattice, [kinds[i] for i in keep], self.cell.frac_coords[keep])
        made = made.get_sorted_structure()
        counts = {e.symbol: int(n) for e, n in made.composition.items()}
        charge = round(sum(self.charges[e] * n for e, n in counts.items()), 6)
        promised = charge_of(self.numbers, sum(self.charges[k] for k in self.kinds0 if k != VACANCY), self.charges)
        if abs(charge - promised) > 1e-6 or any(counts.get(e, 0) < n for e, n in self.numbers.items()):
            raise CalculationError(f"The ordered cell {made.composition.formula} has the charge {charge:+g}.")
        made.properties = {
            "ordering": {
                "target": self.rule.composition,
                "formula": made.composition.formula,
                "wanted": {e: round(n, 6) for e, n in self.wanted.items()},
                "placed": dict(self.numbers),
                "charge": charge or 0,
                "ewald_energy": energy,
                "min_distances": dict(self.rule.min_distances),
                "candidates": self.rule.candidates,
                **told,
            }
            | ({"warnings": list(self.warnings)} if self.warnings else {}),
            "miller_basis": basis.tolist(),
            "vacant_sites": self.cell.frac_coords[[i for i, kind in enumerate(kinds) if kind == VACANCY]].tolist(),
        }
        return made


def _ewald_matrix(cell: Structure) -> npt.NDArray[np.float64]:
    """Ewald interaction of unit charges on all sites in eV, shape (n, n); energy = q M q."""
    unit = Structure(cell.lattice, [Species("H", 1)] * len(cell), cell.frac_coords)
    return np.asarray(EwaldSummation(unit, acc_factor=8.0).total_energy_matrix, dtype=float)

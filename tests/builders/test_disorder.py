"""Orderings have the right composition, keep their distances, and are reproducible; else an error."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from ase.calculators.calculator import Calculator
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Composition, Lattice, Species, Structure

from iface_wf.builders.solids.amounts import whole_numbers
from iface_wf.builders.solids.disorder import bulk, order, rerank
from iface_wf.errors import CalculationError, InputError
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal
from iface_wf.library.records import Disorder

CHARGES = {"Li": 1, "La": 3, "Zr": 4, "Ta": 5, "O": -2, "Al": 3, "Ge": 4, "P": 5}


@pytest.fixture(scope="module")
def lagp():
    record = Library().filler("LAGP")
    return read_crystal(record.crystal_path), record.disorder


@pytest.mark.slow
def test_garnet_has_the_nearest_neutral_composition_and_keeps_lithium_apart():
    crystal = bulk(Library().filler("LLZTO"))
    assert crystal.composition == Composition("Li51La24Zr11Ta5O96")
    report = crystal.properties["ordering"]
    assert report["target"] == "Li6.4La3Zr1.4Ta0.6O12"
    assert report["wanted"] == pytest.approx({"Li": 51.2, "Zr": 11.2, "Ta": 4.8})
    assert report["placed"] == {"Li": 51, "Zr": 11, "Ta": 5}
    lithium = [i for i, site in enumerate(crystal) if site.specie.symbol == "Li"]
    apart = crystal.distance_matrix[np.ix_(lithium, lithium)] + 99 * np.eye(len(lithium))
    assert apart.min() >= 2.2
    assert len(crystal) + len(crystal.properties["vacant_sites"]) == 24 + 96 + 24 + 16 + 96


@pytest.mark.slow
def test_energy_is_the_ewald_energy_of_the_result(lagp):
    crystal, rule = lagp
    best = order(crystal, rule, CHARGES)[0]
    decorated = best.structure.copy()
    decorated.add_oxidation_state_by_element(CHARGES)
    assert best.energy == pytest.approx(EwaldSummation(decorated).total_energy, abs=0.01)  # eV of 2000


@pytest.mark.slow
def test_the_search_finds_the_ground_state_that_counting_finds(lagp):
    crystal, rule = lagp
    best = order(crystal, rule, CHARGES)
    assert [o.energy for o in best] == sorted(o.energy for o in best)
    found = best[0].structure
    empty = found.properties["vacant_sites"]
    octahedra = [i for i, s in enumerate(found) if s.specie.symbol in ("Al", "Ge")]
    lithium = [i for i, s in enumerate(found) if s.specie.symbol == "Li"]
    full = found.copy()
    for place in empty:
        full.append("Li", place)
    holes = lithium + list(range(len(found), len(full)))
    unit = Structure(full.lattice, [Species("H", 1)] * len(full), full.frac_coords)
    matrix = EwaldSummation(unit, acc_factor=8).total_energy_matrix
    apart = full.distance_matrix
    lowest = np.inf
    for aluminium in octahedra:
        for chosen in itertools.combinations(holes, 3):
            if min(apart[a, b] for a, b in itertools.combinations(chosen, 2)) < 2.2:
                continue
            q = np.array([0.0 if i in holes else CHARGES[full[i].specie.symbol] for i in range(len(full))])
            q[octahedra], q[aluminium], q[list(chosen)] = 4, 3, 1
            lowest = min(lowest, float(q @ matrix @ q))
    assert best[0].energy == pytest.approx(lowest, abs=1e-3)


@pytest.mark.slow
def test_the_crystal_does_not_hang_on_the_seed(lagp):
    """Both seeds find the lowest energy, in images of each other by the symmetry of the average crystal: the same is given."""
    crystal, rule = lagp
    first, other = (order(crystal, rule, CHARGES, seed, settle=True)[0] for seed in (3, 4))
    assert first.energy == pytest.approx(other.energy, abs=1e-6)  # eV, rounding
    assert first.structure.species == other.structure.species
    assert first.structure.frac_coords == pytest.approx(other.structure.frac_coords, abs=1e-9)
    report = first.structure.properties["ordering"]
    assert report["found_lowest"] == 2 <= report["searches"] < rule.candidates


@pytest.mark.slow
def test_composition_does_not_depend_on_the_origin(lagp):
    crystal, rule = lagp
    moved = crystal.copy()
    moved.translate_sites(range(len(moved)), [0.11, 0.27, 0.43])
    here, there = (order(c, rule, CHARGES)[0] for c in (crystal, moved))
    assert here.structure.composition == there.structure.composition
    assert here.energy == pytest.approx(there.energy, abs=0.05)  # eV; the search finds the ground state of 37 atoms


def test_whole_numbers_are_the_nearest_neutral_ones():
    sums = [({"Li"}, 120, True), ({"Zr", "Ta"}, 16, False)]
    charge = 24 * 3 - 96 * 2
    chosen = whole_numbers({"Li": 51.2, "Zr": 11.2, "Ta": 4.8}, charge, CHARGES, sums)
    assert chosen == {"Li": 51, "Zr": 11, "Ta": 5}
    with pytest.raises(InputError, match="neutral"):
        whole_numbers({"Li": 40.0}, charge, CHARGES, [({"Li"}, 120, True)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "charges", "error", "message"),
    [
        ({"composition": "Li2Al0.5Ge1.5(PO4)3"}, CHARGES, InputError, "neutral"),
        ({"composition": "Na1.5Al0.5Ge1.5(PO4)3"}, CHARGES, InputError, "elements"),
        ({"composition": "Li1.5Al0.5Ge1.5P3O13"}, CHARGES, InputError, "does not fit"),
        ({"min_distances": {"Li-Li": 9.9}}, CHARGES, CalculationError, "smallest distances"),
        ({}, {k: v for k, v in CHARGES.items() if k != "Al"}, InputError, "oxidation state of Al"),
    ],
)
def test_what_cannot_be_ordered_is_an_error(lagp, change, charges, error, message):
    crystal, rule = lagp
    with pytest.raises(error, match=message):
        order(crystal, rule.model_copy(update=change | {"candidates": 1}), charges)


def test_too_many_sites_are_refused(lagp):
    crystal, rule = lagp
    with pytest.raises(InputError, match="at most 400"):
        order(crystal * (2, 2, 1), rule.model_copy(update={"cell": "conventional"}), CHARGES)


def test_partial_occupancies_without_a_rule_are_refused(tmp_path):
    mixed = Structure(Lattice.cubic(5.6), [{"Na": 0.5, "K": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    path = tmp_path / "mixed.cif"
    mixed.to(str(path), fmt="cif")
    with pytest.raises(InputError, match="partly occupied"):
        bulk(Library().filler(path))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sites", "formula", "expected"),
    [
        # Al-doped garnet: Li and Al on one kind of site, Li alone on another
        ([{"Li": 0.5, "Al": 0.25}] * 4 + [{"Li": 0.75}] * 4 + ["La"] * 2 + ["O"] * 7, "Li5AlLa2O7", "Li5 Al1 La2 O7"),
        # argyrodite: every site is mixed, so that no element is only on full sites
        ([{"Li": 0.625}] * 8 + [{"Si": 0.5, "P": 0.5}] * 2 + [{"S": 0.75, "Br": 0.25}] * 8, "Li5SiPS6Br2", "Li5 Si1 P1 S6 Br2"),
        # three partners on one kind of site
        ([{"Li": 0.25, "Na": 0.25, "K": 0.5}] * 4 + ["Cl"] * 4, "LiNaK2Cl4", "K2 Na1 Li1 Cl4"),
        # four partners and vacancies
        ([{"Li": 0.25, "Na": 0.25, "Mg": 0.125, "K": 0.25}] * 8 + ["Cl"] * 8, "Li2Na2MgK2Cl8", "K2 Na2 Li2 Mg1 Cl8"),
        # one element on full sites, on mixed sites and on partly vacant ones
        (["Ti"] * 2 + [{"Ti": 0.5, "Li": 0.5}] * 2 + [{"Ti": 0.25, "Li": 0.25}] * 4 + ["O"] * 9, "Ti4Li2O9", "Ti4 Li2 O9"),
        # a chain of classes: A shares with B, B with C
        ([{"Na": 0.5, "K": 0.5}] * 2 + [{"Na": 0.5, "Li": 0.5}] * 2 + [{"Li": 0.5}] * 2 + ["Cl"] * 5, "Na2KLi2Cl5", "K1 Na2 Li2 Cl5"),
    ],
)  # fmt: skip
def test_any_number_of_partners_and_of_kinds_of_sites_is_ordered(sites, formula, expected):
    generator = np.random.default_rng(0)
    grid = np.array(list(itertools.product(range(3), repeat=3)))[: len(sites)] / 3
    crystal = Structure(Lattice.cubic(8.4), sites, generator.permutation(grid))
    charges = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Al": 3, "La": 3, "Si": 4, "P": 5, "Ti": 4, "O": -2, "S": -2, "F": -1,
               "Cl": -1, "Br": -1}  # fmt: skip
    made = order(crystal, Disorder(composition=formula, candidates=2), charges)[0].structure
    assert made.composition == Composition(expected)
    for site in made:  # every atom sits where the crystal allows it
        home = crystal[int(np.argmin(crystal.lattice.get_all_distances(site.frac_coords, crystal.frac_coords)[0]))]
        assert site.specie in home.species
    assert made.properties["ordering"]["charge"] == 0
    empty = [s for s in crystal if s.species.num_atoms > 0.999]
    taken = crystal.lattice.get_all_distances([s.frac_coords for s in empty], made.frac_coords).min(axis=1)
    assert taken.max() < 1e-6  # sites that are full stay full


def test_the_energy_of_a_shared_element_is_that_of_counting():
    """Li, Al and vacancies on two kinds of sites: all arrangements are few enough to be counted."""
    sites = [
        {"Li": 0.5, "Al": 0.25},
        {"Li": 0.5, "Al": 0.25},
        {"Li": 0.5},
        {"Li": 0.5},
        {"Li": 0.5, "Al": 0.5},
        "O",
        "O",
    ]
    places = [
        [0, 0, 0],
        [0.5, 0.5, 0],
        [0.5, 0, 0.5],
        [0, 0.5, 0.5],
        [0.5, 0.5, 0.5],
        [0.27, 0.25, 0.25],
        [0.75, 0.72, 0.75],
    ]
    crystal = Structure(Lattice.cubic(6.0), sites, places)
    charges = {"Li": 1, "Al": 3, "O": -2}
    best = order(crystal, Disorder(composition="LiAlO2", candidates=4), charges)[0]
    assert best.structure.composition == Composition("LiAlO2")
    lowest = np.inf
    for lithium, aluminium in itertools.permutations(range(5), 2):
        if aluminium in (2, 3) or 4 not in (lithium, aluminium):
            continue  # the last mixed site is full
        trial = Structure(crystal.lattice, [Species("Li", 1), Species("Al", 3), Species("O", -2), Species("O", -2)],
                          [places[lithium], places[aluminium], *places[5:]])  # fmt: skip
        lowest = min(lowest, EwaldSummation(trial, acc_factor=8).total_energy)
    assert best.energy == pytest.approx(lowest, abs=1e-3)


def test_a_crystal_whose_own_content_is_not_neutral_says_so():
    sites = [{"Li": 0.5, "Al": 0.25}] * 2 + [{"Li": 0.5}] * 2 + ["La", "O", "O"]
    places = [
        [0, 0, 0],
        [0.5, 0.5, 0],
        [0.5, 0, 0.5],
        [0, 0.5, 0.5],
        [0.5, 0.5, 0.5],
        [0.25, 0.25, 0.25],
        [0.75, 0.75, 0.75],
    ]
    crystal = Structure(Lattice.cubic(6), sites, places)
    made = order(crystal, Disorder(composition="Li2Al0.5LaO2", candidates=1), {"Li": 1, "Al": 3, "La": 3, "O": -2})[0]
    report = made.structure.properties["ordering"]
    assert report["charge"] == sum({"Li": 1, "Al": 3, "La": 3, "O": -2}[s.specie.symbol] for s in made.structure) == 4
    assert made.structure.composition == Composition("Li2AlLaO2")  # of equal roundings the one that keeps aluminium
    assert "not neutral" in report["warnings"][0]


def test_an_element_that_the_cell_cannot_hold_is_named():
    crystal = Structure(Lattice.cubic(6), [{"Na": 0.9, "K": 0.1}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    made = order(crystal, Disorder(composition="Na0.9K0.1Cl", candidates=1), {"Na": 1, "K": 1, "Cl": -1})[0].structure
    assert made.composition == Composition("NaCl")
    assert "too small to hold K" in made.properties["ordering"]["warnings"][0]


@pytest.mark.slow
def test_amounts_move_by_a_few_percent_where_rounding_is_not_neutral(lagp):
    garnet = read_crystal(Library().filler("LLZTO").crystal_path)
    rule = Disorder(composition="Li6.3La3Zr1.4Ta0.6O12", candidates=1, min_distances={"Li-Li": 2.2})
    made = order(garnet, rule, CHARGES)[0].structure
    assert made.properties["ordering"]["charge"] == 0
    assert made.composition["Li"] + 4 * made.composition["Zr"] + 5 * made.composition["Ta"] == 120


def test_sites_that_overlap_are_never_filled_together():
    """Split sites 0.6 A apart, of cation and anion, that the Ewald energy alone would fill together."""
    sites = [{"Li": 0.5}, {"F": 0.5}, {"Li": 0.5}, {"F": 0.5}, "Ne"]
    places = [[0, 0, 0], [0.1, 0, 0], [0.5, 0.5, 0.5], [0.6, 0.5, 0.5], [0, 0.5, 0]]
    crystal = Structure(Lattice.cubic(6), sites, places)
    made = order(crystal, Disorder(composition="LiFNe", candidates=4), {"Li": 1, "F": -1, "Ne": 0})[0].structure
    assert made.composition == Composition("LiFNe")
    assert made.get_distance(*[i for i, s in enumerate(made) if s.specie.symbol != "Ne"]) > 3


@pytest.mark.parametrize(
    ("formula", "message"),
    [("NaClBr", "no site holds Br|it lacks K"), ("Na0.5Cl", "it lacks K"), ("Na0.5K0.5ClBr", "no site holds Br")],
)
def test_the_sentence_names_the_element(formula, message):
    mixed = Structure(Lattice.cubic(5.6), [{"Na": 0.5, "K": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(InputError, match=message):
        order(mixed, Disorder(composition=formula, candidates=1), {"Na": 1, "K": 1, "Cl": -1, "Br": -1})


class SpreadLithium(Calculator):
    """An energy that falls with the distance of the two nearest lithium atoms, unlike Ewald's."""

    implemented_properties = ("energy",)

    def calculate(self, atoms=None, properties=None, system_changes=None):
        lithium = atoms[[a.index for a in atoms if a.symbol == "Li"]]
        distances = lithium.get_all_distances(mic=True)
        self.results = {"energy": -distances[distances > 0].min()}


@pytest.mark.slow
def test_candidates_are_ordered_anew_by_any_calculator(lagp):
    crystal, rule = lagp
    orderings = order(crystal, rule, CHARGES)
    again = rerank(orderings, SpreadLithium())
    energies = [o.structure.properties["rerank_energy"] for o in again]
    assert energies == sorted(energies)
    assert sorted(o.energy for o in again) == pytest.approx([o.energy for o in orderings], abs=1e-9)
    assert again[0].structure.properties["reranked_by"] == "SpreadLithium"

"""The search: within its budget, going on after a kill, honest in what it says of its minimum."""

import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.docking.field import DockingField
from iface_wf.builders.molecules.fragments import from_smiles
from iface_wf.engines.progress import PROGRESS, progress_to
from iface_wf.engines.registry import create
from iface_wf.engines.walks import Walkers
from iface_wf.errors import CalculationError, InputError
from iface_wf.flows.search import halving, jobs, statistics
from iface_wf.flows.search.budget import LEVELS, budget_of
from iface_wf.flows.search.jobs import _OnSlab, find_alone, find_on_slab
from iface_wf.flows.search.options import SearchOptions
from iface_wf.flows.search.record import Record


@pytest.fixture(scope="module")
def layer():
    """A frozen, dilute layer of two molecules of water."""
    lattice = Lattice(np.diag([6.0, 6.0, 18.0]), pbc=(True, True, False))
    one = np.array([[0, 0, 7.0], [0.76, 0, 7.59], [-0.76, 0, 7.59]])
    xyz = np.vstack([one + [1.5, 1.5, 0], one + [4.5, 4.5, 0]])
    labels = {"component": ["slab"] * 6, "selective_dynamics": [[False] * 3] * 6}
    return Structure(lattice, ["O", "H", "H"] * 2, xyz, coords_are_cartesian=True, site_properties=labels)


@pytest.fixture(scope="module")
def peroxide():
    """The smallest molecule with a dihedral angle."""
    return from_smiles("OO")


def options(steps=40, patience=100, placements=3, seed=0):
    return SearchOptions(create("xtb", processes=1), placements, seed, steps, patience)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jobs, "STARTS", 4)
    return tmp_path


@pytest.mark.parametrize(("slab", "fragment", "times"), [(48, 19, 4), (98, 16, 2), (120, 49, 1), (6, 5, 1)])
def test_more_poses_are_docked_where_that_is_cheap_and_there_are_many(slab, fragment, times):
    parts = (
        Structure(Lattice.cubic(30.0), ["H"] * n, np.random.default_rng(n).random((n, 3))) for n in (slab, fragment)
    )
    assert jobs.starts_of(8, *parts) == 8 * jobs.STARTS * times


def stretches(folder):
    """Return how often each stretch of a candidate was relaxed, from the lines of all searches."""
    found = [json.loads(line)["what"] for file in folder.glob("search-*/search.jsonl") for line in file.open()]
    return [what for what in found if not what.startswith("batch")]


@pytest.mark.slow
def test_a_search_keeps_its_budget_and_tells_what_it_did(layer, peroxide, folder):
    words = []
    with progress_to(words.append):
        found = find_on_slab(layer, peroxide, options(), 8.0, 0.85, None)
    told = found.search
    assert 0 < told.steps <= 40
    assert told.tried == len(found.ranking) >= 3
    assert told.docked >= 12
    assert 1 <= told.distinct_minima <= told.tried
    assert told.spread >= 0
    assert 0 <= told.success_rate <= 1
    assert told.seeds[0] == 0
    assert told.engine == "GFN1-xTB-D3(BJ)"
    energies = [entry["energy"] for entry in found.ranking if "energy" in entry]
    assert energies == sorted(energies)
    assert all(entry["expected"] <= entry["energy"] + 1e-9 for entry in found.ranking if "energy" in entry)
    assert sum(entry["steps"] for entry in found.ranking) == told.steps
    assert any("candidates, lowest" in each for each in words)
    final, built = Structure.from_dict(found.structure), Structure.from_dict(found.built)
    assert final.species == built.species
    assert not np.allclose(final.cart_coords, built.cart_coords)
    shift = final.properties["placement"].get(
        "substrate_shift", [0.0, 0.0, 0.0]
    )  # room for a molecule that lies within the open layer
    assert np.allclose(final.cart_coords[:6] - shift, layer.cart_coords)  # frozen


def test_docking_that_was_killed_goes_on_and_finds_the_same(layer, peroxide, folder, monkeypatch):
    """What the force field relaxed before the kill is remembered to the last bit, and forgotten with the batch."""
    real, calls = DockingField.minimise, []

    def counted(self, *arguments):
        calls.append(1)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return real(self, *arguments)

    def batch():
        source = _OnSlab(layer, peroxide, 8, 5, {"vacuum": 6.0})
        source.record = Record("docking", layer, peroxide)
        return source, source.batch(0, None)

    undisturbed = _OnSlab(layer, peroxide, 8, 5, {"vacuum": 6.0}).batch(0, None)
    monkeypatch.setattr(DockingField, "minimise", counted)
    stop = 0
    batch()[0].kept(0)
    total, stop = len(calls), 20
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        batch()
    stop = 0
    calls.clear()
    source, again = batch()
    assert len(calls) == total - 19
    assert [(p.energy, p.origin, p.hits) for p in again.poses] == [
        (p.energy, p.origin, p.hits) for p in undisturbed.poses
    ]
    for one, other in zip(again.poses, undisturbed.poses, strict=True):
        assert np.array_equal(one.structure.cart_coords, other.structure.cart_coords)
    assert len(list(folder.glob("search-*/docking-0.jsonl"))) == 1
    source.kept(0)
    assert not list(folder.glob("search-*/docking-0.jsonl"))


@pytest.mark.slow
def test_a_killed_search_goes_on_and_repeats_nothing(layer, peroxide, folder):
    heard = []

    def kill(words):
        heard.append(words)
        if len(heard) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), progress_to(kill):
        find_on_slab(layer, peroxide, options(), 8.0, 0.85, None)
    before = stretches(folder)
    assert before
    (file,) = folder.glob("search-*/search.jsonl")
    with file.open("a") as torn:
        torn.write('{"what": "0.1 6 10", "data": {"ste')  # what a kill in the middle of a line leaves
    with progress_to(lambda words: None):
        found = find_on_slab(layer, peroxide, options(), 8.0, 0.85, None)
    after = [
        json.loads(line)["what"]
        for line in file.read_text().splitlines()
        if line and line[-4:] != '"ste' and line.endswith("}")
    ]
    names = [what for what in after if not what.startswith("batch")]
    assert sorted(names) == sorted(set(names))
    assert set(before) < set(names)
    assert found.search.steps <= 40


def test_a_larger_budget_goes_on_from_what_was_done(layer, peroxide, folder):
    with progress_to(lambda words: None):
        small = find_on_slab(layer, peroxide, options(steps=8), 8.0, 0.85, None)
        before = stretches(folder)
        large = find_on_slab(layer, peroxide, options(steps=40), 8.0, 0.85, None)
    after = stretches(folder)
    assert after[: len(before)] == before
    assert len(after) == len(set(after))
    assert large.search.steps > small.search.steps
    # one step of an optimiser that begins anew may lead uphill, by less than what two minima are told apart by
    assert large.ranking[0]["energy"] <= small.ranking[0]["energy"] + 1e-3


def test_the_search_ends_when_no_better_one_comes(peroxide, folder):
    with progress_to(lambda words: None):
        found = find_alone(peroxide, options(steps=1000, patience=1))
    assert found.search.stopped in ("patience", "exhausted")
    assert found.search.steps < 1000


def test_nothing_is_searched_where_there_is_one_candidate(layer, peroxide, folder):
    for one in (options(placements=1), options(steps=0)):
        found = find_on_slab(layer, peroxide, one, 8.0, 0.85, None)
        assert (found.engine, found.search) == ("none", None)
    rigid = from_smiles("O")
    assert find_alone(rigid, options()).structure == rigid.as_dict()
    assert not list(folder.glob("search-*"))


def test_progress_of_a_job_of_a_queue_is_a_file(peroxide, folder):
    find_alone(peroxide, options(steps=2))
    assert "candidates" in (folder / PROGRESS).read_text()


def test_an_engine_that_can_calculate_nothing_is_told(layer, peroxide, folder):
    engine = create("xtb", processes=1, overrides={"max_iterations": 1})
    with pytest.raises(CalculationError, match="could calculate none of"), progress_to(lambda words: None):
        find_on_slab(layer, peroxide, SearchOptions(engine, 2, 0, 20, 10), 8.0, 0.85, None)


def test_engines_that_are_not_cheap_are_refused():
    with pytest.raises(InputError, match="cheap engine"):
        Walkers("gpaw")


def test_budgets():
    steps = [LEVELS[level].steps for level in ("fast", "moderate", "precise")]
    assert steps == sorted(steps)
    assert budget_of("fast", 7).steps == 7
    assert budget_of("fast", 7).patience == LEVELS["fast"].patience
    with pytest.raises(InputError, match="level"):
        budget_of("quick", None)


def test_candidates_given_up_early_count_as_far_as_the_others_came():
    energies = {
        "kept": {6: 1.0, 40: 0.2},
        "also kept": {6: 0.9, 40: 0.3},
        "given up": {6: 1.5},
    }
    ends = statistics.expected(energies, {"kept", "also kept"})
    assert ends == pytest.approx({"kept": 0.2, "also kept": 0.3, "given up": 1.5 - 0.7})


def test_minima_differ_in_energy_or_geometry():
    one, other = np.ones(4), np.array([1.0, 1.0, 2.0, 1.0])
    energies, marks = [0.0, 0.005, 0.01, 0.3], [one, one, other, one]
    assert statistics.minima(energies, marks) == [0, 2, 3]
    told = statistics.summary(energies, marks, seed=0)
    assert told["distinct_minima"] == 3
    assert told["gap"] == pytest.approx(0.01)
    weights = np.exp(-np.array([0.0, 0.01, 0.3]) / 0.025852)  # k T at 300 K
    assert told["boltzmann_mean"] == pytest.approx(float(weights @ [0.0, 0.01, 0.3] / weights.sum()), abs=1e-6)


def test_the_spread_is_what_half_of_the_candidates_would_have_missed():
    far = [np.full(3, float(i)) for i in range(4)]
    assert statistics.summary([0.0] * 4, far, 0)["spread"] == 0.0
    lonely = statistics.summary([0.0, 1.0, 1.0, 1.0], far, 0)["spread"]
    assert lonely == pytest.approx(0.5, abs=0.1)  # the best one is in every other half; 400 draws scatter by 0.025
    assert statistics.summary([0.0], far[:1], 0)["spread"] is None


def test_rungs_keep_the_better_part_within_a_window():
    run = halving.Halving(walkers=None, record=None, budget=10)
    run.last = {"a": 0.0, "b": 0.1, "c": 0.9, "d": 0.2, "failed": np.inf}.__getitem__
    assert run._better(["a", "b", "c", "d", "failed"], 0.5, 0.6) == ["a", "b"]
    assert run._better(["a", "c"], 1.0, 0.6) == ["a"]


def test_a_damaged_line_of_the_record_counts_as_not_written(layer, folder):
    for what, energy in (("a", -1.25), ("b", -2.5), ("c", -3.75)):
        Record("key", layer).put(what, {"energy": energy})
    (file,) = folder.glob("search-*/search.jsonl")
    file.write_bytes(file.read_bytes().replace(b"-1.25", b"-1.35").replace(b"-2.5", b"-2\xae5"))
    found = Record("key", layer)
    assert (found.get("a"), found.get("b"), found.get("c")) == (None, None, {"energy": -3.75})

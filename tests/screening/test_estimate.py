"""Costs: a law that foretells timings it has not seen, and one number for whoever asks."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from jobflow import Flow
from pymatgen.core import Composition, Lattice, Structure

from iface_wf.engines import registry
from iface_wf.flows.run import run_flow
from iface_wf.library import Library
from iface_wf.screening.estimate import REFERENCE, Estimate, Missing, _known, _measured, _timings, estimate
from iface_wf.screening.graph import build_screening
from iface_wf.screening.plan import plan_screening
from iface_wf.screening.scaling import PRIOR, fit
from iface_wf.screening.single import plan_request
from iface_wf.screening.sizes import Size, Sizes, electrons_of, repeated, size_of
from iface_wf.screening.spec import ScreeningSpec
from tests.tiny_library import write_crystal

GPAW = json.loads((Path(__file__).parent / "data" / "gpaw_timings.json").read_text(encoding="utf-8"))
XTB = registry.profile("xtb")


def run_one(job, store, folder):
    run_flow(Flow([job], output=job.output), store, folder)


def crystal(times):
    """Lithium fluoride, 8 atoms and 64 A^3 a cell."""
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    cell.make_supercell(times)
    cell.add_site_property("component", ["slab"] * len(cell))
    return cell


@pytest.mark.slow
def test_timings_of_xtb_that_were_held_out_are_foretold_within_a_factor_of_two(job_store, tmp_path):
    engine = registry.create("xtb", level="fast")
    for times in ([1, 1, 1], [2, 1, 1], [3, 1, 1], [2, 2, 1]):
        run_one(engine.static(crystal(times)), job_store, tmp_path)
    timed = sorted(_timings(job_store, "xtb", "static", "fast"), key=lambda out: out["n_atoms"])
    sizes, seconds = np.array([_measured(out) for out in timed]), np.array([out["cpu_time"] for out in timed])
    assert sizes[:, 0] * REFERENCE.electrons == pytest.approx([32 * n for n in (1, 2, 3, 4)])  # 8 for each pair
    for index in (2, 3):  # one between the others, and the largest
        law = fit(np.delete(sizes, index, 0), np.delete(seconds, index), XTB.cost["static"], XTB.growth)
        assert 0.5 < law.seconds(sizes[[index]])[0] / seconds[index] < 2.0


def test_timings_of_gpaw_that_were_held_out_are_foretold_within_a_factor_of_two():
    profile = registry.profile("gpaw")
    rows = [row for row in GPAW["timings"] if row["atoms"] >= 10]  # what takes longer than to start
    sizes = np.array([[row["electrons"] / REFERENCE.electrons, row["grid"] / REFERENCE.volume] for row in rows])
    seconds = np.array([row["cpu_seconds"] for row in rows])
    for index, row in enumerate(rows):
        law = fit(np.delete(sizes, index, 0), np.delete(seconds, index), profile.cost["static"], profile.growth)
        assert 0.5 < law.seconds(sizes[[index]])[0] / seconds[index] < 2.0, row


def test_without_timings_it_is_what_the_engine_says_and_with_them_it_is_surer():
    nothing = np.empty((0, 2))
    thumb = fit(nothing, [], 40.0, (2.0, 0.5))
    at = np.array([[1.0, 1.0], [2.0, 1.0], [1.0, 4.0]])
    assert thumb.seconds(at) == pytest.approx([40.0, 160.0, 80.0])
    assert thumb.spread(at[:1]) == pytest.approx([PRIOR[0]])
    some = fit(at, [10.0, 30.0, 15.0], 40.0, (2.0, 0.5))
    many = fit(np.tile(at, (30, 1)), [10.0, 30.0, 15.0] * 30, 40.0, (2.0, 0.5))
    assert PRIOR[0] > some.spread(at[:1])[0] > many.spread(at[:1])[0]
    assert many.seconds(at) == pytest.approx([10.0, 30.0, 15.0], rel=0.05)


def test_one_calculation_on_a_busy_machine_does_not_move_the_law():
    x = np.exp(np.linspace(-2, 1, 12))
    sizes = np.column_stack([x, np.ones(12)])
    seconds = 7.0 * x**1.5
    spoiled = seconds.copy()
    spoiled[5] *= 60.0
    laws = [fit(sizes, each, 20.0, (2.0, 0.0)) for each in (seconds, spoiled)]
    assert laws[1].seconds(sizes) == pytest.approx(laws[0].seconds(sizes), rel=0.25)


def test_what_is_far_from_all_timings_is_told_by_what_is_believed_and_with_its_spread():
    """As GPAW's: molecules in boxes, whose time grows with the box alone, and then a slab; 30 s and 190 s."""
    random = np.random.default_rng(2)
    sizes = np.column_stack([np.exp(random.uniform(-3.0, -1.2, 100)), np.exp(random.uniform(0.5, 1.2, 100))])
    seconds = 16.0 * sizes[:, 0] ** 0.2 * sizes[:, 1] * np.exp(0.1 * random.standard_normal(100))
    slab = np.array([[1.1, 2.0]])
    everywhere, near = (fit(sizes, seconds, 150.0, (0.9, 0.8), size) for size in (None, (1.1, 2.0)))
    assert everywhere.seconds(slab)[0] < 50
    assert everywhere.spread(slab)[0] < 0.1  # sure of itself, and wrong
    assert 0.5 < near.seconds(slab)[0] / 190.0 < 2.0
    assert near.spread(slab)[0] > 0.4
    box = sizes[:1]
    assert fit(sizes, seconds, 150.0, (0.9, 0.8), tuple(box[0])).seconds(box) == pytest.approx(seconds[:1], rel=0.3)


def test_a_range_covers_two_of_three():
    """Times drawn from a law of known noise lie within its own spread as often as a normal distribution's do."""
    random = np.random.default_rng(1)
    sizes = np.exp(random.uniform(-1, 1, (400, 2)))
    noise = 0.4
    seconds = 20.0 * sizes[:, 0] ** 1.7 * np.exp(noise * random.standard_normal(400))
    law = fit(sizes[:300], seconds[:300], 20.0, (2.0, 0.0))
    off = np.log(seconds[300:] / law.seconds(sizes[300:]))
    assert np.mean(np.abs(off) < law.noise) == pytest.approx(0.68, abs=0.12)  # of 100 drawn: 0.05 is one sigma


@pytest.mark.parametrize(
    ("formula", "electrons"),
    [("SiO2", 16), ("LiI", 8), ("Li7La3Zr2O12", 7 + 9 + 8 + 72), ("GdOOH", 10 + 12 + 1), ("C2H4O", 18), ("TiO2", 16), ("ZnO", 18),
     ("HfO2", 16), ("He", 2)],
)  # fmt: skip
def test_electrons_outside_of_closed_shells(formula, electrons):
    assert electrons_of(Composition(formula)) == electrons


@pytest.mark.slow
def test_sizes_of_an_interface_follow_from_its_parts(tiny):
    write_crystal(tiny)
    graph = build_screening(ScreeningSpec(fillers=["LiF"], polymers=["water"], engine="xtb"), Library(tiny))
    (item,), sizes = graph.items.values(), Sizes(graph)
    a, b, whole = (sizes.of(role, item) for role in ("A", "B", "AB"))
    assert (whole.atoms, whole.electrons) == (a.atoms + b.atoms, a.electrons + b.electrons)
    assert whole.volume > a.volume
    assert sizes.of("A from AB", item) == a
    assert sizes.of("B* in AB basis", item) == whole  # ghosts carry functions
    frozen = sizes.of("B*", item)
    assert (frozen.electrons, frozen.volume) == (b.electrons, whole.volume)
    assert sizes.of("AB", item, repeats=4.0).electrons == 4 * a.electrons + b.electrons
    assert repeated(a, 4.0).volume == pytest.approx(4 * a.volume)


@pytest.mark.slow
def test_k_points_count_as_grid():
    slab = crystal([1, 1, 3])
    size = size_of(slab)
    assert size.grid(None) == pytest.approx(slab.volume)
    assert size.grid(9.0) == pytest.approx(slab.volume * 3 * 3 * 1)
    metal = Size(4, 4.0, 100.0, (4.0, 4.0), metal=True)
    assert metal.grid(9.0) == pytest.approx(100.0 * 8 * 8)  # at least 30 A


@pytest.mark.slow
def test_run_and_screen_say_the_same(tiny, job_store, tmp_path):
    common = {"engine": "gpaw", "vacuum": 6.0, "placements": 4}
    spec = ScreeningSpec(fillers=["HF-layer"], polymers=["water"], **common)
    (stage,) = plan_screening(spec, job_store, Library(tiny))
    (request,) = spec.requests(spec.kinds()[0], Library(tiny))
    plan = plan_request(request, job_store, Library(tiny))
    assert plan.cost.core_hours == pytest.approx(stage.cost.core_hours)
    assert plan.cost.high == pytest.approx(stage.cost.high)
    assert plan.cost.basis == stage.cost.basis
    assert plan.cost.low < plan.cost.core_hours < plan.cost.high
    assert min(plan.cost.memory_gb, plan.cost.disk_gb) > 0
    assert plan.cost.core_hours == pytest.approx(sum(step["core_hours"] or 0.0 for step in plan))


def test_estimates_add_up(job_store):
    missing = [Missing("xtb", "static", Size(n, 4.0 * n, 20.0 * n), "fast") for n in (50, 100)]
    both = estimate(missing, "fast", job_store)
    parts = [estimate([each], "fast", job_store) for each in missing]
    assert both.core_hours == pytest.approx(sum(part.core_hours for part in parts))
    assert parts[1].core_hours * 3600 == pytest.approx(XTB.cost["static"])
    added = parts[0] + parts[1]
    assert added.core_hours == pytest.approx(both.core_hours)
    assert added.high <= both.high * 1.001  # one law errs alike in both; sums of different ones less
    assert (both + Estimate()) == both
    assert estimate([], "fast", job_store).sentence == "About 0 core-hours (nothing to run)."


@pytest.mark.slow
def test_steps_of_relaxations_are_learnt(tiny, job_store, tmp_path):
    known = _known(job_store, XTB, "relax", "fast")
    assert (known.law().sample, known.steps, known.steps_spread) == (
        0,
        pytest.approx(100.0),
        pytest.approx(math.log(2.0)),
    )
    engine = registry.create("xtb", level="fast", overrides={"max_steps": 2, "fmax": 0.001})
    atoms = crystal([1, 1, 1]).perturb(0.05, seed=1)
    run_one(engine.relax(atoms), job_store, tmp_path)
    known = _known(job_store, XTB, "relax", "fast")
    assert known.law().sample == 1
    assert 3 < known.steps < 100


def test_own_kpoints_count(job_store):
    size = size_of(crystal([1, 1, 1]))
    own = Missing.of(registry.create("gpaw", level="moderate", overrides={"kpoint_length": 8.0}), size)
    levels = Missing.of(registry.create("gpaw", level="moderate"), size)
    hours = [
        estimate([each], "fast", job_store).core_hours
        for each in (own._replace(kind="static"), levels._replace(kind="static"))
    ]
    grid = registry.profile("gpaw").growth[1]  # edges of 4.03 A: 2 k-points along each instead of 5
    assert hours[1] / hours[0] == pytest.approx((5 / 2) ** (3 * grid), rel=1e-3)

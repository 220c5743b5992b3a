"""Planes and terminations: exact plane lattices, nothing lost, nothing twice, independent of the origin."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from iface_wf.builders.solids.bonds import find_bonds, rigid_units
from iface_wf.builders.solids.planes import MAX_CELLS, in_plane_supercell, oriented_cell, period
from iface_wf.builders.solids.slabs import build_slab, build_slabs
from iface_wf.builders.solids.terminations import area_of, terminations
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal
from iface_wf.library.records import SurfaceSpec

CRYSTALS = {name: Library().filler(name) for name in ("LiI", "GdOOH", "SiO2", "I2", "Li")}
BULK = {name: read_crystal(record.crystal_path) for name, record in CRYSTALS.items()}
PEROVSKITE = Structure(
    Lattice.cubic(3.905),
    ["Sr", "Ti", "O", "O", "O"],
    [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
)
millers = st.tuples(*[st.integers(-3, 3)] * 3).filter(any)
names = st.sampled_from(sorted(CRYSTALS))


def charges(name):
    return dict(CRYSTALS[name].oxidation_states)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(*[st.floats(3, 9)] * 3),
    st.tuples(*[st.floats(65, 115)] * 3),
    millers,
)
def test_oriented_cell_is_the_same_lattice_with_the_plane_below(lengths, angles, miller):
    lattice = Lattice.from_parameters(*lengths, *angles)
    crystal = Structure(lattice, ["Li", "I"], [[0.1, 0.2, 0.3], [0.55, 0.61, 0.72]])
    cell = oriented_cell(crystal, miller)
    reduced = tuple(h // math.gcd(*miller) for h in miller)
    assert period(cell) == pytest.approx(lattice.d_hkl(reduced), rel=1e-6)
    assert cell.volume == pytest.approx(crystal.volume, rel=1e-6)
    assert cell.lattice.matrix[:2, 2] == pytest.approx([0, 0], abs=1e-6)
    assert np.linalg.det(cell.lattice.matrix) > 0
    assert cell.distance_matrix[0, 1] == pytest.approx(crystal.distance_matrix[0, 1], abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.floats(2, 8), st.floats(2, 8), st.floats(62, 118), st.floats(2, 18), st.floats(2, 18))
def test_in_plane_supercell_is_the_smallest_that_is_long_enough(a, b, gamma, x, y):
    u = np.array([a, 0.0])
    v = b * np.array([math.cos(math.radians(gamma)), math.sin(math.radians(gamma))])
    straight = math.ceil(max(x, y) / a) * math.ceil(max(x, y) / (b * math.sin(math.radians(gamma))))
    assume(straight <= MAX_CELLS)
    matrix = in_plane_supercell(u, v, (x, y))
    new = np.linalg.norm(matrix @ np.array([u, v]), axis=1)
    assert sorted(new)[0] >= min(x, y) - 0.1 - 1e-9
    assert sorted(new)[1] >= max(x, y) - 0.1 - 1e-9
    size = round(float(np.linalg.det(matrix)))
    assert size >= 1
    assert size <= max(1, straight)  # never larger than the plain repeat that is surely long enough


@pytest.mark.parametrize(
    ("crystal", "miller", "count"),
    [
        (BULK["LiI"], (0, 0, 1), 1),
        (BULK["LiI"], (1, 1, 1), 2),  # Li on top or I on top
        (BULK["Li"], (1, 1, 0), 1),
        (BULK["I2"], (0, 0, 1), 1),  # only between molecules
        (PEROVSKITE, (0, 0, 1), 2),  # SrO or TiO2 on top
        (PEROVSKITE, (1, 1, 1), 2),  # SrO3 or Ti on top
        (BULK["SiO2"], (0, 0, 1), 3),  # nine planes, three to each turn of the screw
    ],
)
def test_number_of_distinct_terminations(crystal, miller, count):
    states = {"Li": 1, "I": -1, "Sr": 2, "Ti": 4, "O": -2, "Si": 4}
    found = terminations(crystal, miller, states if len(crystal.composition) > 1 else {})
    assert len(found) == count
    tops = {t.label.split(":")[1] for t in found}
    assert len(tops) == count


def test_terminations_of_equal_composition_are_kept_apart():
    found = terminations(BULK["SiO2"], (1, 0, 1), charges("SiO2"))
    planes = [t.label.split(":")[1] for t in found]
    assert len(set(planes)) < len(planes)  # some are made of the same planes ...
    assert len({t.label for t in found}) == len(found)  # ... and yet each can be named
    slabs = [
        build_slab(CRYSTALS["SiO2"], SurfaceSpec(miller=(1, 0, 1), thickness=4, termination=t.label), polar="keep")
        for t in found
    ]
    depths = {tuple(np.round(np.sort(s.cart_coords[:, 2]), 3)) for s in slabs}
    assert len(depths) == len(found)


def test_units_stay_whole():
    for name, unit in (("I2", 2), ("GdOOH", 2)):
        crystal = BULK[name]
        centres = rigid_units(crystal, find_bonds(crystal, charges(name)))
        same = [tuple(c) for c in np.round(np.mod(centres + 1e-6, 1), 4)]
        assert max(same.count(c) for c in same) == unit
    for slab in build_slabs(CRYSTALS["GdOOH"], [(1, 0, 0), (0, 0, 1), (0, 1, 0)]):
        for site in slab:
            if site.specie.symbol == "H":
                assert any(n.specie.symbol == "O" for n in slab.get_neighbors(site, 1.1))
    for slab in build_slabs(CRYSTALS["I2"], [(1, 0, 0), (0, 0, 1), (1, 1, 1)]):
        assert all(len(slab.get_neighbors(site, 2.9)) == 1 for site in slab)


def test_bond_vectors_point_to_the_neighbour_across_any_boundary():
    cell = terminations(BULK["GdOOH"], (1, 0, 1), charges("GdOOH"))[0].cell  # has sites outside 0 to 1
    bonds = find_bonds(cell, charges("GdOOH"))
    coordination = np.bincount(bonds.start, minlength=len(cell))
    expected = {"Gd": {7}, "O": {4}, "H": {1}}  # O has 4 Gd, or 3 Gd and H
    assert all(coordination[i] in expected[s.specie.symbol] for i, s in enumerate(cell))
    assert np.linalg.norm(bonds.vector, axis=1).max() < 3.0
    ends = cell.cart_coords[bonds.start] + bonds.vector - cell.cart_coords[bonds.end]
    shift = cell.lattice.get_fractional_coords(ends)
    assert np.allclose(shift, np.rint(shift), atol=1e-6)


@settings(deadline=None, max_examples=15)
@given(names, millers, st.tuples(*[st.floats(-1, 1)] * 3))
def test_terminations_do_not_depend_on_the_origin(name, miller, shift):
    moved = BULK[name].copy()
    moved.translate_sites(range(len(moved)), shift)
    here, there = (terminations(c, miller, charges(name)) for c in (BULK[name], moved))
    assert [t.label for t in here] == [t.label for t in there]
    for a, b in zip(here, there, strict=True):
        assert a.broken_strength == pytest.approx(b.broken_strength, abs=1e-6)
        assert a.dipole_per_area == pytest.approx(b.dipole_per_area, abs=1e-6)
        one, two = (np.sort(pairs(t.stack(2))) for t in (a, b))
        assert one == pytest.approx(two, abs=1e-4)


def pairs(slab):
    i, j = np.triu_indices(len(slab), 1)
    return slab.distance_matrix[i, j]


@settings(deadline=None, max_examples=20)
@given(names, millers, st.floats(2, 20))
def test_slab_is_as_thick_as_asked_and_no_more_than_one_repeat_thicker(name, miller, asked):
    first = terminations(BULK[name], miller, charges(name))[0]
    slab = first.stack(first.layers(asked))
    thick = float(np.ptp(slab.cart_coords[:, 2]))
    assert thick >= asked - 1e-5
    assert thick < asked + period(first.cell) or first.layers(asked) == 1
    assert area_of(slab) * period(first.cell) == pytest.approx(first.cell.volume, rel=1e-9)


@pytest.mark.parametrize("name", ["LiI", "SiO2", "GdOOH"])
def test_vacuum_and_thickness_change_nothing_else(name):
    record = CRYSTALS[name]
    slabs = [build_slab(record, vacuum=v) for v in (6.0, 8.0, 19.7)]
    for slab, vacuum in zip(slabs, (6.0, 8.0, 19.7), strict=True):
        assert slab.composition == slabs[0].composition
        assert slab.cart_coords == pytest.approx(slabs[0].cart_coords, abs=1e-6)
        empty = slab.lattice.c - slab.cart_coords[:, 2].max()
        assert vacuum - 1e-6 <= empty < vacuum + 0.8
        assert slab.properties["vacuum"] == pytest.approx(empty, abs=1e-6)
    thicker = build_slab(record, thickness=18.0)
    assert thicker.lattice.matrix[:2] == pytest.approx(slabs[0].lattice.matrix[:2], abs=1e-9)


def test_plane_lattice_is_the_crystals_own():
    slab = build_slab(CRYSTALS["LiI"], "110")
    squares = {18 * m * m + 36 * n * n for m in range(5) for n in range(5)}  # the plane's vectors: 6/sqrt(2) and 6 A
    for length in slab.lattice.abc[:2]:
        assert min(abs(length**2 - s) for s in squares) == pytest.approx(0, abs=1e-6)
    count = abs(np.linalg.det(slab.properties["in_plane_supercell"]))
    assert area_of(slab) == pytest.approx(count * 36 / math.sqrt(2), rel=1e-9)


def test_polar_rock_salt_loses_its_dipole_by_moving_half_a_plane():
    record = CRYSTALS["LiI"]
    spec = SurfaceSpec(miller=(1, 1, 1), thickness=8)  # in the smallest cell half a plane is half an ion
    with pytest.raises(InputError, match="dipole"):
        build_slab(record, spec)
    kept = build_slab(record, spec, polar="keep")
    assert kept.properties["polar"]
    slab = build_slab(record, spec, in_plane=(8.4, 8.4))
    assert slab.composition.reduced_formula == "LiI"
    assert not slab.properties["polar"]
    q = np.array([{"Li": 1, "I": -1}[s.specie.symbol] for s in slab])
    assert q @ slab.cart_coords[:, 2] / area_of(slab) == pytest.approx(0, abs=0.002)
    z = slab.cart_coords[:, 2]
    top, bottom = np.isclose(z, z.max(), atol=0.1), np.isclose(z, z.min(), atol=0.1)
    assert top.sum() == bottom.sum() == slab.properties["moved_ions"]
    assert np.ptp(z) > 8


def test_every_termination_of_several_surfaces():
    built = list(build_slabs(CRYSTALS["LiI"], [(0, 0, 1), (1, 1, 1)]))
    assert [s.properties["miller"] for s in built] == [[0, 0, 1], [1, 1, 1], [1, 1, 1]]
    assert [s.properties["polar"] for s in built] == [False, True, True]
    assert all(s.properties["stoichiometric"] for s in built)
    with pytest.raises(InputError, match="No termination"):
        list(build_slabs(CRYSTALS["LiI"], (1, 1, 1), in_plane=(1.0, 1.0), polar="repair"))


def test_symmetric_is_what_geometry_says():
    for name, miller in itertools.product(("LiI", "SiO2"), ((0, 0, 1), (1, 0, 1), (1, 1, 1))):
        for found in terminations(BULK[name], miller, charges(name)):
            planes = np.sort(np.round(found.stack(2).cart_coords[:, 2], 3))
            if found.symmetric:  # then the heights read the same from below
                assert planes == pytest.approx(np.sort(planes.max() - planes), abs=2e-3)
            assert not (found.symmetric and found.polar)

"""Solid on solid: strain as said, nothing lost, the substrate where it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.interfaces.coherent_interfaces import CoherentInterfaceBuilder
from pymatgen.analysis.interfaces.zsl import ZSLGenerator

from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.solids import stacks
from iface_wf.builders.solids.cell import BOTTOM_VACUUM
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.stacks import Layer, all_stacks, build_stack, layers_of, match_planes
from iface_wf.builders.solids.surfaces import CONTACT, closest_contact
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal

LIBRARY = Library()


def layer(name, surface=None, thickness=6.0):
    return Layer(LIBRARY.filler(name), surface, thickness)


@pytest.fixture(scope="module")
def wetted():
    return build_stack([layer("LiI"), layer("Li")])


def check(stack, names):
    """What must hold for every stack."""
    parts = layers_of(stack)
    assert [p.composition.reduced_formula for p in parts] == names
    assert sum(len(p) for p in parts) == len(stack)
    z = stack.cart_coords[:, 2]
    assert z.min() == pytest.approx(BOTTOM_VACUUM, abs=1e-6)
    assert math.remainder(stack.lattice.c, EDGE_STEP) == pytest.approx(0, abs=1e-6)
    assert 8 - 1e-6 <= stack.lattice.c - z.max() < 8 + EDGE_STEP
    assert stack.lattice.pbc == (True, True, False)
    tops = [p.cart_coords[:, 2].max() for p in parts]
    bottoms = [p.cart_coords[:, 2].min() for p in parts]
    for below, above, report in zip(tops[:-1], bottoms[1:], stack.properties["layers"][1:], strict=True):
        assert above - below == pytest.approx(report["gap"], abs=1e-6)
        assert max(map(abs, report["strains"])) <= 0.05
    assert closest_contact(stack)[0] > CONTACT
    assert set(stack.site_properties["component"]) == {"slab"}


def test_lithium_on_lithium_iodide(wetted):
    check(wetted, ["LiI", "Li"])
    iodide, metal = layers_of(wetted)
    assert np.array(iodide.site_properties["selective_dynamics"]).any(axis=1).sum() < len(iodide)
    assert np.array(metal.site_properties["selective_dynamics"]).all()


def test_the_substrate_is_its_own_slab_and_only_the_film_is_strained(wetted):
    slab = build_slab(LIBRARY.filler("LiI"), thickness=6.0, in_plane=(0.0, 0.0))
    iodide, metal = layers_of(wetted)
    times = len(iodide) / len(slab)
    assert wetted.properties["area"] == pytest.approx(times * 18.0, rel=1e-9)  # A^2, a^2 / 2
    assert np.unique(iodide.cart_coords[:, 2].round(4)) == pytest.approx(np.unique(slab.cart_coords[:, 2].round(4)))
    strains = wetted.properties["layers"][1]["strains"]
    atoms = len(metal) / len(np.unique(metal.cart_coords[:, 2].round(3)))  # in one plane of lithium
    stretched = wetted.properties["area"] / (atoms * 3.51**2)
    assert (1 + strains[0]) * (1 + strains[1]) == pytest.approx(stretched, rel=1e-6)


@pytest.mark.slow
def test_common_cell_is_the_smallest_one_of_pymatgens_builder(wetted):
    crystals = [read_crystal(LIBRARY.filler(n).crystal_path) for n in ("Li", "LiI")]
    zsl = ZSLGenerator(max_area=200, max_area_ratio_tol=0.11, max_length_tol=0.05, max_angle_tol=0.05)
    builder = CoherentInterfaceBuilder(crystals[1], crystals[0], (0, 0, 1), (0, 0, 1), zslgen=zsl)
    areas = {round(float(np.linalg.norm(np.cross(*m.substrate_sl_vectors))), 3) for m in builder.zsl_matches}
    assert round(wetted.properties["area"], 3) == min(areas)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "formulas"),
    [
        (("LLZO", "Li"), ["Li7La3Zr2O12", "Li"]),
        (("LLZO", "LiI"), ["Li7La3Zr2O12", "LiI"]),
        (("LLZO", "LiI", "Li"), ["Li7La3Zr2O12", "LiI", "Li"]),
    ],
)
def test_garnet_stacks(names, formulas):
    check(build_stack([layer(n) for n in names]), formulas)


def test_all_pairs_of_terminations():
    films = [s.properties["layers"][1]["termination"] for s in all_stacks(layer("Li"), layer("I2", "111"))]
    assert films
    assert len(set(films)) == len(films)


@settings(deadline=None, max_examples=15)
@given(st.floats(0.97, 1.03), st.floats(0, 2 * math.pi))
def test_a_turned_and_stretched_copy_matches_with_just_that_strain(stretch, angle):
    base = np.array([[4.2, 0.0], [1.1, 5.3]])
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    found = match_planes(base, base @ turn / stretch, max_area=60)
    assert found.area == pytest.approx(abs(np.linalg.det(base)), rel=1e-6)
    assert found.strains == pytest.approx((stretch - 1, stretch - 1), abs=1e-6)
    assert np.linalg.det(found.substrate) > 0
    assert np.linalg.det(found.film) * np.linalg.det(base @ turn) > 0


def test_a_mirror_image_is_no_match():
    base = np.array([[4.2, 0.0], [1.1, 5.3]])
    with pytest.raises(InputError, match="common cell"):
        match_planes(base, base * np.array([1, -1]), max_area=30, max_strain=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_strain": 0.001}, "common cell"),
        ({"gap": 0.0}, "gap"),
        ({"vacuum": 1.0}, "vacuum"),
    ],
)
def test_impossible_stacks_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        build_stack([layer("LiI"), layer("Li")], **{"max_area": 100.0} | arguments)


def test_a_stack_needs_two_layers_and_a_slab_is_none(monkeypatch):
    with pytest.raises(InputError, match="two layers"):
        build_stack([layer("Li")])
    with pytest.raises(InputError, match="no stack"):
        layers_of(build_slab(LIBRARY.filler("Li")))
    monkeypatch.setattr(stacks, "MAX_ATOMS", 10)
    with pytest.raises(InputError, match="atoms, at most"):
        build_stack([layer("LiI"), layer("Li")])

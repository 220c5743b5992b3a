"""Slabs: place in the cell, chemistry of the hydroxylated surface, requests honoured or refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.solids.cell import BOTTOM_VACUUM
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.surfaces import CONTACT, closest_contact
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def silica():
    return Library().filler("SiO2")


@pytest.fixture(scope="module")
def slab(silica):
    return build_slab(silica)


def test_the_default_silica_slab_is_small_and_at_its_place(slab):
    assert len(slab) <= 72
    a, b, c = slab.lattice.abc
    assert 9.7 < a < 10.2
    assert 9.7 < b < 10.2
    assert slab.lattice.pbc == (True, True, False)
    assert slab.lattice.matrix[2] == pytest.approx([0, 0, c], abs=1e-9)
    z = slab.cart_coords[:, 2]
    assert z.min() == pytest.approx(BOTTOM_VACUUM, abs=1e-6)
    assert math.remainder(c, EDGE_STEP) == pytest.approx(0, abs=1e-6)
    assert 8.0 - 1e-6 <= c - z.max() < 8.0 + EDGE_STEP
    assert set(slab.site_properties["component"]) == {"slab"}


def test_silica_is_hydroxylated_as_chemistry_demands(slab):
    def bonded(site, element, cutoff):
        return sum(n.specie.symbol == element for n in slab.get_neighbors(site, cutoff))

    for site in slab:
        silicon, hydrogen = bonded(site, "Si", 1.9), bonded(site, "H", 1.2)
        match site.specie.symbol:
            case "Si":
                assert bonded(site, "O", 1.9) == 4
            case "O":
                assert silicon + hydrogen == 2
                assert silicon >= 1
            case "H":
                assert bonded(site, "O", 1.2) == 1
    assert closest_contact(slab)[0] > CONTACT
    for face in ("top", "bottom"):
        assert 4.0 <= slab.properties["silanol_density"][face] <= 6.0
    charge = sum({"Si": 4, "O": -2, "H": 1}[site.specie.symbol] for site in slab)
    assert charge == slab.properties["charge"] == 0


def test_the_lower_part_is_held(slab):
    free = np.array(slab.site_properties["selective_dynamics"]).all(axis=1)
    z = slab.cart_coords[:, 2]
    assert 0 < (~free).sum() < len(slab)
    assert z[~free].max() < z[free].min()


def test_properties_are_plain_json_and_say_what_was_built(slab):
    assert json.loads(json.dumps(slab.properties)) == slab.properties
    assert slab.properties["filler"] == "SiO2"
    assert slab.properties["miller"] == [0, 0, 1]
    assert slab.properties["symmetric"]
    assert not slab.properties["polar"]


@pytest.mark.parametrize("surface", ["001", "0 0 1", "(0,0,1)", (0, 0, 1), "001/1"])
def test_one_surface_written_in_many_ways(silica, slab, surface):
    assert build_slab(silica, surface) == slab


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"surface": (0, 0, 0)}, "0 0 0|not all 0"),
        ({"surface": "abc"}, "Miller"),
        ({"surface": "101/77"}, "termination"),
        ({"surface": (12, 0, 1)}, "at most 9"),
        ({"thickness": -1.0}, "thickness"),
        ({"thickness": float("nan")}, "thickness"),
        ({"vacuum": 2.0}, "vacuum"),
        ({"in_plane": (500.0, 500.0)}, "surface cells"),
        ({"thickness": 60.0, "in_plane": (25.0, 25.0)}, "atoms"),
    ],
)
def test_impossible_requests_are_refused_in_one_sentence(silica, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        build_slab(silica, **arguments)
    assert "\n" not in str(caught.value)

"""Wires: the right width, whole and neutral units, one periodic direction."""

from __future__ import annotations

import math

import numpy as np
import pytest

from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.solids.disorder import bulk
from iface_wf.builders.solids.surfaces import CONTACT, closest_contact
from iface_wf.builders.solids.wires import DIAMETER_TOLERANCE, build_wire
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def gadolinium():
    return Library().filler("GdOOH")


@pytest.fixture(scope="module")
def wire(gadolinium):
    return build_wire(gadolinium, min_length=9.8)


def across(wire):
    """Largest distance of two atoms seen along the wire, in A."""
    points = wire.cart_coords[:, 1:]
    return float(np.linalg.norm(points[:, None] - points[None], axis=-1).max())


def test_the_chain_is_about_0_95_nm_wide_and_periodic_along_a(wire):
    assert across(wire) == pytest.approx(9.5, abs=0.5)  # A, 10.1002/adma.202303226
    assert wire.properties["diameter"] == pytest.approx(across(wire), abs=1e-6)
    assert wire.lattice.pbc == (True, False, False)
    assert np.allclose(wire.lattice.matrix, np.diag(wire.lattice.abc), atol=1e-9)
    assert wire.lattice.a == pytest.approx(3 * 3.71, abs=1e-6)
    assert set(wire.site_properties["component"]) == {"slab"}


def test_the_chain_is_gdooh_with_whole_hydroxides(wire):
    assert wire.composition.reduced_formula == "GdHO2"
    assert sum({"Gd": 3, "O": -2, "H": 1}[s.specie.symbol] for s in wire) == wire.properties["charge"] == 0
    for site in wire:
        near = wire.get_neighbors(site, 2.7)
        if site.specie.symbol == "H":
            assert sum(n.specie.symbol == "O" for n in wire.get_neighbors(site, 1.1)) == 1
        if site.specie.symbol == "Gd":  # seven in the crystal; the surface keeps most
            assert sum(n.specie.symbol == "O" for n in near) >= 5
    assert closest_contact(wire)[0] > CONTACT


def test_no_dipole_across_the_wire(wire):
    q = np.array([{"Gd": 3, "O": -2, "H": 1}[s.specie.symbol] for s in wire])
    assert np.linalg.norm(q @ wire.cart_coords[:, 1:]) / len(wire) == pytest.approx(0, abs=0.05)  # e A


@pytest.mark.parametrize("vacuum", [6.0, 8.3, 12.0])
def test_vacuum_on_every_side_is_what_was_asked(gadolinium, vacuum):
    made = build_wire(gadolinium, vacuum=vacuum)
    low, high = made.cart_coords[:, 1:].min(axis=0), made.cart_coords[:, 1:].max(axis=0)
    sides = np.array(made.lattice.abc[1:])
    assert low == pytest.approx([vacuum] * 2, abs=1e-6)
    assert np.all(sides - high >= vacuum - 1e-6)
    assert np.all(sides - high < vacuum + EDGE_STEP)
    assert all(math.remainder(s, EDGE_STEP) == pytest.approx(0, abs=1e-6) for s in sides)


@pytest.mark.parametrize(
    ("name", "diameter", "direction"), [("GdOOH", 6.0, None), ("LiI", 9.0, (0, 0, 1)), ("Li", 9.0, (1, 1, 1))]
)
def test_other_wires(name, diameter, direction):
    record = Library().filler(name)
    made = build_wire(record, diameter, direction)
    assert across(made) == pytest.approx(diameter, abs=DIAMETER_TOLERANCE)
    assert made.composition.reduced_composition == bulk(record).composition.reduced_composition


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"diameter": 1.0}, "diameter"),
        ({"vacuum": float("nan")}, "vacuum"),
        ({"min_length": -1.0}, "length"),
        ({"direction": (0, 0, 0)}, "not all 0"),
        ({"direction": (7, 9, 8)}, "up to 3"),
        ({"diameter": 14.0, "min_length": 100.0}, "atoms"),
    ],
)
def test_impossible_wires_are_refused(gadolinium, arguments, message):
    with pytest.raises(InputError, match=message):
        build_wire(gadolinium, **arguments)


def test_a_filler_without_a_wire_says_so():
    with pytest.raises(InputError, match="names no wire"):
        build_wire(Library().filler("LiI"))

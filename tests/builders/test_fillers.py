"""Every filler of the library gives a slab that a calculation can start from."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from iface_wf.builders.components import select
from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.solids.cell import BOTTOM_VACUUM
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.surfaces import CONTACT, closest_contact
from iface_wf.builders.solids.terminations import POLAR_TOLERANCE, area_of
from iface_wf.library import Library

LIBRARY = Library()
SLABS = {}


def default(name):
    """The default slab of a filler, built once."""
    if name not in SLABS:
        SLABS[name] = build_slab(LIBRARY.filler(name))
    return SLABS[name]


def by_cost(name):
    """Name a filler as a parameter; garnets take seconds, because their ions are put in order."""
    return pytest.param(name, marks=pytest.mark.slow) if name in ("LLZTO", "LLZO") else name


@pytest.mark.parametrize("name", [by_cost(name) for name in LIBRARY.names("filler")])
def test_default_slab(name):
    record, slab = LIBRARY.filler(name), default(name)
    assert len(slab) <= 200
    assert closest_contact(slab)[0] > CONTACT
    z = slab.cart_coords[:, 2]
    assert z.min() == pytest.approx(BOTTOM_VACUUM, abs=1e-6)
    assert math.remainder(slab.lattice.c, EDGE_STEP) == pytest.approx(0, abs=1e-6)
    assert slab.lattice.pbc == (True, True, False)
    assert set(slab.site_properties["component"]) <= {"slab", "graft"}
    free = np.array(slab.site_properties["selective_dynamics"]).all(axis=1)
    assert 0.1 < np.mean(~free) < 0.7
    report = slab.properties
    assert json.loads(json.dumps(report)) == report
    assert report["charge"] == 0
    assert report["polar"] is False
    assert report["formula"] == slab.composition.formula
    assert report["thickness"] >= record.surfaces[0].thickness - 1e-6
    assert min(slab.lattice.abc[:2]) > 7.9  # A; room for an oligomer


@pytest.mark.parametrize("name", [by_cost(n) for n in LIBRARY.names("filler") if LIBRARY.filler(n).oxidation_states])
def test_formal_charges_cancel_and_leave_no_dipole(name):
    slab = select(default(name), "slab")
    states = {"H": 1} | dict(LIBRARY.filler(name).oxidation_states)
    q = np.array([states[site.specie.symbol] for site in slab])
    arms = 1 if LIBRARY.filler(name).graft else 0  # an arm took the place of one proton
    assert q.sum() + arms == 0
    if not any(site.specie.symbol == "H" for site in slab):  # a hydroxyl's direction is not the cut's
        assert abs(q @ slab.cart_coords[:, 2]) / area_of(slab) <= POLAR_TOLERANCE


@pytest.mark.parametrize("name", [n for n in LIBRARY.names("filler") if LIBRARY.filler(n).silanols])
def test_silanol_density_is_that_of_silica(name):
    allowed = LIBRARY.filler(name).silanols
    for density in default(name).properties["silanol_density"].values():
        assert allowed.min_per_nm2 <= density <= allowed.max_per_nm2
        assert density <= 6.0


@pytest.mark.parametrize(("name", "unit", "cutoff", "count"), [
    pytest.param("LLZTO", ("Zr", "Ta"), 2.4, 6, marks=pytest.mark.slow),
    pytest.param("LLZO", ("Zr",), 2.4, 6, marks=pytest.mark.slow), ("LAGP", ("P",), 1.8, 4), ("LATP", ("P",), 1.8, 4),
])  # fmt: skip
def test_no_polyhedron_is_torn_and_lithium_keeps_its_distance(name, unit, cutoff, count):
    slab = default(name)
    for site in slab:
        if site.specie.symbol in unit:
            assert sum(n.specie.symbol == "O" for n in slab.get_neighbors(site, cutoff)) == count
        if site.specie.symbol == "Li":
            near = slab.get_neighbors(site, 2.6)
            assert all(n.nn_distance >= 2.2 - 1e-6 for n in near if n.specie.symbol == "Li")
            assert sum(n.specie.symbol == "O" for n in near) >= 1


def test_gadolinium_stays_at_least_five_coordinate():
    slab = default("GdOOH")
    for site in slab:
        if site.specie.symbol == "Gd":
            assert sum(n.specie.symbol == "O" for n in slab.get_neighbors(site, 2.7)) >= 5

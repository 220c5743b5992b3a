"""Placements: contact as asked, slab untouched, images apart, cell on the grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from iface_wf.builders.contact import symbols_of, vdw_radii
from iface_wf.builders.molecules.fragments import from_smiles
from iface_wf.builders.placing.bodies import Body, same_fingerprint
from iface_wf.builders.placing.placements import count_placements, footprint, place, principal_axes
from iface_wf.builders.placing.targets import Target, surface_sites
from iface_wf.errors import InputError


def slab_of(a: float = 14.0, b: float = 12.0, gamma: float = 90.0) -> Structure:
    """Two flat layers of oxygen and magnesium, lowest atom at 6 A."""
    nx, ny = round(a / 2.4), round(b / 2.4)
    lattice = Lattice.from_parameters(a, b, 16.0, 90, 90, gamma)
    lattice = Lattice(lattice.matrix, pbc=(True, True, False))
    species, frac = [], []
    for k in range(2):
        for i in range(nx):
            for j in range(ny):
                species.append("Mg" if (i + j + k) % 2 else "O")
                frac.append([i / nx, j / ny, (6.0 + 2.1 * k) / 16.0])
    slab = Structure(lattice, species, frac, site_properties={"component": ["slab"] * len(frac)})
    slab.add_site_property("selective_dynamics", [[site.z > 7.0] * 3 for site in slab])
    return slab


@pytest.fixture(scope="module")
def ether() -> Structure:
    return from_smiles("COCCOC", n_conformers=4)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    vacuum=st.floats(6.0, 15.0),
    clearance=st.floats(0.6, 1.2),
    gamma=st.sampled_from([90.0, 75.0, 120.0]),
)
def test_placements_keep_their_promises(ether, seed, vacuum, clearance, gamma) -> None:
    slab = slab_of(14.0, 14.4, gamma)
    found = place(slab, ether, 3, seed, vacuum, clearance)
    assert found
    for interface in found:
        count = len(slab)
        # The slab is where it was, and keeps a, b, labels and frozen atoms.
        np.testing.assert_allclose(interface.cart_coords[:count], slab.cart_coords, atol=1e-9)
        np.testing.assert_allclose(interface.lattice.matrix[:2], slab.lattice.matrix[:2], atol=1e-9)
        assert interface.site_properties["component"] == ["slab"] * count + ["polymer"] * len(ether)
        assert interface.site_properties["selective_dynamics"][:count] == slab.site_properties["selective_dynamics"]
        # Vacuum: at least what was asked, at most one grid unit more.
        c = interface.lattice.c
        empty = c - interface.cart_coords[:, 2].max()
        assert vacuum - 1e-6 <= empty < vacuum + 0.8 + 1e-6
        assert abs(c / 0.8 - round(c / 0.8)) < 1e-6
        # The fragment is a rigid copy.
        before = ether.distance_matrix
        after = np.linalg.norm(interface.cart_coords[count:, None] - interface.cart_coords[None, count:], axis=-1)
        np.testing.assert_allclose(after, before, atol=1e-6)
        # The closest contact, found by pymatgen's periodic distances, is the one asked for.
        radii = vdw_radii([site.specie.symbol for site in interface])
        ratio = interface.distance_matrix / (radii[:, None] + radii[None])
        assert ratio[:count, count:].min() == pytest.approx(clearance, abs=1e-6)


def test_same_seed_same_placements_whatever_their_number(ether: Structure) -> None:
    slab = slab_of()
    few, many = place(slab, ether, 2, seed=5), place(slab, ether, 5, seed=5)
    for first, second in zip(few, many, strict=False):
        np.testing.assert_allclose(first.cart_coords, second.cart_coords, atol=1e-9)
    other = place(slab, ether, 2, seed=6)
    assert not np.allclose(few[1].cart_coords, other[1].cart_coords, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [90.0, 120.0])
def test_placements_are_counted_without_being_made(ether: Structure, gamma: float) -> None:
    small, large = slab_of(2.4, 2.4, gamma), slab_of(14.0, 14.4, gamma)
    for seed in range(3):
        assert count_placements(large, ether, 6, seed, 8.0, 0.85, None) == len(place(large, ether, 6, seed))
    for attempt in (place, lambda slab, part: count_placements(slab, part, 8, 0, 8.0, 0.85, None)):
        with pytest.raises(InputError, match="own periodic image"):
            attempt(small, ether)


def test_equivalent_placements_have_one_fingerprint_and_are_dropped(ether: Structure) -> None:
    slab = slab_of(14.4, 14.4)
    symbols = symbols_of(ether)
    body = Body.seen_from(slab)
    posed = body.lowered(ether.cart_coords, body.reach(symbols, 0.85))
    mark = body.fingerprint(posed, symbols)
    # The rock-salt layer repeats by (2.4, 2.4), half its conventional cell's diagonal, and has mirror planes.
    moved = body.fingerprint(posed + np.array([2.4, 2.4, 0.0]), symbols)
    mirrored = body.fingerprint(posed * np.array([-1.0, 1.0, 1.0]), symbols)
    shifted = body.fingerprint(posed + np.array([1.2, 0.0, 0.0]), symbols)
    assert same_fingerprint(mark, moved)
    assert same_fingerprint(mark, mirrored)
    assert not same_fingerprint(mark, shifted)
    # A lone atom has few different places on such a layer.
    assert len(place(slab_of(4.8, 4.8), from_smiles("[He]", n_conformers=1), 200, seed=1)) < 150


def test_too_small_cells_are_refused_with_the_size_that_fits(ether: Structure) -> None:
    with pytest.raises(InputError, match="supercell of at least") as error:
        place(slab_of(2.4, 2.4), ether)
    lx, ly = footprint(ether)
    assert f"{lx:.1f} x {ly:.1f}" in str(error.value)
    assert place(slab_of(lx + 0.01, ly + 0.01), ether, 1)[0].properties["placement"]["index"] == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"n": 0}, "placements"),
        ({"seed": -1}, "seed"),
        ({"vacuum": 3.0}, "vacuum"),
        ({"clearance": 0.1}, "clearance"),
    ],
)
def test_numbers_out_of_range_are_refused(ether: Structure, options: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        place(slab_of(), ether, **options)


def test_tilted_c_is_refused(ether: Structure) -> None:
    slab = slab_of()
    matrix = np.array(slab.lattice.matrix)
    matrix[2, 0] = 2.0
    tilted = Structure(
        Lattice(matrix, pbc=(True, True, False)),
        slab.species,
        slab.cart_coords,
        coords_are_cartesian=True,
        site_properties=slab.site_properties,
    )
    with pytest.raises(InputError, match="perpendicular"):
        place(tilted, ether)


def test_principal_axes_are_a_rotation_that_lays_flat(ether: Structure) -> None:
    axes = principal_axes(ether.cart_coords)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    spread = np.var(ether.cart_coords @ axes.T, axis=0)
    assert spread[0] > spread[1] > spread[2]


def wire_of() -> Structure:
    """A thin rod of Mg and O along a, in a box whose walls are 6 A away."""
    species, xyz = [], []
    for i in range(6):
        for j in range(2):
            for k in range(2):
                species.append("Mg" if (i + j + k) % 2 else "O")
                xyz.append([2.1 * i, 6.0 + 2.1 * j, 6.0 + 2.1 * k])
    lattice = Lattice([[12.6, 0, 0], [0, 14.4, 0], [0, 0, 14.4]], pbc=(True, False, False))
    labels = {"component": ["slab"] * len(xyz)}
    return Structure(lattice, species, xyz, coords_are_cartesian=True, site_properties=labels)


def test_wires_are_approached_from_all_sides_and_boxed_with_vacuum() -> None:
    wire, guest = wire_of(), from_smiles("COC", n_conformers=1)
    found = place(wire, guest, 12, seed=2, vacuum=7.0)
    sides = set()
    for interface in found:
        count = len(wire)
        assert tuple(interface.lattice.pbc) == (True, False, False)
        shift = np.array(interface.properties["placement"].get("substrate_shift", [0, 0, 0]))
        # The wire moves, if at all, by whole grid steps across its axis.
        np.testing.assert_allclose(
            interface.cart_coords[:count] - wire.cart_coords, np.tile(shift, (count, 1)), atol=1e-9
        )
        assert shift[0] == 0
        np.testing.assert_allclose(shift / 0.8, np.round(shift / 0.8), atol=1e-9)
        for axis in (1, 2):
            edge = interface.lattice.matrix[axis, axis]
            assert edge - interface.cart_coords[:, axis].max() >= 7.0 - 1e-9
            assert interface.cart_coords[:, axis].min() >= 6.0 - 1e-9
            assert abs(edge / 0.8 - round(edge / 0.8)) < 1e-6
        radii = vdw_radii(symbols_of(interface))
        ratio = interface.distance_matrix / (radii[:, None] + radii[None])
        assert ratio[:count, count:].min() == pytest.approx(0.85, abs=1e-6)
        across = interface.cart_coords[count:].mean(axis=0) - interface.cart_coords[:count].mean(axis=0)
        sides.add((across[1] > 0, across[2] > 0))
    assert len(sides) >= 3


def test_oxygen_is_aimed_at_a_metal_site_of_a_wire_and_a_slab(ether: Structure) -> None:
    target = Target(group="[OX2]", surface="Mg")
    for substrate in (wire_of(), slab_of(14.4, 14.4)):
        for interface in place(substrate, from_smiles("COC", n_conformers=1), 4, seed=1, target=target):
            site, atom = interface.properties["placement"]["aimed_pair"]
            assert interface[site].specie.symbol == "Mg"
            # Mg-O coordination bonds are 2.0 to 2.3 A; neighbours may keep a bulky group somewhat off.
            assert 1.9 < interface.get_distance(site, len(substrate) + atom) < 3.4


def test_surface_sites_know_bonds_and_burial() -> None:
    slab = slab_of(14.4, 14.4)
    top = surface_sites(slab, "Mg")
    assert top
    assert min(slab[i].z for i in top) > 8.0
    assert surface_sites(slab, "Mg-O") == top
    with pytest.raises(InputError, match="no Mg-H"):
        surface_sites(slab, "Mg-H")
    buried = slab.copy()
    for i, site in enumerate(slab):
        if site.z > 7.0:
            buried.replace(i, "O")
    with pytest.raises(InputError, match="buried"):
        surface_sites(buried, "Mg")

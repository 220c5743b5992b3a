"""The docking force field: its gradient, its distances, and that docking finds what is there, the same for the same seed."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.docking.field import DockingField
from iface_wf.builders.docking.parameters import POLARISED, bond_charges
from iface_wf.builders.docking.search import descriptor, dock, unlike
from iface_wf.builders.docking.shapes import Shapes
from iface_wf.builders.molecules.complexes import build_salt
from iface_wf.builders.molecules.fragments import from_smiles, mol_of
from iface_wf.builders.molecules.ions import partial_charges
from iface_wf.builders.placing.targets import Target
from iface_wf.documents.labels import CATION
from iface_wf.library import Library


@pytest.fixture(scope="module")
def silanols() -> Structure:
    """Two silanols on a frozen layer of silica: a slab of ten atoms, whose hydrogens may turn."""
    lattice = Lattice(np.diag([7.5, 7.0, 20.0]), pbc=(True, True, False))
    half = np.array([[0, 0, 8.0], [0, 0, 9.62], [0.9, 0, 9.9], [1.6, 0, 7.6], [0, 1.6, 7.6]])
    xyz = np.vstack([half + [1.0, 1.0, 0.0], half + [4.7, 4.4, 0.0]])
    free = [[False] * 3, [True] * 3, [True] * 3, [False] * 3, [False] * 3] * 2
    labels = {"component": ["slab"] * 10, "selective_dynamics": free}
    return Structure(lattice, ["Si", "O", "H", "O", "O"] * 2, xyz, coords_are_cartesian=True, site_properties=labels)


@pytest.fixture(scope="module")
def water() -> Structure:
    return from_smiles("O")


@pytest.fixture(scope="module")
def pair() -> Structure:
    return build_salt(Library().salt("LiFSI"), n_conformers=2)


def on_top(slab: Structure, fragment: Structure, height: float = 2.5) -> np.ndarray:
    xyz = fragment.cart_coords - fragment.cart_coords.mean(axis=0)
    return xyz + [2.0, 1.5, slab.cart_coords[:, 2].max() + height - xyz[:, 2].min()]


@pytest.mark.parametrize("kind", ["water", "pair", "without bonds"])
def test_the_gradient_is_that_of_the_energy(silanols, water, pair, kind):
    fragment = {"water": water, "pair": pair, "without bonds": pair.copy()}[kind]
    if kind == "without bonds":  # as from elsewhere: springs hold it together
        fragment.properties = {}
    field = DockingField(silanols, fragment)
    x = np.vstack([on_top(silanols, fragment, 1.8), silanols.cart_coords[field.hydroxyls] + 0.05]).ravel()
    gradient = field._energy(x)[1]
    step = 1e-4
    for k in range(0, len(x), 4):
        up, down = x.copy(), x.copy()
        up[k] += step
        down[k] -= step
        slope = (field._energy(up)[0] - field._energy(down)[0]) / (2 * step)
        # central differences of 1e-4 A are good to 1e-3 eV/A on pairs this close; some pair may cross the cutoff
        assert gradient[k] == pytest.approx(slope, abs=2e-3, rel=1e-3)


def test_water_makes_a_hydrogen_bond_with_a_silanol(silanols, water):
    found = DockingField(silanols, water).minimise(on_top(silanols, water))
    oxygen = found.fragment[symbols_of(water).index("O")]
    donor = np.linalg.norm(found.hydroxyls - oxygen, axis=1).min()
    acceptor = np.linalg.norm(
        found.fragment[[i for i, s in enumerate(symbols_of(water)) if s == "H"]][:, None]
        - silanols.cart_coords[[1, 6]][None],
        axis=-1,
    ).min()
    assert 1.6 < min(donor, acceptor) < 2.2  # A; hydrogen bonds are 1.7 to 2.1


def test_lithium_sits_at_the_distance_of_lithium(silanols, pair):
    found = DockingField(silanols, pair).minimise(on_top(silanols, pair, 2.0))
    symbols = symbols_of(pair)
    lithium = found.fragment[symbols.index("Li")]
    oxygens = [found.fragment[i] for i, s in enumerate(symbols) if s in ("O", "F", "N")]
    nearest = np.linalg.norm(np.array([*oxygens, *silanols.cart_coords[[1, 3, 4, 6, 8, 9]]]) - lithium, axis=1).min()
    assert 1.7 < nearest < 2.3  # A; Li-O contacts are 1.85 to 2.1


def test_bonds_and_angles_stay_as_the_engine_has_them(silanols):
    """Those of MMFF94 would differ by hundredths of an angstrom, which costs an engine more than poses differ by."""
    fragment = from_smiles("COC")
    stretched = fragment.copy()
    stretched.scale_lattice(fragment.volume * 1.03**3)  # all bonds longer by 3 %, angles as before
    for molecule in (fragment, stretched):
        found = DockingField(silanols, molecule).minimise(on_top(silanols, molecule))
        bonded = molecule.distance_matrix < 1.6
        lengths = np.linalg.norm(found.fragment[:, None] - found.fragment[None], axis=-1)
        # springs of 30 eV/A^2 against forces of contacts of some 0.5 eV/A
        assert np.abs(lengths - molecule.distance_matrix)[bonded].max() < 0.02


def test_hydroxyls_that_nothing_binds_stay_where_the_slab_has_them(silanols, water):
    field = DockingField(silanols, water)
    far = on_top(silanols, water, 30.0)
    home = silanols.cart_coords[field.hydroxyls]
    found = field.minimise(far)
    assert np.allclose(found.hydroxyls, home, atol=1e-3)  # A
    turned = field.minimise(far, field.turned_hydroxyls(home, np.random.default_rng(0)))
    assert np.allclose(turned.hydroxyls, home, atol=0.05)
    near = field.minimise(on_top(silanols, water))
    assert np.linalg.norm(near.hydroxyls - home, axis=1).max() > 0.1  # a hydrogen bond turns one


def test_neutral_molecules_are_polarised_and_ions_are_not(silanols, pair):
    ether = from_smiles("COC")
    for molecule, factor in ((ether, POLARISED), (pair, 1.0)):
        own = DockingField(silanols, molecule)._charges[: len(molecule)]
        assert own == pytest.approx(factor * partial_charges(mol_of(molecule)), abs=1e-9)


def test_charges_are_neutral_and_have_the_sign_of_the_element(silanols, pair):
    for structure in (silanols, pair):
        charges = bond_charges(structure)
        assert charges.sum() == pytest.approx(0.0, abs=1e-9)
        for symbol, charge in zip(symbols_of(structure), charges, strict=True):
            assert charge < 0 if symbol in ("O", "F", "N") else charge > 0 or symbol == "S"
    assert bond_charges(pair)[symbols_of(pair).index("Li")] <= 0.9 + 1e-9


def test_docking_finds_more_than_placing_and_the_same_again(silanols, water):
    found = dock(silanols, water, 16, seed=3)
    again = dock(silanols, water, 16, seed=3)
    assert [pose.energy for pose in found.poses] == [pose.energy for pose in again.poses]
    assert found.poses[0].energy == 0.0
    assert [pose.energy for pose in found.poses] == sorted(pose.energy for pose in found.poses)
    assert found.placed == 5
    assert 1 <= sum(pose.hits for pose in found.poses) <= found.placed  # hopeless ones are given up
    size = len(silanols)
    marks = [descriptor(pose.structure, size) for pose in found.poses]
    assert all(unlike(a, b) > 0 for i, a in enumerate(marks) for b in marks[:i])
    for pose in found.poses:
        assert pose.structure.site_properties["component"] == ["slab"] * size + ["polymer"] * 3
        heavy = [i for i, symbol in enumerate(symbols_of(silanols)) if symbol != "H"]
        assert np.allclose(pose.structure.cart_coords[heavy], silanols.cart_coords[heavy])
        above = pose.structure.lattice.c - pose.structure.cart_coords[:, 2].max()
        assert 8.0 <= above + 1e-9 < 8.8


def test_the_last_digits_of_a_relaxation_change_nothing(silanols, water):
    shaken = silanols.copy()
    shaken.perturb(1e-9)
    found = [[pose.energy for pose in dock(slab, water, 12, 3).poses] for slab in (silanols, shaken)]
    assert found[0] == pytest.approx(found[1], abs=1e-9)  # from the same rounded positions


def test_moves_start_from_the_best_one(silanols, water):
    best = dock(silanols, water, 4, seed=0).poses[-1].structure
    found = dock(silanols, water, 8, seed=1, best=best)
    assert "best" in {pose.origin for pose in found.poses}
    assert found.placed == 2


def test_with_a_target_all_starts_are_aimed(silanols, water):
    target = Target(group="[OX2H2]", surface="H-O-Si")
    found = dock(silanols, water, 3, seed=0, target=target)
    assert found.placed == 3
    assert {pose.origin for pose in found.poses} == {"placement"}


def test_the_descriptor_sees_places_not_order(silanols, water):
    pose = dock(silanols, water, 4, seed=0).poses[0].structure
    swapped = pose.copy()
    swapped[-1], swapped[-2] = pose[-2], pose[-1]
    assert unlike(descriptor(pose, 10), descriptor(swapped, 10)) == pytest.approx(0.0, abs=1e-9)
    moved = pose.copy()
    moved.translate_sites([10, 11, 12], [0.0, 0.0, 1.0], frac_coords=False, to_unit_cell=False)
    assert unlike(descriptor(pose, 10), descriptor(moved, 10)) > 0.1


@pytest.mark.slow
def test_hopping_between_minima_finds_lower_ones_than_distance_geometry():
    shapes = Shapes(from_smiles("COCOCCOCOCC"))
    energies = {}
    for hops in (0, 150):
        lowest = shapes.pool(8, 0, hops=hops)[1 if hops else 0 :]
        energies[hops] = min(shapes.hopped(each.cart_coords, 0, np.random.default_rng(0))[0][0] for each in lowest)
    assert energies[150] < energies[0] - 0.02  # eV of MMFF94
    first, again = (shapes.pool(8, 3, hops=20) for _ in range(2))
    assert all(np.allclose(x.cart_coords, y.cart_coords, atol=1e-6) for x, y in zip(first, again, strict=True))


def test_shapes_of_a_chain_turn_all_its_bonds():
    shapes = Shapes(from_smiles("COCCOC"))
    assert len(shapes.torsions) == 3  # those of CH3 are left out
    pool = shapes.pool(8, seed=0)
    assert pool[0] is shapes.fragment
    assert 4 <= len(pool) <= 8
    again = Shapes(shapes.fragment).pool(8, seed=0)
    assert all(np.allclose(a.cart_coords, b.cart_coords) for a, b in zip(pool, again, strict=True))
    rng = np.random.default_rng(0)
    turned = shapes.turned(shapes.fragment.cart_coords, rng)
    bonds = shapes.fragment.properties["bonds"]
    for xyz in (turned, *(each.cart_coords for each in pool)):
        lengths = [np.linalg.norm(xyz[i] - xyz[j]) for i, j, _ in bonds]
        assert 0.9 < min(lengths) < max(lengths) < 1.6


@pytest.mark.slow
def test_a_cation_has_other_places_at_its_anion(pair, monkeypatch):
    monkeypatch.setattr("iface_wf.builders.docking.shapes._MOVED", 1)
    shapes = Shapes(pair)
    lithium = pair.site_properties["component"].index(CATION)
    pool = shapes.pool(12, seed=0)
    assert len(pool) > 3
    symbols = symbols_of(pair)
    found = set()
    for each in pool:
        distance = np.linalg.norm(each.cart_coords - each.cart_coords[lithium], axis=1)
        near = sorted(symbols[i] for i in np.flatnonzero(distance < 2.4) if i != lithium)
        assert near
        found.add("".join(near))
    assert len(found) > 1  # bidentate by two O, by O and N, by O and F...


def test_a_rigid_molecule_has_one_shape(water):
    assert not Shapes(water).flexible
    assert Shapes(water).pool(5, seed=0) == [water]

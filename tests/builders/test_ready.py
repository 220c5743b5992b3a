"""A slab that a file brings is used as it is: no atom moves against another, and what it says of itself is kept."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from iface_wf.builders.interface import build_interface
from iface_wf.builders.molecules.fragments import from_smiles
from iface_wf.builders.placing.placements import place
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.surfaces import check_contacts
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal, vacuum_axis

HEIGHTS = [5.0, 5.0, 7.82, 7.82]
SLAB = Structure(
    Lattice.orthorhombic(5.64, 5.9, 25),
    ["Na", "Cl", "Na", "Cl"],
    np.column_stack([[0, 2.82, 2.82, 0], [0, 2.95, 2.95, 0], HEIGHTS]),
    coords_are_cartesian=True,
)


def built(tmp_path, structure, flags=None):
    """Write a slab as a POSCAR and build it."""
    path = tmp_path / "slab.vasp"
    Poscar(structure, selective_dynamics=flags).write_file(str(path))
    return build_slab(Library().filler(path))


def distances(structure):
    """Sorted distances of a structure with vacuum, whose cell along c does not count."""
    return np.sort(structure.distance_matrix, axis=None)


@pytest.mark.parametrize("lower", [True, False])
def test_the_atoms_that_a_file_holds_stay_held(tmp_path, lower):
    held = [z < 6 if lower else z > 6 for z in HEIGHTS]
    slab = built(tmp_path, SLAB, [[not h] * 3 for h in held])
    z = slab.cart_coords[:, 2]
    free = np.array(slab.site_properties["selective_dynamics"]).all(axis=1)
    assert np.array_equal(~free, z < 7 if lower else z > 7)
    assert any("at the top" in w for w in slab.properties["warnings"]) is not lower


def test_flags_of_single_directions_are_kept(tmp_path):
    slab = built(tmp_path, SLAB, [[False, False, True], [True] * 3, [False] * 3, [True, False, True]])
    flags = {(s.specie.symbol, round(s.coords[2]) == 6): tuple(s.properties["selective_dynamics"]) for s in slab}
    assert flags == {
        ("Na", True): (False, False, True), ("Cl", True): (True, True, True),
        ("Na", False): (False, False, False), ("Cl", False): (True, False, True),
    }  # fmt: skip


def test_without_flags_the_lower_part_is_held(tmp_path):
    slab = built(tmp_path, SLAB)
    free = np.array(slab.site_properties["selective_dynamics"]).all(axis=1)
    assert np.array_equal(free, slab.cart_coords[:, 2] > 7)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0), (0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1)])
def test_the_vacuum_may_lie_along_any_vector(tmp_path, order):
    """A left-handed order of the vectors is among them."""
    turned = Structure(SLAB.lattice.matrix[list(order)], SLAB.species, SLAB.frac_coords[:, list(order)])
    assert vacuum_axis(turned) == order.index(2)
    flags = np.array([[False, True, True]] * 4)[:, list(order)]  # held along the old a
    slab = built(tmp_path, turned, flags)
    assert sorted(slab.lattice.abc[:2]) == pytest.approx([5.64, 5.9])
    assert np.linalg.det(slab.lattice.matrix) > 0
    assert distances(slab) == pytest.approx(distances(SLAB), abs=1e-6)
    along_a = int(np.argmin(slab.lattice.abc[:2]))  # the old a is 5.64 A long
    assert all(not flags[along_a] and sum(flags) == 2 for flags in slab.site_properties["selective_dynamics"])


@pytest.mark.parametrize("tilt", [(0, 0), (1.2765, 0.737), (-3.0, 2.0), (2.82, 2.95), (11.0, -7.0)])
@pytest.mark.parametrize("shift", [0.0, 0.75])
def test_a_tilted_cell_is_put_upright_without_moving_an_atom(tmp_path, tilt, shift):
    lattice = Lattice([[5.64, 0, 0], [0, 5.9, 0], [*tilt, 25]])
    tilted = Structure(lattice, SLAB.species, SLAB.cart_coords, coords_are_cartesian=True)
    tilted.translate_sites(range(4), [0, 0, shift], to_unit_cell=True)  # across the border of the cell
    slab = built(tmp_path, tilted)
    assert slab.lattice.alpha == pytest.approx(90)
    assert slab.lattice.beta == pytest.approx(90)
    assert distances(slab) == pytest.approx(distances(SLAB), abs=1e-6)


def test_a_bulk_crystal_with_wide_planes_is_no_slab(tmp_path):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(8.0), ["Cs", "I"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert vacuum_axis(salt) is None


def test_a_wire_is_named(tmp_path):
    wire = Structure(Lattice.orthorhombic(5.64, 25, 26), ["Na", "Cl"], [[0, 0.5, 0.5], [0.5, 0.5, 0.5]])
    assert any("two of its vectors" in w for w in built(tmp_path, wire).properties["warnings"])


MOMENTS = """data_x
_cell_length_a 2.87
_cell_length_b 2.87
_cell_length_c 20
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_magn.number_BNS 1.1
loop_
_space_group_symop_magn_operation.id
_space_group_symop_magn_operation.xyz
1 x,y,z,+1
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 Fe 0 0 0.1
Fe2 Fe 0.5 0.5 0.17175
loop_
_atom_site_moment.label
_atom_site_moment.crystalaxis_x
_atom_site_moment.crystalaxis_y
_atom_site_moment.crystalaxis_z
Fe1 0 0 2.2
Fe2 0 0 -2.0
"""


def test_moments_of_a_slab_reach_the_interface(tmp_path):
    path = tmp_path / "slab.cif"
    path.write_text(MOMENTS, encoding="utf-8")
    slab = build_slab(Library().filler(path))
    lower, upper = sorted(slab, key=lambda site: site.coords[2])
    assert (lower.properties["magmom"], upper.properties["magmom"]) == (2.2, -2.0)
    large = slab.make_supercell([[4, 0, 0], [0, 4, 0], [0, 0, 1]], in_place=False)
    large.properties = slab.properties
    both = place(large, from_smiles("O", n_conformers=1), 1, 0, 8.0, 0.85, None)[0]
    assert sorted(both.site_properties["magmom"]) == [-2.0] * 16 + [0.0] * 3 + [2.2] * 16


def test_moments_that_are_not_collinear_are_named(tmp_path):
    path = tmp_path / "slab.cif"
    path.write_text(MOMENTS.replace("Fe2 0 0 -2.0", "Fe2 1.5 0 1.5"), encoding="utf-8")
    read = read_crystal(path)
    assert "magmom" not in read.site_properties
    assert any("not collinear" in w for w in read.properties["warnings"])


@pytest.mark.parametrize(
    ("pair", "distance", "short"),
    [
        (("La", "O"), 2.00, False), (("U", "O"), 1.75, False), (("V", "O"), 1.58, False), (("Ba", "O"), 2.15, False),
        (("Cs", "F"), 2.20, False), (("Th", "N"), 1.80, False), (("Mo", "Mo"), 2.09, False), (("Pu", "O"), 1.74, False),
        (("La", "O"), 1.55, True), (("Si", "O"), 1.30, True), (("O", "O"), 0.95, True), (("La", "H"), 1.60, True),
    ],
)  # fmt: skip
def test_published_bonds_are_no_contacts_that_are_too_short(pair, distance, short):
    lattice = Lattice.cubic(10)
    two = Structure(lattice, pair, [[0, 0, 0], [0, 0, distance]], coords_are_cartesian=True)
    with pytest.raises(InputError, match="which is too short") if short else nullcontext():
        check_contacts(two, "It")


def test_a_slab_with_a_lanthanum_bond_of_two_angstrom_is_used(tmp_path):
    lattice = Lattice.orthorhombic(4.0, 4.0, 20)
    oxide = Structure(lattice, ["La", "O"], [[0, 0, 5.0], [0, 0, 7.0]], coords_are_cartesian=True)
    assert built(tmp_path, oxide).composition.reduced_formula == "LaO"
    oxide.translate_sites([1], [0, 0, -0.5], frac_coords=False)
    with pytest.raises(InputError, match=r"O-La contact of 1\.50 A|La-O contact of 1\.50 A"):
        built(tmp_path, oxide)


PRIMITIVE = {
    "Cu": (3.61, [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], 3.61 / np.sqrt(2)),
    "Li": (3.51, [[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]], 3.51),
    "Al": (4.05, [[0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]], 4.05 / np.sqrt(2)),
}


@pytest.mark.parametrize("element", PRIMITIVE)
def test_miller_indices_of_a_primitive_cell_are_those_of_the_conventional_one(tmp_path, element):
    a, vectors, side = PRIMITIVE[element]
    path = tmp_path / "POSCAR"
    Structure(a * np.array(vectors), [element], [[0, 0, 0]]).to(str(path), fmt="poscar")
    slab = build_slab(Library().filler(path), "001")
    assert slab.lattice.abc[:2] == pytest.approx((side, side))
    assert slab.lattice.gamma == pytest.approx(90)
    assert any("conventional cell" in w for w in slab.properties["warnings"])


def test_a_primitive_compound_gives_the_slab_of_its_conventional_cell(tmp_path):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    paths = [tmp_path / name for name in ("one.vasp", "two.vasp", "three.vasp")]
    salt.get_primitive_structure().to(str(paths[0]), fmt="poscar")
    salt.to(str(paths[1]), fmt="poscar")
    (salt * (1, 1, 2)).to(str(paths[2]), fmt="poscar")
    small, conventional, large = (build_slab(Library().filler(path), "110") for path in paths)
    assert small.lattice.abc == pytest.approx(conventional.lattice.abc)
    assert distances(small) == pytest.approx(distances(conventional), abs=1e-6)
    assert not any("conventional" in w for w in conventional.properties["warnings"])
    assert any("file's own cell" in w for w in large.properties["warnings"])


def test_a_rhombohedral_cell_takes_hexagonal_indices(tmp_path):
    hexagonal = Structure.from_spacegroup("R-3m", Lattice.hexagonal(2.82, 14.05), ["Li", "Co", "O"],
                                          [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]])  # fmt: skip
    path = tmp_path / "POSCAR"
    hexagonal.get_primitive_structure().to(str(path), fmt="poscar")
    slab = build_slab(Library().filler(path), "001", polar="keep")
    assert slab.lattice.abc[:2] == pytest.approx((2.82, 2.82), abs=1e-3)
    assert sorted((slab.lattice.gamma, 120.0))[0] == pytest.approx(min(slab.lattice.gamma, 120.0))


def test_a_cell_that_is_too_small_is_repeated_with_what_the_file_says(tmp_path):
    held = [z < 6 for z in HEIGHTS]
    once = built(tmp_path, SLAB, [[not h] * 3 for h in held])
    record = Library().filler(tmp_path / "slab.vasp")
    large = build_slab(record, in_plane=(11.0, 11.0))
    assert len(large) == 4 * len(once)
    assert sorted(large.lattice.abc[:2]) == pytest.approx([11.28, 11.8])
    assert np.array(large.site_properties["selective_dynamics"]).all(axis=1).sum() == 8
    assert np.sort(large.cart_coords[:, 2])[::4] == pytest.approx(np.sort(once.cart_coords[:, 2]))
    assert any("repeated in its plane" in w for w in large.properties["warnings"])
    assert not any("repeated" in w for w in once.properties["warnings"])
    with pytest.raises(InputError, match="surface cells"):
        build_slab(record, in_plane=(90.0, 90.0))


def test_the_cell_of_a_file_grows_only_where_the_molecule_needs_it(tmp_path):
    Poscar(SLAB).write_file(str(tmp_path / "slab.vasp"))
    spec = {"filler": str(tmp_path / "slab.vasp"), "placements": 2}
    small = build_interface(InterfaceSpec(molecule="O", **spec), Library())
    assert len(small.slab) == len(SLAB)  # water fits: the cell is the user's own
    assert small.report["larger_cell"]["atoms"] > len(SLAB) + 3
    large = build_interface(InterfaceSpec(molecule="G2", **spec), Library())
    assert len(large.slab) > len(SLAB)
    asked = build_interface(InterfaceSpec(molecule="O", in_plane=(11.0, 11.0), **spec), Library())
    assert len(asked.slab) == 4 * len(SLAB)

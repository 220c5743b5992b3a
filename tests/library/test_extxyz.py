"""Extended XYZ of the user's: cell, periodic directions, held atoms and moments as ASE writes them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_vacuum, fcc111, mx2
from ase.constraints import FixAtoms, FixCartesian
from ase.io import write
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.builders.solids.slabs import build_slab
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal

SLAB = fcc111("Al", (2, 2, 3), vacuum=7.0)


def written(folder, atoms, name="slab.xyz"):
    write(folder / name, atoms, format="extxyz")
    return folder / name


@pytest.mark.parametrize("name", ["slab.xyz", "slab.extxyz", "slab.dat", "relaxed"])
def test_the_name_of_a_file_plays_no_part(tmp_path, name):
    found = read_crystal(written(tmp_path, SLAB, name))
    assert found.lattice.abc == pytest.approx(SLAB.cell.lengths()[:2].tolist() + [found.lattice.c])
    assert np.sort(found.distance_matrix, axis=None) == pytest.approx(
        np.sort(AseAtomsAdaptor.get_structure(SLAB).distance_matrix, axis=None), abs=1e-6
    )
    assert Library().filler(str(tmp_path / name)).ready_slab


@pytest.mark.parametrize("vector", [[0, 0, 0], [0, 0, 3.0], [1.0, 0.5, 60.0]])
def test_the_vector_that_is_not_periodic_says_nothing(tmp_path, vector):
    sheet = mx2("MoS2")
    sheet.cell[2], sheet.pbc = vector, (True, True, False)
    built = build_slab(Library().filler(written(tmp_path, sheet)), vacuum=9.0)
    assert np.ptp(built.cart_coords[:, 2]) == pytest.approx(np.ptp(sheet.positions[:, 2]))
    assert built.composition.reduced_formula == "MoS2"


def test_held_atoms_and_moments_are_kept(tmp_path):
    atoms = SLAB.copy()
    low = [i for i, z in enumerate(atoms.positions[:, 2]) if z < 8.0]
    atoms.set_constraint([FixAtoms(low)])
    atoms.set_initial_magnetic_moments([0.5] * len(atoms))
    built = build_slab(Library().filler(written(tmp_path, atoms)))
    held = ~np.array(built.site_properties["selective_dynamics"]).any(axis=1)
    assert held.sum() == len(low) == 4
    assert built.cart_coords[held, 2].max() < built.cart_coords[~held, 2].min()
    assert built.site_properties["magmom"] == [0.5] * 12
    assert (
        read_crystal(written(tmp_path, atoms, "again.xyz")).site_properties["selective_dynamics"][low[0]] == [False] * 3
    )


def test_single_directions_are_held(tmp_path):
    atoms = SLAB.copy()
    atoms.set_constraint(FixCartesian(list(range(len(atoms))), mask=(True, False, True)))
    assert read_crystal(written(tmp_path, atoms)).site_properties["selective_dynamics"][0] == [False, True, False]


def test_a_bulk_crystal_is_cut(tmp_path):
    path = written(
        tmp_path,
        Atoms("NaCl", [[0, 0, 0], [2.82] * 3], cell=np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * 2.82, pbc=True),
    )
    record = Library().filler(path)
    assert not record.ready_slab
    assert build_slab(record, "001", thickness=5.0).composition.reduced_formula == "NaCl"


def plain(text="2\n\nNa 0 0 0\nCl 2.8 0 0\n"):
    return text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (plain(), "no cell"),
        (plain('2\nLattice="5 0 0 0 5 0 0 0 20" pbc="F F F"\nNa 0 0 0\nCl 2.8 0 0\n'), "nothing repeats"),
        (plain('2\nLattice="5 0 0 0 5 0 0 0 20" pbc="T F F"\nNa 0 0 0\nCl 2.8 0 0\n'), "two or three directions"),
        (plain('2\nLattice="5 0 0 10 0 0 0 0 20" pbc="T T F"\nNa 0 0 0\nCl 2.8 0 0\n'), "one line"),
        (plain('2\nLattice="5 0 0 0 5 0 0 0 20"\nNa 0 0 0\nQq 2.8 0 0\n'), "cannot be read as a crystal"),
        (plain('2\nLattice="5 0 0 0 5 0 0 0 20"\nNa 0 0 0\n'), "no extended XYZ file of 2 atoms"),
        (plain('1\nLattice="5 0 0 0 5 0 0 0 20"\nNa 0 0 0\n' * 2), "more than one structure"),
        (plain('2\nLattice="5 0 0 0 5 0 0 0 nan"\nNa 0 0 0\nCl 2.8 0 0\n'), "slab.xyz"),
        (plain("two\nx\n"), "number of atoms"),
        (plain(""), "number of atoms"),
    ],
)
def test_what_is_no_slab_is_refused_in_one_sentence(tmp_path, text, told):
    (tmp_path / "slab.xyz").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told) as caught:
        read_crystal(tmp_path / "slab.xyz")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_vacuum_that_the_file_has_is_no_matter(tmp_path):
    thick = SLAB.copy()
    add_vacuum(thick, 11.0)
    slabs = [build_slab(Library().filler(written(tmp_path, each, f"{k}.xyz"))) for k, each in enumerate((SLAB, thick))]
    assert slabs[0].lattice == slabs[1].lattice
    assert slabs[0].cart_coords == pytest.approx(slabs[1].cart_coords)

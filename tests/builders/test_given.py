"""An interface of a file is cut into slab and molecule where the user says, and no atom moves against another."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk, molecule, surface
from ase.constraints import FixAtoms
from ase.io import write

from iface_wf.builders.given import read_given
from iface_wf.builders.interface import build_interface
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.reports.files import write_structure


def adsorbed(*molecules, held=True):
    """Put molecules of ASE above magnesium atoms of a slab of MgO, 8.4 x 8.4 A; 32 atoms are the slab."""
    slab = surface(bulk("MgO", "rocksalt", a=4.21, cubic=True), (0, 0, 1), 1, vacuum=7.0) * (2, 2, 1)
    slab.pbc = (True, True, False)
    if held:
        slab.set_constraint(FixAtoms([atom.index for atom in slab if atom.z < 8.0]))
    sites = [atom.position for atom in slab if atom.symbol == "Mg" and atom.z > 8.0]
    for name, site in zip(molecules, sites[::3], strict=False):
        guest = molecule(name)
        guest.rotate(180, "x")
        guest.translate(site + [0, 0, 2.3] - guest.positions[0])
        slab += guest
    return slab


@pytest.fixture
def write_file(tmp_path):
    def save(atoms, name="AB.xyz", **options):
        write(tmp_path / name, atoms, format="vasp" if name.endswith("vasp") else "extxyz", **options)
        return tmp_path / name

    return save


def given(path, split=None, filler=""):
    return read_given(path, split, filler, Library(), 8.0)


def geometry(atoms):
    """Sorted distances with periodic images in the plane, whose direction along c is open."""
    return np.sort(atoms.get_all_distances(mic=True), axis=None)


@pytest.mark.parametrize(
    ("name", "split"),
    [("AB.xyz", None), ("AB.xyz", "32-34"), ("AB.xyz", "34,32:34"), ("AB.xyz", "32:"), ("AB.vasp", None)],
)
def test_each_way_to_split_cuts_the_same_and_moves_no_atom(write_file, name, split):
    atoms = adsorbed("H2O")
    found = given(write_file(atoms, name), split)
    assert (found.slab.composition.formula, found.fragment.composition.formula) == ("Mg16 O16", "H2 O1")
    assert found.whole.site_properties["component"] == ["slab"] * 32 + ["polymer"] * 3
    again = found.whole.to_ase_atoms(msonable=False)
    again.pbc = (True, True, False)
    assert np.allclose(geometry(again), geometry(atoms), atol=1e-6)
    # the atoms that the file holds stay held, of the slab alone and in the interface
    held = [not any(flags) for flags in found.whole.site_properties["selective_dynamics"]]
    assert held == [not any(flags) for flags in found.slab.site_properties["selective_dynamics"]] + [False] * 3
    assert sum(held) == 16


def test_labels_of_the_file_and_those_that_we_write(write_file, tmp_path):
    atoms = adsorbed("H2O")
    atoms.set_array("component", np.array(["mgo"] * 32 + ["water"] * 3))
    path = write_file(atoms)
    assert len(given(path, "water").fragment) == 3
    with pytest.raises(InputError, match="did you mean water"):
        given(path, "wter")
    built = build_interface(InterfaceSpec(filler="LiI", salt="LiTFSI", placements=1), Library())
    write_structure(built.placements[0], tmp_path / "ours.xyz", "xyz")
    again = given(tmp_path / "ours.xyz")  # bonds cannot tell that one Li+ of many is the salt's
    assert sorted(again.whole.site_properties["component"]) == sorted(built.placements[0].site_properties["component"])
    assert (again.molecules, again.searched, again.record.name) == (2, True, "LiI")
    assert again.fragment.properties["formal_charges"]


def test_a_molecule_across_the_border_of_the_cell_is_made_whole(write_file):
    atoms = adsorbed("CH3OH")
    atoms.positions[:, 0] -= 1.2
    atoms.wrap()
    found = given(write_file(atoms))
    assert np.ptp(found.fragment.cart_coords[:, 0]) < 4.0
    assert found.fragment.properties["smiles"] == "CO"


def test_several_molecules_lie_together(write_file):
    found = given(write_file(adsorbed("H2O", "CH3OH")), "32:")
    assert (found.molecules, found.searched, len(found.fragment)) == (2, False, 9)


def stretched(atoms):
    atoms.cell[2, 2] = np.ptp(atoms.positions[:, 2]) + 2.0
    atoms.pbc = True
    return atoms


@pytest.mark.parametrize(
    ("split", "change", "told"),
    [
        ("35", None, "it has the sites 0 to 34"),
        ("34-32", None, "it has the sites 0 to 34"),
        ("0:", None, "nothing is left for the slab"),
        ("31-34", None, "single atom O"),
        ("33-34", None, "must not cut a bond"),
        ("0", None, "charge of \\+2 e"),
        ("water", None, "has no labels"),
        ("$(ls)", None, "cannot be read"),
        (" , ", None, "is empty"),
        (None, lambda atoms: atoms[:32], "Bonds do not tell"),
        (None, lambda atoms: atoms + adsorbed("H2O", "H2O")[35:], "found: 2 x H2O"),
        (None, stretched, "no empty layer"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_a_sentence(write_file, split, change, told):
    atoms = adsorbed("H2O", held=False)
    path = write_file(atoms if change is None else change(atoms))
    with pytest.raises(InputError, match=told) as caught:
        given(path, split)
    assert str(caught.value).count("\n") == 0


def test_a_filler_that_the_slab_is_not_made_of(write_file):
    with pytest.raises(InputError, match="LiI has I, Li"):
        given(write_file(adsorbed("H2O")), filler="LiI")


def test_a_molecule_below_the_slab(write_file):
    atoms = adsorbed("H2O", held=False)
    atoms.positions[:, 2] *= -1
    with pytest.raises(InputError, match="below the slab"):
        given(write_file(atoms), "32:")


def test_a_chain_without_ends(write_file):
    atoms = adsorbed()
    top, length = atoms.positions[:, 2].max() + 3.0, atoms.cell[0, 0] / 6
    for number in range(6):
        for symbol, y, z in (
            ("C", 0.4 * (-1) ** number, 0.0),
            ("H", 1.0 * (-1) ** number, 0.9),
            ("H", 1.0 * (-1) ** number, -0.9),
        ):
            atoms.append(symbol)
            atoms.positions[-1] = (number * length, 4.0 + y, top + z)
    with pytest.raises(InputError, match="its own periodic image"):
        given(write_file(atoms), "32:")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"interface": "AB.xyz", "molecule": "EC"}, "'molecule' means nothing"),
        ({"interface": "AB.xyz", "in_plane": (9, 9)}, "'in_plane' means nothing"),
        ({"filler": "SiO2", "molecule": "EC", "split": "3"}, "'split' means nothing"),
        ({"molecule": "EC"}, "give a 'filler'"),
    ],
)
def test_options_that_build_something_mean_nothing(options, told):
    with pytest.raises(ValueError, match=told):
        InterfaceSpec(**options)

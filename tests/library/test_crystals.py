"""A user's own crystal file is used like a built-in one, or refused in one sentence."""

from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.solids.planes import conventional_basis
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.crystals import looks_like_slab, read_crystal

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture
def cif(tmp_path):
    def make(change=("", ""), name="own.cif"):
        path = tmp_path / name
        path.write_text(SALT.to(fmt="cif").replace(*change), encoding="utf-8")
        return path

    return make


def test_a_cif_and_a_poscar_give_the_same_crystal(cif, tmp_path):
    poscar = tmp_path / "POSCAR"
    SALT.to(str(poscar), fmt="poscar")
    for path in (cif(), poscar):
        assert read_crystal(path).matches(SALT)
        record = Library().filler(path)
        assert record.name == "NaCl"
        assert not record.ready_slab
        assert record.crystal_path == path
    assert Library().filler(str(poscar)).name == "NaCl"


def test_a_slab_is_recognised(tmp_path):
    slab = Structure(
        Lattice.orthorhombic(5.64, 5.64, 20), ["Na", "Cl"], [[0, 0, 1.3], [0, 0, 4.1]], coords_are_cartesian=True
    )
    assert looks_like_slab(slab)
    assert not looks_like_slab(SALT)
    slab.to(str(tmp_path / "slab.vasp"), fmt="poscar")
    assert Library().filler(tmp_path / "slab.vasp").ready_slab


@pytest.mark.parametrize(("height", "said"), [(7.5, True), (6.0, False)])
def test_a_slab_with_little_vacuum_is_said_to_be_taken_as_a_crystal(tmp_path, height, said):
    lattice = Lattice.orthorhombic(5.64, 5.64, height)
    thin = Structure(lattice, ["Na", "Cl"], [[0, 0, 0.3], [2.82, 2.82, 3.12]], coords_are_cartesian=True)
    thin.to(str(tmp_path / "thin.vasp"), fmt="poscar")
    record = Library().filler(tmp_path / "thin.vasp")
    assert not record.ready_slab
    assert any("thin.vasp has an empty layer of 4.7 A along c" in each for each in record.warnings) is said


def test_a_cif_without_any_element_we_know_is_refused(cif):
    with pytest.raises(InputError, match="unknown element 'Qq'"):
        read_crystal(cif(("  Na  ", "  Qq  ")))


def test_overlapping_sites_are_refused(tmp_path):
    bad = Structure(Lattice.cubic(5), ["Na", "Cl"], [[0, 0, 0], [0.1, 0, 0]])
    path = tmp_path / "bad.cif"
    bad.to(str(path), fmt="cif")
    with pytest.raises(InputError, match=r"overlap, they are 0\.50 A apart"):
        read_crystal(path)


def test_more_atoms_than_allowed_are_refused(cif):
    with pytest.raises(InputError, match="8 sites in the cell, at most 7"):
        read_crystal(cif(), max_atoms=7)


@pytest.mark.parametrize("text", ["", "data_x\n", "not a crystal at all", "data_x\n_cell_length_a 0\n", "\x00\x01\x02"])
@pytest.mark.parametrize("name", ["x.cif", "POSCAR"])
def test_rubbish_is_refused_in_one_sentence(tmp_path, text, name):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_crystal(path)
    assert "\n" not in str(caught.value)


def test_a_crystal_must_be_a_file_beside_its_record(tmp_path):
    text = "name: X\ntitle: x\nsource: own\nsurfaces: [{miller: [0, 0, 1], thickness: 5}]\ncrystal: "
    record = tmp_path / "x.yaml"
    for crystal, message in (("../x.cif", "without folders"), ("none.cif", "neither")):
        record.write_text(text + crystal, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            Library().filler(record)
    with pytest.raises(InputError, match="does not exist"):
        Library().filler("nowhere.cif")
    record.write_text(text.replace("[0, 0, 1]", "[0, 0, 0]") + "x.cif", encoding="utf-8")
    with pytest.raises(InputError, match="0 0 0"):
        Library().filler(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("  Cl  ", "  Vac  "), "unknown element 'Vac'"),
        (("_cell_length_a   5.64", "_cell_length_a   999.64"), "cell lengths"),
        (("_cell_length_a   5.64", "_cell_length_a   nan"), "finite|cannot be read"),
        (("_cell_angle_alpha   90.0", "_cell_angle_alpha   179.9"), "flat|finite|cannot be read"),
    ],
)
def test_what_pymatgen_would_let_through_is_refused(cif, change, message):
    with pytest.raises(InputError, match=message):
        read_crystal(cif(change))


@pytest.mark.parametrize("value", ["?", "."])
def test_a_missing_coordinate_is_not_taken_for_zero(tmp_path, value):
    path = tmp_path / "x.cif"
    path.write_text(
        "data_x\n"
        + "".join(f"_cell_length_{k} 5\n" for k in "abc")
        + "".join(f"_cell_angle_{k} 90\n" for k in ("alpha", "beta", "gamma"))
        + "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
        + f"Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 {value}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="no coordinate along z"):
        read_crystal(path)


def test_coordinates_far_outside_the_cell_are_brought_in(tmp_path):
    far = SALT.copy()
    far.translate_sites([0, 3], [1e6, 0, -1e6], to_unit_cell=False)
    path = tmp_path / "POSCAR"
    far.to(str(path), fmt="poscar")
    assert read_crystal(path).matches(SALT)


@pytest.mark.parametrize("name", ["POSCAR_good", "CONTCAR.relaxed", "poscar.poscar"])
def test_usual_names_of_poscars_are_read(tmp_path, name):
    SALT.to(str(tmp_path / name), fmt="poscar")
    assert Library().filler(str(tmp_path / name)).name == "NaCl"


@pytest.mark.parametrize("fmt", ["poscar", "cif"])
def test_a_file_is_read_whatever_it_is_called(tmp_path, monkeypatch, fmt):
    SALT.to(str(tmp_path / "salt"), fmt=fmt)
    (tmp_path / "SiO2").write_bytes((tmp_path / "salt").read_bytes())
    monkeypatch.chdir(tmp_path)
    for name in ("salt", "./SiO2", str(tmp_path / "salt")):
        assert Library().filler(name).name == "NaCl"
    assert Library().filler("SiO2").name == "SiO2"  # a name of the library comes first


def test_what_is_no_file_is_told(tmp_path):
    (tmp_path / "salt.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match=r"salt\.txt cannot be read as a crystal"):
        Library().filler(str(tmp_path / "salt.txt"))
    for folder in (tmp_path, tmp_path / "POSCAR"):
        folder.mkdir(exist_ok=True)
        with pytest.raises(InputError, match="is a folder: give a CIF, POSCAR"):
            Library().filler(str(folder))
    with pytest.raises(InputError, match="does not exist"):
        Library().filler(str(tmp_path / "nothing"))
    with pytest.raises(InputError, match=r"Unknown filler 'Al2O3'.*given as a CIF, .* --filler Al2O3\.cif"):
        Library().filler("Al2O3")


@pytest.mark.parametrize("length", [11.28, 56.4])  # twice, ten times the true one
def test_a_crystal_whose_atoms_do_not_touch_is_refused(tmp_path, length):
    SALT.copy().scale_lattice(length**3).to(str(tmp_path / "POSCAR"), fmt="poscar")
    with pytest.raises(InputError, match="no atom has another one within reach"):
        read_crystal(tmp_path / "POSCAR")


@pytest.mark.parametrize(("element", "length"), [("Ne", 4.43), ("He", 4.24), ("Xe", 6.20)])  # fcc, A
def test_crystals_of_noble_gases_are_no_isolated_atoms(tmp_path, element, length):
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(length), [element], [[0, 0, 0]])
    crystal.to(str(tmp_path / "POSCAR"), fmt="poscar")
    assert read_crystal(tmp_path / "POSCAR").matches(crystal)


def test_a_left_handed_cell_is_no_larger_than_a_right_handed_one():
    basis, note = conventional_basis(Structure(SALT.lattice.matrix[[1, 0, 2]], SALT.species, SALT.frac_coords))
    assert (basis, note) == (None, "")

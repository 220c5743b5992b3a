"""Surface energies: faces by symmetry, bookkeeping of formula units and water, and a whole run with a real ML potential."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure

from iface_wf.api import calculate
from iface_wf.errors import InputError, MismatchError
from iface_wf.library.library import Library
from iface_wf.quantities.surface.collect import BULK, WATER, face_document, made_of, skins
from iface_wf.quantities.surface.document import JOULE
from iface_wf.quantities.surface.faces import distinct_faces, slabs_of
from iface_wf.quantities.surface.shape import shares, wulff
from iface_wf.store.settings import open_store


@pytest.fixture(scope="module")
def library():
    return Library()


@pytest.mark.parametrize(
    ("filler", "faces"),
    [
        ("LiI", {(1, 0, 0), (1, 1, 0), (1, 1, 1)}),
        (
            "GdOOH",
            {(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (1, 1, 1), (1, 1, -1)},
        ),
    ],
)
def test_faces_that_symmetry_makes_equal_are_listed_once(library, filler, faces):
    assert set(distinct_faces(library.filler(filler), 1, 0)) == faces


def test_a_disordered_crystal_has_the_symmetry_of_its_average(library):
    faces = distinct_faces(library.filler("LAGP"), 1, 0)  # trigonal on average, though no ordering of its lithium is
    assert (1, 0, 0) in faces
    assert not {(0, 1, 0), (1, -1, 0)} & set(faces)


def test_no_atom_of_a_slab_is_held_and_both_faces_are_whole(library):
    record = library.filler("GdOOH")
    slabs = list(slabs_of(record, (1, 0, 0), 2, 8.0, 8.0, 0))
    assert slabs
    for slab in slabs:
        assert "selective_dynamics" not in slab.site_properties
        assert made_of(slab.composition, Composition("GdO2H")) == (len(slab) / 4, 0.0)


def test_units_and_water_are_counted():
    quartz = Composition("Si3O6")
    assert made_of(Composition("Si6O14H4"), quartz) == pytest.approx((2.0, 2.0))
    assert made_of(Composition("Si6O12"), quartz) == (2.0, 0.0)
    with pytest.raises(MismatchError, match="no multiple of SiO2 with water"):
        made_of(Composition("Si6O13"), quartz)


def document(structure, energy, converged=True):
    return SimpleNamespace(atoms_structure=structure, energy=energy, converged=converged)


def layer(symbols, heights):
    lattice = Lattice(np.diag([2.0, 3.0, 30.0]), pbc=(True, True, False))
    return Structure(lattice, symbols, [[0, 0, z] for z in heights], coords_are_cartesian=True)


def told(**changes):
    return {"miller": [0, 0, 1], "termination": "1:Li1|I1", "symmetric": True, "moved_ions": 0, "area": 6.0} | changes


def test_the_energy_is_what_two_faces_cost():
    slab = layer(["Li", "I", "Li", "I"], [6.0, 9.0, 12.0, 15.0])
    relaxed = {BULK: document(layer(["Li", "I"], [6.0, 9.0]), -10.0)}
    face = face_document(document(slab, -18.8), relaxed, told())
    assert face.energy == pytest.approx((-18.8 + 20.0) / 12.0 * JOULE)
    assert face.energy_ev == pytest.approx(0.1)
    assert (face.name, face.top, face.bottom, face.remarks) == ("(001)/1", "I1", "Li1", [])
    unlike = face_document(document(slab, -18.8), relaxed, told(symmetric=False, moved_ions=2))
    assert unlike.remarks == ["mean of two unlike faces", "2 ions moved against a dipole"]
    lost = face_document(document(slab, -18.8, converged=False), relaxed, told())
    assert (lost.energy, lost.remarks) == (None, ["not converged"])
    assert face_document(document(slab, -21.0), relaxed, told()).remarks == ["implausible"]


def test_water_is_taken_off_and_said():
    slab = layer(["Si", "O", "O", "O", "H", "H"], [6.0, 7.0, 8.0, 9.0, 10.0, 11.0])
    relaxed = {
        BULK: document(layer(["Si", "O", "O"], [6.0, 7.0, 8.0]), -20.0),
        WATER: document(layer(["O", "H", "H"], [6.0, 7.0, 7.0]), -14.0),
    }
    face = face_document(document(slab, -33.0), relaxed, told())
    assert face.energy == pytest.approx((-33.0 + 34.0) / 12.0 * JOULE)
    assert face.remarks == ["against 1 H2O as single molecules: hangs on the chemical potential of water"]


def test_skins_are_the_outermost_two_angstrom():
    assert skins(layer(["Gd", "O", "H", "O"], [6.0, 7.5, 16.0, 15.2])) == ("H1O1", "Gd1O1")


def test_the_shape_of_a_cube_and_none_where_an_energy_is_not_positive():
    cubic = (np.eye(3) * 6.0).tolist()
    assert shares(cubic, {(1, 0, 0): 0.3, (1, 1, 1): 5.0}) == pytest.approx({"100": 1.0, "111": 0.0}, abs=1e-9)
    assert wulff(cubic, {(1, 0, 0): -0.1}) is None
    assert shares(cubic, {}) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PEO", "PEO is a polymer, which has no surfaces"),
        ("litfsi", "litfsi is a salt, which has no surfaces"),
        ("SiO2-SO3Li", "carries arms on its surface"),
        ("PEOO", "PEOO"),
    ],
)
def test_what_has_no_surfaces_is_refused_in_one_sentence(tmp_path, name, text):
    request = calculate.make_request(filler=name, quantities=("surface_energy",))
    with pytest.raises(InputError, match=text) as raised:
        calculate.plan(request, open_store(str(tmp_path / "s.sqlite")))
    assert "\n" not in str(raised.value)


def test_an_engine_that_is_not_cheap_is_refused():
    with pytest.raises(InputError, match="gpaw"):
        calculate.make_request(filler="LiI", engine="gpaw", quantities=("surface_energy",))


@pytest.mark.slow  # four relaxations by CHGNet, and the command line
def test_lithium_iodide_cleaves_along_its_cube_and_is_found_again(tmp_path, capsys):
    from iface_wf.cli.main import main

    common = ["--store", str(tmp_path / "s.sqlite"), "--workdir", str(tmp_path / "runs"), "--json"]
    asked = ["surfaces", "LiI", "--terminations", "1", "--thickness", "6", *common]
    assert main(asked) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["most_stable"].startswith("(100)")
    # rock salt's cube face is unpolar; (111) is polar and must move ions (Tasker, 10.1088/0022-3719/12/22/036)
    assert first["wulff_shares"]["100"] > 0.5
    assert 0.05 < first["surface_energy"] < 0.5
    assert (tmp_path / "runs").joinpath(first["picture"]).stat().st_size > 1000
    assert main(asked) == 0
    assert json.loads(capsys.readouterr().out)["uuid"] == first["uuid"]

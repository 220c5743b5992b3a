"""Files of results: structures and densities that other programs read, pictures and pages; nothing is replaced."""

import numpy as np
import pytest
from ase.io import read
from ase.io.cube import read_cube_data
from ase.units import Bohr
from pymatgen.core import Structure

import iface_wf
from iface_wf.documents.kinds import get_kind
from iface_wf.errors import InputError
from tests.examples import difference, document, put, structure

KEY = "abc0" + "1" * 60


@pytest.fixture
def store(job_store, tmp_path):
    put(job_store, document(KEY))
    return tmp_path / "store.sqlite"


def test_densities_come_when_they_are_asked_for(store):
    from iface_wf.analysis.density import unpack

    without = iface_wf.show("abc0", store=store)
    loaded = iface_wf.show(KEY, store=store, densities=True)
    assert without.key == loaded.key == KEY
    assert without.number == loaded.number == pytest.approx(-0.4)
    with pytest.raises(Exception, match=r"(?i)load"):
        unpack(without.density_difference.density)
    # single precision in the store
    assert unpack(loaded.density_difference.density) == pytest.approx(difference(), abs=1e-7)


@pytest.mark.parametrize(("fmt", "name"), [(None, "x.cif"), ("cif", "x.cif"), ("xyz", "x.xyz"), ("poscar", "POSCAR")])
def test_structures(store, tmp_path, fmt, name):
    path = iface_wf.export("abc0", tmp_path / name, fmt=fmt, store=store)
    assert path == tmp_path / name
    found = Structure.from_file(path) if name != "x.xyz" else read(path)
    assert len(found) == len(structure())


def test_the_difference_keeps_its_values(store, tmp_path):
    path = iface_wf.export("abc0", str(tmp_path / "cdd.cube"), "density_difference", store=store)
    values, atoms = read_cube_data(path)
    assert len(atoms) == len(structure())
    # six digits in a cube file; e/Bohr^3
    assert np.abs(values / Bohr**3 - difference()).max() < 1e-5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("dddd", "x"), "No result"),
        (("abc0", "x", "charges"), "thing to export"),
        (("abc0", "x", "structure", "cube"), "cif or xyz or poscar, not as cube"),
        (("abc0", "x", "density_difference", "xyz"), "cube or chgcar, not as xyz"),
        (("abc0", "no/such/folder/x"), "does not exist"),
        (("abc0", "x", "density"), "not in this store"),
    ],
)
def test_what_cannot_be_exported_leaves_no_file(store, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=text):
        iface_wf.export(*arguments, store=store)
    assert not (tmp_path / "x").exists()


def test_reports_replace_nothing(store, tmp_path):
    page, picture = iface_wf.report("abc0", tmp_path, store=store)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    before = page.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        iface_wf.report("abc0", tmp_path, store=store)
    assert page.read_text(encoding="utf-8") == before


def test_a_kind_without_a_picture_has_a_page(store, tmp_path, monkeypatch, capsys):
    from iface_wf.cli.main import main

    monkeypatch.setattr(type(get_kind("binding")), "figure", lambda self, document, iso=None: None)
    assert main(["report", "abc0", "--out", str(tmp_path), "--store", str(store)]) == 0
    (page,) = tmp_path.glob("*.html")
    assert capsys.readouterr().out.split() == [str(page)]
    assert not list(tmp_path.glob("*.png"))

"""Files of results: structures and densities that other programs read, pictures and pages; nothing is replaced."""

import numpy as np
import pytest
from ase.io import read
from ase.io.cube import read_cube_data
from ase.units import Bohr
from pymatgen.core import Structure

import iface_wf
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import get_kind
from iface_wf.errors import InputError, NoticeWarning
from tests.examples import difference, document, put, structure

KEY = "abc0" + "1" * 60
UUID = "44444444-4444-4444-4444-444444444444"


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
        (("abc0", "x", "structure", "cube"), "cif or xyz or poscar, not as cube; a density is exported by --what"),
        (("abc0", "x.cube"), "cif or xyz or poscar, not as cube; a density is exported by --what"),
        (("abc0", "x.doc"), "The suffix of x.doc names no format: say one, cif or xyz or poscar"),
        (("abc0", "x.cif", "structure", "xyz"), "xyz does not fit to x.cif, which is a name of cif"),
        (("abc0", "x.cif", "density_difference"), "cube or chgcar, not as cif"),
        (("abc0", "x", "all", "cube"), "cif or xyz or poscar, not as cube"),
        (("dddd", "x", "all"), "No result"),
        (("abc0", "x", "density_difference", "xyz"), "cube or chgcar, not as xyz"),
        (("abc0", "no/such/folder/x"), "does not exist"),
        (("abc0", "x", "density"), "not in this store"),
    ],
)
def test_what_cannot_be_exported_leaves_no_file(store, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=text):
        iface_wf.export(*arguments, store=store)
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize(
    ("name", "what", "begins"),
    [
        ("AB2.vasp", "structure", "Li2 H1 F3\n1.0\n"),
        ("POSCAR_AB", "structure", "Li2 H1 F3\n1.0\n"),
        ("AB.XYZ", "structure", "6\nLattice="),
        ("AB", "structure", "# generated using pymatgen\ndata_"),
        ("cdd.vasp", "density_difference", "VolumetricData\n   1.0"),
        ("CHGCAR", "density_difference", "VolumetricData\n   1.0"),
        ("cdd", "density_difference", "iface-wf, density in e/Bohr^3"),
    ],
)
def test_the_name_of_the_file_decides(store, tmp_path, name, what, begins):
    text = iface_wf.export("abc0", tmp_path / name, what, store=store).read_text()
    assert text.startswith(begins)


def test_all_is_a_folder_with_what_there_is(job_store, store, tmp_path):
    """B alone is in the store, A is not."""
    alone = CalculationDocument(
        key="c" * 64, kind="static", engine="gpaw", engine_version="1", level="fast", functional="PBE",
        structure=Structure.from_sites(structure()[4:]).as_dict(), formula="HF", n_atoms=2, energy=-10.0, converged=True,
    )  # fmt: skip
    put(job_store, alone, uuid=UUID)
    terms = [term.model_copy(update={"uuid": UUID if term.role == "B" else ""}) for term in document().terms]
    put(job_store, document(KEY, terms=terms), uuid="3" * 36, completed_at="2026-02-02T00:00:00")
    with pytest.warns(NoticeWarning, match=r"Left out of .*: A \(its calculation is not in this store\)\.$"):
        folder = iface_wf.export("abc0", tmp_path / "all", "all", store=store)
    names = {"AB.vasp", "A_frozen.vasp", "B_frozen.vasp", "B.vasp", "density_difference.cube"}
    assert {path.name for path in folder.iterdir()} == names
    found = {name: Structure.from_file(folder / name) for name in names if name.endswith(".vasp")}
    assert [len(found[f"{name}.vasp"]) for name in ("AB", "A_frozen", "B_frozen", "B")] == [6, 4, 2, 2]
    values, atoms = read_cube_data(folder / "density_difference.cube")
    assert values.shape == difference().shape
    assert atoms.get_chemical_symbols() == [site.specie.symbol for site in found["AB.vasp"]]
    with pytest.raises(InputError, match="not empty"):
        iface_wf.export("abc0", folder, "all", store=store)


def test_all_on_the_command_line_says_what_is_missing(store, tmp_path, capsys):
    from iface_wf.cli.main import main

    out = tmp_path / "all"
    assert main(["export", "abc0", "--all", "--format", "xyz", "--out", str(out), "--store", str(store)]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == f"Wrote {out}"
    assert "Left out of" in told[0]
    assert {path.suffix for path in out.iterdir()} == {".xyz", ".cube"}


@pytest.mark.slow
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

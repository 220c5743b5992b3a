"""Who reads a store that is not there is told so, and makes none; names of polymers are found by their other names."""

import pytest
from pymatgen.core import Lattice, Structure

import iface_wf
from iface_wf.errors import InputError
from tests.cli.conftest import KEY
from tests.examples import document, put

READING = [
    ("results",),
    ("best",),
    ("compare", "fast", "moderate"),
    ("show", KEY),
    ("provenance", KEY),
    ("report", KEY),
    ("export", KEY, "--out", "s.cif"),
    ("export", KEY, "--all", "--out", "folder"),
    ("store", "check"),
    ("store", "migrate"),
    ("store", "repair"),
    ("store", "backup", "copy.sqlite"),
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_mistyped_store_is_not_made(refused, filled_store, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    told = refused(*command, "--store", "stor.sqlite")
    assert f"There is no store {tmp_path / 'stor.sqlite'}: did you mean store.sqlite?" in told
    assert {path.name for path in tmp_path.iterdir()} == before


def test_what_else_a_missing_store_is_told_about(refused, tmp_path, monkeypatch):
    assert "run and screen make one" in refused("results", "--store", tmp_path / "x.sqlite")
    assert "the folder" in refused("results", "--store", tmp_path / "no" / "x.sqlite")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert "iface-wf run makes it with its first result" in refused("results")
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("IFACE_WF_STORE", str(tmp_path / "y.sqlite"))
    assert "y.sqlite: iface-wf run and screen make one" in refused("best")
    assert list(tmp_path.iterdir()) == []


def test_python_makes_none_either(tmp_path):
    for read in (iface_wf.results, lambda store: iface_wf.show(KEY, store=store)):
        with pytest.raises(InputError, match="There is no store"):
            read(store=tmp_path / "x.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def of_peo(job_store, tmp_path):
    put(job_store, document(KEY, filler="SiO2", polymer="PEO"))
    return tmp_path / "store.sqlite"


@pytest.mark.parametrize("name", ["PEO", "peo", "POE", " poe"])
def test_other_names_of_a_polymer_find_it(of_peo, name):
    assert list(iface_wf.results(of_peo, polymer=name)["polymer"]) == ["PEO"]


def test_a_file_finds_the_results_of_its_filler(refused, job_store, tmp_path):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    salt.to(str(tmp_path / "mine.cif"))
    put(job_store, document(KEY, filler="NaCl", polymer="PEO"))
    assert list(iface_wf.results(tmp_path / "store.sqlite", filler=str(tmp_path / "mine.cif"))["filler"]) == ["NaCl"]
    told = refused("results", "--filler", tmp_path / "no.cif", "--store", tmp_path / "store.sqlite")
    assert "no.cif' does not exist" in told


@pytest.mark.slow
def test_names_that_nobody_knows_are_told_what_is_near(refused, cli, of_peo):
    store = ("--store", of_peo)
    assert "Unknown polymer 'PEOO': did you mean PEO" in refused("results", "--polymer", "PEOO", *store)
    assert "Unknown filler 'SiO22': did you mean SiO2" in refused("best", "--filler", "SiO22", *store)
    assert "Unknown salt 'LiTFS'" in refused("compare", "fast", "fast", "--salt", "LiTFS", *store)
    known = cli("results", "--polymer", "PAN", *store)  # of the library, but not in the store
    assert (known.code, known.err) == (0, "No result matches.\n")

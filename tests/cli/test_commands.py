"""What the commands print and write, on a store with a known result."""

import csv
import io
import json
from pathlib import Path

import pytest
from ase.io import read
from pymatgen.core import Lattice, Structure

from iface_wf.flows.events import Event
from tests.cli.conftest import KEY
from tests.examples import document, put


def test_results_as_table(cli, filled_store):
    ran = cli("results", "--store", filled_store)
    assert ran.code == 0
    assert ran.err == ""
    row = next(line for line in ran.out.splitlines() if "abc0" in line)
    assert {"LiF", "HF", "-0.500", "-0.400", "+0.0300"} <= set(row.split())
    assert "negative = bound" in ran.out


def test_results_as_json_with_units(cli, filled_store):
    ran = cli("results", "--json", "--store", filled_store)
    data = json.loads(ran.out)
    assert data["rows"][0]["binding_energy"] == pytest.approx(-0.4)
    assert data["rows"][0]["salt"] is None
    assert data["units"]["binding_energy"].startswith("eV")


def test_results_as_csv(cli, filled_store):
    rows = list(csv.DictReader(io.StringIO(cli("results", "--format", "csv", "--store", filled_store).out)))
    assert len(rows) == 1
    assert float(rows[0]["binding_energy"]) == pytest.approx(-0.4)


def test_untrustworthy_result_is_marked(cli, job_store, tmp_path):
    put(job_store, document(KEY, flags=["desorbed (AB)"], converged=False))
    store = tmp_path / "store.sqlite"
    assert "NOT TRUSTWORTHY; desorbed (AB)" in cli("results", "--store", store).out
    assert "NOT TRUSTWORTHY" in cli("show", "abc0", "--store", store).out


def test_empty_store_says_what_to_do(cli, job_store, tmp_path):
    ran = cli("results", "--store", tmp_path / "store.sqlite")
    assert ran.code == 0
    assert ran.out == ""
    assert "iface-wf run" in ran.err


def test_names_are_printed_as_they_are(cli, job_store, tmp_path):
    """Neither markup of the terminal library nor anything else is read into a name."""
    put(job_store, document(KEY, filler="[red]x[bold]", polymer="[bold"))
    out = cli("show", "abc0", "--store", tmp_path / "store.sqlite").out
    assert "[bold (1 unit) on [red]x[bold]" in out


def test_show_gives_all_terms_flags_and_provenance(cli, filled_store):
    out = cli("show", "abc0", "--store", filled_store).out
    for expected in ("-0.500", "-0.600", "+0.030", "+0.070", "-30.5000", "A*", "gpaw 26.7.0", KEY, "zero smearing"):
        assert expected in out


def test_show_as_json(cli, filled_store):
    data = json.loads(cli("show", "abc0", "--json", "--store", filled_store).out)
    assert data["key"] == KEY
    assert data["units_of"]["charge_transfer"].startswith("e")
    assert "blob" not in data["density_difference"]["density"]


def test_export_of_structure_and_density(cli, filled_store, tmp_path):
    common = ("--store", filled_store, "--out")
    assert cli("export", "abc0", "--format", "xyz", *common, tmp_path / "x.xyz").code == 0
    assert len(read(tmp_path / "x.xyz")) == 6
    assert cli("export", "abc0", "--what", "density_difference", *common, tmp_path / "x.cube").code == 0
    assert len(read(tmp_path / "x.cube")) == 6


def test_report_writes_picture_and_page(cli, filled_store, tmp_path):
    ran = cli("report", "abc0", "--out", tmp_path, "--store", filled_store)
    picture, page = ran.out.split()
    assert picture.endswith(".png")
    assert "data:image/png" in Path(page).read_text()


def test_build_writes_files_and_a_report(cli, tmp_path):
    ran = cli("build", "--filler", "SiO2", "--polymer", "PEO", "--units", 1, "--placements", 2, "--out", tmp_path / "b")
    assert ran.code == 0
    names = {p.name for p in (tmp_path / "b").iterdir()}
    assert {f"interface-1{s}" for s in (".cif", ".xyz", ".vasp", ".png")} <= names
    assert {"slab.cif", "molecule.cif"} <= names
    assert "charge" in ran.out


@pytest.mark.slow
def test_build_of_all_terminations(cli, tmp_path):
    ran = cli("build", "--filler", "SiO2", "--all-terminations", "--json", "--out", tmp_path / "b")
    data = json.loads(ran.out)
    assert len(data["structures"]) >= 2
    assert all((tmp_path / "b" / f"{name}.cif").is_file() for name in data["structures"])


def test_library(cli):
    assert "PEO" in cli("library").out
    assert "psmiles" in cli("library", "show", "peo").out
    records = json.loads(cli("library", "list", "polymer", "--json").out)["polymer"]
    assert any(r["name"] == "PEO" and r["source"] for r in records)


def test_doctor_knows_what_is_here(cli, tmp_path):
    ran = cli("doctor", "--json", "--store", tmp_path / "s")
    data = json.loads(ran.out)
    assert ran.code == 0
    assert data["ok"]
    assert {c["name"] for c in data["checks"] if c["ok"]} >= {"GPAW", "GPAW setups", "tblite (xTB)", "store"}
    assert all(c["remedy"] for c in data["checks"] if not c["ok"])


def test_doctor_fails_without_a_store(cli, tmp_path):
    ran = cli("doctor", "--store", tmp_path / "no" / "s")
    assert ran.code == 1
    assert "MISSING" in ran.out


@pytest.fixture
def canned_run(monkeypatch, job_store):
    """Replace the calculation by a finished one; everything around it is real."""
    from iface_wf.api import calculate
    from iface_wf.store.results import StoredResult

    uuid = "11111111-1111-1111-1111-111111111111"

    def run(request, store, library, workdir, force=False, on_event=None):
        on_event(Event("relax A", 1, 2, "started"))
        on_event(Event("relax A", 1, 2, "found"))
        on_event(Event("collect", 2, 2, "finished", 1.5))
        put(store, document(KEY), uuid)
        return StoredResult(document(KEY), uuid, "")

    monkeypatch.setattr(calculate, "run_request", run)


def test_run_tells_progress_on_stderr_and_the_result_on_stdout(cli, canned_run, tmp_path):
    common = ("--store", tmp_path / "store.sqlite", "--workdir", tmp_path / "w")
    ran = cli("run", "--filler", "SiO2", "--polymer", "PEO", *common)
    assert ran.code == 0
    assert "[1/2] relax A" in ran.err
    assert "found" in ran.err
    for expected in (
        "binding energy",
        "-0.400 +- 0.250",
        "raw",
        "-0.500",
        "counterpoise",
        "+0.100",
        "charge transfer polymer",
        "+0.0300",
    ):
        assert expected in ran.out
    picture = ran.out.split("Picture: ")[1].strip()
    assert Path(picture).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_run_as_json_keeps_stdout_clean(cli, canned_run, tmp_path):
    common = ("--store", tmp_path / "store.sqlite", "--workdir", tmp_path / "w")
    ran = cli("run", "--filler", "SiO2", "--polymer", "PEO", "--json", *common)
    data = json.loads(ran.out)
    assert data["binding_energy"] == pytest.approx(-0.4)
    assert data["picture"].endswith(".png")


def test_dry_run_lists_the_steps_and_runs_nothing(cli, tmp_path):
    common = ("--filler", "SiO2", "--polymer", "PEO", "--units", 1, "--store", tmp_path / "s", "--json")
    plan = json.loads(cli("run", *common, "--dry-run").out)
    steps = {step["step"]: step for step in plan["steps"]}
    assert {"relax A", "relax B", "static AB", "static A*"} <= set(steps)
    assert plan["steps"][0]["found"] is False
    searches = [(s["engine"], s["found"]) for s in (steps["search B"], steps["search AB"])]
    assert searches == [("xtb", False), ("xtb", None)]
    assert steps["static A from AB"]["core_hours"] is None  # done only where A comes out elsewhere
    assert plan["core_hours"] == pytest.approx(sum(step["core_hours"] or 0 for step in plan["steps"]))
    assert "xtb search: rule of thumb" in plan["basis"]
    (room,) = plan["room"]
    shown = cli("run", *common[:-1], "--dry-run")
    assert (
        f"images of the molecule are {room['image_distance']:.1f} A apart, {room['coverage']:.2f} molecules"
        in shown.err
    )
    assert f"with {room['larger_cell']['atoms']} atoms" in shown.err
    assert "up to" in shown.out
    assert not (tmp_path / "iface-wf-runs").exists()


@pytest.fixture
def small_slab(tmp_path):
    """One layer of lithium fluoride, 16 atoms, as a user's own file: xTB relaxes it within seconds."""
    places = [(i, j) for i in range(4) for j in range(4)]
    species = ["Li" if (i + j) % 2 == 0 else "F" for i, j in places]
    lattice = Lattice.orthorhombic(8.06, 8.06, 20)
    slab = Structure(lattice, species, [[i / 4, j / 4, 0.3] for i, j in places]).get_sorted_structure()
    slab.to(str(tmp_path / "LiF.vasp"), fmt="poscar")
    return tmp_path / "LiF.vasp"


@pytest.mark.slow
def test_real_run_from_a_file_to_table_picture_and_export(cli, small_slab, tmp_path):
    """Nothing is made up here: xTB calculates, and the second run finds everything."""
    store = ("--store", tmp_path / "s.sqlite")
    command = ("run", "--filler", small_slab, "--polymer", "PEO", "--units", 1, "--engine", "xtb", "--placements", 1)
    first = cli(*command, *store, "--workdir", tmp_path / "w", "--json")
    assert first.code == 0, first.err
    result = json.loads(first.out)
    parts = result["interaction_energy"] + sum(result["deformation_energy"].values())
    assert result["binding_energy"] == pytest.approx(parts, abs=1e-9)
    assert Path(result["picture"]).stat().st_size > 10_000

    again = cli(*command, *store, "--workdir", tmp_path / "w")
    assert again.code == 0
    assert "relax" not in again.err
    assert "found" in again.err

    assert result["key"][:8] in cli("results", *store).out
    assert cli("export", result["key"][:10], "--out", tmp_path / "x.cif", *store).code == 0
    assert len(Structure.from_file(tmp_path / "x.cif")) == result["n_atoms"]
    refused = cli("export", result["key"][:10], "--what", "density", "--out", tmp_path / "x.cube", *store)
    assert refused.code == 2
    assert "xtb gives none" in refused.err

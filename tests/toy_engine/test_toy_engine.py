"""An engine of another package runs, ranks and is offered like ours: one module, one entry point, and no line in ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.entry_points import install
from tests.tiny_library import read_log, spec_text, write_library

MODULE = Path(__file__).with_name("emt_engine.py")
ASKED = ("run", "--filler", "water-layer", "--polymer", "methanol", "--placements", 3, "--vacuum", 6)


@pytest.fixture
def site(tmp_path):
    """Return the folder in which the toy package is installed."""
    return install(tmp_path / "site", MODULE, "iface_wf.engines", "emt", "PROFILE")


@pytest.fixture
def iface(site, tmp_path):
    """Return a function that runs the command line where the toy package is installed."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | {
        "PYTHONPATH": path,
        "IFACE_WF_LIBRARY": str(write_library(tmp_path / "library")),
        "IFACE_WF_CALC_LOG": str(tmp_path / "calculations.jsonl"),
        "IFACE_WF_STORE": str(tmp_path / "store.sqlite"),
        "COLUMNS": "200",
    }

    def run(*arguments, code=0, **variables):
        command = [sys.executable, "-m", "iface_wf", *map(str, arguments)]
        more = {"env": environment | variables, "cwd": tmp_path}
        done = subprocess.run(command, **more, capture_output=True, text=True, check=False)
        assert code is None or done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    return run


def calculated(tmp_path):
    """Return which engine did what."""
    lines = read_log(tmp_path / "calculations.jsonl")
    return {(line["kind"], line["role"], line["engine"]) for line in lines if line["event"] == "end"}


@pytest.mark.slow
def test_it_gives_energies_geometries_and_the_ranking(iface, tmp_path):
    steps = json.loads(iface(*ASKED, "--engine", "emt", "--dry-run", "--json"))["steps"]
    assert {step["engine"] for step in steps} == {"emt"}
    done = json.loads(iface(*ASKED, "--engine", "emt", "--json"))
    assert (done["engine"], done["functional"], done["geometry_engine"]) == ("emt", "EMT", "emt EMT (fast)")
    energies = {term["role"]: term["energy"] for term in done["terms"]}
    assert done["binding_energy"] == pytest.approx(energies["AB"] - energies["A"] - energies["B"], abs=1e-9)
    assert done["binding_energy"] == pytest.approx(
        done["interaction_energy"] + sum(done["deformation_energy"].values()), abs=1e-9
    )
    assert done["provenance"]["ranked_by"].startswith("EMT, ")
    assert done["provenance"]["ranked_by"].endswith(f"{len(done['placement_ranking'])} candidates")
    assert {engine for _, _, engine in calculated(tmp_path)} == {"emt"}
    before = read_log(tmp_path / "calculations.jsonl")
    assert json.loads(iface(*ASKED, "--engine", "emt", "--json"))["uuid"] == done["uuid"]
    assert read_log(tmp_path / "calculations.jsonl") == before  # found, not calculated
    iface(*ASKED, "--engine", "emt", "--level", "moderate", "--json")  # another level is another result
    assert len(json.loads(iface("results", "--engine", "emt", "--json"))["rows"]) == 2


@pytest.mark.slow
def test_it_relaxes_and_ranks_for_another_engine(iface, tmp_path):
    done = json.loads(iface(*ASKED, "--engine", "xtb", "--geometry", "emt", "--json"))
    assert (done["engine"], done["geometry_engine"]) == ("xtb", "emt EMT (fast)")
    assert done["provenance"]["ranked_by"].startswith("EMT")
    assert {(kind, engine) for kind, _, engine in calculated(tmp_path)} == {("relax", "emt"), ("static", "xtb")}


@pytest.mark.slow
def test_a_screening_plans_with_its_costs_and_runs(iface, tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        spec_text(fillers=["water-layer"], polymers=["water", "methane"], engine="emt", geometry="emt", overrides={}),
        encoding="utf-8",
    )
    plan = json.loads(iface("screen", spec, "--dry-run", "--json"))
    assert 0 < plan["core_hours"] < 0.01  # its own rule of thumb: seconds, not the 5000 s of the unknown
    outcome = json.loads(iface("screen", spec, "--workdir", tmp_path / "runs", "--json"))
    assert (len(outcome["finished"]), outcome["failed"]) == (2, {})


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--engine", "--geometry"])
def test_the_shell_completes_it(iface, option):
    words = {"COMP_WORDS": f"iface-wf run {option} e", "COMP_CWORD": "3"}
    assert iface(code=None, _IFACE_WF_COMPLETE="complete_bash", **words).split() == ["emt"]


@pytest.mark.slow
def test_the_doctor_knows_it(iface):
    checks = {check["name"]: check for check in json.loads(iface("doctor", "--json", code=None))["checks"]}
    assert checks["engine emt"]["ok"]
    assert "emt_engine" in checks["engine emt"]["detail"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--engine", "emtt"), "did you mean emt"),
        (("--engine", "emt", "--level", "fsat"), "did you mean fast"),
        (("--engine", "emt", "--overrides", "fmx=1"), "Unknown setting of emt 'fmx': did you mean fmax"),
    ],
)
def test_what_it_does_not_know_is_one_sentence(iface, options, words):
    said = iface(*ASKED, *options, code=2)
    assert words in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.slow
def test_one_that_cannot_be_used_is_told_and_breaks_no_other(iface, site):
    broken = site / "broken_engine.py"
    broken.write_text("raise SystemError('out of order')\n", encoding="utf-8")
    install(site, broken, "iface_wf.engines", "broken", "PROFILE")
    taken = site / "other_gpaw.py"
    taken.write_text("PROFILE = None\n", encoding="utf-8")
    install(site, taken, "iface_wf.engines", "gpaw", "PROFILE")
    said = iface(*ASKED, "--engine", "broken", code=2)
    assert "The engine 'broken' of broken_engine (entry point of iface_wf.engines) cannot be used" in said
    assert "out of order" in said
    assert len(said.strip().splitlines()) == 1
    checks = {check["name"]: check for check in json.loads(iface("doctor", "--json", code=None))["checks"]}
    assert "out of order" in checks["engine broken"]["detail"]
    assert "belongs to the one built in" in checks["engine gpaw"]["detail"]
    assert checks["GPAW setups"]["ok"]
    assert "binding_energy" in json.loads(iface(*ASKED, "--engine", "emt", "--json"))

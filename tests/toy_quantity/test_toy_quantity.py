"""A kind of result of another package goes everywhere that ours go: one folder, and no line in ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.entry_points import install
from tests.tiny_library import spec_text, write_library

MODULE = Path(__file__).with_name("slab_energy.py")


@pytest.fixture
def iface(tmp_path):
    """Return a function that runs the command line where the toy package is installed; it gives what stdout said."""
    site = install(tmp_path / "site", MODULE, "iface_wf.quantities", "slab_energy", "KIND")
    library = write_library(tmp_path / "library")
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | {"PYTHONPATH": path, "IFACE_WF_LIBRARY": str(library)}

    def run(*arguments, code=0):
        common = ["--store", str(tmp_path / "store.sqlite")] if arguments[0] != "run" else []
        command = [sys.executable, "-m", "iface_wf", *map(str, arguments), *common]
        if arguments[0] == "run":
            command += ["--store", str(tmp_path / "store.sqlite"), "--workdir", str(tmp_path / "runs")]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


@pytest.mark.slow  # the command line is started ten times
def test_a_kind_of_another_package_runs_and_is_shown(iface, tmp_path):
    asked = ("run", "--filler", "HF-layer", "--quantities", "slab_energy", "--engine", "xtb")
    assert [step["step"] for step in json.loads(iface(*asked, "--dry-run", "--json"))["steps"]] == [
        "relax A",
        "static A",
    ]
    done = json.loads(iface(*asked, "--json"))
    assert done["document_type"] == "slab_energy"
    assert done["slab_energy"] == pytest.approx(done["terms"][0]["energy"] / done["area"], abs=1e-9)
    assert Path(done["picture"]).stat().st_size > 1000
    again = json.loads(iface(*asked, "--json"))
    assert again["uuid"] == done["uuid"]  # found, not calculated

    rows = json.loads(iface("results", "--kind", "slab_energy", "--json"))
    assert rows["units"]["slab_energy"].startswith("eV/A^2")
    assert [row["slab_energy"] for row in rows["rows"]] == pytest.approx([done["slab_energy"]])
    assert "slab_energy" in iface("best", "--kind", "slab_energy")
    assert json.loads(iface("results", "--json"))["rows"] == []  # binding energies are another kind
    key = done["key"][:10]
    assert "total energy per area" in iface("show", key)
    assert [c["role"] for c in json.loads(iface("provenance", key, "--json"))["calculations"]][:1] == ["A"]
    (tmp_path / "page").mkdir()
    page = Path(iface("report", key, "--out", tmp_path / "page").splitlines()[1]).read_text(encoding="utf-8")
    assert "Of the slab" in page
    assert "HF-layer" in page


@pytest.mark.slow
def test_a_screening_of_two_kinds_calculates_shared_parts_once(iface, tmp_path):
    spec = tmp_path / "spec.yaml"
    kinds = ["binding_energy", "slab_energy"]
    spec.write_text(spec_text(fillers=["HF-layer"], polymers=["water", "methane"], quantities=kinds), encoding="utf-8")
    plan = json.loads(iface("screen", spec, "--dry-run", "--json"))
    assert plan["pairs"] == 3  # two interfaces and one bare slab
    assert plan["counts"]["references"] == 3  # the slab of both kinds is one part
    outcome = json.loads(iface("screen", spec, "--workdir", tmp_path / "runs", "--json"))
    assert (len(outcome["finished"]), outcome["failed"]) == (3, {})
    assert len(json.loads(iface("results", "--kind", "slab_energy", "--json"))["rows"]) == 1
    assert len(json.loads(iface("results", "--json"))["rows"]) == 2
    assert json.loads(iface("screen", spec, "--dry-run", "--json"))["core_hours"] == 0


def test_kinds_are_not_mixed_in_one_request(iface):
    said = iface(
        "run", "--filler", "HF-layer", "--polymer", "water", "--quantities", "slab_energy,charges", code=2
    )  # fmt: skip
    assert "slab_energy" in said
    assert len(said.strip().splitlines()) == 1
    said = iface("run", "--filler", "HF-layer", "--polymer", "water", "--quantities", "slab_energy", code=2)
    assert "polymer" in said

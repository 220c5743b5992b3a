"""What a plan needs is looked for before its first step; a plan alone needs nothing."""

from __future__ import annotations

import json
import sys

import pytest

from iface_wf.engines import profile
from iface_wf.store.settings import open_store

ASKED = ("--filler", "LiI", "--molecule", "O", "--thickness", 3, "--placements", 1, "--room-atoms", 0)


@pytest.fixture
def nothing_looked_for(monkeypatch):
    monkeypatch.setattr(profile, "_THERE", set())


def calculations(path):
    with open_store(str(path)) as store:
        return store.count({"output.document_type": "calculation"})


@pytest.mark.slow
def test_a_plan_for_vasp_needs_no_vasp_and_says_what_a_run_would(cli, refused, tmp_path, monkeypatch):
    monkeypatch.setenv("IFACE_WF_VASP_COMMAND", "no-such-vasp")
    store = tmp_path / "s.sqlite"
    ran = cli("run", *ASKED, "--engine", "vasp", "--dry-run", "--store", store)
    assert ran.code == 0
    assert "no-such-vasp" in ran.err
    assert "core-hours" in ran.out
    plan = json.loads(cli("run", *ASKED, "--engine", "vasp", "--dry-run", "--json", "--store", store).out)
    assert any("no-such-vasp" in sentence for sentence in plan["absent"])
    assert plan["memory_gb"] > 0
    (tmp_path / "spec.yaml").write_text(
        "fillers: [{name: LiI, thickness: 3}]\nmolecules: [O]\nengine: vasp\nplacements: 1\nroom_atoms: 0\n"
    )
    screened = json.loads(cli("screen", tmp_path / "spec.yaml", "--dry-run", "--json", "--store", store).out)
    assert screened["core_hours"] == pytest.approx(plan["core_hours"])
    assert "no-such-vasp" in refused("run", *ASKED, "--engine", "vasp", "--store", store)
    assert calculations(store) == 0


def test_gpaw_that_is_absent_is_noticed_before_the_first_step(refused, nothing_looked_for, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gpaw", None)
    store = tmp_path / "s.sqlite"
    told = refused("run", *ASKED, "--engine", "gpaw", "--store", store, "--workdir", tmp_path / "w")
    assert "GPAW is missing here" in told
    assert "pip install" in told
    assert calculations(store) == 0


def test_setups_that_are_absent_are_named(refused, nothing_looked_for, tmp_path, monkeypatch):
    monkeypatch.setattr("gpaw.setup_data.setup_paths", [str(tmp_path)])
    told = refused("run", *ASKED, "--engine", "gpaw", "--store", tmp_path / "s.sqlite", "--workdir", tmp_path / "w")
    assert "GPAW setups is missing" in told or "has no file" in told


def test_xtb_that_is_absent_is_noticed_although_it_only_ranks(refused, nothing_looked_for, tmp_path, monkeypatch):
    from importlib import metadata

    real = metadata.version

    def without(name):
        if name == "tblite":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", without)
    asked = ("--filler", "LiI", "--molecule", "O", "--thickness", 3, "--engine", "gpaw", "--level", "moderate")
    told = refused("run", *asked, "--store", tmp_path / "s.sqlite", "--workdir", tmp_path / "w")
    assert "tblite" in told


def test_submission_can_be_planned_without_a_project(cli, tmp_path, monkeypatch):
    from jobflow_remote import SETTINGS

    monkeypatch.setattr(SETTINGS, "projects_folder", str(tmp_path / "none"))
    monkeypatch.setenv("IFACE_WF_STORE", str(tmp_path / "s.sqlite"))
    one = cli("submit", *ASKED, "--engine", "xtb", "--dry-run", "--json")
    assert one.code == 0
    assert "No project of a queue" in one.err
    planned = json.loads(cli("run", *ASKED, "--engine", "xtb", "--dry-run", "--json").out)
    assert json.loads(one.out) == planned
    (tmp_path / "spec.yaml").write_text(
        "fillers: [{name: LiI, thickness: 3}]\nmolecules: [O]\nengine: xtb\nplacements: 1\nroom_atoms: 0\n"
    )
    many = json.loads(cli("submit", tmp_path / "spec.yaml", "--dry-run", "--json").out)
    assert many["core_hours"] == pytest.approx(planned["core_hours"])
    refused = cli("submit", *ASKED)
    assert (refused.code, "iface-wf queue init" in refused.err) == (2, True)

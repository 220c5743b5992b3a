"""What the doctor finds wrong with a queue, and what it says to do."""

import json
import socket
import sys
import time
from pathlib import Path

import pytest
import yaml
from jobflow_remote import SETTINGS

from iface_wf.cli.main import main
from iface_wf.queues import health
from iface_wf.queues import project as projects
from iface_wf.queues.project import ProjectSettings
from iface_wf.queues.resources import ResourceTable


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a function that writes a project without asking its server, which is down, and reads it."""
    folder = tmp_path / "projects"
    folder.mkdir()
    monkeypatch.setattr(SETTINGS, "projects_folder", str(folder))
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", "s3cret")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def write(**options):
        given = {"store": f"mongodb://alice@127.0.0.1:{port}/x", "scheduler": "shell", "workdir": tmp_path / "work"}
        described = projects.describe(ProjectSettings.model_validate(given | options))
        (folder / "iface-wf.yaml").write_text(yaml.safe_dump(described))
        ResourceTable().write(folder / "iface-wf.resources.yaml")
        return projects.load()

    return write


@pytest.mark.slow
def test_a_worker_that_is_well(project, tmp_path):
    (tmp_path / "work").mkdir()
    seen = tmp_path / "environment"
    path = f'export PATH="{Path(sys.executable).parent}:$PATH"'
    found = health.check_worker(project(activate=f"{path}; echo welcome; env > {seen}"), "main")
    assert found.ok, found
    assert found.name == "worker iface-wf/main"
    assert str(tmp_path / "work") in found.detail
    assert not list((tmp_path / "work").iterdir())  # nothing is left behind
    assert "s3cret" not in seen.read_text()


@pytest.mark.slow
def test_a_work_folder_is_made_later_but_must_be_possible(project, tmp_path):
    assert health.check_worker(project(workdir=tmp_path / "new" / "work"), "main").ok
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    found = health.check_worker(project(workdir=tmp_path / "file" / "work"), "main")
    assert not found.ok
    assert f"{tmp_path / 'file'} is a file" in found.detail
    assert "--workdir" in found.remedy


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["pbs", "sge"])
def test_a_scheduler_that_is_not_here(project, monkeypatch, scheduler):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    found = health.check_worker(project(scheduler=scheduler, workdir="/proc/none"), "main")
    assert not found.ok
    assert found.needed
    assert "no qsub, qstat, qdel on the PATH" in found.detail
    assert scheduler in found.remedy
    assert "/proc" in found.detail.partition("PATH")[2]  # all that is wrong, not the first thing only


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer(project, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    for name in ("qsub", "qstat", "qdel"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\necho 'cannot connect to server' >&2\nexit 111\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    found = health.check_worker(project(scheduler="pbs"), "main")
    assert "qstat fails (cannot connect to server)" in found.detail


def test_a_python_without_iface_wf(project, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text("#!/bin/sh\necho \"No module named 'iface_wf'\" >&2\nexit 1\n")
    (tmp_path / "bin" / "python").chmod(0o755)
    found = health.check_worker(project(activate=f"PATH={tmp_path / 'bin'}:$PATH"), "main")
    assert not found.ok
    assert "No module named 'iface_wf'" in found.detail
    assert "--activate" in found.remedy


@pytest.mark.slow
def test_another_version_on_the_worker(project, monkeypatch):
    monkeypatch.setattr(health, "__version__", "99")
    found = health.check_worker(project(), "main")
    assert "99 here" in found.detail
    assert "same version" in found.remedy


def test_a_worker_that_does_not_answer_in_time(project, monkeypatch):
    monkeypatch.setattr(health, "ANSWER_SECONDS", 1)
    started = time.monotonic()
    found = health.check_worker(project(activate="sleep 30"), "main")
    assert time.monotonic() - started < 10
    assert "no answer in time" in found.detail


def test_a_worker_that_cannot_be_reached(project, monkeypatch):
    monkeypatch.setattr(health, "CONNECT_SECONDS", 1)
    found = health.check_worker(project(host="me@127.0.0.1.invalid"), "main")
    assert not found.ok
    assert "cannot be reached" in found.detail
    assert "ssh" in found.remedy


@pytest.mark.slow
def test_a_server_that_is_down(project):
    found = health.check_project(project())
    assert (found.ok, found.needed) == (False, True)
    assert "does not answer" in found.detail
    assert "mongodb.md" in found.remedy
    assert "s3cret" not in str(found)


def test_a_project_that_cannot_be_read(project, tmp_path):
    project()
    (tmp_path / "projects" / "iface-wf.yaml").write_text("[")
    (found,) = health.check_queue()
    assert not found.ok
    assert "iface-wf.yaml" in found.detail


@pytest.mark.slow
def test_the_doctor_shows_projects_and_workers(project, tmp_path, capfd):
    store = ["--json", "--store", str(tmp_path / "store.sqlite")]

    def doctor():
        code = main(["doctor", *store])
        out, err = capfd.readouterr()
        assert "s3cret" not in out + err
        return code, {check["name"]: check for check in json.loads(out)["checks"]}

    code, checks = doctor()
    assert code == 0
    assert checks["queue"]["remedy"] == "iface-wf queue init"
    assert not checks["queue"]["needed"]
    project()
    code, checks = doctor()
    assert code == 1
    assert "queue" not in checks
    assert not checks["queue iface-wf"]["ok"]
    assert checks["worker iface-wf/main"]["ok"]

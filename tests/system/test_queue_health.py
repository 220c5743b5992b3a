"""The doctor looks at a real server: jobs, runner and locks."""

import os

import pytest

from iface_wf.queues.health import check_project, check_worker
from iface_wf.store.reuse import working_on
from tests.system.queue_bench import QueueBench

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(mongod, tmp_path, monkeypatch):
    """A project without a scheduler."""
    address = f"mongodb://{mongod.host}:{mongod.port}/health_{os.urandom(6).hex()}"
    return QueueBench(tmp_path, address, monkeypatch, scheduler="shell")


def test_a_server_with_jobs_but_without_a_runner(shell):
    shell.submit()
    found = check_project(shell.project)
    assert (found.ok, found.needed) == (False, False)
    assert "15 jobs" in found.detail
    assert "no runner" in found.detail
    assert "locked" not in found.detail
    assert found.remedy == "iface-wf queue start"


def test_a_runner_at_work(shell):
    project = shell.project
    with working_on(project.store(), project.runner_claim):
        found = check_project(project)
    assert found.ok
    assert f":{os.getpid()} since 20" in found.detail


def test_a_lock_that_nobody_releases(shell):
    shell.submit()
    shell.database()["jobs"].update_one({"state": "READY"}, {"$set": {"lock_id": "somebody who was killed"}})
    found = check_project(shell.project)
    assert "1 jobs or flows are locked" in found.detail
    assert "unlocks" in found.remedy


def test_a_worker_of_a_real_scheduler(queue):
    found = check_worker(queue.project, "main")
    assert found.ok, found


def test_a_scheduler_whose_daemon_is_not_there(queue, slurm, tmp_path, monkeypatch):
    conf = tmp_path / "slurm.conf"
    text = slurm.read_text()
    conf.write_text(
        "\n".join(line for line in text.splitlines() if "SlurmctldPort" not in line) + "\nSlurmctldPort=1\n"
    )
    monkeypatch.setenv("SLURM_CONF", str(conf))
    found = check_worker(queue.project, "main")
    assert not found.ok
    assert "squeue fails" in found.detail

"""PBS and Grid Engine by stand-ins of their commands, and no scheduler at all: from submission to result."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from iface_wf.queues.health import check_worker
from tests.system.fake_scheduler import install
from tests.system.queue_bench import QueueBench, wait

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(mongod, tmp_path, monkeypatch):
    """Return a function that makes a project on a scheduler."""

    def make(scheduler, **options):
        if scheduler != "shell":
            monkeypatch.setenv("PATH", f"{install(tmp_path / 'fake', scheduler)}:{os.environ['PATH']}")
        address = f"mongodb://{mongod.host}:{mongod.port}/{scheduler}_{os.urandom(6).hex()}"
        return QueueBench(tmp_path, address, monkeypatch, scheduler=scheduler, max_jobs=2, **options)

    return make


@pytest.mark.parametrize("scheduler", ["pbs", "sge"])
def test_from_submission_to_result_with_a_job_deleted_in_between(bench, scheduler, tmp_path):
    # each job takes long enough to be deleted while it runs
    readied = f'sleep 3; export PATH="{Path(sys.executable).parent}:$PATH"'
    queue = bench(scheduler, queue="long", account="chem", activate=readied)
    assert check_worker(queue.project, "main").ok
    queue.submit()
    child = queue.start_runner()
    running = queue.wait_for(lambda: [i for i in queue.status().items if i.state == "running"], "a running job")
    subprocess.run(["qdel", running[0].queue_id], check=True, timeout=30)
    assert wait(child) == 0, queue.status()
    queue.check_each_once()
    assert len(list((tmp_path / "fake" / "jobs").iterdir())) == 16  # fifteen jobs, one of them twice


def test_without_a_scheduler(bench):
    queue = bench("shell")
    queue.submit()
    queue.finish()
    queue.check_each_once()

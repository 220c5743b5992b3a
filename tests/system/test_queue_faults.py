"""What goes wrong on a cluster, for real: whatever it is, every calculation is done once and every result is stored."""

import datetime as dt
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from jobflow_remote.jobs.jobcontroller import JobController
from jobflow_remote.jobs.runner import Runner

from iface_wf.queues.recover import recover
from iface_wf.store.results import result_table
from tests.system.conftest import running_mongod
from tests.system.queue_bench import CALCULATIONS, CALCULATIONS_OF_TWO, JOBS_OF_TWO, TWO, QueueBench, slurm_jobs, wait
from tests.tiny_library import read_log

pytestmark = pytest.mark.slow
KILLS = 5


def test_runner_killed_at_random_moments(queue):
    queue.submit()
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    moments = random.Random(seed)
    for _ in range(KILLS):
        child = queue.start_runner()
        time.sleep(moments.uniform(0.1, 4.0))
        os.kill(child, signal.SIGKILL)
        assert wait(child) == -signal.SIGKILL  # it was at work
    queue.finish()
    queue.check_each_once()


def test_runner_killed_between_the_schedulers_answer_and_its_note(queue):
    queue.submit()
    submit, answered = Runner.submit, queue.folder / "answered"

    def killed_after_the_answer(runner, lock):
        submit(runner, lock)
        answered.write_text(lock.locked_document["uuid"])
        os.kill(os.getpid(), signal.SIGKILL)

    child = queue.start_runner(before=lambda: setattr(Runner, "submit", killed_after_the_answer))
    assert wait(child) == -signal.SIGKILL
    entry = queue.database()["jobs"].find_one({"uuid": answered.read_text()})
    assert entry["lock_id"] is not None  # nobody knows that the job is in the scheduler's hands
    assert entry["state"] == "UPLOADED"
    queue.finish()
    queue.check_each_once()


def test_a_running_job_that_is_cancelled_is_run_anew(queue):
    queue.submit()
    child = queue.start_runner()
    (job, *_) = queue.wait_for(lambda: slurm_jobs("RUNNING"), "a running job")
    subprocess.run(["scancel", job], check=True, timeout=60)
    assert wait(child) == 0, queue.status()
    recovered = queue.database()["jobs"].distinct("job.metadata.recoveries")
    assert recovered == [1]
    queue.check_each_once()


def test_a_job_that_somebody_else_holds_counts_no_attempt(queue, monkeypatch):
    """Or a slow machine uses up the attempts, and asks for twice the time each time."""
    queue.submit()
    jobs, flows = queue.database()["jobs"], queue.database()["flows"]
    chosen = jobs.find_one({"job.name": "relax A"})["_id"]
    out_of_time = "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***"
    # the cap of the bench's project is an hour: with half of it there is more to ask for
    less = {"job.metadata.resources.time": 1800, "remote.queue_out": "", "remote.queue_err": out_of_time}
    jobs.update_one({"_id": chosen}, {"$set": {"state": "FAILED", **less}})
    flows.update_many({}, {"$set": {"lock_id": "somebody", "lock_time": dt.datetime.now(dt.UTC)}})
    before = jobs.find_one({"_id": chosen})
    controller = queue.project.controller()
    try:
        assert recover(controller, queue.project) == []
        assert jobs.find_one({"_id": chosen}) == before

        def taken_away(**given):  # what somebody else notes of the job meanwhile stays
            jobs.update_one({"_id": chosen}, {"$set": {"job.metadata.noted": True}})
            return JobController.rerun_job(controller, **given)

        with monkeypatch.context() as patched:
            patched.setattr(controller, "rerun_job", taken_away)
            assert recover(controller, queue.project) == []
        assert jobs.find_one({"_id": chosen})["job"]["metadata"] == before["job"]["metadata"] | {"noted": True}
        flows.update_many({}, {"$set": {"lock_id": None, "lock_time": None}})
        assert [action.verb for action in recover(controller, queue.project)] == ["rerun"]
    finally:
        controller.close()
    metadata = jobs.find_one({"_id": chosen})["job"]["metadata"]
    assert metadata["recoveries"] == 1
    assert metadata["resources"]["time"] == 3600


def test_a_node_that_is_drained_and_resumed(queue):
    node = os.uname().nodename.partition(".")[0]
    queue.submit()
    child = queue.start_runner()
    queue.wait_for(lambda: slurm_jobs("RUNNING"), "a running job")
    subprocess.run(["scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test"], check=True, timeout=60)
    try:
        queue.wait_for(lambda: not slurm_jobs("RUNNING") and slurm_jobs("PENDING"), "jobs that wait for the node")
        done = len(read_log(queue.log))
        time.sleep(3)
        assert len(read_log(queue.log)) == done
        assert queue.status().jobs["queued"]
    finally:
        subprocess.run(["scontrol", "update", f"NodeName={node}", "State=RESUME"], check=True, timeout=60)
    assert wait(child) == 0, queue.status()
    queue.check_each_once()


def test_the_server_is_killed_for_half_a_minute_when_a_result_is_stored(slurm, tmp_path, monkeypatch):
    data = tmp_path / "mongod"
    data.mkdir()
    complete = JobController.complete_job
    with running_mongod(data) as server:
        queue = QueueBench(tmp_path, f"mongodb://{server.host}:{server.port}/outage", monkeypatch)
        queue.submit()

        def killing_the_server(controller, *args):
            if not (tmp_path / "killed").exists():
                (tmp_path / "killed").touch()
                os.kill(server.pid, signal.SIGKILL)
            return complete(controller, *args)

        child = queue.start_runner(before=lambda: setattr(JobController, "complete_job", killing_the_server))
        deadline = time.monotonic() + 180
        while not (tmp_path / "killed").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    time.sleep(30)
    with running_mongod(data, port=server.port):
        assert wait(child) == 0, queue.status()
        queue.check_each_once()


def test_a_full_disk(slurm, mongod, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(work)], check=True, timeout=60)
    try:
        queue = QueueBench(tmp_path, f"mongodb://{mongod.host}:{mongod.port}/disk_{os.urandom(4).hex()}", monkeypatch)
        queue.submit()
        child = queue.start_runner()
        queue.wait_for(lambda: queue.ends(), "a finished calculation")
        ballast = work / "ballast"
        fill = ["dd", "if=/dev/zero", f"of={ballast}", "bs=4096"]
        assert "No space left" in subprocess.run(fill, capture_output=True, text=True, timeout=60).stderr

        def told():
            return [item for item in queue.status().items if "disk" in item.cause.lower()]

        queue.wait_for(told, "a word about the disk")
        ballast.unlink()

        def done():
            controller = queue.project.controller()
            recover(controller, queue.project)  # what a user would do after making room
            controller.close()
            return os.waitpid(child, os.WNOHANG)[0]

        queue.wait_for(done, "the end of the runner", seconds=400)
        queue.finish()
        queue.check_each_once()
    finally:
        subprocess.run(["umount", "--lazy", str(work)], check=True, timeout=60)


def test_the_work_folder_is_deleted_under_a_running_queue(queue):
    """Shelf and folders of jobs: what was finished is in the database, the rest is calculated anew and says so."""
    queue.submit()
    told = []
    child = queue.start_runner()
    queue.wait_for(lambda: queue.ends() and slurm_jobs("RUNNING"), "a running job")
    finished = len(queue.ends())
    shutil.rmtree(queue.folder / "work", ignore_errors=True)

    def over():
        told.extend(item.cause for item in queue.status().items if item.cause)
        return os.waitpid(child, os.WNOHANG)[0]

    queue.wait_for(over, "the end of the runner", seconds=400)
    queue.finish()
    print(sorted(set(told)))
    assert finished < CALCULATIONS
    entries = queue.database()["jobs"].find({"job.metadata.deleted": {"$gte": 1}})
    names = {entry["job"]["uuid"] for entry in entries}
    assert names
    notes = [
        note["errors"][0]
        for entry in queue.project.store().query({"output.document_type": "calculation"}, load=False)
        for note in entry["output"]["corrections"]
    ]
    assert any("deleted while" in note for note in notes), notes
    assert len(result_table(queue.project.store())) == 1


def test_two_processes_submit_the_same_screening_at_once(queue):
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            code = 1
            try:
                code = 10 + len(queue.submit(TWO).submitted)
            finally:
                os._exit(code)
        children.append(child)
    assert sorted(wait(child) for child in children) == [10, 12]
    assert queue.database()["jobs"].count_documents({}) == JOBS_OF_TWO
    queue.finish()
    queue.check_each_once(pairs=2, calculations=CALCULATIONS_OF_TWO)

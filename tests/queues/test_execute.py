"""A job runs once for each input, however often it is started in its folder."""

import json
import multiprocessing
import os
import signal
import time

import pytest

from iface_wf.queues import execute

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A job that takes a moment, notes when it begins and ends, and says so."""
    (tmp_path / execute.INPUT).write_text("{}")

    def job(run_dir):
        output = run_dir / execute.OUTPUT
        output.write_text('{"start_time": 1')  # torn as long as it runs
        with (run_dir / "log").open("a") as log:
            log.write(f"start {os.getpid()}\n")
        time.sleep(0.5)
        with (run_dir / "log").open("a") as log:
            log.write(f"end {os.getpid()}\n")
        output.write_text('{"response": {"output": null}}')

    monkeypatch.setattr("jobflow_remote.jobs.run.run_remote_job", job)
    return tmp_path


def start(folder):
    process = FORK.Process(target=execute.main, args=(folder,))
    process.start()
    return process


def log(folder):
    path = folder / "log"
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def wait_for_start(folder, number=1):
    deadline = time.monotonic() + 60
    while log(folder).count("start") < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_of_two_at_once_the_second_waits_and_does_nothing(folder):
    processes = [start(folder) for _ in range(2)]
    for process in processes:
        process.join(20)
        assert process.exitcode == 0
    assert log(folder) == ["start", "end"]
    assert json.loads((folder / execute.OUTPUT).read_text())["response"]


def test_after_a_killed_one_the_next_runs(folder):
    first = start(folder)
    wait_for_start(folder)
    second = start(folder)  # waits for the lock
    os.kill(first.pid, signal.SIGKILL)
    second.join(20)
    first.join(20)
    assert second.exitcode == 0
    assert log(folder) == ["start", "start", "end"]


def test_a_finished_one_is_not_run_again_unless_its_input_is_new(folder):
    execute.main(folder)
    execute.main(folder)
    assert log(folder) == ["start", "end"]
    later = time.time_ns() + 10**9
    os.utime(folder / execute.INPUT, ns=(later, later))
    execute.main(folder)
    assert log(folder) == ["start", "end"] * 2


@pytest.mark.parametrize("text", ["", '{"start_time": 1', "{}", '{"response": null}', '{"error": "x"}'])
def test_output_that_is_torn_or_without_a_response_does_not_count(folder, text):
    (folder / execute.OUTPUT).write_text(text)
    assert not execute.finished(folder)
    execute.main(folder)
    assert log(folder) == ["start", "end"]
    assert execute.finished(folder)


@pytest.mark.slow
def test_a_lock_that_went_with_the_files_of_its_folder_holds_nobody(folder):
    """A job that is run anew loses its files, the lock among them, while a process may still wait for it."""
    held = FORK.Event()

    def hold():
        with execute.locked(folder):
            held.set()
            time.sleep(1.0)

    holder = FORK.Process(target=hold)
    holder.start()
    assert held.wait(20)
    waiting = start(folder)
    time.sleep(0.3)
    (folder / execute.LOCK).unlink()
    for process in (holder, waiting):
        process.join(20)
        assert process.exitcode == 0
    assert log(folder) == ["start", "end"]
    assert (folder / execute.LOCK).exists()

"""A full disk and a server that is away, for real: they are waited for, or told in one sentence, and cost no result."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
from jobflow import JobStore
from maggma.stores import MemoryStore

from iface_wf.cli.main import main
from iface_wf.flows import patience
from iface_wf.library import Library
from iface_wf.screening.run import run_screening
from iface_wf.screening.spec_file import read_spec
from iface_wf.store.results import result_table
from iface_wf.store.settings import open_store
from tests.system.conftest import running_mongod
from tests.tiny_library import read_log, spec_text, write_library

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
#: One interface: 2 parts and AB, a relaxation and a single point of each, and the parts relaxed again from AB.
SPEC = spec_text(fillers=["HF-layer"], polymers=["water"], quantities=["binding_energy"])
CALCULATIONS = 8


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A tiny library, a spec, a log of all calculations, and short rests."""
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(write_library(tmp_path / "library")))
    monkeypatch.setenv("IFACE_WF_CALC_LOG", str(tmp_path / "calculations.jsonl"))
    monkeypatch.setattr(patience, "LONGEST_REST", 0.2)
    monkeypatch.setattr(patience, "FIRST_REST", 0.1)
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


@contextmanager
def small_disk(folder, size):
    """A file system of few bytes."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True, timeout=30)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)


def fill(folder, leave=0):
    """Leave so many bytes of a disk."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    size = max(0, free.f_bavail * free.f_frsize - leave)
    with ballast.open("wb") as file:
        file.write(bytes(size))
    return ballast


def ended(bench):
    keys = [line["key"] for line in read_log(bench / "calculations.jsonl") if line["event"] == "end"]
    assert len(keys) == len(set(keys)), "calculated twice"
    return len(keys)


def screen(bench, store, workdir, *options):
    command = ["screen", str(bench / "spec.yaml"), "--store", store, "--workdir", str(workdir), *options]
    return main(command)


def no_failures(store):
    with open_store(store) as opened:
        return opened.count({"output.document_type": "failure"}) == 0


@root
@pytest.mark.slow
@pytest.mark.parametrize("what", ["work folder", "store"])
def test_a_full_disk_ends_in_one_sentence_and_the_next_start_goes_on(bench, monkeypatch, capsys, what):
    monkeypatch.setenv("IFACE_WF_PATIENCE", "0.5")
    with small_disk(bench / "disk", "12m") as disk:
        store = str((disk if what == "store" else bench) / "store.sqlite")
        work = (disk if what == "work folder" else bench) / "runs"
        open_store(store).close()
        ballast = fill(disk, leave=300_000 if what == "store" else 0)
        for _ in range(3):  # two failures were the end, before
            assert screen(bench, store, work) == 75
            told = capsys.readouterr().err
            assert "waits" in told
            (sentence,) = [line for line in told.splitlines() if line.startswith("iface-wf:")]
            assert "full (No space left on device)" in sentence
            assert "It was waited for 0.5 s." in sentence
            assert "Traceback" not in told
        before = ended(bench)
        ballast.unlink()
        assert no_failures(store)
        assert screen(bench, store, work) == 0
        assert ended(bench) == CALCULATIONS
        assert before < CALCULATIONS
        assert len(result_table(open_store(store))) == 1


def said_of_waiting(event):
    """Return what is waited for."""
    if event.step is not None and event.step.state == "waiting":
        return event.step.detail
    return event.detail if event.state == "waiting" else ""


@pytest.mark.slow
@root
def test_a_full_disk_is_waited_for(bench, job_store):
    waits = []
    with small_disk(bench / "disk", "12m") as disk:
        ballast = fill(disk)

        def make_room(event):
            if said := said_of_waiting(event):
                waits.append(said)
                ballast.unlink()

        outcome = run_screening(
            read_spec(bench / "spec.yaml"), job_store, Library(bench / "library"), disk / "runs", make_room
        )
    assert not outcome.failed
    assert ended(bench) == CALCULATIONS
    assert len(waits) == 1
    assert waits[0].startswith(f"The disk of {disk}")
    assert job_store.count({"output.document_type": "failure"}) == 0


def away_for(server, data, seconds):
    """Kill a server, and start it again after some seconds; gives the thread and what is to be left at the end."""
    os.kill(server.pid, signal.SIGKILL)
    stop = threading.Event()

    def revive():
        time.sleep(seconds)
        with running_mongod(data, port=server.port):
            stop.wait(300)

    thread = threading.Thread(target=revive)
    thread.start()
    return thread, stop


@pytest.mark.slow
def test_a_server_that_is_away_while_a_screening_runs(bench, monkeypatch):
    """Killed when the third calculation starts; its result and the rest come when it is back."""
    data = bench / "mongod"
    data.mkdir()
    outage = []
    with running_mongod(data) as server:
        address = f"mongodb://127.0.0.1:{server.port}/outage"
        store = open_store(address)
        waits = []

        def listen(event):
            if event.step is not None and event.step.state == "started" and ended(bench) >= 3 and not outage:
                outage.append(away_for(server, data, 8.0))
            if said := said_of_waiting(event):
                waits.append(said)

        spec, library = read_spec(bench / "spec.yaml"), Library(bench / "library")
        outcome = run_screening(spec, store, library, bench / "runs", listen)
        assert not outcome.failed
        assert len(outcome.finished) == 1
        assert waits
        assert waits[0].startswith("The MongoDB server does not answer (")
        assert ended(bench) == CALCULATIONS
        assert store.count({"output.document_type": "failure"}) == 0
        thread, stop = outage[0]
        stop.set()
        thread.join(60)


@pytest.mark.slow
def test_a_server_that_does_not_come_back_is_one_sentence(bench, monkeypatch, capsys):
    monkeypatch.setenv("IFACE_WF_PATIENCE", "1")
    data = bench / "mongod"
    data.mkdir()
    from iface_wf.engines.xtb.engine import XtbEngine

    calculate = XtbEngine.calculate

    def killing_the_server(self, request, directory):
        document = calculate(self, request, directory)
        if ended(bench) == 3:
            os.kill(server.pid, signal.SIGKILL)
            time.sleep(0.3)
        return document

    with running_mongod(data) as server:
        address = f"mongodb://127.0.0.1:{server.port}/outage"
        with monkeypatch.context() as outage:
            outage.setattr(XtbEngine, "calculate", killing_the_server)
            assert screen(bench, address, bench / "runs") == 75
    told = capsys.readouterr().err
    (sentence,) = [line for line in told.splitlines() if line.startswith("iface-wf:")]
    assert "The MongoDB server does not answer" in sentence
    assert "Traceback" not in told
    with running_mongod(data, port=server.port):
        assert screen(bench, address, bench / "runs") == 0
        assert ended(bench) == CALCULATIONS


@pytest.mark.slow
def test_a_store_that_is_deleted_while_it_is_in_use_is_told(bench, capsys):
    store = bench / "store.sqlite"

    def delete():
        while ended(bench) < 2:
            time.sleep(0.005)
        store.unlink()

    deleting = threading.Thread(target=delete)
    deleting.start()
    assert screen(bench, str(store), bench / "runs") == 75
    deleting.join()
    (sentence,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("iface-wf:")]
    assert f"The store {store} was deleted or replaced while it was in use" in sentence
    assert screen(bench, str(store), bench / "runs") == 0
    assert ended(bench) == CALCULATIONS  # none twice: they were taken from the work folder
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_what_other_stores_keep_is_not_looked_at():
    from iface_wf.store.presence import require_file

    store = JobStore(MemoryStore())
    store.connect()
    require_file(store)

"""One store, many processes: what one writes another reads, and a kill at any moment loses nothing and blocks nobody."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sqlite3
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import quote_plus

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.errors import CalculationError, InputError
from iface_wf.store import processes as processes_of_machine
from iface_wf.store.canonical import calculation_key
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.reuse import claimed, complete, find_finished
from iface_wf.store.settings import open_store

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["iface_wf.store.settings", "iface_wf.store.reuse"])

FLOATS = [0.1 + 0.2, -1e-308, 5e-324, 1 / 3, 1.7976931348623157e308, -0.0, float("inf"), 12345678901234.567]


@pytest.fixture(params=["embedded", "mongod"])
def uri(request, tmp_path):
    """Address of an empty store of each kind."""
    if request.param == "embedded":
        return str(tmp_path / "store.sqlite")
    server = request.getfixturevalue("mongod")
    return f"mongodb://{server.host}:{server.port}/test_{uuid.uuid4().hex[:12]}"


class Child:
    """A process that runs ``function(uri, pipe, *arguments)``; the pipe tells how far it is."""

    def __init__(self, function, uri, *arguments):
        self.pipe, other = processes.Pipe()
        self.process = processes.Process(target=function, args=(uri, other, *arguments), daemon=True)
        self.process.start()
        other.close()

    def hear(self, timeout=30.0):
        assert self.pipe.poll(timeout), "the other process says nothing"
        return self.pipe.recv()

    def signal(self, number):
        os.kill(self.process.pid, number)
        if number == signal.SIGKILL:
            self.process.join(30)

    def join(self):
        self.process.join(60)
        assert self.process.exitcode == 0


def document(name, **output):
    return {"uuid": name, "index": 1, "output": output, "completed_at": "2025-01-01", "metadata": {"x": [1] * 500}}


def write_floats(uri, pipe):
    with open_store(uri) as store:
        store.update(document("a", values=FLOATS, blob="B" * 10_000, key="k"), save={"data": "blob"})
        pipe.send("written")
        pipe.recv()  # still alive and connected while the other one reads


def test_what_one_process_computes_another_reads_to_the_last_bit(uri):
    writer = Child(write_floats, uri)
    writer.hear()
    with open_store(uri) as store:
        output = store.query_one({"output.key": "k"}, load=True)["output"]
    writer.pipe.send("done")
    writer.join()
    assert np.array(output["values"]).tobytes() == np.array(FLOATS).tobytes()
    assert output["blob"] == "B" * 10_000


def write_for_ever(uri, pipe, name):
    with open_store(uri) as store:
        for n in range(1_000_000):
            store.update([document(f"{name}-{n}-{part}", n=n, part=part) for part in range(3)])
            pipe.send(n)


@pytest.mark.slow
def test_kill_while_writing(uri):
    acknowledged = {}
    with open_store(uri) as reader:
        for attempt in range(6):
            child = Child(write_for_ever, uri, str(attempt))
            child.hear()
            time.sleep(0.05 + 0.037 * attempt)
            child.signal(signal.SIGKILL)
            while child.pipe.poll():
                try:
                    acknowledged[str(attempt)] = child.pipe.recv()
                except EOFError:
                    break
        reader.update(document("after", n=0))  # nothing is left locked
        found = set(reader.docs_store.distinct("uuid"))
    assert len(acknowledged) == 6
    for attempt, last in acknowledged.items():
        for n in range(last + 1):
            assert {f"{attempt}-{n}-{part}" for part in range(3)} <= found
    if not uri.startswith("mongodb"):
        batches = [name.rsplit("-", 1)[0] for name in found if name != "after"]
        assert all(batches.count(batch) == 3 for batch in set(batches))  # all of an update or nothing
        with sqlite3.connect(uri) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def write_some(uri, pipe, name, count):
    pipe.recv()
    with open_store(uri) as store:
        for n in range(count):
            store.update(document(f"{name}-{n}", writer=name))
    pipe.send("done")


def test_several_writers_create_and_fill_a_store_at_once(uri):
    children = [Child(write_some, uri, str(number), 15) for number in range(4)]
    for child in children:
        child.pipe.send("go")
    for child in children:
        child.hear()
        child.join()
    with open_store(uri) as store:
        assert store.count({}) == 60
        assert sorted(store.docs_store.distinct("output.writer")) == ["0", "1", "2", "3"]


def open_many(folder, barrier):
    for number in range(40):
        barrier.wait(timeout=30)
        SqliteStore(f"{folder}/{number}.sqlite").connect()


def test_creating_one_file_at_the_same_moment_is_no_conflict(tmp_path):
    barrier = processes.Barrier(4)
    children = [processes.Process(target=open_many, args=(tmp_path, barrier), daemon=True) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4


def write_a_large_batch(uri, pipe):
    with open_store(uri) as store:
        documents = store.docs_store
        prepared = [document(f"big-{n}", n=n) for n in range(400)]
        pipe.send("begins")
        for _ in range(4):
            documents.update(prepared, key="uuid")
        pipe.send("ends")


@pytest.mark.slow
def test_reading_goes_on_while_another_writes(uri):
    with open_store(uri) as store:
        store.update(document("small", n=-1))
        child = Child(write_a_large_batch, uri)
        child.hear()
        slowest, reads = 0.0, 0
        while not child.pipe.poll():
            start = time.perf_counter()
            assert store.query_one({"uuid": "small"})["output"]["n"] == -1
            slowest = max(slowest, time.perf_counter() - start)
            reads += 1
        assert child.hear() == "ends"
        child.join()
        assert store.count({}) == 401
    assert reads > 3
    assert slowest < 1.0


def store_without_its_data(uri, pipe):
    with open_store(uri) as store:

        def hang(*_, **__):
            pipe.send("the document is written, the data are not")
            time.sleep(1000)

        store.additional_stores["data"].update = hang
        store.update(document("torn", key="k", blob="B"), save={"data": "blob"})


def test_kill_between_document_and_data(uri):
    child = Child(store_without_its_data, uri)
    child.hear()
    child.signal(signal.SIGKILL)
    with open_store(uri) as store:
        assert not complete(store, store.query_one({"uuid": "torn"}))
        assert find_finished(store, "k") is None
        store.update(document("whole", key="k", blob="B"), save={"data": "blob"})
        assert find_finished(store, "k")["uuid"] == "whole"


def hold_claim(uri, pipe, stale):
    with open_store(uri) as store, claimed(store, "k", stale=stale) as found:
        pipe.send(found)
        pipe.recv()


def test_a_killed_owner_is_followed_at_once(uri):
    child = Child(hold_claim, uri, 1000.0)
    assert child.hear() is None
    with open_store(uri) as store:
        child.signal(signal.SIGKILL)
        with claimed(store, "k", poll=0.05, timeout=5) as found:
            assert found is None


def hold_claim_elsewhere(uri, pipe, stale):
    """As `hold_claim`, but on a machine into which nobody sees; says who has taken the claim over."""
    processes_of_machine._boot = lambda: "another start of another machine"
    with open_store(uri) as store, claimed(store, "k", stale=stale, on_lost=pipe.send) as found:
        pipe.send(found)
        pipe.recv()


def test_a_stopped_owner_on_this_machine_keeps_its_claim(uri):
    child = Child(hold_claim, uri, 0.4)
    assert child.hear() is None
    with open_store(uri) as store:
        child.signal(signal.SIGSTOP)
        time.sleep(0.8)  # twice as long as the claim holds without renewal
        with pytest.raises(CalculationError, match="claims"), claimed(store, "k", poll=0.05, timeout=0.1):
            pass
        child.signal(signal.SIGCONT)
        child.pipe.send("end")
        child.join()
        with claimed(store, "k", poll=0.05, timeout=0, grace=0) as found:
            assert found is None


def test_an_owner_elsewhere_that_is_silent_is_followed_and_sees_it_when_it_wakes(uri):
    child = Child(hold_claim_elsewhere, uri, 0.4)
    assert child.hear() is None
    with open_store(uri) as store:
        time.sleep(0.6)  # an owner that is heard of keeps its claim
        with pytest.raises(CalculationError, match="claims"), claimed(store, "k", poll=0.05, timeout=0.1):
            pass
        child.signal(signal.SIGSTOP)
        with claimed(store, "k", poll=0.05, timeout=10) as found:
            assert found is None
            child.signal(signal.SIGCONT)
            assert child.hear(5) == f"{socket.gethostname()}:{os.getpid()}"
    child.pipe.send("end")
    child.join()


def calculate(uri, pipe, folder, name):
    pipe.recv()
    with open_store(uri) as store:
        with claimed(store, "k", poll=0.05) as found:
            if found is None:
                (Path(folder) / name).touch()
                time.sleep(0.3)
        if found is None:
            time.sleep(0.1)  # jobflow stores a result after the job has returned it
            store.update(document(name, key="k", energy=1 / 3, blob="B"), save={"data": "blob"})
            found = store.query_one({"uuid": name})
        pipe.send((found["uuid"], found["output"]["energy"]))


def test_of_four_processes_one_calculates(uri, tmp_path):
    folder = tmp_path / "calculated"
    folder.mkdir()
    children = [Child(calculate, uri, str(folder), str(number)) for number in range(4)]
    for child in children:
        child.pipe.send("go")
    results = {child.hear() for child in children}
    (calculated,) = folder.iterdir()
    assert results == {(calculated.name, 1 / 3)}


def test_another_reading_of_the_structure_finds_the_result(uri):
    rng = np.random.default_rng(0)
    structure = Structure(Lattice.cubic(20), ["O"] * 100, rng.random((100, 3)))
    shaken = Structure(structure.lattice, structure.species, structure.frac_coords + rng.uniform(-1e-6, 1e-6, (100, 3)))
    one, other = (calculation_key(s, {"xc": "PBE"}, "static") for s in (structure, shaken))
    assert str(one) != str(other)
    with open_store(uri) as store:
        with claimed(store, one):
            store.update(document("a", key=str(one)))
        assert find_finished(store, other)["uuid"] == "a"
        with claimed(store, other, timeout=0) as found:
            assert found["uuid"] == "a"


def test_a_wrong_password_is_not_shown(mongod_with_login, caplog, monkeypatch):
    server = mongod_with_login
    wrong = server.password[::-1] + "x"
    caplog.set_level("DEBUG")
    with pytest.raises(InputError, match="refuses the user 'alice': wrong name or password") as caught:
        open_store(f"mongodb://alice:{quote_plus(wrong)}@{server.host}:{server.port}/x?authSource=admin")
    assert wrong not in repr(caught.getrepr(chain=True)) + caplog.text
    with pytest.raises(InputError, match="wants a user name and password"):
        open_store(f"mongodb://{server.host}:{server.port}/x")
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", server.password)
    with open_store(f"mongodb://alice@{server.host}:{server.port}") as store:
        store.update(document("a", energy=1.0))
        shown = f"{store!r} {store.name} {store.docs_store!r} {store.as_dict()!r} {store.docs_store._collection!r}"
    assert server.password not in shown + caplog.text


def open_without_rights(path, pipe):
    os.setuid(65534)
    try:
        open_store(path)
    except InputError as error:
        pipe.send(str(error))
    else:
        pipe.send("opened")


def test_a_folder_that_may_not_be_written():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        Path(folder).chmod(0o555)
        if os.geteuid() != 0:
            with pytest.raises(InputError, match="may not be written by you"):
                open_store(str(path))
            return
        said = Child(open_without_rights, str(path)).hear()
        assert said == f"The store {path} cannot be used: the file or its folder may not be written by you."
        open_store(str(path)).close()  # root may write; now the file is there, and others may read it only
        said = Child(open_without_rights, str(path)).hear()
        assert said == f"The store {path} cannot be used: the file or its folder may not be written by you."

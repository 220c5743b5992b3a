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
from contextlib import closing
from pathlib import Path
from urllib.parse import quote_plus

import numpy as np
import pytest
from jobflow import JobStore
from pymatgen.core import Lattice, Structure

from iface_wf.errors import CalculationError, InputError, NoticeWarning
from iface_wf.store import processes as processes_of_machine
from iface_wf.store.canonical import calculation_key
from iface_wf.store.check import check
from iface_wf.store.checksum import FIELD
from iface_wf.store.embedded import SqliteStore
from iface_wf.store.repair import seal, set_aside
from iface_wf.store.results import find_result, result_table, stored_result
from iface_wf.store.reuse import claimed, complete, find_finished
from iface_wf.store.settings import open_store
from tests.examples import document as result
from tests.examples import put

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

    def hear(self, timeout=120.0):
        assert self.pipe.poll(timeout), "the other process says nothing"
        return self.pipe.recv()

    def signal(self, number):
        os.kill(self.process.pid, number)
        if number == signal.SIGKILL:
            self.process.join(30)

    def stop(self, uri):
        """Stop the process, but not while it writes: then nobody could write into a file."""
        self.signal(signal.SIGSTOP)
        while "://" not in uri:
            with closing(sqlite3.connect(uri, timeout=0, isolation_level=None)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    pass
                else:
                    return
            self.signal(signal.SIGCONT)
            time.sleep(0.05)
            self.signal(signal.SIGSTOP)

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


@pytest.mark.slow
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


@pytest.mark.slow
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
        barrier.wait(timeout=120)
        SqliteStore(f"{folder}/{number}.sqlite").connect()


@pytest.mark.slow
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


def die_between_the_writes(uri, pipe, order):
    """Store a document with large data, and be killed when the first of the two has been written."""
    with open_store(uri) as store:
        writes = []

        def watched(write):
            def update(*args, **kwargs):
                if writes:
                    os.kill(os.getpid(), signal.SIGKILL)
                writes.append(write)
                write(*args, **kwargs)

            return update

        for each in (store.docs_store, store.additional_stores["data"]):
            each.update = watched(each.update)
        pipe.send("begins")
        update = JobStore.update if order == "document first, as jobflow" else type(store).update
        update(store, document("torn", key="k", blob="B"), save={"data": "blob"})
        pipe.send("survived")


@pytest.mark.slow
@pytest.mark.parametrize("order", ["as it is", "document first, as jobflow"])
def test_kill_between_document_and_data(uri, order):
    open_store(uri).close()
    child = Child(die_between_the_writes, uri, order)
    assert child.hear() == "begins"
    child.process.join(30)
    assert child.process.exitcode == -signal.SIGKILL
    with open_store(uri) as store:
        torn = store.query_one({"uuid": "torn"})
        if order == "as it is":
            assert torn is None
            if not uri.startswith("mongodb"):  # one transaction
                assert store.additional_stores["data"].count() == 0
        else:
            assert not complete(store, torn)
        assert find_finished(store, "k") is None
        store.update(document("whole", key="k", blob="B"), save={"data": "blob"})
        assert find_finished(store, "k")["uuid"] == "whole"


def test_a_result_whose_density_was_lost_is_put_together_again(uri):
    """The document was written, its process was killed before the density came: counted as not stored, and marked."""
    with open_store(uri) as store:
        put(store, result("d" * 64))
        store.additional_stores["data"].remove_docs({"job_uuid": "1" * 8 + "-1111-1111-1111-" + "1" * 12})
        assert result_table(store)["flags"].tolist() == [["density_missing"]]
        assert find_result(store, "dddd").document.flags == ["density_missing"]
        with pytest.raises(InputError, match="The density of the result dddddddddd is not in the store"):
            find_result(store, "dddd", load=True)
        assert stored_result(store, "d" * 64) is None
        (lost,) = check(store).torn.values()
        assert "dddddddddd" in lost.name
        put(store, result("d" * 64), uuid="2" * 36, completed_at="2026-02-01")
        assert find_result(store, "dddd", load=True).uuid == "2" * 36
        assert result_table(store)["flags"].tolist() == [[]]
        set_aside(store, check(store))
        assert check(store).good
        assert store.count({}) == 1


def test_damage_on_a_server_is_named_and_set_aside(mongod):
    """mongod has checksums of its own against its disk; ours are against whatever else writes into it."""
    with open_store(f"mongodb://{mongod.host}:{mongod.port}/test_{uuid.uuid4().hex[:12]}") as store:
        for name, number in (("a", "1"), ("d", "2"), ("e", "3")):
            put(store, result(name * 64), uuid=number * 36)
        documents, blobs = store.docs_store, store.additional_stores["data"]
        assert check(store).good
        documents._collection.update_one({"uuid": "2" * 36}, {"$set": {"output.binding_energy": -0.542}})
        with pytest.warns(NoticeWarning, match="The binding dddddddddd .* does not agree with its checksum"):
            table = result_table(store)
        assert sorted(table["key"]) == ["a" * 64, "e" * 64]
        (told,) = table.attrs["damaged"]
        assert "dddddddddd" in told
        assert stored_result(store, "d" * 64) is None
        assert store.query_one({}, sort={"output.binding_energy": 1}, properties=["output.key"]) is not None
        file = blobs._files_collection.find_one({"metadata.job_uuid": "3" * 36})
        chunk = blobs._chunks_collection.find_one({"files_id": file["_id"]})
        changed = bytearray(chunk["data"])
        changed[changed.index(b'"data": "') + 500] ^= 1
        blobs._chunks_collection.update_one({"_id": chunk["_id"]}, {"$set": {"data": bytes(changed)}})
        with (
            pytest.warns(NoticeWarning, match="does not agree with its checksum"),
            pytest.raises(InputError, match="missing from the store, or damaged"),
        ):
            find_result(store, "eeee", load=True)
        found = check(store)
        assert [len(found.damaged), len(found.torn), found.pages] == [2, 1, []]
        set_aside(store, found)
        assert check(store).good
        assert result_table(store)["key"].tolist() == ["a" * 64]
        assert documents._collection.database["set_aside"].count_documents({}) == 2
        assert blobs._files_collection.count_documents({"metadata.damaged": {"$exists": True}}) == 1


def test_documents_of_before_get_a_checksum(uri):
    with open_store(uri) as store:
        put(store, result("a" * 64))
        if uri.startswith("mongodb"):
            store.docs_store._collection.update_many({}, {"$unset": {FIELD: 1}})
        else:
            connection = store.docs_store.connection.open
            ((text,),) = connection.execute("SELECT doc FROM docs_outputs").fetchall()
            connection.execute("UPDATE docs_outputs SET doc = ?", [text[: text.rindex(f',"{FIELD}"')] + "}"])
        before = store.query_one({"uuid": {"$ne": ""}}, load=True)
        found = check(store)
        assert (found.good, found.unsealed.total()) == (True, 1)
        assert seal(store, found) == 1
        assert check(store).unsealed.total() == 0
        assert store.query_one({"uuid": {"$ne": ""}}, load=True) == before


def hold_claim(uri, pipe, stale):
    with open_store(uri) as store, claimed(store, "k", stale=stale) as found:
        pipe.send(found)
        pipe.recv()


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_stopped_owner_on_this_machine_keeps_its_claim(uri):
    child = Child(hold_claim, uri, 0.4)
    assert child.hear() is None
    with open_store(uri) as store:
        child.stop(uri)
        time.sleep(0.8)  # twice as long as the claim holds without renewal
        with pytest.raises(CalculationError, match="claims"), claimed(store, "k", poll=0.05, timeout=0.1):
            pass
        child.signal(signal.SIGCONT)
        child.pipe.send("end")
        child.join()
        with claimed(store, "k", poll=0.05, timeout=0, grace=0) as found:
            assert found is None


@pytest.mark.slow
def test_an_owner_elsewhere_that_is_silent_is_followed_and_sees_it_when_it_wakes(uri):
    child = Child(hold_claim_elsewhere, uri, 2.0)
    assert child.hear() is None
    with open_store(uri) as store:
        time.sleep(3.0)  # an owner that is heard of keeps its claim
        with pytest.raises(CalculationError, match="claims"), claimed(store, "k", poll=0.05, timeout=0.1):
            pass
        child.stop(uri)
        with claimed(store, "k", poll=0.05, timeout=60) as found:
            assert found is None
            child.signal(signal.SIGCONT)
            assert child.hear(60) == f"{socket.gethostname()}:{os.getpid()}"
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
        assert Child(open_without_rights, str(path)).hear() == "opened"

"""Who holds a claim: told by what no clock that is set, and no name of a machine, can change."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import psutil
import pytest
from pymongo.errors import AutoReconnect

from iface_wf.store import claims as module
from iface_wf.store import processes
from iface_wf.store.claims import Claim, SqliteClaims
from iface_wf.store.reuse import claimed
from iface_wf.store.settings import open_store


@pytest.fixture
def store(tmp_path):
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        yield opened


@pytest.fixture
def claims(store):
    return SqliteClaims(store.docs_store.path)


@pytest.fixture
def sleeper():
    """A process that lives as long as the test."""
    with subprocess.Popen(["sleep", "100"]) as process:
        yield process.pid
        process.kill()


def held_by(pid, key="k"):
    """Return the claim of another process of this machine."""
    born = processes._stat(pid)[1]
    return Claim(key, "another process", processes.process_table(), pid, born)


def test_a_clock_that_is_set_kills_nobody(claims, sleeper, monkeypatch):
    """The system tells the start of a process by the clock of today, so that it moves with every step of it."""
    other = held_by(sleeper)
    assert claims.take(other, 300, finished=False) is None
    real, now = psutil.Process.create_time, time.time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + 2.0)
    monkeypatch.setattr(time, "time", lambda: now() + 86400.0)
    assert claims.holder("k") == other
    assert claims.take(Claim.of_this_process("k"), 300, finished=False) == other


def test_a_claim_whose_process_cannot_be_seen_ends_by_the_clock_that_nobody_sets(claims, monkeypatch):
    other = Claim("k", "in a container of this machine", "another process table", 1)
    assert claims.take(other, 300, finished=False) is None
    now, since_start = time.time, processes.since_start
    monkeypatch.setattr(time, "time", lambda: now() + 86400.0)
    assert claims.holder("k") == other
    monkeypatch.setattr(time, "time", lambda: now() - 86400.0)
    monkeypatch.setattr(module, "since_start", lambda: since_start() + 301.0)
    assert claims.holder("k") is None


def test_on_another_machine_a_claim_ends_by_the_time_of_day(claims, monkeypatch):
    other = Claim("k", "another machine", "another process table", 1)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(module, "start_of_clock", lambda: "another start")
        assert claims.take(other, 300, finished=False) is None
    assert claims.holder("k") == other
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + 301.0)
    assert claims.holder("k") is None


@pytest.mark.parametrize("differs", ["_boot", "machine-id"])
def test_two_machines_of_one_name_do_not_take_each_others_processes_for_dead(claims, monkeypatch, differs):
    """Clones have one machine-id, virtual machines started from one image may have one start."""
    first_line = processes._first_line
    with monkeypatch.context() as elsewhere:
        if differs == "_boot":
            elsewhere.setattr(processes, "_boot", lambda: "another start")
        else:
            elsewhere.setattr(
                processes, "_first_line", lambda path: first_line(path) + differs * (path.name == differs)
            )
        there = Claim("k", "localhost:7", processes.process_table(), 2**22 + 1, 1.0)  # no such process here
        assert claims.take(there, 300, finished=False) is None
    assert there.alive is None
    assert claims.take(Claim.of_this_process("k"), 300, finished=False) == there


def test_a_process_that_has_ended_holds_nothing(claims, sleeper):
    living = held_by(sleeper)
    assert living.alive
    assert Claim("k", "its number was given to another", living.host, living.pid, living.born - 100).alive is False
    ended = Claim("k", "ended", living.host, 2**22 + 1, 1.0)
    assert ended.alive is False
    assert claims.take(ended, 60, finished=False) is None
    assert claims.take(living, 60, finished=False) is None
    assert claims.take(Claim.of_this_process("k"), 60, finished=False) == living


def test_a_process_that_nobody_has_waited_for_holds_nothing(claims):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert held_by(child).alive is False
    os.waitpid(child, 0)


def test_a_claim_of_before_is_read(claims, sleeper):
    """Earlier versions named the machine by its host, and the process by the second of its start."""
    former = processes.former_process_table()
    living = Claim("living", "laptop:7", former, sleeper, psutil.Process(sleeper).create_time())
    gone = Claim("gone", "laptop:8", former, 2**22 + 1, 1.0)
    with sqlite3.connect(claims.path) as connection:
        columns = "key TEXT PRIMARY KEY, owner TEXT, host TEXT, pid INTEGER, born REAL, released INTEGER, token TEXT"
        connection.execute(f"CREATE TABLE claims ({columns}, expires REAL)")
        for claim in (living, gone):
            values = (claim.key, claim.owner, claim.host, claim.pid, claim.born, 0, claim.token, time.time() + 0.2)
            connection.execute("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.close()
    assert claims.holder("gone") == gone  # it may be of another machine of that name
    time.sleep(0.25)
    assert claims.holder("gone") is None
    assert claims.holder("living") == living
    assert processes.started_at(living.process) == pytest.approx(psutil.Process(sleeper).create_time(), abs=1.0)


def test_what_this_version_writes_is_read_by_the_one_before(claims):
    """It selects all columns of the table and may be at work in the same file."""
    assert claims.take(Claim.of_this_process("k"), 60, finished=False) is None
    with sqlite3.connect(claims.path) as connection:
        (row,) = connection.execute("SELECT * FROM claims").fetchall()
    connection.close()
    assert len(row) == 8
    assert time.time() < row[-1] <= time.time() + 60


def test_a_claim_that_could_not_be_given_back_holds_up_nobody(store, claims, monkeypatch):
    def away(*arguments):
        raise AutoReconnect("connection refused")

    def fail_while_the_store_is_away():
        with monkeypatch.context() as outage, claimed(store, "k"):
            outage.setattr(SqliteClaims, "_transaction", away)
            raise ZeroDivisionError

    with pytest.raises(AutoReconnect):
        fail_while_the_store_is_away()
    with claimed(store, "other", timeout=0):  # returns what is left, for other processes of this machine to see
        with sqlite3.connect(claims.path) as connection:
            assert connection.execute("SELECT key FROM claims").fetchall() == [("other",)]
        connection.close()
    with claimed(store, "k", timeout=0) as found:
        assert found is None


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes namespaces")
def test_a_process_of_another_namespace_is_not_looked_for_here(claims):
    """Its number means another process there, or none; and an old /proc tells of numbers that are none of its own."""
    code = (
        "import sys; from iface_wf.store.claims import Claim, SqliteClaims; claim = Claim.of_this_process('k');"
        "print(SqliteClaims(sys.argv[1]).take(claim, 300, False), claim.pid, claim.alive)"
    )
    for option, seen in (("--mount-proc", "None 1 True\n"), ("--fork", "None 0 None\n")):
        command = ["unshare", "--pid", "--fork", option, sys.executable, "-c", code, claims.path]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        assert told == seen
        held = claims.holder("k")
        assert held is not None
        assert held.alive is None
        claims.drop(held)


def test_without_proc_the_start_is_asked_from_the_system(claims, sleeper, monkeypatch):
    monkeypatch.setattr(processes, "_boot", lambda: "")
    monkeypatch.setattr(processes, "since_start", lambda: None)
    monkeypatch.setattr(module, "since_start", lambda: None)
    living = Claim("k", "living", processes.process_table(), sleeper, processes._born(sleeper))
    assert living.alive
    assert Claim.of_this_process("k").process.born == pytest.approx(psutil.Process().create_time(), abs=1e-6)
    assert Claim("k", "ended", living.host, living.pid, living.born - 100).alive is False
    assert claims.take(living, 60, finished=False) is None
    assert claims.take(Claim.of_this_process("k"), 60, finished=False) == living


def test_who_holds_what_is_seen_without_writing(claims, sleeper):
    other, gone = held_by(sleeper, "held"), Claim("gone", "nobody", processes.process_table(), 2**22 + 1, 1.0)
    assert claims.holders(["held", "gone"]) == {}  # nobody has calculated here: there is no table yet
    for each in (other, gone):
        assert claims.take(each, 300, finished=False) is None
    with closing(sqlite3.connect(claims.path)) as watching:
        (version,) = watching.execute("PRAGMA data_version")  # another one after each change by anybody else
        assert claims.holders(["held", "gone", "other"]) == {"held": other}
        assert claims.holders([]) == {}
        assert watching.execute("PRAGMA data_version").fetchone() == version
        assert claims.holder("held") == other
        claims.drop(gone)
        assert watching.execute("PRAGMA data_version").fetchone() != version

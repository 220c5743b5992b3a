"""Screenings that are killed, and screenings that share a store at the same time."""

import os
import random
import signal
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from iface_wf.library import Library
from iface_wf.screening.run import run_screening
from iface_wf.screening.spec_file import read_spec
from iface_wf.store.results import result_table
from iface_wf.store.settings import open_store
from tests.tiny_library import counted, read_log, spec_text, write_library

KILLS = 10


class Bench:
    """A library, and screenings in processes of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.library = write_library(folder / "library")
        self.log = folder / "calculations.jsonl"

    def start(self, text, store, log=None):
        """Screen in a forked process (everything is imported already) and return its number."""
        path = self.folder / f"spec-{abs(hash(text))}.yaml"
        path.write_text(text, encoding="utf-8")
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            os.environ["IFACE_WF_CALC_LOG"] = str(log or self.log)
            outcome = run_screening(
                read_spec(path), open_store(store), Library(self.library), self.folder / f"runs-{Path(store).stem}"
            )
            code = 2 if outcome.failed else 0
        except BaseException:  # noqa: BLE001 - whatever it is, the child must not go on as a second pytest
            traceback.print_exc()
        os._exit(code)

    def finish(self, text, store, log=None):
        assert wait(self.start(text, store, log)) == 0


def wait(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def energies(store):
    table = result_table(open_store(store)).set_index(["filler", "polymer"])
    return table["binding_energy"].sort_index()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.mark.slow
def test_killed_at_ten_random_moments_a_screening_calculates_each_thing_once(bench, tmp_path):
    text = spec_text()
    undisturbed, killed = str(tmp_path / "undisturbed.sqlite"), str(tmp_path / "killed.sqlite")
    bench.finish(text, undisturbed, tmp_path / "undisturbed.jsonl")

    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    moments = random.Random(seed)
    for _ in range(KILLS):
        lines = len(read_log(bench.log)) + moments.randint(0, 8)
        child = bench.start(text, killed)
        deadline = time.monotonic() + 180
        while len(bench.log.read_bytes().splitlines() if bench.log.exists() else b"") < lines:
            assert time.monotonic() < deadline, "the screening does not go on"
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.15))
        os.kill(child, signal.SIGKILL)
        assert wait(child) == -signal.SIGKILL  # it was at work
    bench.finish(text, killed)

    store = open_store(killed)
    calculated = list(store.query({"output.document_type": "calculation", "output.reused_from": None}, load=False))
    stored = {entry["output"]["key"]: str(entry["completed_at"]) for entry in calculated}
    assert len(stored) == len(calculated)
    undisturbed_log = [line for line in read_log(tmp_path / "undisturbed.jsonl") if line["event"] == "end"]
    assert set(stored) == {line["key"] for line in undisturbed_log}
    number = counted(undisturbed_log)
    assert {key: number[key] for key in number if key[1] != "again"} == {
        ("relax", "A"): 3,
        ("static", "A"): 3,
        ("relax", "B"): 5,
        ("static", "B"): 5,
        ("relax", "AB"): 15,
        ("static", "AB"): 15,
        ("static", "frozen"): 30,
    }
    # a molecule that left its layer untouched gives the same calculation as another that did
    assert 20 < number["relax", "again"] <= 30
    ended = set()
    for line in read_log(bench.log):
        assert line["key"] in stored
        assert line["key"] not in ended  # whatever is finished is neither started nor finished again
        if line["event"] == "end":
            ended.add(line["key"])
    # a kill in the instant between the document of a calculation and its line in the log costs the line alone
    assert len(ended) >= len(stored) - KILLS

    # 1e-8 eV: the same program on the same input
    assert energies(killed).to_numpy() == pytest.approx(energies(undisturbed).to_numpy(), abs=1e-8)
    assert list(energies(killed).index) == list(energies(undisturbed).index)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mongodb"])
def test_two_processes_share_the_work_of_overlapping_specs(bench, tmp_path, kind, request):
    if kind == "mongodb":
        store = f"mongodb://127.0.0.1:{request.getfixturevalue('mongod').port}/screening_of_two"
    else:
        store = str(tmp_path / "store.sqlite")
    one = spec_text(fillers=["water-layer", "HF-layer"], polymers=["methane", "water", "ammonia"])
    other = spec_text(fillers=["HF-layer", "HCN-layer"], polymers=["ammonia", "water", "ethane"])
    children = [bench.start(one, store), bench.start(other, store)]
    assert [wait(child) for child in children] == [0, 0]

    ends = Counter(line["key"] for line in read_log(bench.log) if line["event"] == "end")
    assert set(ends.values()) == {1}
    number = counted(read_log(bench.log))
    # 3 fillers and 4 molecules; 6 + 6 - 2 interfaces, whose parts are relaxed from AB, too
    assert [number["relax", role] for role in ("A", "B", "AB", "again")] == [3, 4, 10, 20]
    assert [number["static", role] for role in ("A", "B", "AB", "frozen")] == [3, 4, 10, 20]
    workers = {line["pid"] for line in read_log(bench.log)}
    assert workers == set(children)
    assert len(energies(store)) == 10

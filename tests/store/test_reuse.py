"""Finding finished results, within one process; several processes are in tests/system."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from jobflow import CURRENT_JOB, JobConfig, JobStore, job, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure

from iface_wf.errors import CalculationError
from iface_wf.store import reuse
from iface_wf.store.canonical import calculation_key
from iface_wf.store.claims import Claim, SqliteClaims, claims_of
from iface_wf.store.reuse import claimed, complete, find_finished
from iface_wf.store.settings import open_store


@pytest.fixture(params=["embedded", "memory"])
def store(request, tmp_path):
    if request.param == "embedded":
        opened = open_store(str(tmp_path / "store.sqlite"))
    else:
        opened = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
        opened.connect()
    yield opened
    opened.close()


@pytest.fixture
def embedded(tmp_path):
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        yield opened


def result(uuid, key="k", completed_at="2025-01-01", blob=None, **output):
    output = {"key": key, "energy": -1.0, "converged": True, **output}
    if blob:
        output["density"] = {"blob": blob}
    return {"uuid": uuid, "index": 1, "output": output, "completed_at": completed_at}


def add(store, *args, **kwargs):
    store.update(result(*args, **kwargs), save={"data": "blob"})


def take(store, key, owner, lease=60.0):
    """Claim for somebody who is no process of this machine; None if another one holds it."""
    wanted = Claim(key, owner)
    return wanted if claims_of(store).take(wanted, lease, finished=False) is None else None


def test_nothing_is_found_in_an_empty_store(store):
    assert find_finished(store, "k") is None


def test_the_newest_converged_original_is_found(store):
    add(store, "old", completed_at="2025-01-01T10:00:00")
    add(store, "new", completed_at="2025-02-01T10:00:00")
    add(store, "newer but taken over", completed_at="2025-03-01T10:00:00", reused_from="new")
    add(store, "newest but unconverged", completed_at="2025-04-01T10:00:00", converged=False)
    add(store, "other", key="x", completed_at="2025-05-01T10:00:00")
    assert find_finished(store, "k")["uuid"] == "new"
    store.remove_docs({"output.converged": True, "output.key": "k"})
    assert find_finished(store, "k")["uuid"] == "newest but unconverged"


def test_large_data_are_loaded_on_demand(store):
    add(store, "a", blob="A" * 1000)
    assert find_finished(store, "k")["output"]["density"]["blob"] == "A" * 1000
    reference = find_finished(store, "k", load=False)["output"]["density"]["blob"]
    assert reference["store"] == "data"


def test_a_document_without_its_large_data_is_not_finished(store):
    add(store, "whole", completed_at="2025-01-01", blob="A")
    add(store, "torn", completed_at="2025-02-01", blob="B")
    store.additional_stores["data"].remove_docs({"job_uuid": "torn"})
    torn = store.query_one({"uuid": "torn"})
    assert not complete(store, torn)
    assert complete(store, store.query_one({"uuid": "whole"}))
    assert find_finished(store, "k")["uuid"] == "whole"
    torn["output"]["density"]["blob"]["store"] = "elsewhere"
    assert not complete(store, torn)


def test_a_block_may_calculate_once(store):
    with claimed(store, "k") as found:
        assert found is None
        add(store, "a")
    with claimed(store, "k") as found:
        assert found["uuid"] == "a"
    with claimed(store, "k", force=True) as found:
        assert found is None


@job(data=["blob"], config=JobConfig(expose_store=True))
def calculated_once(key):
    with claimed(CURRENT_JOB.store, key) as found:
        if found is not None:
            return {**found["output"], "reused_from": found["uuid"]}
        return {"key": key, "energy": -1 / 3, "density": {"blob": "B" * 1000}}


def test_a_job_takes_over_the_result_of_an_earlier_one(store, tmp_path):
    outputs = []
    for _ in range(3):
        one = calculated_once("k")
        run_locally(one, store=store, log=False, root_dir=tmp_path, ensure_success=True)
        outputs.append((one.uuid, store.get_output(one.uuid, load=True)))
    (first, original), *others = outputs
    assert "reused_from" not in original
    for _, output in others:
        assert output == {**original, "reused_from": first}


def test_an_error_gives_the_claim_back(embedded):
    with pytest.raises(ZeroDivisionError), claimed(embedded, "k"):
        raise ZeroDivisionError
    with claimed(embedded, "k", timeout=0) as found:
        assert found is None


def test_a_second_one_waits_for_the_result(embedded):
    entered = threading.Event()
    done = []

    def work():
        with open_store(embedded.docs_store.path) as own, claimed(own, "k") as found:
            entered.set()
            time.sleep(0.3)
            done.append(found)
        time.sleep(0.2)  # as a job does: the result comes into the store after the block
        add(embedded, "a", blob="A")

    thread = threading.Thread(target=work)
    thread.start()
    assert entered.wait(10)
    with claimed(embedded, "k", poll=0.02) as found:
        assert found["output"]["density"]["blob"] == "A"
    thread.join()
    assert done == [None]


def test_a_claim_counts_as_held_until_the_store_knows_that_it_is_given_back(embedded, monkeypatch):
    claims, seen = claims_of(embedded), []
    mine = Claim.of_this_process("k")
    assert claims.take(mine, 60.0, finished=False) is None
    transaction = claims._transaction

    def watched():
        seen.append(mine.alive)
        return transaction()

    monkeypatch.setattr(claims, "_transaction", watched)
    assert claims.renew(mine, 60.0, released=True)
    assert seen == [True]
    assert claims.holder("k").released


def test_waiting_can_be_limited(embedded):
    held = take(embedded, "k", "the queue")
    with (
        pytest.raises(CalculationError, match="which the queue claims"),
        claimed(embedded, "k", poll=0.02, timeout=0.1),
    ):
        pass
    assert take(embedded, "k", "another queue") is None
    claims_of(embedded).drop(held)
    with claimed(embedded, "k", timeout=0) as found:
        assert found is None


def test_a_stale_claim_is_taken_over(embedded):
    assert take(embedded, "k", "somebody", lease=0.3) is not None
    start = time.monotonic()
    with claimed(embedded, "k", poll=0.02, timeout=10) as found:
        assert found is None
    assert time.monotonic() - start > 0.2


def test_a_result_that_never_comes_is_waited_for_only_so_long(embedded):
    with claimed(embedded, "k", grace=0.3):
        pass  # ends well, but nothing is stored
    with pytest.raises(CalculationError), claimed(embedded, "k", poll=0.02, timeout=0.05):
        pass
    with claimed(embedded, "k", poll=0.02, timeout=10) as found:
        assert found is None


def test_forcing_does_not_wait_for_a_result_that_has_come(embedded):
    with claimed(embedded, "k", force=True):
        pass
    add(embedded, "a")
    with claimed(embedded, "k", force=True, timeout=0) as found:
        assert found is None


def test_a_heartbeat_keeps_the_claim(embedded):
    with claimed(embedded, "k", stale=0.4):
        time.sleep(1.0)
        assert take(embedded, "k", "another") is None


def test_a_lost_claim_is_not_given_back(embedded):
    claims = claims_of(embedded)
    assert isinstance(claims, SqliteClaims)
    first, second = Claim("k", "first"), Claim("k", "second")
    assert claims.take(first, lease=0, finished=False) is None
    assert claims.take(second, lease=60, finished=False) is None
    assert not claims.renew(first, 60)
    claims.drop(first)
    assert claims.take(first, 60, finished=False) == second


def test_an_equal_structure_with_another_digest_is_found(embedded):
    rng = np.random.default_rng(0)
    structure = Structure(Lattice.cubic(20), ["O"] * 100, rng.random((100, 3)))
    key = calculation_key(structure, {"xc": "PBE"}, "static")
    with claimed(embedded, key) as found:
        assert found is None
        add(embedded, "a", key=str(key))
    shaken = Structure(structure.lattice, structure.species, structure.frac_coords + rng.uniform(-1e-6, 1e-6, (100, 3)))
    other = calculation_key(shaken, {"xc": "PBE"}, "static")
    assert str(other) != str(key)  # the noise crosses an edge of the rounding in one of 300 numbers
    assert find_finished(embedded, other)["uuid"] == "a"
    with claimed(embedded, other, timeout=0) as found:
        assert found["uuid"] == "a"
    assert find_finished(embedded, calculation_key(shaken, {"xc": "PBE0"}, "static")) is None
    structure.translate_sites([0], [1e-4, 0, 0])
    assert find_finished(embedded, calculation_key(structure, {"xc": "PBE"}, "static")) is None


def test_an_equal_structure_is_waited_for(embedded):
    rng = np.random.default_rng(0)
    structure = Structure(Lattice.cubic(20), ["O"] * 100, rng.random((100, 3)))
    shaken = Structure(structure.lattice, structure.species, structure.frac_coords + rng.uniform(-1e-6, 1e-6, (100, 3)))
    one, other = (calculation_key(s, {}, "static") for s in (structure, shaken))
    assert str(one) != str(other)
    with suppress(ZeroDivisionError), claimed(embedded, one):
        with pytest.raises(CalculationError, match="claims"), claimed(embedded, other, poll=0.02, timeout=0.1):
            pass
        raise ZeroDivisionError  # gives the claim back
    with claimed(embedded, other, timeout=0):
        add(embedded, "a", key=str(other))
    assert find_finished(embedded, one)["uuid"] == "a"


def test_a_claim_is_given_back_when_the_store_goes_before_the_block_begins(embedded, monkeypatch):
    """Else the process waits for itself: its own claim lives as long as it does."""
    looks = iter([None, OSError("gone")])

    def look(*args, **options):
        told = next(looks)
        if told is not None:
            raise told

    with monkeypatch.context() as patched:
        patched.setattr(reuse, "_look", look)
        with pytest.raises(OSError, match="gone"), claimed(embedded, "k"):
            pass
    with claimed(embedded, "k", poll=0.01, timeout=1.0) as found:
        assert found is None

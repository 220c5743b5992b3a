"""Counting results without reading them."""

import pytest

from iface_wf.store.scalars import scalars
from iface_wf.store.summary import store_summary
from tests.examples import document, put


@pytest.fixture
def filled(job_store):
    for number, (engine, level, converged) in enumerate(
        [("xtb", "fast", True), ("xtb", "fast", False), ("gpaw", "fast", True)]
    ):
        result = document(f"{number:064x}", engine=engine, level=level, converged=converged)
        put(job_store, result, uuid=f"{number:08d}-0000-0000-0000-000000000000", completed_at=f"2026-01-0{number + 1}")
    return job_store


def test_numbers_by_engine_and_level(filled):
    rows = store_summary(filled)
    assert [(r["engine"], r["level"], r["stored"], r["converged"], r["newest"]) for r in rows] == [
        ("gpaw", "fast", 1, 1, "2026-01-03"),
        ("xtb", "fast", 2, 1, "2026-01-02"),
    ]


def test_failures_are_counted_apart(filled):
    failure = {"document_type": "failure", "key": "x", "cause": "no", "attempts": 1}
    filled.update({"uuid": "f", "index": 1, "output": failure, "completed_at": "2026-01-09"}, key=["uuid", "index"])
    assert store_summary(filled)[-1]["failed"] == 1


def test_plain_fields_are_those_of_the_documents(filled):
    criteria = {"output.key": {"$in": [f"{0:064x}", f"{2:064x}"]}}
    found = set(scalars(filled, ["uuid", "output.engine", "output.salt"], criteria))
    by_query = {(e["uuid"], e["output"]["engine"], e["output"]["salt"]) for e in filled.query(criteria)}
    assert found == by_query
    assert len(found) == 2

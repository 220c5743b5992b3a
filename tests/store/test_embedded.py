"""The embedded store: MongoDB's meaning, nothing lost, nothing half done."""

from __future__ import annotations

import base64
import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from bson import ObjectId
from hypothesis import given, settings
from hypothesis import strategies as st
from jobflow import JobStore
from maggma.core import StoreError
from maggma.core.validator import Validator
from mongomock_ng.filtering import filter_applies
from monty.json import MontyDecoder

from iface_wf.store.embedded import SqliteStore
from iface_wf.store.extended_json import decode, encode
from iface_wf.store.projection import projector
from iface_wf.store.pushdown import prefilter
from iface_wf.store.sqlite_file import open_database

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, -1.25, 2.0, 0.1 + 0.2, 1e300]),
    st.sampled_from(["", "a", "b", "ab", "a~", "aÅ", "[", "[a]", "{", 'x"y', "Å"]),
)
NAMES = st.sampled_from(["a", "b", "c", "d e"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=8)
PATHS = st.sampled_from(["a", "b", "c", "a.b", "a.a", "b.c", "a.b.c", "d e.a"])
NUMBERS_OR_TEXT = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.25, 0.1 + 0.2, "a", "b", "["]))
CONDITIONS = st.one_of(
    LEAVES,
    st.builds(lambda v: {"$eq": v}, LEAVES),
    st.builds(lambda v: {"$ne": v}, LEAVES),
    st.builds(lambda v: {"$in": v}, st.lists(LEAVES, max_size=3)),
    st.builds(lambda v: {"$nin": v}, st.lists(LEAVES, max_size=3)),
    st.builds(lambda op, v: {op: v}, st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), NUMBERS_OR_TEXT),
    st.builds(lambda v: {"$exists": v}, st.booleans()),
    st.builds(lambda v: {"$regex": v}, st.sampled_from(["^a", "^ab", "^a.", "^A", "a", "^[ab]"])),
    st.builds(lambda low, high: {"$gte": low, "$lt": high}, st.integers(-3, 3), st.integers(-3, 3)),
)
SIMPLE = st.dictionaries(PATHS, CONDITIONS, max_size=2)
CRITERIA = st.one_of(
    SIMPLE,
    st.builds(lambda parts: {"$or": parts}, st.lists(SIMPLE, min_size=1, max_size=2)),
    st.builds(lambda parts: {"$and": parts}, st.lists(SIMPLE, min_size=1, max_size=2)),
    st.builds(lambda parts: {"$nor": parts}, st.lists(SIMPLE, min_size=1, max_size=2)),
)


@pytest.fixture
def store(tmp_path):
    with SqliteStore(tmp_path / "s.sqlite", "outputs", key="uuid") as opened:
        yield opened


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(documents=DOCUMENTS, criteria=CRITERIA)
def test_the_sql_condition_never_loses_a_match(documents, criteria):
    condition, values = prefilter(criteria)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, doc TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, encode(d)) for n, d in enumerate(documents)])
        kept = {row for (row,) in connection.execute(f"SELECT id FROM t WHERE {condition}", values)}
    assert kept >= {n for n, document in enumerate(documents) if filter_applies(criteria, document)}


def test_the_sql_condition_is_not_idle():
    condition, values = prefilter({"a.b": {"$gte": 2, "$lt": 4.5}, "c": "x", "d": {"$in": [1, None]}})
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, doc TEXT)")
        for b in range(10):
            for c in ("x", "y"):
                connection.execute("INSERT INTO t (doc) VALUES (?)", [encode({"a": {"b": b}, "c": c, "d": b % 2})])
        found = [decode(doc) for (doc,) in connection.execute(f"SELECT doc FROM t WHERE {condition}", values)]
    assert found == [{"a": {"b": 3}, "c": "x", "d": 1}]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (["a.x", "c"], {"a": {"x": 1}, "c": [{"p": 1, "q": 2}, 3, [{"p": 4}]]}),
        ({"c.p": 1, "missing": 1}, {"c": [{"p": 1}, [{"p": 4}]]}),
        ({"a": 0, "c.q": 0}, {"_id": 7, "c": [{"p": 1}, 3, [{"p": 4}]]}),
        ({"a.y": 1, "_id": 0}, {"a": {"y": {"z": 2}}}),
        ({"_id": 0, "c": 0}, {"a": {"x": 1, "y": {"z": 2}}}),
        (["a.y", "a.y.z", "a.x.n"], {"a": {"y": {"z": 2}}}),
    ],
)
def test_projection_leads_through_objects_and_lists(properties, expected):
    document = {"_id": 7, "a": {"x": 1, "y": {"z": 2}}, "c": [{"p": 1, "q": 2}, 3, [{"p": 4}]]}
    kept_id = {} if isinstance(properties, dict) and "_id" in properties else {"_id": 7}
    assert projector(properties)(document) == {**kept_id, **expected}


def test_sorts_skips_and_limits(store):
    values = [3, None, "text", 1.5, [7, 0], True, datetime(2025, 1, 2), {"x": 1}, -2, [], float("nan")]
    store.update([{"uuid": str(n), "v": value} for n, value in enumerate(values)] + [{"uuid": "missing"}])
    ascending = [document["uuid"] for document in store.query(sort={"v": 1})]
    # MongoDB: empty list, then null and missing, numbers (nan first, a list by its smallest), text, objects, dates
    assert ascending == ["9", "1", "missing", "10", "8", "4", "5", "3", "0", "2", "7", "6"]
    descending = [document["uuid"] for document in store.query(sort={"v": -1})]
    assert descending[:5] == ["6", "7", "2", "4", "0"]  # the list now by its largest
    assert [d["uuid"] for d in store.query(sort={"v": 1}, skip=3, limit=2)] == ["10", "8"]
    assert store.query_one({"v": {"$type": "string"}}, sort={"v": -1})["uuid"] == "2"


def test_sorts_by_several_fields(store):
    store.update([{"uuid": f"{a}{b}", "a": a, "b": {"c": b}} for a in range(3) for b in range(3)])
    found = [document["uuid"] for document in store.query(sort={"a": -1, "b.c": 1})]
    assert found == ["20", "21", "22", "10", "11", "12", "00", "01", "02"]


@given(st.floats(width=64))
def test_floats_come_back_to_the_last_bit(value):
    (back,) = decode(encode({"x": [value]}))["x"]
    assert np.float64(back).tobytes() == np.float64(value).tobytes() or (np.isnan(back) and np.isnan(value))


def test_every_type_comes_back(store):
    document = {
        "uuid": "1",
        "date": datetime(2025, 3, 1, 12, 30, 15, 123457),
        "bytes": bytes(range(256)),
        "id": ObjectId(),
        "large": 2**53 + 1,
        "special": [float("inf"), float("-inf"), {"deep": datetime(1999, 1, 1)}],
        "text": 'Å "quoted" \x00 \\ \n',
    }
    store.update(document)
    assert store.query_one({"uuid": "1"}) == document


def test_dates_with_a_time_zone_are_moments(store):
    moment = datetime(2025, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    store.update({"uuid": "1", "date": moment})
    assert store.query_one({"date": moment})["date"] == datetime(2025, 3, 1, 10)
    assert store.count({"date": {"$lt": datetime(2025, 3, 1, 10, 0, 1, tzinfo=UTC)}}) == 1
    assert store.count({"date": {"$gt": datetime(2025, 3, 1, 10)}}) == 0


def test_update_replaces_by_key_fields(store):
    store.update([{"uuid": "a", "index": n, "x": n} for n in (1, 2)], key=["uuid", "index"])
    store.update({"uuid": "a", "index": 2, "y": 5}, key=["uuid", "index"])
    assert sorted(store.query(), key=lambda d: d["index"]) == [
        {"uuid": "a", "index": 1, "x": 1},
        {"uuid": "a", "index": 2, "y": 5},
    ]


def test_a_failed_update_changes_nothing(store):
    store.ensure_index("name", unique=True)
    store.update({"uuid": "a", "name": "first"})
    with pytest.raises(sqlite3.IntegrityError):
        store.update(
            [{"uuid": "b", "name": "second"}, {"uuid": "a", "name": "changed"}, {"uuid": "c", "name": "second"}]
        )
    assert list(store.query()) == [{"uuid": "a", "name": "first"}]
    store.update({"uuid": "d", "name": "third"})  # the store is not left inside a transaction
    assert store.count() == 2


def test_a_document_without_its_key_is_refused(store):
    with pytest.raises(KeyError, match="uuid"):
        store.update({"name": "x"})


def test_removes_what_matches(store):
    store.update([{"uuid": str(n), "v": [n, n + 1]} for n in range(4)])
    store.remove_docs({"v": 2})
    assert store.distinct("uuid") == ["0", "3"]


def test_a_unique_index_is_refused_where_there_are_duplicates(store):
    store.update([{"uuid": "1", "name": "x"}, {"uuid": "2", "name": "x"}])
    assert not store.ensure_index("name", unique=True)
    assert store.ensure_index("name")
    assert not store.ensure_index('na"me')


def test_simple_filters_use_the_index(store):
    store.ensure_index(["uuid", "index"], unique=True)
    store.ensure_index("output.kind")
    begins = {"$regex": "^a"}
    for criteria in (
        {"uuid": "x", "index": 1},
        {"output.kind": {"$in": ["a", "b"]}, "output.energy": {"$lt": 0}},
        {"$or": [{"output.kind": begins}, {"uuid": begins}]},
    ):
        condition, values = prefilter(criteria)
        sql = f"EXPLAIN QUERY PLAN SELECT id FROM docs_outputs WHERE {condition}"
        plan = " ".join(row[3] for row in store._collection.execute(sql, values))
        assert "USING INDEX" in plan
        assert "SCAN" not in plan


def test_distinct_and_groupby(store):
    store.update(
        [
            {"uuid": "1", "o": {"k": "x", "e": 1.0}, "tags": ["p", "q"]},
            {"uuid": "2", "o": {"k": "y", "e": 2.0}, "tags": ["q"]},
            {"uuid": "3", "o": {"k": "x", "e": 3.0}},
            {"uuid": "4", "o": {"e": 4.0}},
        ]
    )
    assert store.distinct("o.k") == ["x", "y"]
    assert store.distinct("tags", {"o.k": "x"}) == ["p", "q"]
    groups = {g["o"]["k"]: [d["uuid"] for d in docs] for g, docs in store.groupby("o.k", sort={"o.e": -1})}
    assert groups == {"x": ["3", "1"], "y": ["2"]}
    ((_, (only,)),) = store.groupby(["o.k"], {"uuid": "2"}, properties=["o.e"])
    assert only == {"o": {"k": "y", "e": 2.0}}


def test_last_updated(tmp_path):
    with SqliteStore(tmp_path / "s.sqlite", key="uuid", last_updated_field="when") as store:
        assert store.last_updated == datetime.min
        store.update([{"uuid": str(day), "when": datetime(2025, 1, day)} for day in (1, 9, 10)])
        assert store.last_updated == datetime(2025, 1, 10)


def test_a_validator_is_asked(tmp_path):
    class Positive(Validator):
        strict = False

        def is_valid(self, doc):
            return doc["x"] > 0

        def validation_errors(self, doc):
            return [f"{doc['x']} is not positive"]

    with SqliteStore(tmp_path / "s.sqlite", key="uuid", validator=Positive()) as store:
        store.update([{"uuid": "1", "x": 1}, {"uuid": "2", "x": -1}])
        assert store.distinct("uuid") == ["1"]


def test_stores_are_equal_by_place_and_survive_serialisation(tmp_path):
    store = SqliteStore(tmp_path / "s.sqlite", "outputs", key="uuid")
    again = SqliteStore.from_dict(store.as_dict())
    assert again == store
    assert hash(again) == hash(store)
    assert again.key == "uuid"
    assert pickle.loads(pickle.dumps(store)) == store
    assert MontyDecoder().process_decoded(store.as_dict()) == store
    assert store != SqliteStore(tmp_path / "s.sqlite", "blobs", key="uuid")
    with pytest.raises(ValueError, match="letters"):
        SqliteStore(tmp_path / "s.sqlite", "x; DROP TABLE y")


def test_needs_a_connection(tmp_path):
    with pytest.raises(StoreError, match="not connected"):
        SqliteStore(tmp_path / "s.sqlite").count()


def test_reading_while_iterating_may_write(store):
    store.update([{"uuid": str(n), "v": 0} for n in range(60)])
    for document in store.query({"v": 0}):
        store.update({**document, "v": 1})
    assert store.count({"v": 1}) == 60


def test_ten_megabytes_of_data_as_an_additional_store(tmp_path):
    path = tmp_path / "s.sqlite"
    payload = base64.b64encode(np.random.default_rng(0).bytes(10_000_000)).decode()
    document = {"uuid": "a", "index": 1, "output": {"energy": -1.5, "density": {"blob": payload}}}
    with JobStore(SqliteStore(path, "outputs"), additional_stores={"data": SqliteStore(path, "blobs")}) as store:
        store.update(document, save={"data": "blob"})
        assert len(str(store.query_one({"uuid": "a"}))) < 1000
        assert store.query_one({"uuid": "a"}, load=True)["output"]["density"]["blob"] == payload
        store.remove_docs({"uuid": "a"})
        assert store.additional_stores["data"].count() == 0


def test_a_forked_process_may_go_on_with_the_store(store):
    store.update({"uuid": "parent"})
    child = os.fork()
    if child == 0:
        try:
            store.update({"uuid": "child"})
            os._exit(0 if store.count() == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    store.update({"uuid": "parent again"})
    assert store.distinct("uuid") == ["parent", "child", "parent again"]


def test_a_second_connection_does_not_give_back_the_locks_of_the_first(tmp_path):
    """POSIX gives back all locks of a process on a file when it closes it once, however it had opened it."""
    path = tmp_path / "store.sqlite"
    first = open_database(path)
    first.execute("CREATE TABLE t (x)")
    open_database(path)  # as claims do beside a store
    log = Path(f"{path}-wal").stat().st_ino
    other = f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('INSERT INTO t VALUES (1)'); c.commit(); c.close()"
    subprocess.run([sys.executable, "-c", other], check=True)
    assert Path(f"{path}-wal").stat().st_ino == log  # the other process was not the last one
    first.execute("INSERT INTO t VALUES (2)")
    assert first.execute("SELECT count(*) FROM t").fetchone() == (2,)

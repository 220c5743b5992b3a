"""The embedded store answers as a real MongoDB server does."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maggma.stores import MongoStore

from iface_wf.store.embedded import SqliteStore

pytestmark = pytest.mark.slow

# 0 and 1 are left out: mongomock takes them for False and True
NUMBERS = st.sampled_from([-2, -1, 2, 3, 0.5, -1.25, 0.1 + 0.2])
TEXTS = st.sampled_from(["", "a", "["])
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
NAMES = st.sampled_from(["a", "b", "c"])
OBJECTS = st.dictionaries(NAMES, LEAVES, max_size=2)
VALUES = st.one_of(LEAVES, OBJECTS, st.lists(st.one_of(LEAVES, OBJECTS), max_size=3), st.dictionaries(NAMES, OBJECTS))
DOCUMENTS = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=6)
PATHS = st.sampled_from(["a", "b", "c", "a.b", "a.a", "b.c", "a.b.c"])
CONDITIONS = st.one_of(
    LEAVES,
    st.builds(lambda op, v: {op: v}, st.sampled_from(["$eq", "$ne"]), LEAVES),
    st.builds(lambda op, v: {op: v}, st.sampled_from(["$in", "$nin"]), st.lists(LEAVES, max_size=3)),
    st.builds(
        lambda op, v: {op: v},
        st.sampled_from(["$gt", "$gte", "$lt", "$lte"]),
        st.one_of(NUMBERS, TEXTS),
    ),
    st.builds(lambda v: {"$exists": v}, st.booleans()),
)
# the one known difference: for "a.b": None mongomock passes over documents whose "a" is no object
SIMPLE = st.dictionaries(PATHS, CONDITIONS, max_size=2).filter(
    lambda criteria: not any("." in path and "None" in repr(condition) for path, condition in criteria.items())
)
CRITERIA = st.one_of(
    SIMPLE, st.builds(lambda op, p: {op: p}, st.sampled_from(["$or", "$and"]), st.lists(SIMPLE, min_size=1, max_size=2))
)

COMMON = {"deadline": None, "derandomize": True, "suppress_health_check": [HealthCheck.too_slow]}


@pytest.fixture(scope="module")
def stores(mongod, tmp_path_factory):
    database = f"meaning_{uuid.uuid4().hex[:8]}"
    path = tmp_path_factory.mktemp("meaning") / "s.sqlite"
    with (
        MongoStore(database, "documents", mongod.host, mongod.port, key="n") as server,
        SqliteStore(path, "documents", key="n") as embedded,
    ):
        for field in ("a", "a.b"):
            embedded.ensure_index(field)
        yield server, embedded


def fill(stores, documents):
    for store in stores:
        store.remove_docs({})
        store.update([{"_id": n, "n": n, **document} for n, document in enumerate(documents)])


@settings(max_examples=250, **COMMON)
@given(documents=DOCUMENTS, criteria=st.lists(CRITERIA, min_size=5, max_size=5))
def test_filters(stores, documents, criteria):
    fill(stores, documents)
    for one in criteria:
        server, embedded = ([d["n"] for d in store.query(one, sort={"n": 1})] for store in stores)
        assert embedded == server, one


@settings(max_examples=60, **COMMON)
@given(documents=DOCUMENTS, wanted=st.lists(PATHS, min_size=1, max_size=3, unique=True), keep=st.booleans())
def test_projections(stores, documents, wanted, keep):
    paths = [p for p in wanted if not any(p.startswith(q + ".") for q in wanted)]
    fill(stores, documents)
    server, embedded = (list(s.query({}, properties=dict.fromkeys(paths, int(keep)), sort={"n": 1})) for s in stores)
    assert embedded == server


SORTABLE = st.one_of(st.none(), NUMBERS, TEXTS)
RECORDS = st.fixed_dictionaries(
    {}, optional={"a": SORTABLE | st.lists(SORTABLE, max_size=3), "b": st.fixed_dictionaries({"c": SORTABLE})}
)


@settings(max_examples=60, **COMMON)
@given(
    documents=st.lists(RECORDS, min_size=2, max_size=6),
    path=st.sampled_from(["a", "b.c"]),
    direction=st.sampled_from([1, -1]),
    skip=st.integers(0, 2),
)
def test_sorting(stores, documents, path, direction, skip):
    fill(stores, documents)
    order = {path: direction, "n": 1}
    server, embedded = ([d["n"] for d in s.query({}, sort=order, skip=skip, limit=4)] for s in stores)
    assert embedded == server


@settings(max_examples=40, **COMMON)
@given(documents=st.lists(st.dictionaries(NAMES, LEAVES), min_size=1, max_size=8))
def test_distinct_and_groups(stores, documents):
    documents = [{"c": "x", **document} for document in documents]
    fill(stores, documents)

    def known(values):
        return sorted(map(repr, values))

    assert known(stores[1].distinct("a")) == known(stores[0].distinct("a"))
    groups = [{repr(g): sorted(d["n"] for d in docs) for g, docs in s.groupby("c")} for s in stores]
    assert groups[1] == groups[0]

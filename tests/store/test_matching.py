from __future__ import annotations

import pytest
from mongomock_ng.filtering import filter_applies

from iface_wf.store.matching import matcher

DOCUMENTS = [
    {},
    {"a": 1},
    {"a": 1.0},
    {"a": True},
    {"a": "1"},
    {"a": None},
    {"a": [1, 2]},
    {"a": {"b": "x"}},
    {"a": {"b": ["x", "y"]}},
    {"a": [{"b": "x"}]},
    {"a": {"b": {"c": "x"}}},
    {"a": "x", "c": 2},
]


@pytest.mark.parametrize(
    "criteria",
    [
        {}, {"a": 1}, {"a": "1"}, {"a": True}, {"a": None}, {"a.b": "x"}, {"a.b.c": "x"}, {"a": "x", "c": 2}, {"a": "x", "c": 3},
        {"a": "x", "c": {"$gt": 1}}, {"a": {"$in": [1, "x"]}}, {"$or": [{"a": 1}, {"c": 2}]}, {"a": {"b": "x"}}, {"a": [1, 2]},
    ],
)  # fmt: skip
def test_a_glance_says_what_the_filter_says(criteria):
    fulfils = matcher(criteria)
    for document in DOCUMENTS:
        assert fulfils(document) == (not criteria or filter_applies(criteria, document)), document

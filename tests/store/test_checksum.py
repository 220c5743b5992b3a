"""Checksums of documents: no changed bit goes unseen, and what a server gives back is what it was given."""

from datetime import datetime

import bson
import numpy as np
import pytest
from bson import ObjectId

from iface_wf.store.checksum import FIELD, DamagedError, covering, document_of, fault_of, sealed_text, with_sums
from iface_wf.store.extended_json import encode

DOCUMENT = {"uuid": "a", "index": 1, "output": {"key": "k", "energy": -0.442, "Å": [1, 2.5, float("nan")]}}


def test_every_flipped_bit_of_a_text_is_seen_or_changes_nothing():
    raw = sealed_text(DOCUMENT).encode()
    whole, seen = encode(document_of(raw)[0]), 0
    for place in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        try:
            document, _, sealed = document_of(bytes(changed))
        except DamagedError:
            seen += 1
            continue
        # what held the checksum is hit: all that was stored is there
        assert not sealed
        assert encode({name: document[name] for name in DOCUMENT}) == whole
    assert seen > 7 * len(raw)


def test_documents_of_before_have_no_checksum():
    document, text, sealed = document_of(encode(DOCUMENT).encode())
    assert (encode(document), sealed) == (text, False)
    assert fault_of({"_id": 1, "uuid": "a"}) is None


def test_a_checksum_is_no_part_of_the_document():
    assert FIELD not in document_of(sealed_text(DOCUMENT | {FIELD: "of before"}).encode())[0]
    assert document_of(sealed_text({}).encode())[0] == {}


VALUES = {
    "int": 3,
    "long": 2**53 + 1,
    "whole": 2.0,
    "last bit": 0.1 + 0.2,
    "special": [float("nan"), float("inf"), -0.0, 5e-324, 1e300],
    "date": datetime(2025, 3, 1, 12, 30, 15, 123457),
    "id": ObjectId(),
    "bytes": b"\x00\xff",
    "text": 'Å "quoted" \n',
    "none": None,
    "deep": {"b": [{"c": 1, "a": [[]]}], "a": True},
}


def test_a_server_gives_back_what_its_checksums_are_of():
    stored = bson.decode(bson.encode({"_id": ObjectId(), **with_sums({"uuid": "a", "output": VALUES})}))
    assert fault_of(stored) is None
    in_another_order = {**stored, "output": dict(reversed(stored["output"].items()))}
    assert fault_of(in_another_order) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["output"].update(energy=-0.542),
        lambda d: d["output"].update(energy=np.nextafter(-0.442, 0)),
        lambda d: d["output"].pop("energy"),
        lambda d: d["output"].update(more=1),
        lambda d: d.update(index=2),
        lambda d: d.pop("uuid"),
        lambda d: d.pop("output"),
        lambda d: d[FIELD]["output"].update(energy="0" * 16),
        lambda d: d.update({FIELD: "x"}),
    ],
)
def test_every_change_on_a_server_is_seen(change):
    stored = with_sums({"uuid": "a", "index": 1, "output": {"key": "k", "energy": -0.442}})
    change(stored)
    assert fault_of(stored) is not None


def test_parts_of_a_document_are_checked_by_themselves():
    stored = with_sums({"uuid": "a", "output": {"deformation": {"A": 1.0, "B": 2.0}, "energy": -0.442}})
    fields = covering(["uuid", "output.deformation.A"])
    assert fields == ["output.deformation", "uuid"]
    part = {"_id": 1, "uuid": "a", "output": {"deformation": {"A": 1.0, "B": 2.0}}, FIELD: stored[FIELD]}
    assert fault_of(part, fields) is None
    part["output"]["deformation"]["A"] = 1.5
    assert fault_of(part, fields) is not None
    assert covering(["output.energy", "output"]) == ["output"]

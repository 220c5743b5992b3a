"""Charges by scheme: typed, read back as what they were, and open to further schemes."""

import pytest
from pydantic import ValidationError

from iface_wf.documents import schemes
from iface_wf.documents.bader import BaderDocument
from iface_wf.documents.calculation import CalculationDocument
from tests.analysis.test_charges import Invented, charges
from tests.examples import structure

BADER = {
    "method": "weight", "density_kind": "all_electron", "partition_kind": "all_electron", "shape": (2, 2, 2),
    "spacing": (1.0, 1.0, 1.0), "vacuum_cut": 1e-3, "reference_charges": [8.0], "electrons": [8.0],
    "vacuum_electrons": [0.0], "net_charges_above_cut": [0.0], "volumes": [1.0], "total_electrons": 8.0,
    "vacuum_charge": 0.0, "vacuum_volume": 0.0, "negative_charge": 0.0, "min_density": 0.0, "max_density": 1.0,
    "n_maxima": 1, "max_distance": 0.0, "flags": ["grid_too_coarse"],
}  # fmt: skip


def calculation(**found):
    return CalculationDocument(
        key="c" * 64, kind="static", engine="gpaw", engine_version="1", level="fast", functional="PBE",
        structure=structure().as_dict(), formula="x", n_atoms=6, energy=-1.0, converged=True, charges=found,
    )  # fmt: skip


def test_all_that_a_scheme_tells_is_stored_and_read_back():
    before = calculation(bader=charges(["slab"], [0.0], BaderDocument, **BADER))
    after = CalculationDocument.model_validate(before.model_dump(mode="json"))
    assert type(after.charges["bader"]) is BaderDocument
    assert after.model_dump(mode="json") == before.model_dump(mode="json")


def test_another_scheme_needs_its_class_and_one_entry(monkeypatch):
    before = calculation(invented=charges(["slab"], [0.1]))
    stored = before.model_dump(mode="json")
    with pytest.raises(ValidationError, match="unknown scheme of charges 'invented', known: bader"):
        CalculationDocument.model_validate(stored)
    monkeypatch.setitem(schemes.SCHEMES, "invented", Invented)
    assert CalculationDocument.model_validate(stored).model_dump(mode="json") == stored

"""Keys and structures are worked out once: how often is counted, because nobody sees it in a result."""

from collections import Counter

import pytest
from pymatgen.core import Structure

from iface_wf.api import calculate
from iface_wf.engines import request as engine_request
from iface_wf.library import Library
from iface_wf.screening.run import run_screening
from iface_wf.screening.single import plan_request, run_request
from iface_wf.screening.spec import ScreeningSpec

#: relax and static of A, B and AB, of A and B from AB, and static of A* and B*.
CALCULATIONS = 12
COMMON = {"engine": "xtb", "placements": 1, "vacuum": 6.0, "overrides": {"fmax": 0.1}}


@pytest.fixture
def counts(monkeypatch):
    """Count the keys, and the structures that our own modules read from dicts (jobflow reads its own)."""
    found = Counter()
    key, from_dict = engine_request.calculation_key, Structure.from_dict.__func__

    def counted_key(*args, **options):
        found["keys"] += 1
        return key(*args, **options)

    def counted_structure(cls, *args, **options):
        found["structures"] += 1
        return from_dict(cls, *args, **options)

    monkeypatch.setattr(engine_request, "calculation_key", counted_key)
    monkeypatch.setattr(Structure, "from_dict", classmethod(counted_structure))
    return found


@pytest.mark.slow
def test_one_interface(tiny, tmp_path, job_store, counts):
    request = calculate.make_request(filler="HF-layer", polymer="water", **COMMON)
    library = Library(tiny)
    assert len(plan_request(request, job_store, library)) == CALCULATIONS
    assert counts.pop("keys") == 2  # the relaxations of the two parts; all others hang on what these give
    assert counts.pop("structures") == 2

    run_request(request, job_store, library, tmp_path / "runs")
    assert counts.pop("keys") == 2 + CALCULATIONS
    # ours: one for each key, and to collect each single point and the placement, and for the molecule among its images;
    # jobflow: the input of a job and the calculations that are collected; to place, cut, compare and show: nineteen
    assert counts.pop("structures") <= 2 + CALCULATIONS + 7 + 3 * (CALCULATIONS + 1) + 1 + 19

    run_request(request, job_store, library, tmp_path / "runs")
    assert counts.pop("keys") == 2  # found
    assert counts.pop("structures") == 2 + 1  # and the result's own


@pytest.mark.slow
def test_a_screening(tiny, tmp_path, job_store, counts):
    fillers, polymers = ["HF-layer", "HCN-layer"], ["water", "methane"]
    spec = ScreeningSpec(fillers=fillers, polymers=polymers, **COMMON)
    outcome = run_screening(spec, job_store, Library(tiny), tmp_path / "runs")
    assert (len(outcome.finished), outcome.failed) == (4, {})
    parts, results = 4, 4
    # of each part: its relaxation's key for the graph and in its job, and its single point's in its job and to look for it
    assert counts.pop("keys") == 4 * parts + 8 * results
    run_screening(spec, job_store, Library(tiny), tmp_path / "runs")
    assert counts.pop("keys") == parts

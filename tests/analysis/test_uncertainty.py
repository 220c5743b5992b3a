"""Parts of an uncertainty: each from its facts, absent where nothing is known, and no sum below one of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iface_wf.analysis.uncertainty import (
    CHEAP_GEOMETRY,
    GEOMETRY_NOISE,
    basis_part,
    combined,
    dispersion_part,
    geometry_part,
    of_difference,
    search_part,
    spread_part,
)

SIZE = st.floats(0, 10)


@pytest.mark.parametrize(
    ("bsse", "reference", "corrected", "ions"),
    [  # dzp against plane waves of 600 eV or def2-TZVP, eV, see the module
        (0.152, -0.215, -0.203, False),
        (0.244, -0.251, -0.239, False),
        (0.114, -0.251, -0.246, False),
        (0.126, -2.703, -2.652, True),
    ],
)
def test_what_correction_left_of_measured_pairs_is_covered(bsse, reference, corrected, ions):
    left = abs(corrected - reference)
    part = basis_part("LCAO dzp", bsse, ions)
    assert left - 0.001 < part  # the figures have three digits
    assert part < (0.2 if ions else 0.1)  # and it is not the whole correction


@pytest.mark.parametrize(
    ("bsse", "grid", "corrected"),
    [  # functions of 0.02 eV against a grid of 0.18 A, eV: Li+ at dimethyl ether, ethylene carbonate, TFSI-
        (0.026, -1.686, -1.545),
        (0.030, -2.136, -1.967),
        (0.085, -5.698, -5.551),
    ],
)
def test_what_correction_left_of_bound_lithium_is_covered_within_the_spread_of_the_three(bsse, grid, corrected):
    assert abs(corrected - grid) - 0.02 < basis_part("LCAO dzp of 0.02 eV", bsse, ions=True)


def test_a_basis_without_correction_leaves_all_of_it_and_plane_waves_little():
    assert basis_part("LCAO dzp", None, ions=False) > 0.2
    cutoffs = [basis_part(f"PW {cutoff} eV", None, ions=False) for cutoff in (400, 500, 520, 600, 800)]
    assert cutoffs == sorted(cutoffs, reverse=True)
    assert cutoffs[-1] > 0
    assert basis_part("ML potential", None, ions=False) is None
    assert basis_part("PW", None, ions=False) is None
    assert basis_part("", None, ions=True) is None


def test_what_is_not_known_is_absent_and_not_zero():
    assert search_part(None) is search_part({}) is search_part({"spread": None}) is None
    assert search_part({"spread": math.nan}) is None
    assert spread_part({}) is spread_part({"D3(BJ)": -0.3}) is spread_part(None) is None
    assert geometry_part({"A": 0.1}, None) is None
    assert combined([]) is None


@pytest.mark.parametrize("spread", [0.01, 0.04])
def test_a_search_that_found_ever_new_minima_vouches_for_no_more_than_repeated_seeds_do(spread):
    """PEO x 2 on quartz by GFN1-xTB, five seeds (docs/search.md), eV; what a single search says of itself is less."""
    seeds = np.array([-0.932, -1.001, -0.982, -0.850, -0.932])
    record = {"spread": spread, "tried": 16, "distinct_minima": 15}
    assert np.std(seeds, ddof=1) > spread
    assert all(search_part(record, energy) > np.std(seeds, ddof=1) * 0.9 for energy in seeds)
    assert search_part(record | {"spread": 0.2}, -0.9) == pytest.approx(0.2)


def test_a_search_that_ended_in_one_minimum_again_and_again_is_sure_of_it():
    assert search_part({"spread": 0.0, "tried": 16, "distinct_minima": 1}, -0.9) == pytest.approx(0.0)
    few, many = ({"spread": 0.0, "tried": 16, "distinct_minima": found} for found in (3, 12))
    assert 0 < search_part(few, -0.9) < search_part(many, -0.9) < search_part({"spread": 0.0, "tried": 1}, -0.9)
    assert search_part(many) == pytest.approx(0.0)  # of a molecule alone, whose minima are no binding energies


def test_the_part_of_cheap_geometries_is_that_of_pairs_calculated_on_two():
    """GPAW on geometries of GFN1-xTB and of CHGNet, eV (docs/screening.md)."""
    xtb = np.array([-2.295, -1.333, -1.270, -1.148, -0.945, -2.176, -1.419])
    chgnet = np.array([-1.268, -1.759, -1.285, -1.176, -1.072, -1.368, -1.351])
    assert pytest.approx(np.sqrt(np.mean(((xtb - chgnet) / 2) ** 2)), abs=0.02) == CHEAP_GEOMETRY


def test_half_the_spread_of_models():
    assert spread_part({"D3(BJ)": -0.50, "D4": -0.40, "TS": -0.45}) == pytest.approx(0.05)


def test_dispersion_that_is_not_counted_is_lacking_as_a_whole():
    shares = {"D3(BJ)": -0.50, "D4": -0.40}
    assert dispersion_part(shares, counted=True) == pytest.approx(0.05)
    assert dispersion_part(shares, counted=False) == pytest.approx(0.5)
    assert dispersion_part({"D4": -0.4}, counted=True) is dispersion_part({}, counted=False) is None


def test_negative_deformations_are_errors_of_that_size():
    assert geometry_part({"A": -0.46, "B": 0.02}, other_method=True) == pytest.approx(0.46)
    assert geometry_part({"A": 0.16, "B": 0.02}, other_method=True) == CHEAP_GEOMETRY
    assert geometry_part({"A": 0.16}, other_method=False) == pytest.approx(0.02)
    assert geometry_part({"A": -0.3, "B": -0.4}, other_method=False) == pytest.approx(0.5)
    assert geometry_part({"A": -0.3}, other_method=None) == pytest.approx(0.3)


def test_a_whole_above_its_parts_is_an_error_of_that_size_where_another_method_relaxed():
    assert geometry_part({"A": 1.36, "B": 0.61}, other_method=True, binding=0.95) == pytest.approx(0.95)
    assert geometry_part({"A": -0.4, "B": 0.61}, other_method=True, binding=0.3) == pytest.approx(0.5)
    assert geometry_part({"A": 0.5}, other_method=True, binding=-0.95) == CHEAP_GEOMETRY
    assert geometry_part({"A": 0.5}, other_method=False, binding=0.95) == GEOMETRY_NOISE  # a minimum of its own


@given(st.dictionaries(st.sampled_from(["search", "basis", "dispersion"]), SIZE, min_size=1))
def test_the_sum_is_never_below_a_part_nor_above_all_of_them(parts):
    assert max(parts.values()) - 1e-12 <= combined(parts.values()) <= sum(parts.values()) + 1e-12


@given(SIZE, SIZE, SIZE, SIZE)
def test_of_common_parts_the_difference_counts(search, other, dispersion, more):
    first, second = {"search": search, "dispersion": dispersion}, {"search": other, "dispersion": more}
    apart = of_difference(first, second)
    common = of_difference(first, second, common=["dispersion"])
    assert common == pytest.approx(math.hypot(search, other, dispersion - more))
    assert common <= apart + 1e-12
    # what only one of them knows cannot cancel
    assert of_difference({"dispersion": 0.1}, {}, common=["dispersion"]) == pytest.approx(0.1)
    assert of_difference({}, {}) is None

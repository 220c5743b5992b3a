from __future__ import annotations

import numpy as np
import pytest

from iface_wf.analysis.grid import Grid
from iface_wf.analysis.potential import macroscopic_average, planar_average, vacuum_levels
from iface_wf.errors import CalculationError, InputError

Z = np.linspace(0, 30, 300, endpoint=False)


def slab_potential(step=0.0):
    """A well of 10 eV between 12 and 18 A with smooth walls, and a potential step across it."""
    well = -10 * (1 / (1 + np.exp(-(Z - 12) / 0.3)) - 1 / (1 + np.exp(-(Z - 18) / 0.3)))
    return well + step * (Z > 15)


def test_planar_average_keeps_what_varies_along_c():
    values = np.arange(24.0).reshape(2, 3, 4)
    average = planar_average(Grid(values, np.diag([1.0, 2.0, 3.0])))
    np.testing.assert_allclose(average, [values[:, :, k].mean() for k in range(4)], rtol=1e-14)


def test_macroscopic_average_removes_the_layers_and_keeps_the_mean():
    """Oscillations with the period of the window vanish; a slow wave is damped by sin(x) / x, x = pi w / L."""
    period, length = 2.5, 30.0
    slow = np.cos(2 * np.pi * Z / length)
    profile = 3 + slow + np.sin(2 * np.pi * Z / period)
    damped = np.sinc(period / length) * slow
    np.testing.assert_allclose(macroscopic_average(profile, 0.1, period), 3 + damped, atol=1e-3)


def test_window_need_not_be_a_whole_number_of_planes():
    profile = np.sin(2 * np.pi * Z / 7.5)
    narrow, wide = (macroscopic_average(profile, 0.1, width) for width in (2.46, 2.54))
    between = macroscopic_average(profile, 0.1, 2.5)
    np.testing.assert_allclose(between, (narrow + wide) / 2, atol=1e-4)
    assert abs(narrow - wide).max() > 1e-3


def test_window_over_the_whole_cell_gives_the_mean():
    profile = np.random.default_rng(1).normal(size=300)
    np.testing.assert_allclose(macroscopic_average(profile, 0.1, 30.0), profile.mean(), atol=1e-12)


@pytest.mark.parametrize("period", [0.0, -1.0, 31.0, float("nan")])
def test_impossible_windows_are_refused(period):
    with pytest.raises(InputError, match="averaging window"):
        macroscopic_average(np.zeros(300), 0.1, period)


def test_levels_work_functions_and_step():
    levels = vacuum_levels(slab_potential(step=0.8), Z, 12.0, 18.0, fermi_level=-4.5)
    # The walls of the well have decayed to 10 exp(-10.5 / 0.3) eV.
    assert (levels.lower, levels.upper) == pytest.approx((0.0, 0.8), abs=1e-6)
    assert levels.work_function_lower == pytest.approx(4.5, abs=1e-6)
    assert levels.work_function_upper == pytest.approx(5.3, abs=1e-6)
    assert levels.step == pytest.approx(0.8, abs=1e-6)
    assert vacuum_levels(slab_potential(), Z, 12.0, 18.0).work_function_upper is None


def test_the_boundary_plane_does_not_count():
    profile = slab_potential(step=0.8)
    profile[0] = 0.4  # between both vacuum levels, as a dipole correction leaves it
    assert vacuum_levels(profile, Z, 12.0, 18.0).lower == pytest.approx(0.0, abs=1e-6)


def test_sloping_or_thin_vacuum_is_an_error():
    with pytest.raises(CalculationError, match="below the slab: the potential varies by"):
        vacuum_levels(slab_potential() + 0.1 * Z, Z, 12.0, 18.0)
    with pytest.raises(CalculationError, match=r"above the slab: 3\.0 A of vacuum, at least 4\.5"):
        vacuum_levels(slab_potential(), Z, 12.0, 27.0)

"""Exchange and correlation within spheres, all directions at once: GPAW's own numbers, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from gpaw.setup import create_setup
from gpaw.utilities import pack_density
from gpaw.xc import XC
from gpaw.xc.gga import GGARadialExpansion

from iface_wf.engines.gpaw import spheres


def density_matrix(partial_waves: int, spins: int) -> np.ndarray:
    """Occupations of partial waves and some mixing of them, so that no direction is like another; packed, for each spin."""
    rng = np.random.default_rng(5)
    matrices = []
    for spin in range(spins):
        mixing = rng.normal(scale=0.05, size=(partial_waves, partial_waves))
        matrices.append(
            pack_density(mixing + mixing.T + np.diag(np.linspace(1, 0.3 + 0.2 * spin, partial_waves)) / spins)
        )
    return np.array(matrices)


@pytest.mark.parametrize("name", ["PBE", "RPBE", "GGA_X_PBE_SOL+GGA_C_PBE_SOL", "TPSS", "LDA"])
@pytest.mark.parametrize("spins", [1, 2])
@pytest.mark.parametrize("symbol", ["H", "Li", "O"])
def test_numbers_are_gpaws(name: str, spins: int, symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    functional, setup = XC(name), create_setup(symbol, XC("PBE"))
    matrix = density_matrix(setup.ni, spins)
    found = []
    for way in (spheres._expand_of_gpaw, spheres.expand):
        monkeypatch.setattr(GGARadialExpansion, "__call__", way)
        derivative = np.zeros_like(matrix)
        found.append((functional.calculate_paw_correction(setup, matrix, derivative), derivative))
    (energy, slope), (ours, our_slope) = found
    assert ours == pytest.approx(energy, abs=1e-12)
    np.testing.assert_allclose(our_slope, slope, rtol=0, atol=1e-12)
    assert np.abs(slope).max() > 1e-3


def test_the_derivative_is_that_of_the_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GGARadialExpansion, "__call__", spheres.expand)
    functional, setup = XC("PBE"), create_setup("O", XC("PBE"))
    matrix = density_matrix(setup.ni, 1)
    derivative, step = np.zeros_like(matrix), 1e-5
    functional.calculate_paw_correction(setup, matrix, derivative)
    for place in (0, 5, 17):
        change = np.zeros_like(matrix)
        change[0, place] = step
        energies = [functional.calculate_paw_correction(setup, matrix + sign * change) for sign in (1, -1)]
        # the functional is cut off where the density is small: its slope is exact to 1e-6
        assert (energies[0] - energies[1]) / (2 * step) == pytest.approx(derivative[0, place], abs=1e-5)

"""The functional of empty points, evaluated once: GPAW's own numbers, all bits."""

from __future__ import annotations

import numpy as np
import pytest
from gpaw.core import UGDesc
from gpaw.new.xc import GGAFunctional, create_functional

from iface_wf.engines.gpaw import vacuum

GRID = UGDesc(cell=[4.0, 4.5, 5.0], size=(20, 22, 24))


def arguments(spins: int, empty: float) -> list[np.ndarray]:
    """Energy, density, potential, squared gradients and their derivative, with a random density but for a share of the planes."""
    rng = np.random.default_rng(3)
    shape = GRID.size_c
    density, gradients = rng.random((spins, *shape)), rng.random((2 * spins - 1, *shape))
    planes = int(empty * shape[0])
    density[:, :planes] = 0.0
    gradients[:, : planes - 1] = 0.0  # at an edge the density is zero and its gradient is not
    return [
        np.full(shape, np.nan),
        density,
        np.full((spins, *shape), 0.25),
        gradients,
        np.full(gradients.shape, np.nan),
    ]


@pytest.mark.parametrize("name", ["PBE", "RPBE", "GGA_X_PBE_SOL+GGA_C_PBE_SOL"])
@pytest.mark.parametrize("spins", [1, 2])
@pytest.mark.parametrize("empty", [0.0, 0.1, 0.7, 1.0])
def test_numbers_are_gpaws(name: str, spins: int, empty: float) -> None:
    functional = create_functional(name, GRID)
    assert isinstance(functional, GGAFunctional)
    ours, theirs = arguments(spins, empty), arguments(spins, empty)
    vacuum.evaluate(functional, ours)
    vacuum._evaluate_of_gpaw(functional, theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert np.isfinite(other).all()
        np.testing.assert_array_equal(mine, other)


def test_fewer_points_are_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    functional = create_functional("PBE", GRID)
    counted = []
    kernel = functional.xc.kernel.calculate
    monkeypatch.setattr(functional.xc.kernel, "calculate", lambda *args: counted.append(args[0].size) or kernel(*args))
    vacuum.evaluate(functional, arguments(1, 0.7))
    assert counted == [7 * 22 * 24 + 1]  # 13 of 20 planes have neither density nor gradient

"""GPAW's own interpolation of partial waves in our formula of the all-electron density, so that both can be compared point by point."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager

import numpy as np

from iface_wf.engines.gpaw import density as ours


@contextmanager
def splines_of_gpaw():
    """Let our formula use the splines that GPAW makes of the partial waves, from few equidistant points."""
    exact = ours._PartialWaves.of

    def with_splines(setup):
        waves = exact(setup)
        full, smooth, core, smooth_core = setup.get_partial_waves()[:4]

        def functions(r):
            columns = [[f(x) * x**ell for x in r] for f, ell in zip(full, waves.l_j, strict=True)]
            columns += [[f(x) * x**ell for x in r] for f, ell in zip(smooth, waves.l_j, strict=True)]
            return np.array([*columns, [core(x) - smooth_core(x) for x in r]]).T

        return dataclasses.replace(waves, functions=functions, radius=max(setup.rcut_j))

    ours._PartialWaves.of = with_splines
    try:
        yield
    finally:
        ours._PartialWaves.of = exact

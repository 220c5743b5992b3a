"""Exchange and correlation within the spheres of atoms, all directions at once.

GPAW evaluates its PAW corrections direction by direction (50 of them, 10.1016/0041-5553(76)90100-2) in Python, for each atom
in each step of the SCF: a tenth to a third of the time in LCAO mode. Here the directions are rows of one array. The sums are
the same in another order, so results agree to rounding. `use_all_directions` puts it in GPAW's place in this process.
"""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np
from gpaw.sphere.lebedev import Y_nL, weight_n
from gpaw.xc.gga import GGARadialCalculator, GGARadialExpansion
from gpaw.xc.pawcorrection import rnablaY_nLv

_expand_of_gpaw = GGARadialExpansion.__call__


def expand(
    expansion: GGARadialExpansion, rgd: Any, D_sLq: np.ndarray, n_qg: np.ndarray, nc0_sg: Any
) -> tuple[float, np.ndarray]:
    """Integrate a functional of density and gradient in a sphere; as ``GGARadialExpansion.__call__``.

    Parameters
    ----------
    expansion
        GPAW's; one for another kind of functional is left to it.
    rgd
        Radial grid.
    D_sLq, n_qg, nc0_sg
        Density by spin, harmonic and product of partial waves; these products; density of the core.

    Returns
    -------
    tuple
        Energy (Hartree), and its derivative with respect to the density matrix, shape (spins, products, harmonics).
    """
    calculator = expansion.rcalc
    # meta-GGAs come here with a kernel that counts the directions, and so has to see one after the other
    if type(calculator) is not GGARadialCalculator or getattr(calculator.kernel, "type", None) != "GGA":
        return _expand_of_gpaw(expansion, rgd, D_sLq, n_qg, nc0_sg)  # type: ignore[no-any-return]
    n_sLg = D_sLq @ n_qg
    n_sLg[:, 0] += nc0_sg
    spins, harmonics, radii = n_sLg.shape
    Y, rnablaY = Y_nL[:, :harmonics], rnablaY_nLv[:, :harmonics]
    slope_sLg = _derivative(rgd, n_sLg)
    n_sng, a_sng = np.matmul(Y, n_sLg), np.matmul(Y, slope_sLg)
    b_vsng = np.matmul(rnablaY.transpose(2, 0, 1)[:, np.newaxis], n_sLg)

    sigma_xng = np.empty((2 * spins - 1, len(Y), radii))
    sigma_xng[::2] = (b_vsng**2).sum(axis=0)
    if spins == 2:
        sigma_xng[1] = (b_vsng[:, 0] * b_vsng[:, 1]).sum(axis=0)
    sigma_xng[..., 1:] /= rgd.r_g[1:] ** 2
    sigma_xng[..., 0] = sigma_xng[..., 1]
    sigma_xng[::2] += a_sng**2
    if spins == 2:
        sigma_xng[1] += a_sng[0] * a_sng[1]

    e_ng, v_sng, dedsigma_xng = np.empty(n_sng.shape[1:]), np.zeros(n_sng.shape), np.zeros(sigma_xng.shape)
    calculator.kernel.calculate(e_ng, n_sng, v_sng, sigma_xng, dedsigma_xng)

    flow_sng = -2 * dedsigma_xng[::2] * a_sng
    if spins == 2:
        flow_sng -= dedsigma_xng[1] * a_sng[::-1]
    divergence = _divergence(rgd, rgd.dv_g * flow_sng)
    divergence[..., 1:] /= rgd.dv_g[1:]
    divergence[..., 0] = divergence[..., 1]
    v_sng += divergence

    dedsigma_xng *= rgd.dr_g
    B_vsng = dedsigma_xng[::2] * b_vsng
    if spins == 2:
        B_vsng += 0.5 * dedsigma_xng[1] * b_vsng[:, ::-1]
    weighted = weight_n[:, np.newaxis]
    dEdD_sLq = np.matmul((weighted * Y).T, (rgd.dv_g * v_sng) @ n_qg.T)
    dEdD_sLq += 8 * pi * np.einsum("nLv,vsnq->sLq", weighted[..., np.newaxis] * rnablaY, B_vsng @ n_qg.T, optimize=True)
    return float(rgd.integrate(weight_n @ e_ng)), dEdD_sLq.transpose(0, 2, 1)


def _derivative(rgd: Any, values: np.ndarray) -> np.ndarray:
    """As ``RadialGridDescriptor.derivative``, of many functions."""
    slope = np.empty_like(values)
    slope[..., 0] = values[..., 1] - values[..., 0]
    slope[..., 1:-1] = 0.5 * (values[..., 2:] - values[..., :-2])
    slope[..., -1] = values[..., -1] - values[..., -2]
    slope /= rgd.dr_g
    return slope


def _divergence(rgd: Any, values: np.ndarray) -> np.ndarray:
    """As ``RadialGridDescriptor.derivative2``, the transpose of `_derivative`, of many functions."""
    values = values / rgd.dr_g
    result = np.empty_like(values)
    result[..., 0] = 0.5 * values[..., 1] + values[..., 0]
    result[..., 1] = 0.5 * values[..., 2] - values[..., 0]
    result[..., 1:-1] = 0.5 * (values[..., 2:] - values[..., :-2])
    result[..., -2] = values[..., -1] - 0.5 * values[..., -3]
    result[..., -1] = -values[..., -1] - 0.5 * values[..., -2]
    return result


def use_all_directions() -> None:
    """Let GPAW's functionals use it, in this process."""
    GGARadialExpansion.__call__ = expand

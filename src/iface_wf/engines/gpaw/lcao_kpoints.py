"""The Hamiltonian of a k-point in LCAO mode, and its eigenvectors, with fewer and larger matrix products.

GPAW adds the projectors of one atom after the other and diagonalises complex matrices where half a reciprocal vector makes them
real. The results agree to rounding. `use_larger_products` puts it in GPAW's place in this process.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from gpaw.core.matrix import Matrix, MatrixDistribution
from gpaw.new.lcao.hamiltonian import CollinearHamiltonianMatrixCalculator as Calculator
from gpaw.new.lcao.wave_functions import LCAOWaveFunctions

#: An imaginary part below this share of the largest element is rounding.
REAL = 1e-13

_theirs = MatrixDistribution.eigh_serial


def potential_of_kpoint(calculator: Calculator, wfs: LCAOWaveFunctions, V_xMM: np.ndarray) -> Matrix:
    """Add up the potential's matrix elements of all displacements with their phases, as GPAW's method does.

    Parameters
    ----------
    calculator
        Holds the basis.
    wfs
        The k-point.
    V_xMM
        Hartree, by displacement.
    """
    data, n = V_xMM[0], V_xMM.shape[2]
    if wfs.dtype == complex:
        data = data.astype(complex)
        phases = 2 * np.exp(-2j * np.pi * calculator.basis.sdisp_xc[1:] @ wfs.kpt_c)
        data += np.tensordot(phases.real, V_xMM[1:], axes=1)
        if np.abs(phases.imag).max(initial=0.0) > REAL:
            data += 1j * np.tensordot(phases.imag, V_xMM[1:], axes=1)
    return Matrix(n, n, data=data, dist=(wfs.band_comm, -1, 1))


def without_kinetic(
    calculator: Calculator,
    wfs: LCAOWaveFunctions,
    V_xMM: np.ndarray | None = None,
    dH_aii: dict[int, np.ndarray] | None = None,
) -> Matrix:
    """Return potential and projector terms, Hartree, as GPAW's method does: the projectors of all atoms in one product."""
    V_MM = potential_of_kpoint(calculator, wfs, calculator.V_sxMM[wfs.spin] if V_xMM is None else V_xMM)
    dH_aii = calculator.dH_saii[wfs.spin] if dH_aii is None else dH_aii
    if len(dH_aii) > 0:
        first, last = V_MM.dist.my_row_range()
        left = np.hstack([(wfs.P_aMi[a][first:last] @ dH_ii).conj() for a, dH_ii in dH_aii.items()])
        V_MM.data += left @ np.hstack([wfs.P_aMi[a] for a, _ in dH_aii.items()]).T
    return V_MM


def eigh_serial(
    distribution: MatrixDistribution,
    H: Matrix,
    S: Matrix | None,
    eigs: np.ndarray,
    cc: bool = False,
    limit: int | None = None,
) -> None:
    """Diagonalise in place, as GPAW's method does; a matrix that is real but for rounding as a real one.

    Parameters
    ----------
    distribution
        Of the matrix; one process has all of it.
    H
        Hermitian; its rows become the eigenvectors.
    S
        Overlap; problems with one are left to GPAW.
    eigs
        Filled with the eigenvalues, shape (n,).
    cc
        Whether the complex conjugate is meant.
    limit
        Left to GPAW.
    """
    data = H.data
    if S is not None or limit is not None or not np.iscomplexobj(data) or data.shape[0] < 2:
        _theirs(distribution, H, S, eigs, cc, limit)
        return
    if np.abs(data.imag).max() <= REAL * np.abs(data.real).max():
        matrix = np.ascontiguousarray(data.real)
    else:
        matrix = data.conj() if cc else data
    eigs[:], vectors = scipy.linalg.eigh(matrix, lower=True, driver="evr", check_finite=False)
    data.T[:] = vectors


def use_larger_products() -> None:
    """Let GPAW's LCAO mode use these, in this process."""
    Calculator._calculate_matrix_without_kinetic = without_kinetic
    MatrixDistribution.eigh_serial = eigh_serial

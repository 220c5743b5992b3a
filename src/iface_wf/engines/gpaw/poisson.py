"""GPAW's electrostatic potential of one process, by transforms of the whole grid.

GPAW's solver is diagonal after Fourier transforms along periodic edges and sine transforms along open ones. It finds its
eigenvalues by powers of complex arrays of the whole grid, and copies the grid four times for each solution so that many
processes can share it, which take a third of the time of a molecule. Here the eigenvalues are sums over edges, and one process
transforms the whole grid at once, real densities by real transforms; several processes share it as GPAW does. Solutions agree
to rounding. `use_whole_transforms` puts it in GPAW's place in this process.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from gpaw.fd_operators import Laplace
from gpaw.old.domain import decompose_domain
from gpaw.poisson import FastPoissonSolver
from gpaw.utilities.timing import nulltimer
from scipy import fft

#: GPAW's own bound, Bohr^-2: smaller eigenvalues are that of a constant, which a neutral density does not have.
CONSTANT = 1e-10

_prepare_of_gpaw = FastPoissonSolver.set_grid_descriptor
_solve_of_gpaw = FastPoissonSolver.solve_neutral


def eigenvalues(stencil: Laplace, gd: Any) -> np.ndarray:
    """Return the eigenvalues of a stencil for waves (periodic edges) and standing waves (open edges).

    Parameters
    ----------
    stencil
        Coefficients, and how many points away each one is along the three edges.
    gd
        GPAW's descriptor of a grid, or of the part of it that this process has.

    Returns
    -------
    numpy.ndarray
        Shape of the part.
    """
    angles = [
        (2 if periodic else 1) * np.pi / size * (begin + np.arange(count))
        for periodic, size, begin, count in zip(gd.pbc_c, gd.N_c, gd.beg_c, gd.n_c, strict=True)
    ]
    # along one edge a vector, across two a plane: only their sum is as large as the grid
    sums: dict[tuple[int, ...], Any] = defaultdict(float)
    for weight, offset in zip(stencil.coef_p, stencil.offset_pc, strict=True):
        edges = tuple(int(edge) for edge in np.flatnonzero(offset))
        if edges:
            parts = np.ix_(*(offset[edge] * angles[edge] if edge in edges else np.zeros(1) for edge in range(3)))
            sums[edges] = sums[edges] + weight * (np.cos(sum(parts)) - 1)
    return np.broadcast_to(sum(sums.values()), gd.n_c)


def prepare(solver: FastPoissonSolver, gd: Any) -> None:
    """Find the eigenvalues for a grid; as ``FastPoissonSolver.set_grid_descriptor``."""
    products = gd.cell_cv @ gd.cell_cv.T
    orthogonal = (np.abs(products) > 1e-10).sum(axis=0) == 1
    if solver.xp is not np or not all(orthogonal | gd.pbc_c):
        _prepare_of_gpaw(solver, gd)  # which says what is wrong with the cell
        return
    solver.gd = gd
    solver.fft_axes = [axis for axis in range(3) if gd.pbc_c[axis]]
    solver.fst_axes = sorted((axis for axis in range(3) if not gd.pbc_c[axis]), key=lambda axis: gd.N_c[axis])
    solver.cholesky_axes = []
    solver.axes = solver.fft_axes + solver.fst_axes
    stencil = Laplace(gd, -0.25 / np.pi, solver.nn)
    solver.stencil_description = stencil.description
    if gd.comm.size > 1:
        _divide(solver, gd)
        values = eigenvalues(stencil, solver.gd2d)
    else:
        values = eigenvalues(stencil, gd)
        if solver.fft_axes:  # a real density has half of the waves
            kept = [slice(None)] * 3
            kept[solver.fft_axes[-1]] = slice(gd.N_c[solver.fft_axes[-1]] // 2 + 1)
            values = values[tuple(kept)]
    solver.inv_fft_lambdas = np.divide(1.0, values, out=np.zeros(values.shape), where=np.abs(values) > CONSTANT)


def _divide(solver: FastPoissonSolver, gd: Any) -> None:
    """Cut the grid for GPAW's solver: whole planes of its first two axes, then whole lines of its third."""
    last = solver.axes[2]
    planes = [1, 1, 1]
    planes[last] = gd.comm.size
    solver.gd1d = gd.new_descriptor(parsize_c=planes, allow_empty_domains=True)
    points = gd.N_c.copy()
    points[last] = 1
    solver.gd2d = gd.new_descriptor(parsize_c=decompose_domain(points, gd.comm.size))


def solve_neutral(solver: FastPoissonSolver, phi_g: np.ndarray, rho_g: np.ndarray, timer: Any = nulltimer) -> int:
    """Set the potential of a neutral density; as ``FastPoissonSolver.solve_neutral``."""
    if solver.gd.comm.size > 1 or solver.xp is not np:
        return _solve_of_gpaw(solver, phi_g, rho_g, timer)  # type: ignore[no-any-return]
    waves, standing = solver.fft_axes, solver.fst_axes
    work = fft.dstn(rho_g, type=1, axes=standing) if standing else rho_g
    if waves:
        work = fft.rfftn(work, axes=waves, overwrite_x=bool(standing))
    work = work * solver.inv_fft_lambdas
    if waves:
        work = fft.irfftn(work, s=[rho_g.shape[axis] for axis in waves], axes=waves, overwrite_x=True)
    phi_g[:] = fft.idstn(work, type=1, axes=standing, overwrite_x=True) if standing else work
    return 1


def use_whole_transforms() -> None:
    """Let GPAW's solver use these, in this process."""
    FastPoissonSolver.set_grid_descriptor = prepare
    FastPoissonSolver.solve_neutral = solve_neutral

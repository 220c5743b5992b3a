"""Electron densities of a GPAW calculation on full, periodic-looking grids.

Works in every mode and with every mix of periodic directions, in serial and under MPI: all processes must call,
only the first one gets the arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gpaw
import numpy as np
from ase.units import Bohr
from gpaw.mpi import world
from gpaw.sphere.spherical_harmonics import Y
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, make_interp_spline

from iface_wf.analysis.grid import FloatArray
from iface_wf.engines.free_atoms import of_data_set
from iface_wf.errors import CalculationError, InputError

ELECTRON_TOLERANCE = 1e-3
"""A density must hold the electrons of the calculation within this (e)."""


def pseudo_density(calc: Any) -> FloatArray | None:
    """Return the smooth valence density with compensation charges, for density differences.

    The compensation charges make it integrate to the number of valence electrons; only within the
    augmentation spheres does it differ from the valence density.

    Parameters
    ----------
    calc
        Converged or restarted calculator of class `gpaw.GPAW`.

    Returns
    -------
    numpy.ndarray or None
        Shape (nx, ny, nz), e/A^3, spins summed. The planes at index 0 of directions that are not periodic are
        the boundary, where the density (nearly) vanishes. None on all processes but the first.

    Raises
    ------
    InputError
        The calculation is noncollinear.
    """
    return _on_first(calc, calc.dft.densities().pseudo_densities())


def all_electron_density(calc: Any, spacing: float = 0.067) -> tuple[FloatArray | None, dict[str, Any]]:
    """Return the all-electron density, core included, on a fine grid, for Bader analyses.

    Within the sphere of each atom the smooth density ``ñ`` is completed to
    ``n = ñ + sum_ij D_ij (phi_i phi_j - phit_i phit_j) + n_core - ñ_core``
    (Blöchl, Phys. Rev. B 50, 17953 (1994), doi 10.1103/PhysRevB.50.17953). No grid resolves the cusps: what the
    sum over a sphere misses is put on the point nearest to the nucleus, which makes the number of electrons
    exact.

    The smooth density is interpolated by periodic splines of fifth order, which keep its integral. Fourier series
    would be exact for a density without components beyond the grid; but the usual grids cut off the ones near
    nuclei, and the series rings along the grid axes far into the vacuum, with negative densities and maxima that
    belong to no atom.

    Parameters
    ----------
    calc
        Converged or restarted calculator of class `gpaw.GPAW`. Ghost atoms contribute nothing.
    spacing
        Largest distance of neighbouring points along a cell vector, A. The grid of the calculation is used where
        that is finer already.

    Returns
    -------
    tuple
        The density as in `pseudo_density`, and what is worth storing with it: ``shape``, ``cell`` (A), ``pbc``,
        ``n_electrons``, ``pseudo_electrons`` (e) and ``engine``. On all processes but the first None and an
        empty dictionary.

    Raises
    ------
    InputError
        The spacing is not positive, or the calculation is noncollinear.
    CalculationError
        The density does not hold the electrons of the calculation within 1e-3 e.
    """
    if not spacing > 0:
        raise InputError(f"The spacing of a density grid must be positive, not {spacing} A.")
    dft = calc.dft
    atoms = calc.get_atoms()
    cell = np.array(atoms.cell)
    coarse = _on_first(calc, dft.densities().pseudo_densities(add_compensation_charges=False))
    matrices = dft.density.D_asii.gather()
    if coarse is None:
        return None, {}
    lengths = np.linalg.norm(cell, axis=1)
    # The small term keeps 8 A / 0.05 A at 160 points.
    shape = [max(n, math.ceil(x / spacing - 1e-6)) for n, x in zip(coarse.shape, lengths, strict=True)]
    rho = _refine(coarse, shape)
    point_volume = float(atoms.get_volume()) / rho.size
    pseudo_electrons = float(rho.sum()) * point_volume

    waves: dict[int, _PartialWaves] = {}
    for number, setup in enumerate(dft.setups):
        if setup.Z == 0:  # ghost: a basis without a nucleus
            continue
        if id(setup) not in waves:
            waves[id(setup)] = _PartialWaves.of(setup)
        matrix = np.real(matrices[number]).sum(axis=0)
        _complete(rho, cell, atoms.pbc, atoms.positions[number], waves[id(setup)], matrix)

    electrons = float(rho.sum()) * point_volume
    expected = float(sum(setup.Z for setup in dft.setups)) - float(dft.density.charge)
    if abs(electrons - expected) > ELECTRON_TOLERANCE:
        raise CalculationError(f"The all-electron density holds {electrons:.5f} instead of {expected:.5f} electrons.")
    return rho, {
        "shape": list(rho.shape),
        "cell": cell.tolist(),
        "pbc": [bool(periodic) for periodic in atoms.pbc],
        "n_electrons": electrons,
        "pseudo_electrons": pseudo_electrons,
        "engine": f"gpaw {gpaw.__version__}",
    }


def free_atom_densities(calc: Any) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return the densities of the free atoms that the data sets were made from: neutral, spherical, without spin, core included.

    Parameters
    ----------
    calc
        Calculator of class `gpaw.GPAW`.

    Returns
    -------
    dict
        By element: distances from the nucleus, A, and density there, e/A^3.
    """
    found = {}
    for setup in calc.dft.setups:
        if setup.Z == 0 or setup.symbol in found:  # ghosts have no density
            continue
        found[setup.symbol] = of_data_set(setup.data)
    return found


def electrostatic_potential(calc: Any) -> FloatArray | None:
    """Return the electrostatic potential energy of an electron, for vacuum levels and work functions.

    Parameters
    ----------
    calc
        Converged or restarted calculator of class `gpaw.GPAW`.

    Returns
    -------
    numpy.ndarray or None
        Shape (nx, ny, nz), eV, on the scale of the Fermi level; GPAW may use more points than for the density.
        The planes at index 0 of directions that are not periodic hold the boundary value. None on all processes
        but the first.
    """
    values = calc.get_electrostatic_potential()
    return None if world.rank != 0 else np.ascontiguousarray(values, dtype=np.float64)


def _on_first(calc: Any, densities: Any) -> FloatArray | None:
    """Sum the spins of a distributed density and gather it on the first process."""
    if calc.dft.density.ncomponents > 2:
        raise InputError("Densities of noncollinear calculations are not supported.")
    whole = densities.gather()
    # Groups of processes that share k-points or bands each hold the density; one of them is enough.
    if whole is None or world.rank != 0:
        return None
    return np.ascontiguousarray(whole.data.sum(axis=0), dtype=np.float64)


def _refine(coarse: FloatArray, shape: Sequence[int]) -> FloatArray:
    """Interpolate a periodic array to another number of points, keeping its mean."""
    fine = coarse.copy()
    for axis, (n, m) in enumerate(zip(coarse.shape, shape, strict=True)):
        if m != n:
            # Each row interpolates one unit vector: applied as a matrix, this costs next to nothing.
            unit = np.vstack([np.eye(n), np.eye(n)[:1]])
            spline = make_interp_spline(np.arange(n + 1) / n, unit, k=5, bc_type="periodic")
            fine = np.moveaxis(np.tensordot(spline(np.arange(m) / m), fine, axes=(1, axis)), 0, axis)
    # Only for whole multiples of the number of points is the mean kept exactly.
    result: FloatArray = np.ascontiguousarray(fine)
    result *= coarse.mean() / fine.mean()
    return result


@dataclass(frozen=True)
class _PartialWaves:
    """Radial functions of one PAW setup in bohr: all-electron, smooth, and the difference of the cores."""

    radius: float
    l_j: tuple[int, ...]
    functions: CubicSpline
    core_charge: float
    overlaps: FloatArray

    @classmethod
    def of(cls, setup: Any) -> _PartialWaves:
        data = setup.data
        r = np.asarray(data.rgd.r_g)
        weights = r**2 * np.asarray(data.rgd.dr_g)
        full, smooth = np.array(data.phi_jg), np.array(data.phit_jg)
        core = np.asarray(data.nc_g) - np.asarray(data.nct_g)
        products = full[:, None] * full - smooth[:, None] * smooth
        l_j = np.array(setup.l_j)
        # Beyond the sphere both sets of functions agree; the last point of difference sets its radius.
        scale = max(abs(products).max(), abs(core).max(), 1e-300)
        differs = (abs(products) > 1e-13 * scale).any(axis=(0, 1)) | (abs(core) > 1e-13 * scale)
        end = min(int(np.flatnonzero(differs).max()) + 2, len(r))
        return cls(
            radius=float(r[end - 1]),
            l_j=tuple(int(ell) for ell in l_j),
            functions=CubicSpline(r[:end], np.vstack([full, smooth, core])[:, :end].T),
            core_charge=float((weights * core).sum()) * np.sqrt(4 * np.pi),
            overlaps=np.where(l_j[:, None] == l_j, (products * weights).sum(axis=-1), 0.0),
        )

    def charge(self, matrix: NDArray[np.float64]) -> float:
        """Electrons that the correction holds, from exact angular and radial integrals."""
        total = self.core_charge
        starts = np.cumsum([0, *(2 * ell + 1 for ell in self.l_j)])
        for j1, l1 in enumerate(self.l_j):
            for j2, l2 in enumerate(self.l_j):
                if l1 == l2:
                    block = matrix[starts[j1] : starts[j1 + 1], starts[j2] : starts[j2 + 1]]
                    total += float(np.trace(block)) * self.overlaps[j1, j2]
        return float(total)

    def density(self, vectors: FloatArray, matrix: NDArray[np.float64]) -> FloatArray:
        """Correction at points given relative to the nucleus (bohr), e/bohr^3."""
        r = np.linalg.norm(vectors, axis=1)
        values = self.functions(r)
        # Functions with l > 0 vanish at the nucleus, where their direction is undefined.
        unit = vectors / np.where(r > 0, r, 1.0)[:, None]
        n = len(self.l_j)
        full, smooth = [], []
        for j, ell in enumerate(self.l_j):
            for harmonic in range(ell**2, (ell + 1) ** 2):
                angular = Y(harmonic, *unit.T)
                full.append(values[:, j] * angular)
                smooth.append(values[:, n + j] * angular)
        a, b = np.array(full), np.array(smooth)
        core = values[:, 2 * n] / np.sqrt(4 * np.pi)
        result: FloatArray = (a * (matrix @ a) - b * (matrix @ b)).sum(axis=0) + core
        return result


def _complete(
    rho: FloatArray,
    cell: FloatArray,
    pbc: NDArray[np.bool_],
    position: FloatArray,
    waves: _PartialWaves,
    matrix: NDArray[np.float64],
) -> None:
    """Add the correction of one atom to ``rho`` (e/A^3) in place."""
    shape = np.array(rho.shape)
    steps = cell / shape[:, None]
    centre = position @ np.linalg.inv(cell) * shape
    # Planes of points are this far apart, so a sphere reaches over so many of them.
    reach = waves.radius * Bohr * np.linalg.norm(np.linalg.inv(steps), axis=0)
    # The box must hold the nearest point even if the sphere is smaller than a cell of the grid.
    low, high = np.floor(centre - reach).astype(int), np.ceil(centre + reach).astype(int)
    points = np.stack(
        np.meshgrid(*[np.arange(a, b + 1) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1
    ).reshape(-1, 3)
    points = points[((points >= 0) & (points < shape) | pbc).all(axis=1)]
    vectors = (points - centre) @ steps / Bohr
    distance2 = (vectors**2).sum(axis=1)
    nearest = tuple(points[distance2.argmin()] % shape)
    inside = distance2 < waves.radius**2
    values = waves.density(vectors[inside], matrix) / Bohr**3
    # A sphere wider than the cell meets the same point more than once.
    np.add.at(rho, tuple((points[inside] % shape).T), values)
    point_volume = float(abs(np.linalg.det(cell))) / rho.size
    missing = waves.charge(matrix) - float(values.sum()) * point_volume
    rho[nearest] += missing / point_volume

"""Wavenumbers from second derivatives of the energy; what moves a free molecule as a whole is projected out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase.units import J, _hbar, invcm, second
from scipy.linalg import null_space, orth

from iface_wf.analysis.grid import FloatArray
from iface_wf.errors import InputError

#: Directions of rotation count where they move atoms by more than this share of the largest: a bent molecule is none that is linear.
_LINEAR = 1e-3
#: The reduced Planck constant in units of eV, A and u.
_HBAR = _hbar * J * second


@dataclass(frozen=True)
class Modes:
    """Vibrations of some atoms.

    Attributes
    ----------
    wavenumbers
        1/cm, ascending; imaginary ones are negative.
    rigid
        1/cm: what the directions that move a free molecule as a whole have instead of zero, largest magnitude; None where
        nothing was projected out. It tells how exact the second derivatives are.
    n_rigid
        How many such directions there are: 6, 5 of a linear molecule, 3 of an atom.
    """

    wavenumbers: FloatArray
    rigid: float | None = None
    n_rigid: int = 0

    @property
    def imaginary(self) -> list[float]:
        """Magnitudes of the imaginary wavenumbers, 1/cm, the largest first."""
        return [-float(each) for each in self.wavenumbers if each < 0.0]


def modes(hessian: FloatArray, masses: FloatArray, positions: FloatArray | None = None) -> Modes:
    """Return the normal modes of a Hessian.

    Parameters
    ----------
    hessian
        Second derivatives, shape (3 n, 3 n), eV/A^2.
    masses
        Shape (n,), u.
    positions
        Shape (n, 3), A, of a free molecule: its translations and rotations are projected out. None: of atoms that something
        holds, where all 3 n modes are vibrations.

    Raises
    ------
    InputError
        When the shapes do not fit, or numbers are not finite.
    """
    n = len(masses)
    if hessian.shape != (3 * n, 3 * n) or not np.isfinite(hessian).all():
        raise InputError(f"The second derivatives of {n} atoms are {3 * n} x {3 * n} finite numbers.")
    weights = np.repeat(1.0 / np.sqrt(masses), 3)
    weighted = weights[:, None] * (0.5 * (hessian + hessian.T)) * weights
    if positions is None:
        return Modes(_wavenumbers(weighted))
    rigid = rigid_directions(positions, masses)
    inner = null_space(rigid.T) if rigid.shape[1] < 3 * n else np.zeros((3 * n, 0))
    residue = _wavenumbers(rigid.T @ weighted @ rigid)
    return Modes(_wavenumbers(inner.T @ weighted @ inner), float(np.abs(residue).max()), rigid.shape[1])


def rigid_directions(positions: FloatArray, masses: FloatArray) -> FloatArray:
    """Return an orthonormal basis, in mass-weighted coordinates, of what moves a molecule as a whole.

    Parameters
    ----------
    positions
        Shape (n, 3), A.
    masses
        Shape (n,), u.

    Returns
    -------
    numpy.ndarray
        Shape (3 n, 6); 5 columns of a linear molecule, 3 of an atom.
    """
    roots = np.sqrt(masses)
    centred = positions - np.average(positions, axis=0, weights=masses)
    translations = [np.outer(roots, axis).ravel() for axis in np.eye(3)]
    rotations = [(roots[:, None] * np.cross(axis, centred)).ravel() for axis in _axes(centred, masses)]
    basis: FloatArray = orth(np.column_stack([each / np.linalg.norm(each) for each in (*translations, *rotations)]))
    return basis


def _axes(centred: FloatArray, masses: FloatArray) -> list[FloatArray]:
    """Return the axes about which a molecule can turn."""
    moments, axes = np.linalg.eigh(_inertia(centred, masses))
    if moments.max() <= 1e-8:  # a single atom
        return []
    return [axes[:, i] for i in range(3) if moments[i] > _LINEAR * moments.max()]


def _inertia(centred: FloatArray, masses: FloatArray) -> FloatArray:
    squares = (masses * (centred**2).sum(axis=1)).sum()
    tensor: FloatArray = squares * np.eye(3) - np.einsum("i,ij,ik->jk", masses, centred, centred)
    return tensor


def _wavenumbers(weighted: FloatArray) -> FloatArray:
    """Return signed wavenumbers, 1/cm, of a mass-weighted Hessian, eV/(A^2 u)."""
    curvatures = np.linalg.eigvalsh(weighted) if weighted.size else np.zeros(0)
    energies = np.sign(curvatures) * np.sqrt(np.abs(curvatures)) * _HBAR
    found: FloatArray = np.sort(energies / invcm)
    return found

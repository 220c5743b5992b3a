"""Molecules on a slab as bodies, which slide and turn far more easily than their bonds stretch.

An optimiser that begins with the stiffness of a bond for everything crawls along such motions, and forces that are small on each atom
add up over a molecule: an ether put on quartz at the distance of contact had no force above 0.05 eV/A after ten steps of GFN1-xTB at -0.37 eV, and comes to
-1.03 eV within eighty that begin with soft bodies (docs/engines.md). So relaxations begin with a Hessian that is soft along
translations and rotations of each molecule, and end when the force on each as a whole is small, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.neighborlist import build_neighbor_list, natural_cutoffs
from ase.optimize import BFGS, LBFGS
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.sparse.csgraph import connected_components

from iface_wf.documents.labels import PARTNER, SLAB_PARTS

Vectors = NDArray[np.float64]
Bodies = Sequence[NDArray[np.int64]]

#: Stiffness along translations and rotations that a relaxation begins with, over the number of the molecule's atoms, eV/A^2. A chain of twenty
#: atoms feels as much; a molecule of water turns that much harder, and a Hessian softer than the truth would let it swing without end.
SOFT = 15.0
#: Stiffness of everything else, eV/A^2: ASE's own.
STIFF = 70.0
#: The force on a molecule as a whole, and its torque over its radius of gyration, may be so many times the largest one on an atom.
NET = 2.0


def bodies_of(structure: Structure, atoms: Atoms) -> list[NDArray[np.int64]]:
    """Return the sites of each molecule on a slab; none where there is no slab, and none of which an atom is held.

    Parameters
    ----------
    structure
        Labelled sites.
    atoms
        The same in ASE, with constraints.
    """
    labels = np.array([str(each) for each in structure.site_properties.get("component", [])])
    on_top = ~np.isin(labels, [*SLAB_PARTS, PARTNER])
    if not on_top.any() or on_top.all():
        return []
    sites = np.flatnonzero(on_top)
    part = atoms[sites]
    part.set_constraint()
    bonds = build_neighbor_list(part, natural_cutoffs(part, mult=1.15), self_interaction=False, bothways=True)
    count, names = connected_components(bonds.get_connectivity_matrix())
    fixed = {int(i) for one in atoms.constraints for i in np.atleast_1d(getattr(one, "index", []))}
    found = [sites[names == name] for name in range(count)]
    return [each for each in found if not fixed.intersection(each.tolist())]


def rigid_modes(positions: Vectors, sites: NDArray[np.int64]) -> Vectors:
    """Return orthonormal translations and rotations of one body, shape (3 atoms, modes); an atom alone has translations only."""
    modes = []
    arms = positions[sites] - positions[sites].mean(axis=0)
    for axis in np.eye(3):
        for moves in (np.broadcast_to(axis, arms.shape), np.cross(axis, arms)):
            mode = np.zeros_like(positions)
            mode[sites] = moves
            modes.append(mode.ravel())
    left, sizes, _ = np.linalg.svd(np.array(modes).T, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-6 * sizes.max()])


def soft_hessian(positions: Vectors, bodies: Bodies, *, inverse: bool = False) -> Vectors:
    """Return the Hessian (eV/A^2) that a relaxation begins with, or its inverse."""
    found = np.eye(positions.size) * (1 / STIFF if inverse else STIFF)
    for sites in bodies:
        modes, soft = rigid_modes(positions, sites), min(SOFT / len(sites), STIFF)
        found += ((1 / soft - 1 / STIFF) if inverse else (soft - STIFF)) * (modes @ modes.T)
    return found


def at_rest(forces: Vectors, positions: Vectors, bodies: Bodies, fmax: float) -> bool:
    """Whether the force on each body as a whole, and its torque over its radius of gyration, are below `NET` times ``fmax`` (eV/A)."""
    for sites in bodies:
        arms, own = positions[sites] - positions[sites].mean(axis=0), forces[sites]
        radius = float(np.sqrt((arms**2).sum(axis=1).mean()))
        torque = float(np.linalg.norm(np.cross(arms, own).sum(axis=0))) / radius if radius > 1e-3 else 0.0
        if max(float(np.linalg.norm(own.sum(axis=0))), torque) >= NET * fmax:
            return False
    return True


class _OfBodies:
    """What both optimisers of ASE add: they have converged when the bodies are at rest, too."""

    bodies: Bodies
    atoms: Atoms
    fmax: float

    def gradient_converged(self, gradient: Vectors) -> bool:
        """Whether all forces are small, those on molecules as a whole among them."""
        if not super().gradient_converged(gradient):  # type: ignore[misc]
            return False
        return at_rest(-gradient.reshape(-1, 3), self.atoms.positions, self.bodies, self.fmax)


class BodyLBFGS(_OfBodies, LBFGS):
    """ASE's LBFGS that begins with soft bodies.

    Parameters
    ----------
    atoms
        With a calculator.
    bodies
        See `bodies_of`; with none it is ASE's own.
    **options
        Of ASE's LBFGS.
    """

    def __init__(self, atoms: Atoms, bodies: Bodies, **options: Any) -> None:
        super().__init__(atoms, **options)
        self.bodies = bodies
        if bodies:
            self.state.H0 = soft_hessian(atoms.positions, bodies, inverse=True)


class BodyBFGS(_OfBodies, BFGS):
    """ASE's BFGS that begins with soft bodies; parameters as of `BodyLBFGS`."""

    def __init__(self, atoms: Atoms, bodies: Bodies, **options: Any) -> None:
        super().__init__(atoms, **options)
        self.bodies = bodies
        if bodies:
            self.H0 = soft_hessian(atoms.positions, bodies)

"""A force field for a flexible molecule on a slab whose hydroxyls may turn: it finds starts, no energies to report.

An engine takes a second for a step of an interface, this a fraction of a millisecond. So it may look at thousands of
placements, and what it finds low the engine relaxes. Within the molecule MMFF94 holds, ions included, but bonds
and angles keep their distances; where it knows no parameters, all atoms that are joined do. Slab and molecule see each other, and the molecule its images, by
Lennard-Jones and charges, see `iface_wf.builders.docking.parameters`. Of the slab only the hydrogens of terminal hydroxyls
move, on springs that hold them where the slab has them.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Structure
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers
from rdkit.rdBase import BlockLogs
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.docking.kernel import CUTOFF, among, between
from iface_wf.builders.docking.parameters import POLARISED, Kinds, bond_charges, bonds
from iface_wf.builders.molecules.conformers import KCAL_PER_MOL
from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.molecules.ions import partial_charges
from iface_wf.errors import InputError

Vectors = NDArray[np.float64]

#: Springs along bonds of the molecule and of hydroxyls, and between the ends of an angle, eV/A^2.
_STRETCH, _BEND = 30.0, 8.0
#: What a hydroxyl of the slab gives up when it turns: bonds to its neighbours, as springs to where it was, eV/A^2. By GFN1-xTB turning those of
#: quartz costs 0.15 eV for the sum of the squares of their moves in A^2; the charges below would even gain by it. With 0.35 Li+ finds no oxygen
#: whose hydrogen has to turn away.
_HOME = 0.2
#: Springs that hold a molecule without parameters together, eV/A^2.
_HOLD = 10.0
#: How far a molecule may wander from where it started, A.
_WANDER = 4.0


class Minimum(NamedTuple):
    """A minimum of the docking force field.

    Attributes
    ----------
    energy
        eV, comparable among placements of one fragment on one slab only.
    fragment, hydroxyls
        Coordinates of the fragment, and of the slab's turning hydrogens, A.
    """

    energy: float
    fragment: Vectors
    hydroxyls: Vectors


class DockingField:
    """The force field of one fragment on one slab.

    Parameters
    ----------
    slab
        Slab or wire.
    fragment
        What lies on it; its sites are those of every placement, in this order.
    """

    def __init__(self, slab: Structure, fragment: Structure) -> None:
        self.slab = slab
        symbols = symbols_of(slab)
        kinds = Kinds(slab, fragment)
        bonded = bonds(slab)
        self.hydroxyls, self._anchors = _hydroxyls(slab, symbols, bonded)
        charges, own = bond_charges(slab), _fragment_charges(fragment)
        rigid = np.setdiff1d(np.arange(len(slab)), self.hydroxyls)
        self._internal = _Internal(fragment)
        self._reach, self._depth = kinds.reach, kinds.depth
        self._kinds = np.concatenate([kinds.of[1], kinds.of[0][self.hydroxyls]])
        self._charges = np.concatenate([own, charges[self.hydroxyls]])
        count = len(fragment)
        self._groups = np.concatenate([np.zeros(count, dtype=np.int64), np.full(len(self.hydroxyls), -1)])
        span = float(np.linalg.norm(np.ptp(fragment.cart_coords, axis=0)))
        margin = 0.5 * span + CUTOFF + _WANDER
        self._shifts = _translations(slab, span + CUTOFF)
        self._fixed, self._fixed_index = _replicas(slab, rigid, margin)
        self._fixed_kinds, self._fixed_charges = kinds.of[0][self._fixed_index], charges[self._fixed_index]
        home = slab.cart_coords
        self._lengths = np.zeros((len(self.hydroxyls), 2))
        self._ends = np.zeros((len(self.hydroxyls), 2, 3))
        for row, (hydrogen, anchors) in enumerate(zip(self.hydroxyls, self._anchors, strict=True)):
            for column, anchor in enumerate(anchors):
                near = home[hydrogen] + _shortest(slab, home[anchor] - home[hydrogen])
                self._ends[row, column] = near
                self._lengths[row, column] = float(np.linalg.norm(near - home[hydrogen]))

    def minimise(self, xyz: Vectors, hydroxyls: Vectors | None = None, steps: int = 200) -> Minimum:
        """Relax a placement.

        Parameters
        ----------
        xyz
            Coordinates of the fragment, A.
        hydroxyls
            Coordinates of the turning hydrogens, A; by default as in the slab.
        steps
            Most steps.
        """
        turning = self.slab.cart_coords[self.hydroxyls] if hydroxyls is None else hydroxyls
        home = _to_cell(self.slab, xyz.mean(axis=0)) - xyz.mean(axis=0)
        start = np.vstack([xyz + home, turning])
        options = {"maxiter": steps, "maxcor": 20, "ftol": 1e-7, "gtol": 0.01}
        found = minimize(self._energy, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        end = found.x.reshape(-1, 3)
        return Minimum(float(found.fun), end[: len(xyz)], end[len(xyz) :])

    def _energy(self, x: Vectors) -> tuple[float, Vectors]:
        xyz = np.ascontiguousarray(x.reshape(-1, 3))
        gradient = np.zeros_like(xyz)
        pairs, count = (self._reach, self._depth), len(xyz) - len(self.hydroxyls)
        energy = between(
            xyz[:count], self._fixed, self._kinds[:count], self._fixed_kinds, self._charges[:count], self._fixed_charges,
            *pairs, gradient[:count],
        )  # fmt: skip
        energy += among(xyz, self._kinds, self._charges, self._groups, self._shifts, *pairs, gradient)
        inside, own = self._internal(xyz[:count])
        gradient[:count] += own
        if len(self.hydroxyls):
            arm = xyz[count:, None] - self._ends
            length = np.linalg.norm(arm, axis=-1)
            off = length - self._lengths
            springs = np.array([_STRETCH, _BEND])
            energy += float(np.sum(0.5 * springs * off**2))
            moved = xyz[count:] - self.slab.cart_coords[self.hydroxyls]
            energy += float(np.sum(0.5 * _HOME * moved**2))
            gradient[count:] += np.sum((springs * off / length)[..., None] * arm, axis=1) + _HOME * moved
        return energy + inside, gradient.ravel()

    def turned_hydroxyls(self, hydroxyls: Vectors, rng: np.random.Generator) -> Vectors:
        """Turn hydroxyls by random angles about the bonds that hold them; half of them stay.

        Parameters
        ----------
        hydroxyls
            Coordinates of the turning hydrogens, A.
        rng
            Source of the draw.
        """
        turned = hydroxyls.copy()
        for row in range(len(hydroxyls)):
            if rng.random() < 0.5:
                continue
            oxygen, behind = self._ends[row]
            axis = (oxygen - behind) / np.linalg.norm(oxygen - behind)
            turn = Rotation.from_rotvec(rng.uniform(0, 2 * np.pi) * axis)
            turned[row] = oxygen + turn.apply(hydroxyls[row] - oxygen)
        return turned

    def with_hydroxyls(self, hydroxyls: Vectors) -> Structure:
        """Return the slab with its turning hydrogens elsewhere."""
        slab = self.slab.copy()
        for site, position in zip(self.hydroxyls, hydroxyls, strict=True):
            slab[int(site)].coords = position
        return slab


class _Internal:
    """Energy of the molecule itself: MMFF94, or springs between the atoms of each bonded part."""

    def __init__(self, fragment: Structure) -> None:
        mol = None if fragment.properties.get("bonds") is None else mol_of(fragment)
        self._field = None
        if mol is not None:
            with BlockLogs():
                properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol)
            if properties is not None:
                # bonds and angles stay as the engine has them: those of MMFF94 cost it more than poses differ by
                for term in ("Bond", "Angle", "StretchBend"):
                    getattr(properties, f"SetMMFF{term}Term")(False)
                self._shape = _shape_springs(fragment)
                self._field = rdForceFieldHelpers.MMFFGetMoleculeForceField(
                    mol, properties, ignoreInterfragInteractions=False
                )
                self._field.Initialize()
                self._mol = mol  # the field points into it
                return
        own = _own_bonds(fragment)
        joined = np.linalg.matrix_power(own.astype(float) + np.eye(len(own)), len(own)) > 0
        self._pairs = np.array(np.nonzero(np.triu(joined, 1)))
        self._lengths = np.linalg.norm(
            fragment.cart_coords[self._pairs[0]] - fragment.cart_coords[self._pairs[1]], axis=1
        )
        # parts see each other by charges and Lennard-Jones
        kinds = Kinds(fragment)
        self._tables = (kinds.of[0], _fragment_charges(fragment), _numbered(joined), np.zeros((1, 3)))
        self._reach, self._depth = kinds.reach, kinds.depth

    def __call__(self, xyz: Vectors) -> tuple[float, Vectors]:
        """Return energy (eV) and gradient (eV/A)."""
        if self._field is not None:
            flat = xyz.ravel().tolist()
            gradient = np.array(self._field.CalcGrad(flat)).reshape(-1, 3) * KCAL_PER_MOL
            return float(self._field.CalcEnergy(flat)) * KCAL_PER_MOL + _springs(xyz, *self._shape, gradient), gradient
        gradient = np.zeros_like(xyz)
        energy = among(np.ascontiguousarray(xyz), *self._tables, self._reach, self._depth, gradient)
        stiffness = np.full(len(self._lengths), _HOLD)
        return energy + _springs(xyz, self._pairs, self._lengths, stiffness, gradient), gradient


def _springs(xyz: Vectors, pairs: NDArray[np.int64], lengths: Vectors, stiffness: Vectors, gradient: Vectors) -> float:
    """Add the energy (eV) of springs (eV/A^2) between pairs, shape (2, n), and its gradient."""
    i, j = pairs
    arm = xyz[i] - xyz[j]
    length = np.linalg.norm(arm, axis=1)
    off = length - lengths
    pull = (stiffness * off / length)[:, None] * arm
    np.add.at(gradient, i, pull)
    np.add.at(gradient, j, -pull)
    return float(np.sum(0.5 * stiffness * off**2))


def _own_bonds(fragment: Structure) -> NDArray[np.bool_]:
    """Return which atoms of a molecule are bonded, shape (atoms, atoms); contacts of metals are none."""
    metal = np.array([Element(symbol).is_metal for symbol in symbols_of(fragment)])
    return np.asarray(bonds(fragment) & ~metal[:, None] & ~metal[None])


def _shape_springs(fragment: Structure) -> tuple[NDArray[np.int64], Vectors, Vectors]:
    """Return the pairs of bonds and angles of a molecule, their distances (A), and how stiff each is (eV/A^2)."""
    own = _own_bonds(fragment)
    through = (own.astype(int) @ own.astype(int) > 0) & ~own
    xyz = fragment.cart_coords
    found = [np.array(np.nonzero(np.triu(each, 1))) for each in (own, through)]
    pairs = np.hstack(found)
    stiffness = np.repeat([_STRETCH, _BEND], [each.shape[1] for each in found])
    return pairs, np.linalg.norm(xyz[pairs[0]] - xyz[pairs[1]], axis=1), stiffness


def _numbered(joined: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give each bonded part a number."""
    return np.unique(joined, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _fragment_charges(fragment: Structure) -> Vectors:
    """Return the charges of what lies on the slab, e: of neutral molecules those of MMFF94, polarised."""
    if fragment.properties.get("bonds") is None:
        return bond_charges(fragment)
    mol = mol_of(fragment)
    charges = partial_charges(mol)
    for part in Chem.GetMolFrags(mol):
        if abs(charges[list(part)].sum()) < 0.01:
            charges[list(part)] *= POLARISED
    return charges


def _hydroxyls(
    slab: Structure, symbols: list[str], bonded: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
    """Find hydrogens that may turn: on an oxygen with one other neighbour; with that oxygen and that neighbour."""
    free = np.ones(len(slab), dtype=bool)
    if "selective_dynamics" in slab.site_properties:
        free = np.array([bool(np.any(each)) for each in slab.site_properties["selective_dynamics"]])
    found, anchors = [], []
    for i, symbol in enumerate(symbols):
        near = np.flatnonzero(bonded[i])
        if symbol != "H" or len(near) != 1 or symbols[near[0]] != "O" or not free[i]:
            continue
        behind = [int(j) for j in np.flatnonzero(bonded[near[0]]) if j != i]
        if len(behind) == 1 and symbols[behind[0]] != "H":
            found.append(i)
            anchors.append((int(near[0]), behind[0]))
    return np.array(found, dtype=np.int64), anchors


def _shortest(slab: Structure, vector: Vectors) -> Vectors:
    """Return the shortest equivalent of a vector, A."""
    shifts = _translations(slab, 0.1)
    candidates = vector + shifts
    return np.asarray(candidates[np.argmin(np.linalg.norm(candidates, axis=1))])


def _to_cell(slab: Structure, point: Vectors) -> Vectors:
    """Bring a point into the cell along the periodic directions."""
    fractions = slab.lattice.get_fractional_coords(point)
    whole = np.where(slab.lattice.pbc, np.floor(fractions), 0.0)
    return np.asarray(slab.lattice.get_cartesian_coords(fractions - whole))


def _translations(slab: Structure, reach: float) -> Vectors:
    """Return the translations within reach of neighbouring cells, A, the zero one first."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(slab.lattice.matrix), axis=0)
    counts = [int(np.ceil(reach / h)) if periodic else 0 for h, periodic in zip(heights, slab.lattice.pbc, strict=True)]
    steps = np.array(list(product(*(range(-n, n + 1) for n in counts))), dtype=float)
    order = np.argsort(np.abs(steps).sum(axis=1), kind="stable")
    return np.asarray(steps[order] @ slab.lattice.matrix)


def _replicas(slab: Structure, sites: NDArray[np.int64], margin: float) -> tuple[Vectors, NDArray[np.int64]]:
    """Repeat atoms so far that a molecule whose centre is in the cell sees no end of them; deep ones are left out."""
    home = slab.cart_coords[sites]
    every = (home[None] + _translations(slab, margin)[:, None]).reshape(-1, 3)
    index = np.tile(sites, len(every) // max(1, len(sites)))
    fractions = slab.lattice.get_fractional_coords(every)
    heights = 1.0 / np.linalg.norm(np.linalg.inv(slab.lattice.matrix), axis=0)
    lateral = np.array(slab.lattice.pbc)
    inside = np.all(~lateral | ((fractions > -margin / heights) & (fractions < 1.0 + margin / heights)), axis=1)
    if slab.lattice.pbc[1]:  # a slab is met from above
        inside &= every[:, 2] > slab.cart_coords[:, 2].max() - CUTOFF - 1.0
    if not inside.any():
        raise InputError("The slab has no atoms for a fragment to lie on.")
    return np.ascontiguousarray(every[inside]), index[inside]

"""Shapes of a molecule: conformers, turned dihedrals, and other places of its cation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from rdkit import Chem
from rdkit.Chem import rdMolTransforms
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.molecules.conformers import embed, has_clash, minimise
from iface_wf.builders.molecules.fragments import boxed, mol_of
from iface_wf.builders.molecules.ions import CATION_RADII, DONOR_RADII, cation_positions, partial_charges
from iface_wf.documents.labels import CATION
from iface_wf.errors import InputError

Vectors = NDArray[np.float64]
Torsion = tuple[int, int, int, int]

#: Attempts to find a shape without a clash before a molecule stays as it is.
_TRIES = 20
#: Other places of a cation that are tried with each shape of its anion, and for how many shapes: finding them takes seconds.
_PLACES, _MOVED = 4, 3
#: Basin hopping goes up by an energy with the probability exp(-energy / this), eV; at most so many hops for each dihedral angle.
_WARMTH, _HOPS = 0.05, 60
#: A donor holds a cation up to so far beyond the sum of their radii, A.
_HELD = 0.4
_ROTATABLE = Chem.MolFromSmarts("[!$(*#*);!D1;!$([CX4](F)(F)F);!$([CH3])]-&!@[!$(*#*);!D1;!$([CX4](F)(F)F);!$([CH3])]")


class Shapes:
    """The molecule as something that has many shapes.

    Parameters
    ----------
    fragment
        The molecule; one that does not say its bonds keeps its shape, but its cation still moves.
    """

    def __init__(self, fragment: Structure) -> None:
        self.fragment = fragment
        self.mol = None if fragment.properties.get("bonds") is None else mol_of(fragment)
        symbols = symbols_of(fragment)
        labels = fragment.site_properties.get("component", [""] * len(fragment))
        self.cations = [
            i for i, (label, s) in enumerate(zip(labels, symbols, strict=True)) if label == CATION or s in CATION_RADII
        ]
        self.donors = [i for i, symbol in enumerate(symbols) if symbol in DONOR_RADII and symbol != "S"]
        self._reach = {i: CATION_RADII[symbols[i]] for i in self.cations if symbols[i] in CATION_RADII}
        self._radii = np.array([DONOR_RADII.get(symbol, 1.6) for symbol in symbols])
        self.torsions = [] if self.mol is None else _torsions(self.mol)

    @property
    def flexible(self) -> bool:
        """Whether there is any shape but the one given."""
        return bool(self.torsions or (self._reach and self.donors))

    def turned(self, xyz: Vectors, rng: np.random.Generator, share: float = 1.0) -> Vectors:
        """Turn dihedral angles.

        Parameters
        ----------
        xyz
            Coordinates, A.
        rng
            Source of the draw.
        share
            Probability of each angle to be drawn anew, uniform; at least one is.
        """
        if self.mol is None or not self.torsions:
            return xyz
        for _ in range(_TRIES):
            chosen = [t for t in self.torsions if rng.random() < share] or [
                self.torsions[rng.integers(len(self.torsions))]
            ]
            moved = self._with_other(xyz, chosen, rng)
            moved += xyz.mean(axis=0) - moved.mean(axis=0)
            if not has_clash(self.mol, moved):
                return moved
        return xyz

    def _with_other(self, xyz: Vectors, torsions: Sequence[Torsion], rng: np.random.Generator) -> Vectors:
        """Draw some dihedral angles anew, uniform."""
        conformer = self._at(xyz).GetConformer()
        for torsion in torsions:
            rdMolTransforms.SetDihedralDeg(conformer, *torsion, float(rng.uniform(-180, 180)))
        return np.asarray(conformer.GetPositions(), dtype=float)

    def _relaxed(self, xyz: Vectors) -> tuple[float | None, Vectors]:
        """Relax by MMFF94: energy, eV, and coordinates, A; None, and nothing moved, where it lacks a parameter."""
        mol = self._at(xyz)
        energy = minimise(mol)
        return energy, np.asarray(mol.GetConformer().GetPositions(), dtype=float)

    def _at(self, xyz: Vectors) -> Chem.Mol:
        """Return the molecule at other coordinates, A."""
        assert self.mol is not None
        mol = Chem.Mol(self.mol)
        mol.GetConformer().SetPositions(np.ascontiguousarray(xyz, dtype=float))
        return mol

    def recoordinated(self, xyz: Vectors, rng: np.random.Generator) -> Vectors:
        """Put each cation beside another donor, on the side where most room is."""
        moved = xyz.copy()
        for cation, radius in self._reach.items():
            others = np.setdiff1d(np.arange(len(xyz)), [cation])
            best, most = None, -np.inf
            for _ in range(_TRIES):
                donor = int(rng.choice(self.donors))
                direction = rng.normal(size=3)
                direction /= np.linalg.norm(direction)
                trial = xyz[donor] + (radius + self._radii[donor]) * direction
                room = float(np.min(np.linalg.norm(moved[others] - trial, axis=1) - radius - self._radii[others]))
                if room > most:
                    best, most = trial, room
                if most > -0.1:
                    break
            if best is not None:
                moved[cation] = best
        return moved

    def pool(self, count: int, seed: int, best: Structure | None = None, hops: int = 0) -> list[Structure]:
        """Return shapes of the isolated molecule, each relaxed by MMFF94, the given one first.

        Conformers of a single molecule come from distance geometry, see
        `iface_wf.builders.molecules.conformers.embed`, those of ion pairs and complexes from turned dihedrals and other
        places of the cation.

        Parameters
        ----------
        count
            How many, at most: shapes that come out twice count once.
        seed
            Seed of the draw.
        best
            The best shape so far, from which a third of the shapes start.
        hops
            Of a single molecule: steps of basin hopping, see `hopped`, from the best shape so far, else from the lowest one; where it
            has few dihedral angles, fewer.
        """
        if self.mol is None or not self.flexible or count < 2:
            return [self.fragment]
        found = self._shapes(count, seed, best)
        if hops and not self.cations:
            found = self._with_hops(found, hops, seed, best)
        _, *others = distinct([self.fragment.cart_coords, *found])
        return [self.fragment, *(self._boxed(xyz) for xyz in others)][:count]

    def _shapes(self, count: int, seed: int, best: Structure | None) -> list[Vectors]:
        assert self.mol is not None
        drawn = [] if self.cations else self._embedded(count, seed)
        rng = np.random.default_rng([seed, 1])
        kicks = count - len(drawn) if best is None else max(count - len(drawn), count // 3)
        found = [(0.0, xyz) for xyz in drawn]
        for number in range(kicks):
            parent = (self.fragment if best is None or number % 2 else best).cart_coords
            xyz = self.turned(parent, rng, 0.5)
            if rng.random() < 0.7:
                xyz = self.recoordinated(xyz, rng)
            energy, xyz = self._relaxed(xyz)
            found.append((energy or 0.0, xyz))
        relaxed = [xyz for _, xyz in sorted(found, key=lambda each: each[0])]
        if not self._reach:
            return relaxed
        moved = {i: self._elsewhere(xyz) for i, xyz in enumerate(relaxed[:_MOVED])}
        return [each for i, xyz in enumerate(relaxed) for each in [xyz, *moved.get(i, [])]]

    def hopped(self, xyz: Vectors, steps: int, rng: np.random.Generator) -> list[tuple[float, Vectors]]:
        """Hop between minima of MMFF94 by turning one or two dihedral angles at a time (basin hopping, 10.1021/jp970984n).

        Distance geometry seldom folds a chain: of a trimer of dioxolane 500 of its conformers end 0.15 eV above what 400 hops find.

        Parameters
        ----------
        xyz
            Where to begin, A.
        steps
            How many hops are tried.
        rng
            Source of the draw.

        Returns
        -------
        list of tuple
            Energy (eV) and coordinates (A) of the minima on the way, whether the walk went on from there or not; empty where MMFF94
            lacks a parameter.
        """
        assert self.mol is not None
        now, here = self._relaxed(xyz)
        if now is None or not self.torsions:
            return []
        found = [(now, here)]
        for _ in range(steps):
            turned = min(1 + int(rng.random() < 0.5), len(self.torsions))
            chosen = rng.choice(len(self.torsions), turned, replace=False)
            start = self._with_other(here, [self.torsions[number] for number in chosen], rng)
            if has_clash(self.mol, start):
                continue
            energy, there = self._relaxed(start)
            if energy is None or has_clash(self.mol, there):
                continue
            found.append((energy, there))
            if energy < now or rng.random() < np.exp((now - energy) / _WARMTH):
                now, here = energy, there
        return found

    def _with_hops(self, shapes: list[Vectors], hops: int, seed: int, best: Structure | None) -> list[Vectors]:
        """Add what basin hopping finds, and put the lowest by MMFF94 first."""
        known: list[tuple[float, Vectors]] = []
        for xyz in shapes:
            energy, minimum = self._relaxed(xyz)
            if energy is None:
                return shapes
            known.append((energy, minimum))
        start = min(known, key=lambda each: each[0])[1] if best is None else best.cart_coords
        steps = min(hops, _HOPS * len(self.torsions))
        known += self.hopped(start, steps, np.random.default_rng([seed, 2]))
        return [xyz for _, xyz in sorted(known, key=lambda each: each[0])]

    def _elsewhere(self, xyz: Vectors) -> list[Vectors]:
        """Put one cation elsewhere, once for each set of donors; not relaxed, because MMFF94 knows one set only."""
        assert self.mol is not None
        symbols, charges = symbols_of(self.fragment), partial_charges(self.mol)
        found: list[Vectors] = []
        for cation in self._reach:
            others = [i for i in range(len(xyz)) if i != cation]
            donors = [others.index(i) for i in self.donors if i in others]
            names = [symbols[i] for i in others]
            seen = {self._donors_at(xyz, cation)}
            for _, position in cation_positions(xyz[others], names, charges[others], donors, symbols[cation]):
                moved = xyz.copy()
                moved[cation] = position
                held = self._donors_at(moved, cation)
                if held not in seen and len(found) < _PLACES:
                    seen.add(held)
                    found.append(moved)
        return found

    def _donors_at(self, xyz: Vectors, cation: int) -> str:
        distance = np.linalg.norm(xyz[self.donors] - xyz[cation], axis=1)
        near = np.flatnonzero(distance < self._reach[cation] + self._radii[self.donors] + _HELD)
        symbols = symbols_of(self.fragment)
        return "".join(sorted(symbols[self.donors[i]] for i in near))

    def _embedded(self, count: int, seed: int) -> list[Vectors]:
        """Return conformers of distance geometry; none where it fails, as for a strained molecule from a file."""
        try:
            conformers = embed(mol_of(self.fragment), count, seed)
        except InputError:
            return []
        return [conformers.positions(number) for number in range(len(conformers.energies))]

    def _boxed(self, xyz: Vectors) -> Structure:
        return boxed(
            symbols_of(self.fragment), xyz, self.fragment.site_properties["component"], self.fragment.properties
        )


def _torsions(mol: Chem.Mol) -> list[Torsion]:
    """List one dihedral angle about each bond that turns; ends of CH3 and CF3 are left out, they turn by themselves."""
    found = []
    for i, j in mol.GetSubstructMatches(_ROTATABLE):
        first = [a.GetIdx() for a in mol.GetAtomWithIdx(i).GetNeighbors() if a.GetIdx() != j]
        last = [a.GetIdx() for a in mol.GetAtomWithIdx(j).GetNeighbors() if a.GetIdx() != i]
        if first and last:
            found.append((first[0], i, j, last[0]))
    return found


def distinct(shapes: Sequence[Vectors]) -> list[Vectors]:
    """Keep the first of every group of equal shapes of one molecule or assembly, A; mirror images are one shape."""
    kept: list[Vectors] = []
    marks: list[Vectors] = []
    for xyz in shapes:
        mark = _shape(xyz)
        if not any(np.allclose(mark, other, atol=0.1, rtol=0.0) for other in marks):
            marks.append(mark)
            kept.append(xyz)
    return kept


def _shape(xyz: Vectors) -> Vectors:
    """Return all distances between atoms in the order of the sites, A; mirror images are one shape."""
    i, j = np.triu_indices(len(xyz), 1)
    return np.sort(np.linalg.norm(xyz[i] - xyz[j], axis=1))


def spun(xyz: Vectors, rng: np.random.Generator, angle: float | None = None) -> Vectors:
    """Turn a molecule about its centre: anyhow, or by at most an angle (degrees) about any axis."""
    centre = xyz.mean(axis=0)
    if angle is None:
        turn = Rotation.random(rng=rng)
    else:
        axis = rng.normal(size=3)
        turn = Rotation.from_rotvec(np.radians(rng.uniform(0, angle)) * axis / np.linalg.norm(axis))
    return np.asarray(turn.apply(xyz - centre) + centre)

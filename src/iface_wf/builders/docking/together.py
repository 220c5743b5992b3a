"""Shapes of several molecules together in an open box: conformers of each, turned and brought into contact anyhow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from rdkit import Chem

from iface_wf.builders.contact import symbols_of, vdw_radii
from iface_wf.builders.docking.shapes import Shapes, distinct, spun
from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.molecules.assemblies import boxed_again
from iface_wf.builders.molecules.conformers import embed, minimise
from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.molecules.ions import CATION_RADII, DONOR_RADII, cation_positions, partial_charges
from iface_wf.errors import InputError

Vectors = NDArray[np.float64]

#: Conformers of each molecule that are put together.
_CONFORMERS = 8
#: Molecules are brought together until their nearest atoms are so many van der Waals sums apart; a cation and what is no donor
#: of it keep at least so many A.
_CONTACT, _CLEAR = 0.85, 2.0
#: Orientations that are tried beside a cation, after so many of them a little farther out.
_TURNS, _FARTHER = 60, 15
#: Each so many-th start keeps its cation where ionic radii put it: MMFF94 pulls it to one set of donors.
_UNRELAXED = 3
#: Starts from the best one so far, where there is one.
_FROM_BEST = 3


class Together:
    """Molecules and ions in one box as something that has many shapes.

    Parameters
    ----------
    whole
        Fragments that say their bonds, see `iface_wf.builders.molecules.assemblies.join`; a single molecule is one too.
    step
        Edges of the boxes are multiples of this, A.
    """

    def __init__(self, whole: Structure, step: float = EDGE_STEP) -> None:
        self.whole, self.step = whole, step
        self.mol = mol_of(whole)
        self.shapes = Shapes(whole)
        self.groups = [np.array(group, dtype=np.intp) for group in Chem.GetMolFrags(self.mol)]
        self._symbols = symbols_of(whole)
        self._charges = partial_charges(self.mol)
        self._radii = vdw_radii(self._symbols)
        self._cations = [g for g in self.groups if len(g) == 1 and self._symbols[g[0]] in CATION_RADII]
        self._bodies = [g for g in self.groups if not any(g is cation for cation in self._cations)]
        self._places: dict[tuple[int, int], list[Vectors]] = {}

    @property
    def flexible(self) -> bool:
        """Whether there is any shape but the one given."""
        return len(self.groups) > 1 or self.shapes.flexible

    def pool(self, count: int, seed: int, best: Structure | None = None) -> list[Structure]:
        """Return shapes, the lowest of MMFF94 first, those that it did not relax last.

        Parameters
        ----------
        count
            How many starts; shapes that come out twice count once.
        seed
            Seed of the draw.
        best
            The best shape so far, from which every third one starts.
        """
        if len(self.groups) == 1:
            found = self.shapes.pool(count, seed, best) if self.flexible else [self.whole]
            return [boxed_again(each, step=self.step) for each in found]
        conformers = [self._conformers(group, seed) for group in self._bodies]
        relaxed: list[tuple[float, Vectors]] = []
        raw: list[Vectors] = []
        for number in range(count):
            rng = np.random.default_rng([seed, 4, number])
            if best is not None and number % _FROM_BEST == 0:
                xyz = self._changed(best.cart_coords, rng)
            else:
                xyz = self._assembled(conformers, rng)
            if self._cations and number % _UNRELAXED == 2:
                raw.append(xyz)
                continue
            mol = Chem.Mol(self.mol)
            mol.GetConformer().SetPositions(np.ascontiguousarray(xyz, dtype=float))
            energy = minimise(mol)
            relaxed.append((energy or 0.0, np.asarray(mol.GetConformer().GetPositions(), dtype=float)))
        ordered = [xyz for _, xyz in sorted(relaxed, key=lambda each: each[0])]
        return [boxed_again(self.whole, xyz, self.step) for xyz in distinct([*ordered, *raw])]

    def _conformers(self, group: NDArray[np.intp], seed: int) -> list[Vectors]:
        """Return conformers of one molecule, the given one first; that alone where none can be embedded."""
        found = [self.whole.cart_coords[group]]
        if len(group) > 3:
            piece = Chem.RWMol(self.mol)
            for index in sorted(set(range(len(self.whole))) - set(group.tolist()), reverse=True):
                piece.RemoveAtom(index)
            mol = piece.GetMol()
            Chem.SanitizeMol(mol)
            Chem.AssignStereochemistryFrom3D(mol)
            try:
                made = embed(mol, _CONFORMERS, seed)
            except InputError:
                return found
            found += [made.positions(number) for number in range(len(made.energies))]
        return found

    def _assembled(self, conformers: list[list[Vectors]], rng: np.random.Generator) -> Vectors:
        """Put molecules beside each other in random order, cations between the first two."""
        xyz: Vectors = self.whole.cart_coords.copy()
        if not self._bodies:
            return xyz
        order = rng.permutation(len(self._bodies))
        placed: list[int] = []
        for rank, body in enumerate(order):
            group, chosen = self._bodies[body], int(rng.integers(len(conformers[body])))
            shape = conformers[body][chosen]
            if rank == 0:
                xyz[group] = shape
                placed += group.tolist()
                for cation in self._cations:
                    xyz[cation] = self._position(xyz, placed, int(cation[0]), (int(body), chosen), rng)
                    placed += cation.tolist()
            else:
                xyz[group] = self._beside(xyz, placed, group, shape, rng)
                placed += group.tolist()
        return xyz

    def _position(
        self, xyz: Vectors, placed: list[int], cation: int, known: tuple[int, int], rng: np.random.Generator
    ) -> Vectors:
        """Choose one of the places of a cation at the donors of what is there, the better ones more often."""
        first = not any(index in placed for group in self._cations for index in group)
        spots = self._places.get(known) if first else None
        if spots is None:
            names = [self._symbols[i] for i in placed]
            donors = [k for k, name in enumerate(names) if name in DONOR_RADII and name != "S"]
            found = cation_positions(xyz[placed], names, self._charges[placed], donors, self._symbols[cation])
            spots = [place for _, place in found[:12]]
            if first:
                self._places[known] = spots
        if spots:
            return spots[min(int(rng.exponential(len(spots) / 3)), len(spots) - 1)]
        found_beside: Vectors = self._beside(xyz, placed, np.array([cation]), np.zeros((1, 3)), rng)[0]
        return found_beside

    def _beside(
        self, xyz: Vectors, placed: list[int], group: NDArray[np.intp], shape: Vectors, rng: np.random.Generator
    ) -> Vectors:
        """Turn a molecule anyhow and bring it into contact: at a cation with one of its donors, if there are both."""
        cations = [int(c[0]) for c in self._cations if c[0] in placed and c[0] not in group]
        donors = [k for k, i in enumerate(group) if self._symbols[i] in DONOR_RADII and self._symbols[i] != "S"]
        centred = shape - shape.mean(axis=0)
        for turn in range(_TURNS if cations and donors else 0):
            cation, donor = int(rng.choice(cations)), int(rng.choice(donors))
            radius = CATION_RADII[self._symbols[cation]] + DONOR_RADII[self._symbols[group[donor]]]
            turned = spun(centred, rng)
            outward = rng.normal(size=3)
            outward *= (radius + 0.3 * (turn // _FARTHER)) / np.linalg.norm(outward)
            trial = turned - turned[donor] + xyz[cation] + outward
            if self._room(xyz, placed, group, trial) > _CONTACT:
                return np.asarray(trial)
        turned, outward = spun(centred, rng), rng.normal(size=3)
        outward /= np.linalg.norm(outward)
        middle = xyz[placed].mean(axis=0)
        reach = float(np.ptp(xyz[placed], axis=0).max() + np.ptp(turned, axis=0).max() + 8.0)
        trial = turned + middle
        for distance in np.arange(0.0, reach, 0.2):
            trial = turned + middle + distance * outward
            if self._room(xyz, placed, group, trial) > _CONTACT:
                break
        return np.asarray(trial)

    def _room(self, xyz: Vectors, placed: list[int], group: NDArray[np.intp], trial: Vectors) -> float:
        """Return the nearest contact in van der Waals sums, of cations with donors in sums of ionic radii."""
        distance = np.linalg.norm(trial[:, None] - xyz[placed][None], axis=-1)
        sums = self._radii[group][:, None] + self._radii[placed][None]
        ions = [(i, k) for i in range(len(group)) for k in range(len(placed))]
        for i, k in ions if self._cations else []:
            pair = self._symbols[group[i]], self._symbols[placed[k]]
            cation = next((symbol for symbol in pair if symbol in CATION_RADII), None)
            if cation is not None:
                other = pair[1] if pair[0] == cation else pair[0]
                sums[i, k] = (
                    CATION_RADII[cation] + DONOR_RADII[other] if other in DONOR_RADII else _CLEAR
                )  # as near as ionic radii say
        return float((distance / sums).min())

    def _changed(self, start: Vectors, rng: np.random.Generator) -> Vectors:
        """Change the best shape: turn one molecule against the others, turn dihedrals, move a cation."""
        xyz = self.shapes.turned(start, rng, 0.3) if rng.random() < 0.5 else start.copy()
        if self._cations and self.shapes.donors and rng.random() < 0.5:
            xyz = self.shapes.recoordinated(xyz, rng)
        elif self._bodies:
            group = self._bodies[int(rng.integers(len(self._bodies)))]
            xyz = xyz.copy()
            xyz[group] = spun(xyz[group], rng, 90.0)
        return np.asarray(xyz)

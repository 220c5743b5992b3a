"""Layers of several molecules on a slab, on one face or on both, relaxed by the docking force field, lowest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.docking.field import DockingField
from iface_wf.builders.docking.search import FULL, SAME_DESCRIPTOR, SAME_ENERGY, Pose, description, unlike
from iface_wf.builders.docking.shapes import Shapes, spun
from iface_wf.builders.molecules.assemblies import boxed_again
from iface_wf.builders.placing.bodies import Body
from iface_wf.builders.placing.layers import group_of, laid, over, pieces_of, put_down, turned_over, with_others
from iface_wf.builders.placing.placements import assemble

Vectors = NDArray[np.float64]

#: Of the starts, this share are layers that are put down anew; the others change one molecule of a low one.
_ANEW = 0.4
#: Changes start from so many of the lowest layers.
_PARENTS = 4
#: Shapes of each molecule that are put down.
_SHAPES = 8


class LayerMinimum(NamedTuple):
    """A minimum of the docking force field.

    Attributes
    ----------
    energy
        eV, comparable among layers of the same molecules on one face only.
    molecules
        Coordinates of all of them, A, in the order of their sites.
    slab
        Coordinates of the slab with its hydroxyls turned, A.
    origin
        ``layer`` of one that was put down anew, else what was changed, or ``best`` for what was the best one before.
    """

    energy: float
    molecules: Vectors
    slab: Vectors
    origin: str


class LayerDock:
    """The search for low layers on the upper face of a slab.

    Parameters
    ----------
    slab
        Labelled slab.
    molecules
        All that lie on the face, one structure for each, in the order of their sites.
    clearance
        Contact distance when they are put down, in van der Waals sums.
    seed
        Seed of everything random.
    """

    def __init__(self, slab: Structure, molecules: Sequence[Structure], clearance: float, seed: int) -> None:
        self.slab, self.molecules, self.clearance = slab, list(molecules), clearance
        self.sizes = [len(each) for each in molecules]
        self._rng = np.random.default_rng([seed, 5])
        kinds = {id(each): each for each in molecules}
        pools = {name: [s.cart_coords for s in Shapes(each).pool(_SHAPES, seed)] for name, each in kinds.items()}
        self._pools = [pools[id(each)] for each in molecules]
        first = self._anew()
        # the force field takes its reach from how far the molecules are apart, so it is given a layer
        group = boxed_again(group_of(self.molecules), first)
        self._symbols = np.array([*symbols_of(slab), *symbols_of(group)])
        self._field = DockingField(slab, group)

    def run(self, starts: int, best: Vectors | None = None) -> list[LayerMinimum]:
        """Return distinct minima, lowest first.

        Parameters
        ----------
        starts
            How many are relaxed.
        best
            Coordinates of the molecules of the best layer so far, A, from which changes start.
        """
        found: list[tuple[LayerMinimum, Vectors]] = []
        if best is not None:
            self._add(found, best, "best")
        for number in range(starts):
            if not found or number < _ANEW * starts:
                self._add(found, self._anew(), "layer")
                continue
            rank = min(int(self._rng.exponential(_PARENTS / 2)), len(found) - 1)
            self._add(found, *self._changed(found[rank][0].molecules))
        return [minimum for minimum, _ in found]

    def _anew(self) -> Vectors:
        shapes = [pool[int(self._rng.integers(len(pool)))] for pool in self._pools]
        return np.vstack(laid(self.slab, shapes, self.molecules, self.clearance, self._rng))

    def _changed(self, xyz: Vectors) -> tuple[Vectors, str]:
        """Turn one molecule where it is, or take it away and put it down elsewhere."""
        pieces = pieces_of(xyz, self.sizes)
        index = int(self._rng.integers(len(pieces)))
        if self._rng.random() < 0.3:
            pieces[index] = spun(pieces[index], self._rng, 90.0)
            return np.vstack(pieces), "turned"
        others = [i for i in range(len(pieces)) if i != index]
        body = with_others(self.slab, [pieces[i] for i in others], [self.molecules[i] for i in others])
        pool = self._pools[index]
        shape = pool[int(self._rng.integers(len(pool)))]
        pieces[index] = put_down(body, shape, self.molecules[index], self.clearance, self._rng)
        return np.vstack(pieces), "put elsewhere"

    def _add(self, found: list[tuple[LayerMinimum, Vectors]], xyz: Vectors, origin: str) -> None:
        """Relax a layer and keep what comes out, unless it is known."""
        minimum = self._field.minimise(xyz, None, FULL)
        slab = self._field.with_hydroxyls(minimum.hydroxyls)
        mark = description(Body.seen_from(slab), self._symbols, minimum.fragment)
        for known, other in found:
            if abs(known.energy - minimum.energy) < SAME_ENERGY and unlike(mark, other) < SAME_DESCRIPTOR:
                return
        found.append((LayerMinimum(minimum.energy, minimum.fragment, slab.cart_coords, origin), mark))
        found.sort(key=lambda each: each[0].energy)


class Layers:
    """Candidates for how several molecules lie on one face of a slab or on both.

    Parameters
    ----------
    slab
        Labelled slab.
    molecules
        Those of one face, one structure for each, in the order of their sites.
    faces
        1: the upper one, 2: the same on both.
    vacuum, clearance
        As of `iface_wf.builders.placing.placements.place`.
    count, seed
        How many candidates are wanted, and seed of everything random.
    """

    def __init__(
        self,
        slab: Structure,
        molecules: Sequence[Structure],
        faces: int,
        vacuum: float,
        clearance: float,
        count: int,
        seed: int,
    ) -> None:
        self.slab, self.molecules, self.vacuum, self.clearance = slab, list(molecules), vacuum, clearance
        self.count, self.seed, self.size = count, seed, len(slab)
        self.group = group_of(self.molecules * faces)
        self.faces = [slab, turned_over(slab)][:faces]
        self._atoms = sum(map(len, molecules))

    def first(self) -> list[Pose]:
        """Return layers as they are put down, ``count`` of them, nothing relaxed."""
        poses = []
        for number in range(self.count):
            rng = np.random.default_rng([self.seed, number])
            shapes = [each.cart_coords for each in self.molecules]
            put = [np.vstack(laid(face, shapes, self.molecules, self.clearance, rng)) for face in self.faces]
            own = [face.cart_coords for face in self.faces]
            poses.append(self._pose([LayerMinimum(0.0, *each, "layer") for each in zip(put, own, strict=True)], 0.0))
        return poses

    def docked(self, starts: int, seed: int, best: Structure | None = None) -> list[Pose]:
        """Return layers that the docking force field relaxed, lowest first.

        Parameters
        ----------
        starts
            How many it relaxes on each face.
        seed
            Seed of the draw.
        best
            The best candidate so far, from which changes start.
        """
        before = self._best(best)
        docked = [
            LayerDock(face, self.molecules, self.clearance, seed + rank).run(starts, before[rank])
            for rank, face in enumerate(self.faces)
        ]
        pairs = list(zip(*docked, strict=False))  # the lowest with the lowest: faces hardly feel each other
        lowest = sum(minimum.energy for minimum in pairs[0])
        return [self._pose(pair, sum(minimum.energy for minimum in pair) - lowest) for pair in pairs]

    def _best(self, best: Structure | None) -> list[Vectors | None]:
        """Return the molecules of the best candidate so far by face, each as seen from above it."""
        if best is None:
            return [None] * len(self.faces)
        shift = np.array(best.properties["placement"].get("substrate_shift", [0.0, 0.0, 0.0]))
        xyz = best.cart_coords[self.size :] - shift
        return [xyz[: self._atoms], over(self.slab, xyz[self._atoms :])][: len(self.faces)]

    def _pose(self, faces: Sequence[LayerMinimum], energy: float) -> Pose:
        """Join what lies on the faces, with the hydroxyls of each as they lie there."""
        xyz, slab = [faces[0].molecules], faces[0].slab
        if len(faces) > 1:
            xyz.append(over(self.slab, faces[1].molecules))
            z = self.slab.cart_coords[:, 2]
            slab = np.where((z > z.mean())[:, None], slab, over(self.slab, faces[1].slab))
        every = np.vstack(xyz)
        substrate = self.slab.copy()
        for site, position in enumerate(slab):
            substrate[site].coords = position
        contact = Body.seen_from(substrate).contact(every, symbols_of(self.group))
        told: dict[str, Any] = {"seed": self.seed, "clearance": self.clearance, "mode": "layer", "contact": contact}
        structure = assemble(substrate, self.group, every, self.vacuum, told)
        return Pose(structure, energy, faces[0].origin, int(faces[0].origin == "layer"), contact)

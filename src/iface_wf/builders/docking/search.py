"""Search of the docking force field: where a molecule may lie on a slab, lowest first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.docking.field import DockingField, Minimum
from iface_wf.builders.docking.shapes import Shapes, spun
from iface_wf.builders.placing.bodies import Body
from iface_wf.builders.placing.placements import assemble, place
from iface_wf.builders.placing.targets import Target
from iface_wf.errors import InputError

Vectors = NDArray[np.float64]

#: Of the starts, this share are placements, less where a best one is known; the others are moves from the lowest minima found so far.
_PLACED, _PLACED_LATER = 0.3, 0.2
#: Steps of the force field after which a start is given up that lies higher above the lowest one, eV; not before so many minima are known,
#: because an engine may see a minimum low that this force field has high.
ROUGH, _HOPELESS, _ENOUGH = 50, 0.4, 16
#: Steps of one that is not.
FULL = 200
#: Decimals of positions that count, A.
_PLACE = 4
#: Moves start from so many of the lowest minima.
_PARENTS = 6
#: Minima whose energies differ by less (eV) and whose descriptors by less are one.
SAME_ENERGY, SAME_DESCRIPTOR = 0.03, 0.08


class Pose(NamedTuple):
    """A minimum of the docking force field as an interface.

    Attributes
    ----------
    structure
        Slab sites first, then the fragment's.
    energy
        eV, relative to the lowest pose.
    origin
        How it was found: ``placement``, the name of a move, or ``best`` for what was the best one before.
    hits
        How many placements ended in it.
    contact
        The closest contact of slab and fragment, see `iface_wf.builders.placing.bodies.Body.contact`; None for a molecule
        alone.
    """

    structure: Structure
    energy: float
    origin: str
    hits: int = 0
    contact: dict[str, Any] | None = None


class Docked(NamedTuple):
    """What docking found.

    Attributes
    ----------
    poses
        Distinct minima, lowest first.
    placed
        How many of the starts were placements, which hang on no other start.
    """

    poses: list[Pose]
    placed: int


class Memory(Protocol):
    """Keeps what was relaxed, so that docking that was killed goes on."""

    def get(self, what: str) -> Any:
        """Return what was kept under a name; None where nothing was."""
        ...

    def put(self, what: str, data: Any) -> None:
        """Keep plain data under a name."""
        ...


@dataclass
class _Known:
    minimum: Minimum
    mark: Vectors
    origin: str
    hits: int = 0


def dock(
    slab: Structure,
    fragment: Structure,
    starts: int,
    seed: int,
    vacuum: float = 8.0,
    clearance: float = 0.85,
    target: Target | None = None,
    conformers: int = 10,
    best: Structure | None = None,
    memory: Memory | None = None,
) -> Docked:
    """Relax many placements by the docking force field.

    A third of the starts are placements of conformers, see `iface_wf.builders.placing.placements.place`, with the slab's
    hydroxyls turned anyhow in every other one; the rest are moves from the lowest minima so far: turning and shifting the
    molecule, turning dihedrals, moving a cation to another donor. With a target all starts are aimed placements.

    Parameters
    ----------
    slab, fragment
        Labelled sites.
    starts
        How many.
    seed
        Seed of everything random.
    vacuum, clearance, target
        As of `iface_wf.builders.placing.placements.place`.
    conformers
        Shapes of the molecule that are placed.
    best
        The best interface so far; then moves start from it, and placements are fewer.
    memory
        What was relaxed before a kill, and where more is kept.

    Returns
    -------
    Docked
        Distinct minima, lowest first.

    Raises
    ------
    InputError
        As of `iface_wf.builders.placing.placements.place`.
    """
    dock_ = _Dock(_rounded(slab), _rounded(fragment), seed, vacuum, clearance, target, conformers)
    dock_.memory = memory
    return dock_.run(starts, None if best is None else _rounded(best))


def _rounded(structure: Structure) -> Structure:
    """Round positions, so that the last digits of a relaxation, which no two machines share, do not decide what is found."""
    return Structure(
        structure.lattice,
        structure.species,
        np.round(structure.cart_coords, _PLACE),
        coords_are_cartesian=True,
        site_properties=structure.site_properties,
        properties=structure.properties,
    )


class _Dock:
    def __init__(
        self,
        slab: Structure,
        fragment: Structure,
        seed: int,
        vacuum: float,
        clearance: float,
        target: Target | None,
        conformers: int,
    ) -> None:
        self.slab, self.fragment, self.seed = slab, fragment, seed
        self.options = (vacuum, clearance, target)
        self.target = target
        self.field = DockingField(slab, fragment)
        self.shapes = Shapes(fragment)
        self.pool = self.shapes.pool(conformers, seed)
        self.found: list[_Known] = []
        self.memory: Memory | None = None
        self._relaxed = 0

    def run(self, starts: int, best: Structure | None) -> Docked:
        rng = np.random.default_rng([self.seed, 2])
        share = 1.0 if self.target is not None else _PLACED if best is None else _PLACED_LATER
        if best is not None:
            own = best.cart_coords - np.array(best.properties["placement"].get("substrate_shift", [0.0, 0.0, 0.0]))
            self._add(self._minimise(own[len(self.slab) :], own[self.field.hydroxyls]), "best")
        placed = 0
        for number, xyz in zip(range(max(1, round(share * starts))), self._placements(), strict=False):
            self._try(xyz, self._flipped(rng) if number % 2 else None, "placement")
            placed += 1
        if not self.found:
            raise InputError("None of the molecule's shapes has room on the slab.")
        for _ in range(0 if self.target is not None else starts - placed):
            origin, xyz, hydroxyls = self._move(rng)
            self._try(xyz, hydroxyls, origin)
        lowest = self.found[0].minimum.energy
        return Docked([self._pose(known, lowest) for known in self.found], placed)

    def _pose(self, known: _Known, lowest: float) -> Pose:
        vacuum, clearance, _ = self.options
        xyz = known.minimum.fragment
        contact = Body.seen_from(self.slab).contact(xyz, symbols_of(self.fragment))
        told = {"seed": self.seed, "clearance": clearance, "mode": known.origin, "contact": contact}
        slab = self.field.with_hydroxyls(known.minimum.hydroxyls)
        structure = assemble(slab, self.fragment, xyz, vacuum, told)
        return Pose(structure, known.minimum.energy - lowest, known.origin, known.hits, contact)

    def _placements(self) -> Iterator[Vectors]:
        """Place the conformers in turn, each in ever new ways."""
        size, failed = len(self.slab), 0
        for round_ in count():
            for shape in self.pool:
                try:
                    found = place(self.slab, shape, 1 if round_ == 0 else 2, self.seed + 1000 * round_, *self.options)
                except InputError:  # a shape that is too long for the cell; others may not be
                    failed += 1
                    if failed > 3 * len(self.pool):
                        return
                    continue
                yield from (each.cart_coords[size:] for each in found[-1:])

    def _try(self, xyz: Vectors, hydroxyls: Vectors | None, origin: str) -> None:
        """Relax a start a little, and to the end where that is worth it; keep what comes out."""
        rough = self._minimise(xyz, hydroxyls, ROUGH)
        if len(self.found) >= _ENOUGH and rough.energy > self.found[0].minimum.energy + _HOPELESS:
            return
        self._add(self._minimise(rough.fragment, rough.hydroxyls), origin)

    def _minimise(self, xyz: Vectors, hydroxyls: Vectors | None, steps: int = FULL) -> Minimum:
        """Relax, or remember: the draws are the same each time, so the same starts come in the same order."""
        if self.memory is None:
            return self.field.minimise(xyz, hydroxyls, steps)
        self._relaxed += 1
        # a start that differs, by another version say, is another one
        start = hashlib.sha256(np.round(xyz, _PLACE).tobytes()).hexdigest()[:12]
        name = f"{self._relaxed} {steps} {start}"
        if (kept := self.memory.get(name)) is not None:
            return Minimum(float(kept[0]), np.array(kept[1]), np.array(kept[2]).reshape(-1, 3))
        found = self.field.minimise(xyz, hydroxyls, steps)
        self.memory.put(name, [found.energy, found.fragment.tolist(), found.hydroxyls.tolist()])
        return found

    def _add(self, minimum: Minimum, origin: str) -> None:
        """Keep a minimum unless it is known."""
        hit = int(origin == "placement")
        mark = self._mark(minimum)
        for known in self.found:
            near = abs(known.minimum.energy - minimum.energy) < SAME_ENERGY
            if near and unlike(mark, known.mark) < SAME_DESCRIPTOR:
                known.hits += hit
                return
        self.found.append(_Known(minimum, mark, origin, hit))
        self.found.sort(key=lambda known: known.minimum.energy)

    def _mark(self, minimum: Minimum) -> Vectors:
        slab = self.field.with_hydroxyls(minimum.hydroxyls)
        symbols = np.array([*symbols_of(slab), *symbols_of(self.fragment)])
        return description(Body.seen_from(slab), symbols, minimum.fragment)

    def _move(self, rng: np.random.Generator) -> tuple[str, Vectors, Vectors]:
        """Draw one of the lowest minima and change it."""
        parent = self.found[min(int(rng.exponential(_PARENTS / 2)), len(self.found) - 1)].minimum
        xyz, hydroxyls = parent.fragment, parent.hydroxyls
        moves = ["turn", "shift", "spin"] + ["dihedral"] * 2 * bool(self.shapes.torsions)
        moves += ["cation"] * 2 * bool(self.shapes.cations and self.shapes.donors)
        name = str(rng.choice(moves))
        if name == "turn":
            about = Rotation.from_rotvec([0.0, 0.0, rng.uniform(0, 2 * np.pi)])
            xyz = about.apply(xyz - xyz.mean(axis=0)) + xyz.mean(axis=0)
        elif name == "shift":
            lattice = self.slab.lattice.matrix
            periodic = [axis for axis, on in enumerate(self.slab.lattice.pbc) if on]
            xyz = xyz + sum(rng.uniform(-0.5, 0.5) * lattice[axis] for axis in periodic)
        elif name == "spin":
            xyz = spun(xyz, rng, 90.0)
        elif name == "dihedral":
            xyz = self.shapes.turned(xyz, rng, 0.25)
        else:
            xyz = self.shapes.recoordinated(xyz, rng)
        if rng.random() < 0.3:
            hydroxyls = self._flipped(rng, hydroxyls)
        return name, self._lowered(xyz), hydroxyls

    def _lowered(self, xyz: Vectors) -> Vectors:
        """Let a moved molecule touch the surface again; on a wire it stays, the force field finds the way."""
        if not self.slab.lattice.pbc[1]:
            return xyz
        body = Body.seen_from(self.slab)
        try:
            return body.lowered(xyz, body.reach(symbols_of(self.fragment), 0.8))
        except InputError:  # above a hole in the slab it stays where it is
            return xyz

    def _flipped(self, rng: np.random.Generator, hydroxyls: Vectors | None = None) -> Vectors:
        """Turn the slab's hydroxyls about the bonds that hold them."""
        start = self.slab.cart_coords[self.field.hydroxyls] if hydroxyls is None else hydroxyls
        return self.field.turned_hydroxyls(start, rng)


def descriptor(structure: Structure, size: int) -> Vectors:
    """Describe how a fragment lies, whatever the order of equal atoms and the cell that it is in.

    Parameters
    ----------
    structure
        Slab sites first.
    size
        How many they are.

    Returns
    -------
    ndarray
        Smeared numbers of distances up to 6 A, by pairs of elements: fragment and slab, then within the fragment.
    """
    symbols = np.array(symbols_of(structure))
    body = Body.seen_from(Structure.from_sites(structure[:size], to_unit_cell=False)) if size else None
    return description(body, symbols, structure.cart_coords[size:])


def description(body: Body | None, symbols: NDArray[np.str_], xyz: Vectors) -> Vectors:
    """Describe how a fragment (coordinates in A) lies on a body; ``symbols`` are those of the slab's sites, then of the fragment's."""
    size = len(symbols) - len(xyz)
    grid = np.arange(1.0, 6.01, 0.5)
    own = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)[..., None]
    names, faces = sorted(set(symbols[size:])), sorted(set(symbols[:size]))
    rows = [_smeared(own, symbols[size:], symbols[size:], names, names, grid)]
    if body is not None:
        atoms, index = body.near(xyz, 7.0, 7.0)
        far = np.linalg.norm(xyz[:, None] - atoms[None], axis=-1)[..., None]
        rows.append(_smeared(far, symbols[size:], symbols[:size][index], names, faces, grid))
    return np.concatenate(rows)


def _smeared(
    distance: Vectors,
    first: NDArray[np.str_],
    second: NDArray[np.str_],
    names: list[str],
    others: list[str],
    grid: Vectors,
) -> Vectors:
    weights = np.exp(-(((distance - grid) / 0.5) ** 2)) / grid
    found = [weights[np.ix_(first == a, second == b)].sum(axis=(0, 1)) for a in names for b in others]
    return np.concatenate(found)


def unlike(first: Vectors, second: Vectors) -> float:
    """Return how much two descriptors differ, 0 for the same."""
    if len(first) != len(second):
        return float("inf")
    return float(np.linalg.norm(first - second)) / max(float(np.linalg.norm(first)), 1e-9)

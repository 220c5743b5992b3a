"""Silica as a network of springs: who is bonded to whom, a cheap relaxation, and a check of the outcome."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Structure
from scipy.optimize import least_squares, minimize
from scipy.sparse import csr_array, eye_array, vstack
from scipy.spatial.transform import Rotation
from scipy.special import erfc

from iface_wf.builders.solids.surfaces import CONTACT, closest_contact
from iface_wf.errors import InputError

Vector = npt.NDArray[np.float64]
Image = tuple[int, int, int]
SPRINGS = {
    "Si-O": (1.63, 6.0),
    "O-H": (0.965, 6.0),
    "O-Si-O": (2.66, 3.5),
    "Si-O-Si": (3.20, 1.5),
    "H-O-Si": (2.27, 0.9),
}
"""Ideal distance (A) and weight (the root of a stiffness, arbitrary unit) of bonds and of the ends of angles."""
LIMITS = {"Si-O-Si": (2.96, 4.0, -1), "O-Si-O": (2.82, 5.0, 1)}
"""Stiffer springs that act only below (-1) or above (1) a distance in A: Si-O-Si 130, O-Si-O 120 degrees."""
ROOM = {"O-O": 3.2, "O-Si": 3.35, "Si-Si": 4.05, "H-O": 1.8, "H-Si": 2.7, "H-H": 2.3}
"""Distance in A below which atoms that share no bond and no neighbour repel."""
ROOM_WEIGHT = 1.2
TETHER = 0.05
"""Weight of the spring that holds every atom at its start: without it hydrogens turn for nothing, and end anywhere."""
POLISH = 3
"""Newton steps at the end of a relaxation on springs."""
CHARGES = {"Si": 1.6, "O": -0.8, "H": 0.4}
"""Rough charges in e that turn a silanol's hydrogen towards a free oxygen."""
DAMPING, CUTOFF = 0.25, 9.0  # of the damped Coulomb sum, 1/A and A; D. Wolf et al., 10.1063/1.478738
ANGLES = (95.0, 125.0)
"""Allowed O-Si-O angles in degrees."""
MIN_BRIDGE = 120.0
BOND = (1.55, 1.70)
MIN_HH = 1.6


@dataclass(frozen=True)
class _Spring:
    """One term of the relaxation: from ``i`` to ``j`` in a lattice translation, with ideal length and weight.

    Lengths in A, weights in the unit of ``SPRINGS``; ``side`` -1 pushes only (acts below the length), 1 pulls only
    (above), 0 does both.
    """

    i: int
    j: int
    image: Image
    length: float
    weight: float
    side: int = 0


class Topology:
    """Who is bonded to whom: site -> {(neighbour, lattice translation)}; for Si, O and H only."""

    def __init__(self, slab: Structure) -> None:
        self.symbols = [site.specie.symbol for site in slab]
        self.bonds: list[set[tuple[int, Image]]] = [set() for _ in slab]
        i, j, image, distance = slab.get_neighbor_list(1.95)
        for a, b, t, d in zip(i, j, np.rint(image).astype(int), distance, strict=True):
            kinds = {self.symbols[a], self.symbols[b]}
            if kinds == {"Si", "O"} or (kinds == {"O", "H"} and d < 1.2):
                self.bonds[a].add((int(b), image_of(t)))

    def neighbours(self, site: int, element: str) -> list[tuple[int, Image]]:
        """Neighbours of one element, in a fixed order."""
        return sorted(b for b in self.bonds[site] if self.symbols[b[0]] == element)

    def silanol(self, oxygen: int) -> bool:
        """Whether an atom is the oxygen of Si-O-H."""
        near = Counter(self.symbols[b] for b, _ in self.bonds[oxygen])
        return self.symbols[oxygen] == "O" and near == {"Si": 1, "H": 1}

    def bridge(self, first: int, second: int, image: Image) -> list[int]:
        """Let the first of two silanol oxygens bind both silicons.

        Parameters
        ----------
        first, second
            Sites of the oxygens.
        image
            Lattice translation of the second one.

        Returns
        -------
        list of int
            The three sites of the water that leaves.
        """
        silicon, shift = self.neighbours(second, "Si")[0]
        leaving = [second, self.neighbours(second, "H")[0][0], self.neighbours(first, "H")[0][0]]
        total = image_of(np.add(image, shift))
        for site in leaving:
            self.bonds[site].clear()
        for site in range(len(self.bonds)):
            self.bonds[site] = {b for b in self.bonds[site] if b[0] not in leaving}
        self.bonds[first].add((silicon, total))
        self.bonds[silicon].add((first, image_of(np.negative(total))))
        return leaving


def image_of(values: Any) -> Image:
    """Give a lattice translation as a tuple of three int."""
    a, b, c = (int(v) for v in values)
    return a, b, c


def _springs(slab: Structure, topology: Topology) -> list[_Spring]:
    """Springs of the bonds and of the ends of the angles, each once."""
    springs = []
    for centre, bonds in enumerate(topology.bonds):
        for other, image in sorted(bonds):
            if topology.symbols[centre] == "O":
                name = "O-H" if topology.symbols[other] == "H" else "Si-O"
                springs.append(_Spring(centre, other, image, *SPRINGS[name]))
        for (a, s), (b, t) in combinations(sorted(bonds), 2):
            ends = sorted((topology.symbols[a], topology.symbols[b]))
            name = f"{ends[0]}-{topology.symbols[centre]}-{ends[1]}"
            image = image_of(np.subtract(t, s))
            springs.append(_Spring(a, b, image, *SPRINGS[name]))
            if name in LIMITS:
                springs.append(_Spring(a, b, image, *LIMITS[name]))
    return springs


def relax(slab: Structure, topology: Topology, kept: list[int]) -> Structure:
    """Relax a silica slab on springs between bonded atoms, ends of angles and what is too near.

    Parameters
    ----------
    slab
        Start, periodic in a and b.
    topology
        Its bonds; they may be far from their ideal lengths.
    kept
        Sites that take part; the others stay where they are and are not seen.

    Returns
    -------
    Structure
        The same sites at new positions (wrapped as before); its geometry is not checked, see `check_silica`.
    """
    relaxed = slab.copy()
    bound = _springs(slab, topology)
    joined = {(s.i, s.j, s.image) for s in bound} | {(s.j, s.i, image_of(np.negative(s.image))) for s in bound}
    number = {site: k for k, site in enumerate(kept)}
    for _ in range(2):
        springs = list(bound)
        i, j, image, _distance = relaxed.get_neighbor_list(max(ROOM.values()) + 0.8)
        for a, b, t in zip(i, j, np.rint(image).astype(int), strict=True):
            key = (int(a), int(b), image_of(t))
            if a < b and int(a) in number and int(b) in number and key not in joined:
                name = "-".join(sorted((topology.symbols[a], topology.symbols[b])))
                springs.append(_Spring(*key, ROOM[name], ROOM_WEIGHT, -1))
        start = np.array(relaxed.cart_coords)[kept]
        xyz = _solve(start, [(number[s.i], number[s.j], s) for s in springs], slab.lattice.matrix)
        full = np.array(relaxed.cart_coords)
        full[kept] = xyz
        relaxed = Structure(
            slab.lattice, slab.species, full, coords_are_cartesian=True, site_properties=slab.site_properties
        )
        relaxed.properties = dict(slab.properties)
        _turn(relaxed, topology)
    return relaxed


def _turn(slab: Structure, topology: Topology) -> None:
    """Turn each silanol's hydrogen about its Si-O bond to the lowest damped Coulomb energy, in place."""
    angles = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
    silanols = [i for i in range(len(slab)) if topology.silanol(i)]
    present = np.array([bool(bonds) for bonds in topology.bonds])
    charges = np.array([CHARGES[symbol] for symbol in topology.symbols]) * present
    a, b, _ = slab.lattice.matrix
    turns = [int(np.ceil(CUTOFF / h)) for h in (abs(np.cross(a, b)[2]) / np.linalg.norm(v) for v in (b, a))]
    shifts = np.array([u * a + v * b for u in range(-turns[0], turns[0] + 1) for v in range(-turns[1], turns[1] + 1)])
    for _ in range(3):
        moved = False
        for oxygen in silanols:
            ((hydrogen, image_h),) = topology.neighbours(oxygen, "H")
            ((silicon, image_si),) = topology.neighbours(oxygen, "Si")
            xyz = np.array(slab.cart_coords)
            axis = xyz[oxygen] - xyz[silicon] - np.array(image_si) @ slab.lattice.matrix
            bond = xyz[hydrogen] + np.array(image_h) @ slab.lattice.matrix - xyz[oxygen]
            turned = Rotation.from_rotvec(np.outer(angles, axis / np.linalg.norm(axis))).apply(bond)
            others = np.setdiff1d(np.flatnonzero(present), [hydrogen, oxygen])
            around = (xyz[others][:, None] + shifts - xyz[oxygen]).reshape(-1, 3)
            near = np.linalg.norm(around, axis=1) < CUTOFF
            distance = np.linalg.norm(around[near] - turned[:, None], axis=-1)
            charge = np.repeat(charges[others], len(shifts))[near]
            energy = (charge * erfc(DAMPING * distance) / distance + (1.6 / distance) ** 12).sum(axis=1)
            best = int(np.argmin(energy.round(5)))
            if best:
                slab.translate_sites([hydrogen], turned[best] - bond, frac_coords=False, to_unit_cell=False)
                moved = True
        if not moved:
            break


def _solve(start: Vector, springs: list[tuple[int, int, _Spring]], lattice: Vector) -> Vector:
    """Give the positions (n, 3) with the least sum of squared strains, from a start."""
    i = np.array([s[0] for s in springs])
    j = np.array([s[1] for s in springs])
    shift = np.array([s[2].image for s in springs]) @ lattice
    length = np.array([s[2].length for s in springs])
    weight = np.array([s[2].weight for s in springs])
    side = np.array([s[2].side for s in springs])
    rows = np.repeat(np.arange(len(springs)), 6)
    columns = np.concatenate([3 * i[:, None] + np.arange(3), 3 * j[:, None] + np.arange(3)], axis=1).ravel()

    def strain(x: Vector) -> tuple[Vector, Vector, Vector]:
        xyz = x.reshape(-1, 3)
        vector = xyz[j] + shift - xyz[i]
        distance = np.linalg.norm(vector, axis=1).clip(min=1e-3)
        acting = weight * (side * (distance - length) >= 0)
        return vector, distance, acting

    def residual(x: Vector) -> Vector:
        _, distance, acting = strain(x)
        return np.concatenate([acting * (distance - length), TETHER * (x - start.ravel())])

    def jacobian(x: Vector) -> csr_array:
        vector, distance, acting = strain(x)
        unit = acting[:, None] * vector / distance[:, None]
        own = csr_array((np.concatenate([-unit, unit], axis=1).ravel(), (rows, columns)), (len(springs), x.size))
        return csr_array(vstack([own, TETHER * eye_array(x.size)]))

    def gradient(x: Vector) -> Vector:
        return np.asarray(jacobian(x).T @ residual(x))

    def curvature(x: Vector) -> Vector:
        vector, distance, acting = strain(x)
        unit = vector / distance[:, None]
        along = unit[:, :, None] * unit[:, None, :]
        across = (1.0 - length / distance)[:, None, None] * (np.eye(3) - along)
        block = (acting**2)[:, None, None] * (along + across)
        both = np.concatenate(
            [np.concatenate([block, -block], axis=2), np.concatenate([-block, block], axis=2)], axis=1
        )
        places = columns.reshape(-1, 6)
        entries = np.repeat(places, 6, axis=1).ravel(), np.tile(places, (1, 6)).ravel()
        full = csr_array((both.ravel(), entries), (x.size, x.size)).toarray()
        return np.asarray(full + TETHER**2 * np.eye(x.size))

    # roughly first, then to the very minimum: where a search stops early is another place on every machine, and so is the slab's key
    near = least_squares(residual, start.ravel(), jacobian, method="trf", tr_solver="lsmr", max_nfev=40, ftol=1e-4).x
    found = minimize(
        lambda x: 0.5 * float(residual(x) @ residual(x)),
        near,
        jac=gradient,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-5, "maxiter": 200},
    ).x
    for _ in range(POLISH):  # energies no longer tell which of two places is lower, gradients do
        found = found - np.linalg.solve(curvature(found), gradient(found))
    return np.asarray(found).reshape(-1, 3)


def check_silica(slab: Structure) -> None:
    """Refuse a geometry that is not that of hydroxylated silica.

    Every Si has four O at 1.55 to 1.70 A with O-Si-O of 95 to 125 degrees, every O two neighbours (Si-O-Si above
    120 degrees), no contact lies below 0.75 of the covalent radii, and no H...H below 1.6 A.

    Raises
    ------
    InputError
        Says the first thing that is wrong.
    """
    topology = Topology(slab)
    for site, bonds in enumerate(topology.bonds):
        vectors = [slab[b].coords + np.array(t) @ slab.lattice.matrix - slab[site].coords for b, t in sorted(bonds)]
        symbol = topology.symbols[site]
        if len(vectors) != {"Si": 4, "O": 2, "H": 1}[symbol]:
            raise _refusal(f"{symbol} has {len(vectors)} bonds")
        lengths = [float(np.linalg.norm(v)) for v in vectors]
        if symbol == "Si" and not all(BOND[0] <= d <= BOND[1] for d in lengths):
            raise _refusal(f"Si-O bonds reach from {min(lengths):.2f} to {max(lengths):.2f} A")
        angles = [
            math.degrees(math.acos(max(-1.0, float(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))))
            for u, v in combinations(vectors, 2)
        ]
        if symbol == "Si" and not all(ANGLES[0] <= angle <= ANGLES[1] for angle in angles):
            raise _refusal(f"O-Si-O angles reach from {min(angles):.0f} to {max(angles):.0f} degrees")
        if symbol == "O" and not topology.silanol(site) and angles[0] < MIN_BRIDGE:
            raise _refusal(f"an Si-O-Si angle is {angles[0]:.0f} degrees")
    share, pair = closest_contact(slab)
    if share < CONTACT:
        raise _refusal(f"a {pair} contact is too short")
    hydrogens = [site for site in slab if site.specie.symbol == "H"]
    for site in hydrogens:
        if any(n.specie.symbol == "H" for n in slab.get_neighbors(site, MIN_HH)):
            raise _refusal("two H are too near")


def _refusal(what: str) -> InputError:
    return InputError(f"The silanols of this slab cannot be condensed: {what}; use a larger cell or another range.")

"""Placements with an aim: a functional group of the fragment towards a kind of surface atom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pymatgen.core import Element, Structure
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import covalent_radii, images_apart, symbols_of, vdw_radii
from iface_wf.builders.molecules.fragments import group_sites
from iface_wf.builders.placing.bodies import Body, Pose
from iface_wf.errors import InputError, first_problem

BONDED = 1.25
"""Atoms within this multiple of their covalent sum are bonded."""

HIDDEN = 1.5
"""A surface atom is exposed when other atoms keep an oxygen at most this much farther than aimed, A."""

REACHED = 1.5
"""An aimed placement fails when its two atoms stay farther apart than this multiple of the aimed distance."""

GOOD = 1.15
"""An aimed placement is good enough, and the search ends, below this multiple."""

TILT = 40.0
"""Largest tilt of the group off the normal, degrees."""

_DRAWS, _TRIES = 3, 40

Vectors = NDArray[np.float64]


class Target(BaseModel):
    """What shall touch what.

    Attributes
    ----------
    group
        Functional group of the fragment: a name from the polymer's record or SMARTS; its first atom touches.
    surface
        Element of the surface, followed by what it is bonded to: ``"Gd"``, ``"H-O-Si"`` for a silanol's hydrogen.

    Examples
    --------
    The oxygen of an ether at the hydrogen of a silanol, as in a hydrogen bond:

    >>> import iface_wf
    >>> target = iface_wf.Target(group="ether", surface="H-O-Si")
    >>> built = iface_wf.build("SiO2", "PEO", 1, target=target)
    >>> built.placements[0].properties["placement"]["contact"]["elements"]
    ['H', 'O']
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    surface: str

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise first_problem(error, type(self), "The target") from error

    @field_validator("surface")
    @classmethod
    def _elements(cls, value: str) -> str:
        unknown = [part for part in value.split("-") if part not in chemical_symbols[1:]]
        if unknown:
            raise ValueError(f"{unknown[0][:20]!r} is no element: write 'Gd' or 'H-O-Si'")
        return value


def surface_sites(slab: Structure, chain: str) -> list[int]:
    """Find the exposed atoms of a kind on the upper side of a slab, or all around a wire.

    Parameters
    ----------
    slab
        Slab or wire.
    chain
        As ``Target.surface``.

    Returns
    -------
    list of int
        Sites that an oxygen from outside reaches nearly as well as the most exposed one of the kind.

    Raises
    ------
    InputError
        When no such atom exists or all are buried.
    """
    symbols = symbols_of(slab)
    first, *rest = chain.split("-")
    kept = {i: {i} for i, symbol in enumerate(symbols) if symbol == first}
    if rest:
        radii = covalent_radii(symbols)
        bonded = np.array(slab.distance_matrix) < BONDED * (radii[:, None] + radii[None])
        np.fill_diagonal(bonded, val=False)
        for element in rest:
            mask = np.array([symbol == element for symbol in symbols])
            ends = {i: {int(k) for j in last for k in np.flatnonzero(bonded[j] & mask)} for i, last in kept.items()}
            kept = {i: last for i, last in ends.items() if last}
    if not kept:
        raise InputError(f"The surface has no {chain}; its elements are {', '.join(sorted(set(symbols)))}.")
    hidden = {i: _hidden(slab, i) for i in kept}
    least = min(hidden.values())
    if least > HIDDEN:
        raise InputError(
            f"Every {chain} is buried: other atoms keep an oxygen {least:.1f} A too far from the best one."
        )
    return [i for i in kept if hidden[i] < min(least + 0.5, HIDDEN)]


def _outward_angle(slab: Structure, site: int) -> float:
    """Return the approach angle about a (degrees) that meets a wire's site head-on; 0 for a slab."""
    if slab.lattice.pbc[1]:
        return 0.0
    offset = slab.cart_coords[site] - slab.cart_coords.mean(axis=0)
    return float(np.degrees(np.arctan2(-offset[1], offset[2])))


def _hidden(slab: Structure, site: int) -> float:
    """Return how far above its aimed distance other atoms stop an oxygen that comes straight down on a site, A."""
    body = Body.seen_from(slab, _outward_angle(slab, site))
    reach = body.reach(["O"], 0.85)
    reach[0, site] = _aimed_length("O", body.symbols[site])
    stopped = body.lowered(body.xyz[[site]], reach)[0, 2]
    return float(stopped - body.xyz[site, 2] - reach[0, site])


@dataclass(frozen=True)
class Aim:
    """A target worked out for one fragment and one slab.

    Attributes
    ----------
    slab, fragment
        The two parts.
    target
        What shall touch what.
    """

    slab: Structure
    fragment: Structure
    target: Target

    @cached_property
    def group_atoms(self) -> list[int]:
        """Sites of the fragment that may touch."""
        names = self.fragment.properties.get("functional_groups", {})
        smarts = names.get(self.target.group, self.target.group)
        return sorted({match[0] for match in group_sites(self.fragment, smarts)})

    @cached_property
    def surface_atoms(self) -> list[int]:
        """Sites of the slab that may be touched."""
        return surface_sites(self.slab, self.target.surface)

    def pose(self, centred: Vectors, clearance: float, rng: np.random.Generator) -> Pose | None:
        """Draw groups and surface atoms and find the orientation that brings them nearest.

        Up to three pairs are drawn, until one comes within ``GOOD`` times the aimed distance.

        Parameters
        ----------
        centred
            Coordinates of the fragment about its centre, A, shape (m, 3).
        clearance
            Contact of all other pairs, in van der Waals sums.
        rng
            Source of the draw.

        Returns
        -------
        Pose or None
            With target and pair (site of the slab, site of the fragment); None when no orientation fits the cell.
        """
        best: Pose | None = None
        for _ in range(_DRAWS):
            atom, site = int(rng.choice(self.group_atoms)), int(rng.choice(self.surface_atoms))
            drawn = self._turned(centred, clearance, rng, atom, site)
            if drawn is not None and (best is None or drawn.miss < best.miss):
                best = drawn
            if best is not None and best.miss < GOOD:
                break
        return best

    def _turned(
        self, centred: Vectors, clearance: float, rng: np.random.Generator, atom: int, site: int
    ) -> Pose | None:
        """Try orientations of the fragment with one atom above one surface site."""
        body = Body.seen_from(self.slab, _outward_angle(self.slab, site))
        symbols = symbols_of(self.fragment)
        length = _aimed_length(symbols[atom], body.symbols[site])
        reach = body.reach(symbols, clearance)
        reach[atom, site] = length
        upright = _align(_outwards(centred, symbols, atom), np.array([0.0, 0.0, -1.0]))
        goal = body.xyz[site] + length * self._bond_direction(body, site)
        about = {"mode": "aimed", "target": self.target.model_dump(), "aimed_pair": [site, atom]}
        best: Pose | None = None
        for _ in range(_TRIES):
            tilt = Rotation.from_euler("zxz", [rng.uniform(0, 360), rng.uniform(0, TILT), rng.uniform(0, 360)], True)
            rotation = tilt.as_matrix() @ upright
            xyz = centred @ rotation.T
            xyz = xyz + goal - xyz[atom]
            if not images_apart(xyz, symbols, body.lattice):
                continue
            xyz = body.lowered(xyz, reach)
            miss = float(np.linalg.norm(xyz[atom] - body.xyz[site])) / length
            if best is None or miss < best.miss:
                best = Pose(body, xyz, rotation, about, miss)
        return best

    def _bond_direction(self, body: Body, site: int) -> Vectors:
        """Return where the partner sits as seen from the site: along X-H for a hydrogen, else straight above."""
        normal = np.array([0.0, 0.0, 1.0])
        if body.symbols[site] != "H":
            return normal
        neighbour = min((n for n in self.slab.get_neighbors(self.slab[site], 1.5)), key=lambda n: n.nn_distance)
        bond = (self.slab[site].coords - neighbour.coords) @ body.turn
        bond = bond / np.linalg.norm(bond)
        # A hydrogen that points along the surface is met from above as far as needed to stay outside.
        bond = bond if bond[2] > 0.3 else bond + (0.6 - bond[2]) * normal
        return np.asarray(bond / np.linalg.norm(bond))


def _aimed_length(first: str, second: str) -> float:
    """Return the distance, A, at which two atoms are aimed: a coordination bond to a metal, else a hydrogen bond.

    A metal and its partner meet at 1.05 covalent sums (Gd-O 2.75, Li-O 2.04 A), other pairs at 0.7 van der Waals
    sums (H-O 1.89 A).
    """
    if Element(first).is_metal or Element(second).is_metal:
        return float(1.05 * covalent_radii([first, second]).sum())
    return float(0.7 * vdw_radii([first, second]).sum())


def _outwards(xyz: Vectors, symbols: list[str], atom: int) -> Vectors:
    """Return the direction in which an atom is free: away from its bonded neighbours, else from the centre."""
    radii = covalent_radii(symbols)
    distance = np.linalg.norm(xyz - xyz[atom], axis=1)
    bonded = (distance > 0.1) & (distance < BONDED * (radii + radii[atom]))
    free = xyz[atom] - (xyz[bonded].mean(axis=0) if bonded.any() else np.zeros(3))
    if np.linalg.norm(free) < 0.2:
        free = xyz[atom]
    length = float(np.linalg.norm(free))
    return np.asarray(free / length) if length > 1e-6 else np.array([0.0, 0.0, -1.0])


def _align(start: Vectors, end: Vectors) -> Vectors:
    """Return a rotation (3, 3) that turns one unit vector into another."""
    return np.asarray(Rotation.align_vectors([end], [start])[0].as_matrix())

"""A slab or a wire seen from the side a fragment comes from: lowering, contacts, and when two placements are one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import closest_contact, images_within, symbols_of, touch_height, vdw_radii

FINGERPRINT_TOLERANCE = 0.05
"""Two placements whose sorted fragment-slab distances all differ by less, A, count as one."""

FINGERPRINT_REACH = 6.0
"""Distances up to here, A, make the fingerprint of a placement."""

Vectors = NDArray[np.float64]
Fingerprint = dict[tuple[str, str], Vectors]


@dataclass(frozen=True)
class Body:
    """The atoms a fragment is lowered onto, seen in a frame where the approach is along -z.

    Attributes
    ----------
    xyz
        Coordinates in that frame, A, shape (n, 3).
    lattice
        Cell in that frame.
    symbols
        Elements.
    turn
        Rotation from that frame back to the laboratory, shape (3, 3), acting on columns.
    """

    xyz: Vectors
    lattice: Lattice
    symbols: list[str]
    turn: Vectors

    @classmethod
    def seen_from(cls, structure: Structure, angle: float = 0.0) -> Self:
        """See a structure from ``angle`` degrees off +z, turned about a (for wires; 0 for slabs)."""
        turn = Rotation.from_euler("x", angle, degrees=True).as_matrix()
        lattice = Lattice(structure.lattice.matrix @ turn, pbc=structure.lattice.pbc)
        return cls(structure.cart_coords @ turn, lattice, symbols_of(structure), turn)

    def near(self, xyz: Vectors, reach: float, height: float = np.inf) -> tuple[Vectors, NDArray[np.intp]]:
        """Find the body's atoms, images included, around a fragment.

        Parameters
        ----------
        xyz
            Coordinates of the fragment in the body's frame, A, shape (m, 3).
        reach
            Margin about the fragment's extent in the plane, A.
        height
            Margin along the approach, A; by default everything below and above counts.

        Returns
        -------
        tuple
            Coordinates, A, shape (k, 3), and the indices of the atoms that they belong to, shape (k,).
        """
        margin = np.array([reach, reach, height])
        low: Vectors = xyz.min(axis=0) - margin
        high: Vectors = xyz.max(axis=0) + margin
        return images_within(self.lattice, self.xyz, low, high)

    def reach(self, symbols: list[str], clearance: float) -> Vectors:
        """Return contact distances of ``clearance`` van der Waals sums, A, shape (fragment atoms, body atoms)."""
        return np.asarray(clearance * (vdw_radii(symbols)[:, None] + vdw_radii(self.symbols)[None]))

    def lowered(self, xyz: Vectors, reach: Vectors) -> Vectors:
        """Lower a fragment along z until the first pair is as near as its reach, A, shape (fragment, body)."""
        atoms, index = self.near(xyz, float(reach.max()))
        down: Vectors = np.array([0.0, 0.0, touch_height(atoms, xyz, reach[:, index])])
        return np.asarray(xyz + down)

    def contact(self, xyz: Vectors, symbols: list[str]) -> dict[str, Any]:
        """Describe the closest contact as plain data; ``pair`` counts the slab's and the fragment's sites."""
        atoms, index = self.near(xyz, 8.0, 8.0)
        names = [self.symbols[i] for i in index]
        best = closest_contact(atoms, xyz, names, symbols)
        return {
            "distance": round(best.distance, 6),
            "pair": [int(index[best.pair[0]]), best.pair[1]],
            "elements": [names[best.pair[0]], symbols[best.pair[1]]],
            "vdw_ratio": round(best.vdw_ratio, 6),
            "covalent_ratio": round(best.covalent_ratio, 6),
        }

    def fingerprint(self, xyz: Vectors, symbols: list[str]) -> Fingerprint:
        """Return the sorted fragment-slab distances by elements, A; equal for equivalent placements."""
        atoms, index = self.near(xyz, FINGERPRINT_REACH, FINGERPRINT_REACH)
        distance = np.linalg.norm(xyz[:, None] - atoms[None], axis=-1)
        names, others = np.array(symbols), np.array([self.symbols[i] for i in index])
        result: Fingerprint = {}
        for first in sorted(set(symbols)):
            for second in sorted(set(self.symbols)):
                values = distance[np.ix_(names == first, others == second)].ravel()
                result[first, second] = np.sort(values[values < FINGERPRINT_REACH])
        return result


@dataclass(frozen=True)
class Pose:
    """A fragment lowered onto a body.

    Attributes
    ----------
    body
        The body, turned towards the fragment.
    xyz
        Coordinates of the fragment in the body's frame, A, shape (m, 3).
    rotation
        How the fragment was turned in that frame, shape (3, 3), acting on columns.
    about
        How it was found, as plain JSON.
    miss
        Distance of an aimed pair of atoms over the distance it was aimed at.
    """

    body: Body
    xyz: Vectors
    rotation: Vectors
    about: dict[str, Any]
    miss: float = 0.0

    def report(self, symbols: list[str]) -> dict[str, Any]:
        """Say how a fragment of these elements lies: how it was found, rotation in the laboratory, closest contact."""
        rotation = np.round(self.body.turn @ self.rotation, 12).tolist()
        return {**self.about, "rotation": rotation, "contact": self.body.contact(self.xyz, symbols)}


def same_fingerprint(first: Fingerprint, second: Fingerprint) -> bool:
    """Say whether two placements have the same distances, ignoring those that end at the reach."""
    for kind, values in first.items():
        others = second[kind]
        # Distances at the very edge may fall in for one placement and out for the other.
        short, long = sorted((values, others), key=len)
        if np.any(long[len(short) :] < FINGERPRINT_REACH - FINGERPRINT_TOLERANCE):
            return False
        if np.any(np.abs(short - long[: len(short)]) > FINGERPRINT_TOLERANCE):
            return False
    return True

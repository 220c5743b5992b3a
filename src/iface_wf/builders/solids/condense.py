"""Condense neighbouring silanols into siloxane bridges, until a silica face carries as many as real silica."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import spglib
from pymatgen.core import Structure
from scipy.optimize import Bounds, LinearConstraint, milp

from iface_wf.builders.edges import area_of
from iface_wf.builders.solids.springs import Image, Topology, check_silica, image_of, relax
from iface_wf.errors import InputError

REACH = 3.8
"""Two silanol oxygens further apart than this (A) are no neighbours; geminal pairs of quartz (001): 2.6 and 3.6."""


@dataclass(frozen=True)
class _Pair:
    """Two silanol oxygens, ``second`` in the lattice translation ``image``, and their distance in A."""

    first: int
    second: int
    image: Image
    distance: float


def condense_silanols(slab: Structure, per_nm2: tuple[float, float] = (4.0, 6.0)) -> Structure:
    """Turn pairs of neighbouring silanols into bridges, 2 SiOH -> Si-O-Si + H2O, on both faces of a slab.

    The pairs are those with the smallest sum of O...O distances; where an operation turns the slab over, the lower
    face gets the image of the upper one. All atoms then relax on springs (bonds, ends of angles, repulsion of
    what is not bonded), which is cheap and needs no energy model: it gives a sane start, not a minimum.

    Parameters
    ----------
    slab
        Hydroxylated silica (Si, O and H), periodic in a and b with c along +z.
    per_nm2
        Smallest and largest silanol density of each face, per nm^2; a slab inside the range comes back unchanged.

    Returns
    -------
    Structure
        The slab without the waters; kept sites keep their order and their properties, positions are relaxed. The
        property ``faces_alike`` says whether the lower face is the image of the upper one; the cell may forbid it.

    Raises
    ------
    InputError
        If other elements occur, no pairs reach the range (a cell that is too small), or the relaxed geometry is
        not that of silica.

    Notes
    -----
    Silanols of amorphous silica, 4.6 to 4.9 per nm^2, and their condensation on heating: L. T. Zhuravlev,
    10.1016/S0927-7757(00)00556-2. Quartz (001), fully hydroxylated (geminal) and reconstructed: T. P. M. Goumans,
    A. Wander, W. A. Brown and C. R. A. Catlow, Phys. Chem. Chem. Phys. 9, 2146 (2007).
    """
    low, high = per_nm2
    if not (math.isfinite(low) and math.isfinite(high) and 0 <= low < high):
        raise InputError(f"The silanol range {low} to {high} per nm^2 is not allowed, it must rise from 0 or more.")
    topology = Topology(slab)
    if other := set(topology.symbols) - {"Si", "O", "H"}:
        raise InputError(f"Only silica can condense its silanols, the slab also has {', '.join(sorted(other))}.")
    chosen, alike = _pairs(slab, topology, per_nm2)
    if not chosen:
        return slab.copy()
    xyz = np.array(slab.cart_coords)
    leaving: list[int] = []
    for pair in chosen:
        shift = np.array(pair.image) @ slab.lattice.matrix
        xyz[pair.first] = (xyz[pair.first] + xyz[pair.second] + shift) / 2.0
        leaving += topology.bridge(pair.first, pair.second, pair.image)
    moved = Structure(slab.lattice, slab.species, xyz, coords_are_cartesian=True, site_properties=slab.site_properties)
    moved.properties = dict(slab.properties)
    relaxed = relax(moved, topology, sorted(set(range(len(slab))) - set(leaving)))
    relaxed.remove_sites(leaving)
    relaxed.properties["faces_alike"] = alike
    check_silica(relaxed)
    return relaxed


def _pairs(slab: Structure, topology: Topology, per_nm2: tuple[float, float]) -> tuple[list[_Pair], bool]:
    """Choose the pairs of both faces; tell whether those of the lower face are the images of those of the upper one."""
    oxygens = [i for i in range(len(slab)) if topology.silanol(i)]
    heights = slab.cart_coords[:, 2]
    middle = float(np.mean([h for h, symbol in zip(heights, topology.symbols, strict=True) if symbol == "Si"]))
    area = area_of(slab) / 100.0
    top = [i for i in oxygens if heights[i] > middle]
    bottom = [i for i in oxygens if heights[i] <= middle]
    candidates = _candidates(slab, topology, oxygens)
    chosen = _choose(candidates, topology, top, _bridges(len(top), area, per_nm2))
    wanted = _bridges(len(bottom), area, per_nm2)
    below = _mirrored(slab, chosen, candidates) if wanted == len(chosen) else None
    return chosen + (_choose(candidates, topology, bottom, wanted) if below is None else below), below is not None


def _bridges(count: int, area: float, per_nm2: tuple[float, float]) -> int:
    """Bridges that bring ``count`` silanols on ``area`` (nm^2) into the range, nearest to its middle."""
    if per_nm2[0] <= count / area <= per_nm2[1]:
        return 0
    fitting = [k for k in range(1, count // 2 + 1) if per_nm2[0] <= (count - 2 * k) / area <= per_nm2[1]]
    if not fitting:
        raise InputError(
            f"No number of condensed pairs brings {count} silanols on {area:.2f} nm^2 to between {per_nm2[0]:g} and "
            f"{per_nm2[1]:g} per nm^2: use a larger cell in the plane or another range."
        )
    return min(fitting, key=lambda k: abs((count - 2 * k) / area - sum(per_nm2) / 2))


def _candidates(slab: Structure, topology: Topology, oxygens: list[int]) -> list[_Pair]:
    """List silanol pairs on different silicons that share no oxygen yet, the nearest first."""
    owner = {i: topology.neighbours(i, "Si")[0] for i in oxygens}
    linked = {
        (p, q, image_of(np.subtract(t, s)))
        for bonds, symbol in zip(topology.bonds, topology.symbols, strict=True)
        if symbol == "O"
        for p, s in bonds
        for q, t in bonds
        if topology.symbols[p] == topology.symbols[q] == "Si"
    }
    found = []
    i, j, image, distance = slab.get_neighbor_list(REACH)
    for a, b, t, d in zip(i, j, np.rint(image).astype(int), distance, strict=True):
        if a < b and int(a) in owner and int(b) in owner:
            (p, s), (q, u) = owner[int(a)], owner[int(b)]
            if p != q and (p, q, image_of(t + u - np.array(s))) not in linked:
                found.append(_Pair(int(a), int(b), image_of(t), float(d)))
    return sorted(found, key=lambda pair: (round(pair.distance, 3), pair.first, pair.second, pair.image))


def _choose(candidates: list[_Pair], topology: Topology, face: list[int], count: int) -> list[_Pair]:
    """Pick ``count`` pairs of one face with the least sum of distances; a silicon gives one OH, if it can be."""
    if count == 0:
        return []
    pairs = [pair for pair in candidates if pair.first in face and pair.second in face]
    for limit in (1, 2):
        groups: dict[tuple[str, Any], list[int]] = {}
        for k, pair in enumerate(pairs):
            silicons = [topology.neighbours(o, "Si")[0][0] for o in (pair.first, pair.second)]
            groups.setdefault(("pair", tuple(sorted(silicons))), []).append(k)
            for oxygen, silicon in zip((pair.first, pair.second), silicons, strict=True):
                groups.setdefault(("O", oxygen), []).append(k)
                groups.setdefault(("Si", silicon), []).append(k)
        if len(pairs) < count:
            break
        matrix = np.zeros((len(groups) + 1, len(pairs)))
        matrix[0] = 1.0
        for row, members in enumerate(groups.values(), start=1):
            matrix[row, members] = 1.0
        upper = np.array([count] + [limit if kind == "Si" else 1 for kind, _ in groups])
        lower = np.array([count] + [0] * len(groups))
        cost = [round(pair.distance, 3) + 1e-5 * k for k, pair in enumerate(pairs)]  # the rank decides between equals
        solution = milp(
            cost,
            integrality=np.ones(len(pairs)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, lower, upper),
        )
        if solution.x is not None:
            return [pair for pair, taken in zip(pairs, np.rint(solution.x), strict=True) if taken]
    raise InputError(
        f"The face has no {count} pairs of neighbouring silanols to condense: use a larger cell in the plane."
    )


def _mirrored(slab: Structure, chosen: list[_Pair], candidates: list[_Pair]) -> list[_Pair] | None:
    """Carry pairs to the other face by an operation that turns the slab over; None where there is none."""
    heavy = [i for i, site in enumerate(slab) if site.specie.symbol != "H"]
    frac = np.array(slab.frac_coords)[heavy]
    found = spglib.get_symmetry((slab.lattice.matrix, frac, [slab[i].specie.Z for i in heavy]), symprec=0.05)
    if found is None:
        return None
    by_ends = {frozenset((pair.first, pair.second)): pair for pair in reversed(candidates)}
    for rotation, translation in zip(found["rotations"], found["translations"], strict=True):
        if rotation[2, 2] != -1:
            continue
        images: dict[int, int] = {}
        for i in {i for pair in chosen for i in (pair.first, pair.second)}:
            delta = frac - (rotation @ slab.frac_coords[i] + translation)
            delta -= np.rint(delta)
            images[i] = heavy[int(np.argmin(np.linalg.norm(delta @ slab.lattice.matrix, axis=1)))]
        ends = [frozenset((images[pair.first], images[pair.second])) for pair in chosen]
        if all(end in by_ends for end in ends):
            return [by_ends[end] for end in ends]
    return None


def heavy_extent(slab: Structure) -> float:
    """Extent of a slab along z in A without its hydrogens, whose heights are no property of the framework."""
    return float(np.ptp([site.coords[2] for site in slab if site.specie.symbol != "H"]))

"""Solid on solid: films matched to a slab in one common cell, strain bounded and reported."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure

from iface_wf.builders.components import label
from iface_wf.builders.edges import area_of, check_vacuum, round_up
from iface_wf.builders.solids.bonds import radius
from iface_wf.builders.solids.cell import BOTTOM_VACUUM, repeat
from iface_wf.builders.solids.miller import Surface, resolve_surface
from iface_wf.builders.solids.slabs import build_slab, build_slabs
from iface_wf.documents.labels import SLAB
from iface_wf.errors import InputError
from iface_wf.library.records import FillerRecord

MAX_ATOMS = 800
MAX_AREA = 400.0
MAX_STRAIN = 0.05
TOUCH = 0.95
"""A film comes down until two atoms of the two sides are this share of the sum of their covalent radii apart."""
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """One layer of a stack.

    Attributes
    ----------
    filler
        Its record.
    surface
        As for `iface_wf.builders.solids.slabs.build_slab`; by default the filler's first surface.
    thickness
        Smallest thickness in A; by default the surface's own.
    """

    filler: FillerRecord
    surface: Surface = None
    thickness: float | None = None


@dataclass(frozen=True)
class Match:
    """Supercells of substrate and film that fit on each other.

    Attributes
    ----------
    substrate, film
        Integer matrices, rows are the new in-plane vectors in the old ones, shape (2, 2), both right-handed.
    strains
        Principal strains of the film, dimensionless, positive = stretched.
    area
        Common area in A^2.
    """

    substrate: npt.NDArray[np.int_]
    film: npt.NDArray[np.int_]
    strains: tuple[float, float]
    area: float


def match_planes(substrate: Matrix, film: Matrix, max_area: float = MAX_AREA, max_strain: float = MAX_STRAIN) -> Match:
    """Find the smallest common cell of two plane lattices (A. Zur, T. McGill, 10.1063/1.333084).

    Parameters
    ----------
    substrate, film
        In-plane vectors in A, rows, shape (2, 2); the film is strained onto the substrate.
    max_area
        Largest area in A^2.
    max_strain
        Largest absolute principal strain of the film.

    Returns
    -------
    Match
        The one of least area; among equal areas the one of least strain.

    Raises
    ------
    InputError
        If no common cell keeps both limits.
    """
    limit = max(abs(np.linalg.det(substrate)), abs(np.linalg.det(film)))
    while True:  # small areas first: the number of supercells grows fast with the area
        limit = min(2 * limit, max_area)
        found = min(_matches(substrate, film, limit, max_strain), key=_rank, default=None)
        if found is not None:
            return found
        if limit >= max_area:
            raise InputError(f"No common cell up to {max_area} A^2 keeps the film's strain below {max_strain:.1%}.")


def _matches(substrate: Matrix, film: Matrix, max_area: float, max_strain: float) -> Iterator[Match]:
    """All common cells within the limits."""
    from pymatgen.analysis.interfaces.zsl import ZSLGenerator  # takes a second to import

    generator = ZSLGenerator(
        max_area_ratio_tol=2.2 * max_strain, max_area=max_area, max_length_tol=max_strain, max_angle_tol=max_strain
    )
    flat = [np.column_stack([v, np.zeros(2)]) for v in (substrate, film)]
    for found in generator(flat[1], flat[0]):
        below = _whole(np.asarray(found.substrate_sl_vectors)[:, :2], substrate)
        above = _whole(np.asarray(found.film_sl_vectors)[:, :2], film)
        if np.linalg.det(below) < 0:
            below, above = below[::-1], above[::-1]
        area = float(abs(np.linalg.det(below @ substrate)))
        for candidate in _same_lattice(above):
            strains = _strains(candidate @ film, below @ substrate)
            if strains is not None and max(map(abs, strains)) <= max_strain and area <= max_area:
                yield Match(below, candidate, strains, area)


def _rank(match: Match) -> tuple[float, float]:
    return round(match.area, 3), round(max(map(abs, match.strains)), 6)


def _whole(vectors: Matrix, base: Matrix) -> npt.NDArray[np.int_]:
    return np.rint(vectors @ np.linalg.inv(base)).astype(int)


def _same_lattice(matrix: npt.NDArray[np.int_]) -> Iterator[npt.NDArray[np.int_]]:
    """Other bases of the same plane lattice: vectors exchanged or reversed."""
    for rows, signs in itertools.product(((0, 1), (1, 0)), ((1, 1), (1, -1))):
        yield matrix[list(rows)] * np.array(signs)[:, None]


def _strains(film: Matrix, substrate: Matrix) -> tuple[float, float] | None:
    """Principal strains that carry film vectors onto substrate vectors; None if that mirrors the film."""
    deformation = np.linalg.solve(film, substrate)
    if np.linalg.det(deformation) <= 0:
        return None
    stretches = np.linalg.svd(deformation, compute_uv=False)
    return float(stretches[0] - 1), float(stretches[1] - 1)


def build_stack(
    layers: Sequence[Layer],
    max_area: float = MAX_AREA,
    max_strain: float = MAX_STRAIN,
    gap: float | None = None,
    vacuum: float = 8.0,
    seed: int = 0,
) -> Structure:
    """Stack solids on each other, the first one unstrained at the bottom.

    Parameters
    ----------
    layers
        Two or more layers from the bottom up, for example LLZO, LiI, Li.
    max_area, max_strain
        Limits of the common cell (A^2) and of every film's principal strains.
    gap
        Distance along z between the highest atom below and the lowest atom above in A; by default every film
        comes down until atoms touch (0.95 times the sum of their covalent radii).
    vacuum
        Empty space above the topmost atom in A; c is a multiple of 0.8 A.
    seed
        Seed of the orderings.

    Returns
    -------
    Structure
        Periodic in a and b; lowest atom at z = 6 A; ``component`` is ``slab`` everywhere; the site property
        ``layer`` numbers the solids from 0 at the bottom, see ``layers_of``; the bottom of layer 0 is held.
        ``properties["layers"]`` says of each solid what was cut, its strains, and how the common cell is made of its own
        plane lattice (``repeats``, rows are the common vectors in its own).

    Raises
    ------
    InputError
        If fewer than two layers are given, no common cell is found, or there are too many atoms.
    """
    if len(layers) < 2:
        raise InputError("A stack needs at least two layers.")
    slabs = [build_slab(y.filler, y.surface, y.thickness, _cell(y), vacuum, seed) for y in layers]
    return _stacked(slabs, max_area, max_strain, gap, vacuum)


def all_stacks(
    substrate: Layer,
    film: Layer,
    max_area: float = MAX_AREA,
    max_strain: float = MAX_STRAIN,
    gap: float | None = None,
    vacuum: float = 8.0,
    seed: int = 0,
) -> Iterator[Structure]:
    """Build the interfaces of all pairs of terminations of two solids.

    Parameters
    ----------
    substrate, film
        The lower and the upper solid.
    max_area, max_strain, gap, vacuum, seed
        As for `build_stack`.

    Yields
    ------
    Structure
        As from `build_stack`; ``properties["layers"]`` names the termination of each side.

    Raises
    ------
    InputError
        If a solid has no termination that can be built, no common cell is found, or there are too many atoms.
    """
    sides = [
        list(build_slabs(y.filler, y.surface, y.thickness, _cell(y), vacuum, seed, polar="repair"))
        for y in (substrate, film)
    ]
    for pair in itertools.product(*sides):
        yield _stacked(list(pair), max_area, max_strain, gap, vacuum)


def _cell(layer: Layer) -> tuple[float, float] | None:
    """Smallest surface cell, except where the surface's chemistry needs its own larger one."""
    return None if resolve_surface(layer.filler, layer.surface).condense else (0.0, 0.0)


def layers_of(stack: Structure) -> list[Structure]:
    """Give the solids of a stack one by one, from the bottom up, each at its place in the stack's cell.

    Raises
    ------
    InputError
        When the structure is no stack.
    """
    numbers = stack.site_properties.get("layer")
    if numbers is None:
        raise InputError("The structure is no stack of solids: its sites carry no 'layer'.")
    return [
        Structure.from_sites(
            [s for s, n in zip(stack, numbers, strict=True) if n == k], properties=dict(stack.properties)
        )
        for k in sorted(set(numbers))
    ]


def _stacked(slabs: list[Structure], max_area: float, max_strain: float, gap: float | None, vacuum: float) -> Structure:
    check_vacuum(vacuum)
    if gap is not None and not (math.isfinite(gap) and 0.5 <= gap <= 10.0):
        raise InputError(f"The gap of {gap} A is not allowed, it must lie between 0.5 and 10 A.")
    base = slabs[0].copy()
    base.add_site_property("layer", [0] * len(base))
    reports = [_about(slabs[0], (0.0, 0.0), None)]
    reports[0]["repeats"] = np.eye(2, dtype=int).tolist()
    for number, film in enumerate(slabs[1:], start=1):
        match = match_planes(base.lattice.matrix[:2, :2], film.lattice.matrix[:2, :2], max_area, max_strain)
        count = len(base) * round(np.linalg.det(match.substrate)) + len(film) * round(np.linalg.det(match.film))
        if count > MAX_ATOMS:
            raise InputError(f"The stack would have {count} atoms, at most {MAX_ATOMS} are allowed.")
        base, distance = _lay(repeat(base, match.substrate), repeat(film, match.film), number, gap, vacuum)
        for below in reports:
            below["repeats"] = (match.substrate @ np.array(below["repeats"])).tolist()
        reports.append(_about(film, match.strains, distance) | {"repeats": match.film.tolist()})
    base.properties = {
        "filler": "|".join(r["filler"] for r in reports),
        "surface": "|".join(r["surface"] for r in reports),
        "formula": base.composition.formula,
        "area": area_of(base),
        "layers": reports,
        "charge": 0,
        "metal": any(slab.properties.get("metal") for slab in slabs),
        "warnings": [w for slab in slabs for w in slab.properties.get("warnings", [])],
    }
    return label(base, SLAB)


def _about(slab: Structure, strains: tuple[float, float], gap: float | None) -> dict[str, Any]:
    kept = ("filler", "surface", "miller", "termination", "thickness", "polar", "symmetric", "moved_ions", "seed")
    return {k: slab.properties.get(k) for k in kept} | {"strains": list(strains), "gap": gap}


def _lay(base: Structure, film: Structure, number: int, gap: float | None, vacuum: float) -> tuple[Structure, float]:
    """Put a film, strained to the base's plane lattice, on top of the base."""
    a, b, _ = base.lattice.matrix
    top, bottom = base.cart_coords[:, 2].max(), film.cart_coords[:, 2].min()
    thickness = float(np.ptp(film.cart_coords[:, 2]))
    highest = float(top) + thickness + 10.0
    height = round_up(highest + vacuum)
    lattice = Lattice([a, b, [0.0, 0.0, height]], pbc=(True, True, False))
    plane = film.frac_coords[:, :2] @ np.array([a, b])
    above = plane + np.outer(film.cart_coords[:, 2] - bottom, (0.0, 0.0, 1.0))
    distance = gap if gap is not None else _touching(lattice, base, film, above)
    above[:, 2] += float(top) + distance
    height = round_up(float(above[:, 2].max()) + vacuum)
    lattice = Lattice([a, b, [0.0, 0.0, height]], pbc=(True, True, False))
    free = base.site_properties["selective_dynamics"] + [[True] * 3] * len(film)
    joined = Structure(
        lattice,
        base.species + film.species,
        np.concatenate([base.cart_coords, above]),
        coords_are_cartesian=True,
        site_properties={
            "layer": base.site_properties["layer"] + [number] * len(film),
            "selective_dynamics": [list(map(bool, f)) for f in free],
        },
    )
    assert abs(joined.cart_coords[:, 2].min() - BOTTOM_VACUUM) < 1e-6
    return joined, float(distance)


def touching_gap(base: Structure, film: Structure) -> float:
    """Return the smallest gap between two solids of one cell at which no atom of the film is too near to the base, A.

    Parameters
    ----------
    base, film
        The lower and the upper one, in one cell; how high the film stands plays no part.
    """
    above = film.cart_coords - [0.0, 0.0, film.cart_coords[:, 2].min()]
    return float(_touching(base.lattice, base, film, above))


def _touching(lattice: Lattice, base: Structure, film: Structure, above: Matrix) -> float:
    """Smallest gap in A at which no atom of the film (at height 0 and up) is too near to the base."""
    top = float(base.cart_coords[:, 2].max())
    reach = 2 * TOUCH * max(radius(e) for e in {*base.composition.elements, *film.composition.elements})
    low = [i for i in range(len(film)) if above[i, 2] < reach]
    high = [i for i in range(len(base)) if base.cart_coords[i, 2] > top - reach]
    below = base.cart_coords[high]
    shifts = np.array([[i, j, 0] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ lattice.matrix
    needed = 0.0
    for i in low:
        own = radius(film[i].specie.symbol)
        wanted = TOUCH * (own + np.array([radius(base[k].specie.symbol) for k in high]))
        delta = (above[i] - below)[None] + shifts[:, None]
        delta -= np.rint(delta[..., :2] @ np.linalg.inv(lattice.matrix[:2, :2])) @ lattice.matrix[:2]
        flat = np.linalg.norm(delta[..., :2], axis=-1)
        climb = np.sqrt(np.clip(wanted**2 - flat**2, 0, None))  # height difference that keeps the distance
        rise = climb - above[i, 2] + (below[:, 2] - top)
        needed = max(needed, float(np.where(flat < wanted, rise, 0.0).max()))
    return needed

"""Thin wires cut from a crystal: periodic along one lattice direction, whole units, neutral."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure

from iface_wf.builders.components import label
from iface_wf.builders.edges import check_vacuum, round_up
from iface_wf.builders.solids.bonds import find_bonds, unit_groups
from iface_wf.builders.solids.disorder import bulk
from iface_wf.builders.solids.planes import primitive
from iface_wf.builders.solids.surfaces import check_contacts
from iface_wf.documents.labels import SLAB
from iface_wf.errors import InputError
from iface_wf.library.records import FillerRecord

MAX_ATOMS = 600
MAX_FORMULAS = 40
MAX_INDEX = 3
DIAMETER_TOLERANCE = 1.5
"""A wire may be thinner or thicker than asked by this much (A): atoms cannot be halved."""
DIPOLE_TOLERANCE = 0.05
"""Largest formal dipole across a wire, in e A per formula unit."""
_GRID = 6
Vector = npt.NDArray[np.float64]
Place = tuple[int, int, int]  # unit, and its translation along the two side vectors


@dataclass(frozen=True)
class _Section:
    """A choice of unit columns: what they are, bond strength they lose (e per formula unit), diameter (A)."""

    places: frozenset[Place]
    formulas: int
    broken: float
    diameter: float


def build_wire(
    record: FillerRecord,
    diameter: float | None = None,
    direction: tuple[int, int, int] | None = None,
    min_length: float = 0.0,
    vacuum: float = 8.0,
    seed: int = 0,
) -> Structure:
    """Build a thin wire of a filler.

    Columns of whole units (ions, hydroxides, phosphates) are taken from the crystal around an axis, as many
    formula units as give the diameter. Among all axes the one is used that breaks the least bond strength
    per formula unit and leaves no dipole across the wire.

    Parameters
    ----------
    record
        The filler.
    diameter
        Wanted diameter in A, met within 1.5 A: the largest distance between two atoms seen along the wire.
        By default the record's.
    direction
        Lattice direction [uvw] of the conventional cell; by default the record's.
    min_length
        Smallest length of the periodic cell along the wire in A.
    vacuum
        Empty space around the wire in A, at least 6, on every side.
    seed
        Seed of the ordering of partly occupied sites.

    Returns
    -------
    Structure
        Periodic along a only, which is the wire and the x axis; b along y, c along z, multiples of 0.8 A;
        ``component`` is ``slab`` on every site; nothing is frozen.

    Raises
    ------
    InputError
        If no neutral wire of about this diameter exists, or the request is out of range.
    """
    diameter, direction = _asked(record, diameter, direction, min_length)
    check_vacuum(vacuum)
    crystal = bulk(record, seed)
    cell = _along_x(crystal, direction)
    model = _Columns(cell, dict(record.oxidation_states), diameter)
    section = _best_section(model, diameter, record.name)
    wire = _assemble(model, section, min_length, vacuum)
    check_contacts(wire, f"The wire of {record.name}")
    wire.add_site_property("selective_dynamics", [[True] * 3] * len(wire))
    wire.properties = {
        "filler": record.name,
        "source": record.wire.source if record.wire is not None else record.source,
        "formula": wire.composition.formula,
        "surface": f"wire [{' '.join(map(str, direction))}]",
        "direction": list(direction),
        "diameter": section.diameter,
        "formula_units_per_repeat": section.formulas,
        "repeat": float(cell.lattice.a),
        "broken_strength_per_formula": section.broken,
        "charge": 0,
        "seed": seed,
        "warnings": list(dict.fromkeys([*record.warnings, *crystal.properties.get("warnings", [])])),
    }
    return label(wire, SLAB)


def _asked(
    record: FillerRecord, diameter: float | None, direction: tuple[int, int, int] | None, min_length: float
) -> tuple[float, tuple[int, int, int]]:
    """Take from the record what is not said, and refuse lengths out of range."""
    if record.wire is not None:
        diameter = record.wire.diameter if diameter is None else diameter
        direction = record.wire.direction if direction is None else direction
    if diameter is None or direction is None:
        raise InputError(f"{record.name} names no wire of its own; give a direction and a diameter.")
    for name, value, low, high in (("diameter", diameter, 3, 40), ("length", min_length, 0, 100)):
        if not low <= value <= high:  # false for nan too
            raise InputError(f"The {name} of {value} A is not allowed, it must lie between {low} and {high} A.")
    return diameter, direction


def _along_x(crystal: Structure, direction: tuple[int, int, int]) -> Structure:
    """Give a cell of the crystal whose a is the shortest repeat along [uvw] and lies on the x axis."""
    if len(direction) != 3 or not any(direction) or max(abs(n) for n in direction) > MAX_INDEX:
        raise InputError(f"The direction {tuple(direction)} must be three integers up to {MAX_INDEX}, not all 0.")
    small, vectors = primitive(crystal)
    if "miller_basis" in crystal.properties:
        vectors = np.linalg.solve(np.asarray(crystal.properties["miller_basis"]).T, small.lattice.matrix.T).T
    exact = 12.0 * np.linalg.solve(vectors.T, np.asarray(direction, dtype=float))
    first = np.rint(exact).astype(int)
    first //= math.gcd(*map(int, first))
    x = first @ small.lattice.matrix
    x /= np.linalg.norm(x)
    grid = [np.array(v) for v in itertools.product(range(-2, 3), repeat=3) if any(v)]

    def side(v: npt.NDArray[np.int_]) -> float:
        r = v @ small.lattice.matrix
        return round(float(np.linalg.norm(r - (r @ x) * x)), 6)

    pairs = itertools.combinations(sorted(grid, key=side), 2)
    sides = next((p for p in pairs if abs(round(float(np.linalg.det([first, *p])))) == 1), None)
    if sides is None:
        raise InputError(f"The direction {tuple(direction)} has no short side vectors.")
    small.make_supercell([first, *sides], to_unit_cell=False)
    u = small.lattice.matrix[1]
    y = u - (u @ x) * x
    y /= np.linalg.norm(y)
    turn = np.array([x, y, np.cross(x, y)]).T
    return Structure(Lattice(small.lattice.matrix @ turn), small.species, small.frac_coords)


def _best_section(model: _Columns, diameter: float, name: str) -> _Section:
    """Among all axes and numbers of formula units, find the section that loses the least bond strength."""
    found: dict[frozenset[Place], _Section] = {}
    for point in itertools.product(np.arange(_GRID) / _GRID, repeat=2):
        axis = np.array([0.0, *point]) @ model.cell.lattice.matrix
        for formulas in range(1, MAX_FORMULAS + 1):
            section = model.section(axis[1:], formulas)
            if section.diameter > diameter + DIAMETER_TOLERANCE:
                break
            if section.diameter >= diameter - DIAMETER_TOLERANCE and model.unpolar(section):
                found.setdefault(section.places, section)
    if not found:
        raise InputError(f"No neutral wire of {name} has a diameter within {DIAMETER_TOLERANCE} A of {diameter} A.")
    return min(found.values(), key=lambda s: (round(s.broken, 3), round(abs(s.diameter - diameter), 2)))


class _Columns:
    """The unit columns of a crystal seen along x."""

    def __init__(self, cell: Structure, charges: dict[str, float], diameter: float) -> None:
        self.cell = cell
        bonds = find_bonds(cell, charges)
        groups = unit_groups(cell, bonds)
        self.units = [(members, offsets) for members, offsets in groups]
        self.inside = [(cell.frac_coords[m] + o) @ cell.lattice.matrix for m, o in self.units]
        self.centre = np.array([p.mean(axis=0) for p in self.inside])[:, 1:]
        self.charge = np.array([sum(charges.get(cell[i].specie.symbol, 0.0) for i in m) for m, _ in self.units])
        self.kind = [Counter(cell[i].specie.symbol for i in m) for m, _ in self.units]
        self.sides = cell.lattice.matrix[1:, 1:]
        owner = {i: (k, o) for k, (m, off) in enumerate(self.units) for i, o in zip(m, off, strict=True)}
        self.links: list[list[tuple[int, int, int, float]]] = [[] for _ in self.units]
        for i, j, image, strength in zip(bonds.start, bonds.end, bonds.image, bonds.strength, strict=True):
            (k, here), (other, there) = owner[int(i)], owner[int(j)]
            step = image + here - there
            self.links[k].append((other, int(step[1]), int(step[2]), float(strength)))
        kinds = [tuple(sorted(k.items())) for k in self.kind]
        counts = Counter(kinds)
        divisor = math.gcd(*counts.values())
        order = sorted(counts, key=lambda k: -self.charge[kinds.index(k)])
        self.recipe = [([n for n, k in enumerate(kinds) if k == kind], counts[kind] // divisor) for kind in order]
        self.radius = diameter + DIAMETER_TOLERANCE
        spacing = abs(float(np.linalg.det(self.sides))) / np.linalg.norm(self.sides, axis=1).max()
        reach = range(-math.ceil(self.radius / spacing) - 1, math.ceil(self.radius / spacing) + 3)
        self.places = [(k, i, j) for k in range(len(self.units)) for i in reach for j in reach]
        self.where = np.array([self.position(p) for p in self.places])

    def position(self, place: Place) -> Vector:
        """Where a column stands, seen along x, in A."""
        return np.asarray(self.centre[place[0]] + place[1] * self.sides[0] + place[2] * self.sides[1])

    def section(self, axis: Vector, formulas: int) -> _Section:
        """Take the cations nearest to the axis, then the other units that bind most to what is there."""
        distance = np.linalg.norm(self.where - axis, axis=1).round(4)
        far = {p: d for p, d in zip(self.places, distance, strict=True) if d < self.radius}
        chosen: set[Place] = set()
        for members, count in self.recipe:
            bound: defaultdict[Place, float] = defaultdict(float)
            for p in chosen:
                for q, strength in self._partners(p):
                    bound[q] += strength
            pool = [p for p in far if p[0] in members]
            pool.sort(key=lambda p: (-round(bound[p], 4), far[p], p))
            chosen |= set(pool[: count * formulas])
        lost = sum(s for p in chosen for q, s in self._partners(p) if q not in chosen)
        points = np.concatenate([self._points(p) for p in chosen])
        width = float(np.max(np.linalg.norm(points[:, None] - points[None], axis=-1)))
        return _Section(frozenset(chosen), formulas, lost / formulas, width)

    def unpolar(self, section: _Section) -> bool:
        """Whether the formal charges leave no dipole across the wire."""
        moment = sum(self.charge[p[0]] * self.position(p) for p in section.places)
        return bool(np.linalg.norm(moment) <= DIPOLE_TOLERANCE * section.formulas)

    def _partners(self, place: Place) -> list[tuple[Place, float]]:
        k, i, j = place
        return [((other, i + di, j + dj), s) for other, di, dj, s in self.links[k] if (other, di, dj) != (k, 0, 0)]

    def _points(self, place: Place) -> Vector:
        return np.asarray(self.inside[place[0]][:, 1:] + place[1] * self.sides[0] + place[2] * self.sides[1])


def _assemble(model: _Columns, section: _Section, min_length: float, vacuum: float) -> Structure:
    """Put the chosen columns into a box with empty space around them."""
    cell = model.cell
    species: list[Any] = []
    points: list[Vector] = []
    for k, i, j in sorted(section.places):
        species += [cell[m].specie for m in model.units[k][0]]
        points += list(model.inside[k] + i * cell.lattice.matrix[1] + j * cell.lattice.matrix[2])
    length = cell.lattice.a
    repeats = max(1, math.ceil(min_length / length - 1e-6))
    if len(species) * repeats > MAX_ATOMS:
        raise InputError(f"The wire would have {len(species) * repeats} atoms, at most {MAX_ATOMS} are allowed.")
    cart = np.concatenate([np.array(points) + np.array([k * length, 0.0, 0.0]) for k in range(repeats)])
    cart[:, 1:] += vacuum - cart[:, 1:].min(axis=0)
    sides = [round_up(float(top) + vacuum) for top in cart[:, 1:].max(axis=0)]
    cart[:, 0] = np.mod(cart[:, 0], repeats * length)
    lattice = Lattice(np.diag([repeats * length, *sides]), pbc=(True, False, False))
    wire = Structure(lattice, species * repeats, cart, coords_are_cartesian=True)
    return wire.get_sorted_structure(key=lambda site: (site.specie.X, site.specie.Z))

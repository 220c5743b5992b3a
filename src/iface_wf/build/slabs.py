"""Cut slabs from crystals: every termination, thickness as asked, one fixed place in the cell."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import spglib
from pymatgen.core import Composition, Lattice, Structure

from iface_wf.build.bonds import Bonds, find_bonds
from iface_wf.build.components import label
from iface_wf.build.planes import PLANE_TOLERANCE, Cut, cuts, in_plane_supercell, oriented_cell, period
from iface_wf.build.surfaces import CONTACT, BrokenBond, closest_contact, hydroxylate
from iface_wf.errors import InputError, unknown_name
from iface_wf.library.crystals import read_crystal
from iface_wf.library.records import FillerRecord, SurfaceSpec

BOTTOM_VACUUM = 6.0
"""Height in A of the lowest atom of every slab."""
C_STEP = 0.8
"""c is a multiple of this (A), so that grids of 0.2 or 0.16 A of a clean slab and an interface coincide."""
MIN_VACUUM = 6.0
MAX_ATOMS = 600
POLAR_TOLERANCE = 0.002
"""Dipole per area in e/A from which on a slab is called polar; it is a potential step of 0.4 V."""
Surface = SurfaceSpec | tuple[int, int, int] | str | None


@dataclass(frozen=True)
class Termination:
    """One way to cleave a crystal along a plane.

    Attributes
    ----------
    label
        Unique, for example ``"1:O2|Si"``: rank, atoms of the topmost plane, atoms of the lowest plane.
    cut
        Where the oriented cell is cut.
    broken_strength
        Pauling strength of the bonds broken at each face, in e per nm^2; terminations are ranked by it.
    dipole_per_area
        Formal-charge dipole of one repeat of the bare cut along +z in e/A (per A^2 of area, times A).
    symmetric
        A symmetry operation maps the top face onto the bottom face.
    """

    label: str
    cut: Cut
    broken_strength: float
    dipole_per_area: float
    symmetric: bool

    @property
    def polar(self) -> bool:
        """Whether the stacking carries a dipole (type 3 of P. W. Tasker, 10.1088/0022-3719/12/22/036)."""
        return abs(self.dipole_per_area) > POLAR_TOLERANCE


def terminations(
    bulk: Structure, miller: tuple[int, int, int], charges: dict[str, float] | None = None
) -> list[Termination]:
    """List all distinct terminations of a plane, the most likely first.

    Parameters
    ----------
    bulk
        Ordered crystal.
    miller
        Indices in the basis of its cell.
    charges
        Formal charge of each element in e.

    Returns
    -------
    list of Termination
        Non-polar ones first, then by the strength of the bonds they break, then by the widest gap.
    """
    cell = oriented_cell(bulk, miller)
    charges = charges or {}
    area = _area(cell)
    found = []
    for cut in cuts(cell):
        shifted = _shifted(cell, cut)
        strength = 100.0 * find_bonds(shifted, charges).broken_strength() / area
        z = shifted.cart_coords[:, 2]
        q = np.array([charges.get(site.specie.symbol, 0.0) for site in shifted])
        found.append((cut, strength, float(q @ z) / area, _symmetric(_stack(shifted, 2)), _planes(shifted)))
    found.sort(
        key=lambda f: (abs(f[2]) > POLAR_TOLERANCE, round(f[1], 3), -round(f[0].gap, 3), not f[3], f[4])
    )
    return [
        Termination(f"{rank}:{planes[0]}|{planes[-1]}", cut, strength, dipole, symmetric)
        for rank, (cut, strength, dipole, symmetric, planes) in enumerate(found, start=1)
    ]


def build_slab(
    record: FillerRecord,
    surface: Surface = None,
    thickness: float | None = None,
    min_in_plane: tuple[float, float] | None = None,
    vacuum: float = 8.0,
    seed: int = 0,
) -> Structure:
    """Build the slab of a filler.

    Parameters
    ----------
    record
        The filler.
    surface
        One of the record's surfaces, Miller indices, or text such as ``"101"``, ``"1 0 -1"`` and
        ``"101/2"`` (with a termination); by default the record's first surface.
    thickness
        Smallest extent along z of the cut crystal in A; the slab is at most one plane spacing thicker.
        By default the surface's own.
    min_in_plane
        Smallest lengths of the two in-plane vectors in A; by default the surface's own, else the smallest
        cell. The crystal's plane lattice is never strained.
    vacuum
        Empty space above the topmost atom in A, at least 6; c is rounded up to a multiple of 0.8 A.
    seed
        Seed of the ordering of partly occupied sites; the same seed gives the same slab.

    Returns
    -------
    Structure
        Periodic in a and b, c along +z; lowest atom at z = 6 A; ``component`` is ``slab`` on every site;
        ``selective_dynamics`` holds the lower part; ``properties`` says what was built.

    Raises
    ------
    InputError
        If the request cannot be fulfilled: unknown termination, no passivation possible, too many atoms.
    """
    del seed
    if not math.isfinite(vacuum) or not MIN_VACUUM <= vacuum <= 100.0:
        raise InputError(
            f"The vacuum of {vacuum} A is not allowed, it must lie between {MIN_VACUUM} and 100 A."
        )
    spec = resolve_surface(record, surface)
    asked = spec.thickness if thickness is None else thickness
    if not math.isfinite(asked) or not 0 < asked <= 60.0:
        raise InputError(f"The thickness of {asked} A is not allowed, it must lie above 0 and at most 60 A.")
    bulk = read_crystal(record.crystal_path)
    charges = dict(record.oxidation_states)
    cell = oriented_cell(bulk, spec.miller)
    chosen, bare, broken = _choose(record, cell, terminations(bulk, spec.miller, charges), spec, asked)
    slab = hydroxylate(bare, broken) if spec.passivation == "hydroxyl" else bare
    lengths = min_in_plane or spec.min_in_plane or (0.0, 0.0)
    a, b, _ = bare.lattice.matrix
    matrix = in_plane_supercell(a, b, lengths)
    count = len(slab) * abs(round(float(np.linalg.det(matrix))))
    if count > MAX_ATOMS:
        raise InputError(f"The slab would have {count} atoms, at most {MAX_ATOMS} are allowed.")
    slab = _place(_enlarged(slab, matrix), vacuum)
    share, pair = closest_contact(slab)
    if share < CONTACT:
        raise InputError(f"The slab of {record.name} {spec.miller} has a {pair} contact that is too short.")
    extent = float(np.ptp(bare.cart_coords[:, 2]))
    slab = _freeze(slab, spec.frozen_fraction, extent)
    slab.properties = _report(record, spec, chosen, slab, extent, charges) | {
        "in_plane_supercell": matrix.tolist(),
        "vacuum": float(slab.lattice.c - slab.cart_coords[:, 2].max()),
    }
    if "silanol" in slab.site_properties:
        slab.remove_site_property("silanol")
    return label(slab, "slab")


def resolve_surface(record: FillerRecord, surface: Surface) -> SurfaceSpec:
    """Give the surface that was asked for, taking what is not said from the record's own surfaces.

    Raises
    ------
    InputError
        If the text is not Miller indices.
    """
    if surface is None:
        return record.surfaces[0]
    if isinstance(surface, SurfaceSpec):
        return surface
    termination: str | None = None
    if isinstance(surface, str):
        text, _, termination_text = surface.partition("/")
        termination = termination_text.strip() or None
        surface = _miller_from_text(text)
    if len(surface) != 3 or not any(surface):
        raise InputError(f"Miller indices {surface} are no plane: three integers, not all 0, are needed.")
    known = [spec for spec in record.surfaces if spec.miller == tuple(surface)]
    base = (
        known[0]
        if known
        else record.surfaces[0].model_copy(update={"termination": None, "reason": "as asked"})
    )
    update: dict[str, Any] = {"miller": tuple(int(h) for h in surface)}
    if termination is not None:
        update["termination"] = termination
    return base.model_copy(update=update)


def _miller_from_text(text: str) -> tuple[int, int, int]:
    body = text.strip().strip("()[]").replace(",", " ")
    parts = body.split()
    if len(parts) == 1:  # "101" or "10-1"
        parts = []
        sign = ""
        for character in body:
            if character == "-" and not sign:
                sign = "-"
            else:
                parts.append(sign + character)
                sign = ""
    try:
        values = [int(p) for p in parts]
    except ValueError:
        values = []
    if len(values) != 3:
        raise InputError(f"{text[:40]!r} are not Miller indices; write them as 101, 10-1 or '1 0 -1'.")
    return values[0], values[1], values[2]


def _choose(
    record: FillerRecord, cell: Structure, found: list[Termination], spec: SurfaceSpec, asked: float
) -> tuple[Termination, Structure, list[BrokenBond]]:
    """Pick the termination that was named, or the first one that the passivation can finish."""
    if spec.termination is not None:
        named = [t for t in found if spec.termination in (t.label, t.label.split(":")[0])]
        if not named:
            raise unknown_name(
                f"termination of {record.name} {spec.miller}", spec.termination, [t.label for t in found]
            )
        found = named
    problem = InputError(f"{record.name} {spec.miller} has no termination.")
    for termination in found:
        layers = max(1, math.ceil((asked + termination.cut.gap) / period(cell) - 1e-6))
        shifted = _shifted(cell, termination.cut)
        bare = _stack(shifted, layers)
        broken = _broken(shifted, find_bonds(shifted, dict(record.oxidation_states)), layers)
        if spec.passivation == "none":
            return termination, bare, broken
        try:
            hydroxylate(bare, broken)
        except InputError as error:
            problem = error
            continue
        return termination, bare, broken
    raise problem


def _area(structure: Structure) -> float:
    return float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))


def _shifted(cell: Structure, cut: Cut) -> Structure:
    """Give the oriented cell with the cut at its bottom and top face: every height in [0, 1)."""
    frac = np.array(cell.frac_coords)
    frac[:, 2] -= cut.height / period(cell)
    frac[:, 2] -= np.floor(frac[:, 2])
    return Structure(cell.lattice, cell.species, frac)


def _stack(shifted: Structure, layers: int) -> Structure:
    """Stack cells into a slab, layer after layer, lowest atom at z = 0, with c normal to the plane."""
    frac = np.concatenate([shifted.frac_coords + np.array([0.0, 0.0, k]) for k in range(layers)])
    cart = frac @ shifted.lattice.matrix
    cart[:, 2] -= cart[:, 2].min()
    a, b, _ = shifted.lattice.matrix
    height = float(cart[:, 2].max()) + 20.0
    lattice = Lattice([a, b, [0.0, 0.0, height]], pbc=(True, True, False))
    return Structure(lattice, list(shifted.species) * layers, cart, coords_are_cartesian=True)


def _broken(shifted: Structure, bonds: Bonds, layers: int) -> list[BrokenBond]:
    """List the bonds of a stack that end outside it."""
    count = len(shifted)
    return [
        BrokenBond(layer * count + int(i), shifted[int(j)].specie.symbol, vector)
        for layer in range(layers)
        for i, j, image, vector in zip(bonds.start, bonds.end, bonds.image, bonds.vector, strict=True)
        if not 0 <= layer + image[2] < layers
    ]


def _planes(shifted: Structure) -> list[str]:
    """Formulas of the atomic planes from the top down."""
    order = np.argsort(-shifted.cart_coords[:, 2])
    planes: list[list[int]] = []
    for i in order:
        z = shifted.cart_coords[i, 2]
        if planes and shifted.cart_coords[planes[-1][-1], 2] - z < PLANE_TOLERANCE:
            planes[-1].append(int(i))
        else:
            planes.append([int(i)])
    symbols = [[shifted[i].specie.symbol for i in plane] for plane in planes]
    return [Composition(Counter(names)).alphabetical_formula.replace(" ", "") for names in symbols]


def _symmetric(slab: Structure) -> bool:
    """Whether an operation turns the slab over (inversion, a two-fold axis or a mirror in the plane)."""
    numbers = [site.specie.Z for site in slab]
    found = spglib.get_symmetry((slab.lattice.matrix, slab.frac_coords, numbers), symprec=0.05)
    return found is not None and any(rotation[2, 2] == -1 for rotation in found["rotations"])


def _enlarged(slab: Structure, matrix: npt.NDArray[np.int_]) -> Structure:
    """Repeat a slab in its plane and turn it so that a points along +x."""
    full = np.eye(3, dtype=int)
    full[:2, :2] = matrix
    large = slab.make_supercell(full, to_unit_cell=False, in_place=False)
    a, b, c = large.lattice.matrix
    x = a / np.linalg.norm(a)
    turn = np.array([x, np.cross((0, 0, 1), x), (0, 0, 1)]).T
    lattice = Lattice(np.array([a, b, c]) @ turn, pbc=(True, True, False))
    return Structure(lattice, large.species, large.frac_coords, site_properties=large.site_properties)


def _place(slab: Structure, vacuum: float) -> Structure:
    """Put the lowest atom at the fixed height, choose c, wrap in the plane, sort by element."""
    cart = np.array(slab.cart_coords)
    cart[:, 2] += BOTTOM_VACUUM - cart[:, 2].min()
    height = C_STEP * math.ceil((float(cart[:, 2].max()) + vacuum) / C_STEP - 1e-9)
    a, b, _ = slab.lattice.matrix
    lattice = Lattice([a, b, [0.0, 0.0, height]], pbc=(True, True, False))
    frac = lattice.get_fractional_coords(cart)
    frac[:, :2] -= np.floor(frac[:, :2] + 1e-9)
    placed = Structure(lattice, slab.species, frac, site_properties=slab.site_properties)
    return placed.get_sorted_structure(key=lambda site: (site.specie.X, site.specie.Z))


def _freeze(slab: Structure, fraction: float, extent: float) -> Structure:
    """Hold the atoms of the lower ``fraction`` of the slab's extent (A)."""
    limit = BOTTOM_VACUUM + fraction * extent
    z = slab.cart_coords[:, 2]
    frozen = z <= limit + 1e-6 if fraction > 0 else np.zeros(len(slab), dtype=bool)
    held = slab.copy()
    held.add_site_property("selective_dynamics", [[not f] * 3 for f in frozen.tolist()])
    return held


def _report(
    record: FillerRecord,
    spec: SurfaceSpec,
    chosen: Termination,
    slab: Structure,
    extent: float,
    charges: dict[str, float],
) -> dict[str, Any]:
    """Say what was built, as plain JSON; lengths in A, areas in A^2, densities per nm^2."""
    area = _area(slab)
    states = charges | {"O": charges.get("O", -2.0), "H": 1.0}
    middle = float(np.median(slab.cart_coords[:, 2]))
    hydrogens = [i for i, s in enumerate(slab) if slab.site_properties.get("silanol", [False] * len(slab))[i]]
    top = sum(bool(slab[i].coords[2] > middle) for i in hydrogens)
    densities = {"top": 100.0 * top / area, "bottom": 100.0 * (len(hydrogens) - top) / area}
    z = np.array(slab.cart_coords[:, 2])
    for i in hydrogens:  # count a hydroxyl as one ion at its oxygen: its direction is no property of the cut
        near = [n for n in slab.get_neighbors(slab[i], 1.2) if n.specie.symbol == "O"]
        z[i] = near[0].coords[2]
    q = np.array([states.get(site.specie.symbol, 0.0) for site in slab])
    charge = round(float(q.sum()), 6) if charges else 0.0
    if charge:
        raise InputError(f"The slab of {record.name} {spec.miller} has the formal charge {charge:+g}, not 0.")
    dipole = float(q @ z) / area if charges else 0.0
    return {
        "filler": record.name,
        "source": record.source,
        "formula": slab.composition.formula,
        "miller": list(spec.miller),
        "termination": chosen.label,
        "surface": f"({' '.join(map(str, spec.miller))}) {chosen.label}",
        "passivation": spec.passivation,
        "reason": spec.reason,
        "area": area,
        "thickness": extent,
        "silanol_density": densities,
        "symmetric": chosen.symmetric,
        "polar": abs(dipole) > POLAR_TOLERANCE,
        "dipole_per_area": dipole,
        "stoichiometric": True,
        "charge": 0,
    }

"""Placements of a fragment on a slab or a wire: turned, shifted and lowered until the first atoms touch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import image_distance, images_apart, symbols_of, vdw_radii
from iface_wf.builders.edges import check_vacuum, round_up
from iface_wf.builders.molecules.fragments import formula
from iface_wf.builders.placing.bodies import Body, Fingerprint, Pose, same_fingerprint
from iface_wf.builders.placing.targets import REACHED, Aim, Target
from iface_wf.errors import InputError

_TRIES = 60
"""Orientations drawn for one placement before it is given up."""

APART, NEAR = 8.0, 5.0
"""Wanted distance of a molecule from its images, A. Where the cell leaves them at least ``NEAR`` apart, as far as it leaves
them, no placement brings them nearer; on smaller cells they must only not touch."""

Vectors = NDArray[np.float64]


def footprint(fragment: Structure) -> tuple[float, float]:
    """Return the in-plane lengths, longer first, of a cell on which the fragment lies flat with room.

    Parameters
    ----------
    fragment
        An isolated fragment.

    Returns
    -------
    tuple of float
        (lx, ly) in A: extents of the flat fragment including van der Waals radii; a rectangular cell not
        smaller than that takes the first placement of `place`.
    """
    radii = vdw_radii(symbols_of(fragment))[:, None]
    flat = fragment.cart_coords @ principal_axes(fragment.cart_coords).T
    extents = (flat + radii).max(axis=0) - (flat - radii).min(axis=0)
    return float(extents[0]), float(extents[1])


def principal_axes(xyz: Vectors) -> Vectors:
    """Return the rotation (3, 3), on columns, that lays a body flat: longest axis to x, thinnest to z."""
    if len(xyz) < 3:
        # One or two atoms leave axes undefined; complete them with any right-handed set.
        xyz = np.vstack([xyz, xyz.mean(axis=0) + 1e-3 * np.eye(3)])
    axes = np.asarray(np.linalg.svd(xyz - xyz.mean(axis=0), full_matrices=True)[2], dtype=float)
    if np.linalg.det(axes) < 0:
        axes[2] *= -1
    return axes


def flat_along(lattice: Lattice, xyz: Vectors) -> Vectors:
    """Return the rotation (3, 3), on columns, that lays a body flat along the longer in-plane vector of a cell."""
    return np.asarray(turned(0.0, _azimuth(lattice)) @ principal_axes(xyz))


def _azimuth(lattice: Lattice) -> float:
    """Return the direction of the longer in-plane vector, degrees from x."""
    along = lattice.matrix[1 if lattice.pbc[1] and lattice.b > lattice.a + 1e-6 else 0]
    return float(np.degrees(np.arctan2(along[1], along[0])))


def turned(roll: float, azimuth: float) -> Vectors:
    """Return the rotation about x, then about z, by angles in degrees."""
    return np.asarray(Rotation.from_euler("xz", [roll, azimuth], degrees=True).as_matrix())


def place(
    slab: Structure,
    fragment: Structure,
    n: int = 8,
    seed: int = 0,
    vacuum: float = 8.0,
    clearance: float = 0.85,
    target: Target | None = None,
) -> list[Structure]:
    """Put a fragment onto a slab or a wire in several seeded ways; the substrate's atoms keep their places.

    The first placement lies flat along the longer in-plane vector. After it, rotations uniform on SO(3)
    alternate with flat-lying ones, turned about the longest axis and about the normal. Each has a random
    lateral position and is lowered along the normal until the first pair of atoms is ``clearance`` van der
    Waals sums apart. A wire (periodic along a only) is approached from a random side. Images of the fragment do not
    touch; where the cell leaves them 5 A or more apart for a fragment along its longer vector, up to 8 A, they stay so.

    Parameters
    ----------
    slab
        Labelled slab or wire, c along +z.
    fragment
        Labelled, isolated fragment.
    n
        Number of placements tried (1 to 1000); equivalent ones are dropped.
    seed
        Seed; placement ``index`` of one seed is the same whatever ``n``.
    vacuum
        Empty space above the topmost atom, A; edges are rounded up to 0.8 A.
    clearance
        Contact distance in van der Waals sums, 0.5 to 1.5.
    target
        Bring this group of the fragment to this kind of surface atom; then every placement is aimed: up to
        three pairs of atoms are drawn, and of 40 orientations each the one that brings a pair nearest is kept.

    Returns
    -------
    list of Structure
        The slab's sites first, in its order, then the fragment's. ``properties["placement"]`` holds index,
        seed, mode, clearance, rotation (3 x 3, on columns), the closest contact and, if aimed, target and pair.

    Raises
    ------
    InputError
        When a number is out of range, the slab is no slab, its cell is too small for the fragment, or the target
        does not exist or cannot be reached.
    """
    _check_request(slab, n, seed, vacuum, clearance)
    symbols = symbols_of(fragment)
    found = []
    for index, pose in _poses(slab, fragment, n, seed, clearance, target):
        details = {"index": index, "seed": seed, "clearance": clearance, **pose.report(symbols)}
        found.append(assemble(slab, fragment, pose.xyz @ pose.body.turn.T, vacuum, details))
    return found


def count_placements(
    slab: Structure, fragment: Structure, n: int, seed: int, vacuum: float, clearance: float, target: Target | None
) -> int:
    """Return how many placements `place` would make, without making them; parameters and errors are the same."""
    _check_request(slab, n, seed, vacuum, clearance)
    return len(_poses(slab, fragment, n, seed, clearance, target))


def _poses(
    slab: Structure, fragment: Structure, n: int, seed: int, clearance: float, target: Target | None
) -> list[tuple[int, Pose]]:
    """Draw placements and keep those that differ, with the number of each; errors as in `place`."""
    symbols = symbols_of(fragment)
    centred = fragment.cart_coords - fragment.cart_coords.mean(axis=0)
    aim = Aim(slab, fragment, target) if target is not None else None
    offered = image_distance(centred @ flat_along(slab.lattice, centred).T, slab.lattice)
    apart = 0.0 if offered is None or offered < NEAR else min(APART, offered)
    above = Body.seen_from(slab)
    found: list[tuple[int, Pose]] = []
    prints: list[Fingerprint] = []
    missed: list[float] = []
    for index in range(n):
        rng = np.random.default_rng([seed, index])
        if aim:
            pose = aim.pose(centred, clearance, rng)
        else:
            body = above if slab.lattice.pbc[1] else Body.seen_from(slab, float(rng.uniform(0, 360)))
            pose = _free_pose(body, centred, symbols, clearance, index, apart, rng)
        if pose is None:
            continue
        if pose.miss > REACHED:
            missed.append(pose.miss)
            continue
        mark = pose.body.fingerprint(pose.xyz, symbols)
        if not any(same_fingerprint(mark, other) for other in prints):
            prints.append(mark)
            found.append((index, pose))
    if found:
        return found
    if target is not None and missed:
        raise InputError(
            f"The group {target.group!r} cannot reach {target.surface} on the surface: other atoms touch first and "
            f"keep it {min(missed):.1f} times too far."
        )
    raise _too_small(slab, fragment)


def _free_pose(
    body: Body,
    centred: Vectors,
    symbols: list[str],
    clearance: float,
    index: int,
    apart: float,
    rng: np.random.Generator,
) -> Pose | None:
    """Draw orientation and position until the fragment keeps ``apart`` (A) from its images, or at least does not touch them.

    None when it always touches them.

    On an oblique cell the first placement may not fit along the longer vector; then it lies flat in another way.
    """
    flat = principal_axes(centred)
    second: Pose | None = None
    for attempt in range(_TRIES):
        rotation, mode = _orientation(flat, body.lattice, index if attempt == 0 else index or 2, rng)
        xyz = centred @ rotation.T + _spot(body, rng)
        if not images_apart(xyz, symbols, body.lattice):
            continue
        enough = not apart or (image_distance(xyz, body.lattice) or 0.0) >= apart - 1e-6
        if enough or second is None:
            pose = Pose(body, body.lowered(xyz, body.reach(symbols, clearance)), rotation, {"mode": mode})
            if enough:
                return pose
            second = pose
    return second


def _too_small(slab: Structure, fragment: Structure) -> InputError:
    """Build the error for a fragment that would touch its own periodic image."""
    lx, ly = footprint(fragment)
    name = fragment.properties.get("formula", fragment.composition.reduced_formula)
    return InputError(
        f"The fragment {name} would touch its own periodic image on a cell of {slab.lattice.a:.1f} x "
        f"{slab.lattice.b:.1f} A: use a supercell of at least {lx:.1f} x {ly:.1f} A."
    )


def _check_request(slab: Structure, n: int, seed: int, vacuum: float, clearance: float) -> None:
    """Refuse numbers out of range and substrates that are not in the layout of a slab or a wire; see `place`."""
    if not 1 <= n <= 1000:
        raise InputError(f"The number of placements is {n}, allowed are 1 to 1000.")
    if seed < 0:
        raise InputError(f"seed is {seed}, it must be 0 or more.")
    check_vacuum(vacuum)
    if not 0.5 <= clearance <= 1.5:
        raise InputError(f"clearance is {clearance}, allowed are 0.5 to 1.5 van der Waals sums.")
    a, b, c = slab.lattice.matrix
    if abs(a[2]) + abs(b[2]) + abs(c[0]) + abs(c[1]) > 1e-6 or c[2] <= 0:
        raise InputError("The slab's c must point along +z, perpendicular to a and b.")
    if "component" not in slab.site_properties:
        raise InputError("The slab's sites carry no 'component' label.")


def _orientation(flat: Vectors, lattice: Lattice, index: int, rng: np.random.Generator) -> tuple[Vectors, str]:
    """Draw one rotation: the first along the longer vector, other even ones flat, odd ones uniform on SO(3)."""
    if index % 2:
        return np.asarray(Rotation.random(rng=rng).as_matrix()), "random"
    if index == 0:
        return np.asarray(turned(0.0, _azimuth(lattice)) @ flat), "flat"
    roll, azimuth = float(rng.choice([0, 90, 180, 270])), float(rng.uniform(0, 360))
    return np.asarray(turned(roll, azimuth) @ flat), "flat"


def _spot(body: Body, rng: np.random.Generator) -> Vectors:
    """Draw a lateral position uniform in the periodic cell; across a wire, over its middle half."""
    fractions = rng.uniform(0, 1, 2)
    if body.lattice.pbc[1]:
        return np.asarray(fractions @ body.lattice.matrix[:2])
    low, high = body.xyz[:, 1].min(), body.xyz[:, 1].max()
    across = low + (0.25 + 0.5 * fractions[1]) * (high - low)
    return np.array([fractions[0] * body.lattice.a, across, 0.0])


def assemble(slab: Structure, fragment: Structure, xyz: Vectors, vacuum: float, placement: dict[str, Any]) -> Structure:
    """Join substrate and fragment in one cell whose periodic vectors are the substrate's.

    Parameters
    ----------
    slab, fragment
        Labelled parts; ``selective_dynamics`` is kept, free where a part has none, and the slab's ``magmom``.
    xyz
        Coordinates of the fragment in the slab's frame, A, shape (m, 3).
    vacuum
        Empty space above the topmost atom, A (for a wire: on every side).
    placement
        Stored as ``properties["placement"]``.

    Returns
    -------
    Structure
        Slab atoms keep their Cartesian coordinates; a wire may be shifted by whole steps of 0.8 A along b
        and c, a slab with molecules below it along c, stored as ``properties["placement"]["substrate_shift"]``.
    """
    every = np.vstack([slab.cart_coords, xyz])
    matrix = np.array(slab.lattice.matrix)
    shift = np.zeros(3)
    for axis in (1, 2):
        if slab.lattice.pbc[axis]:
            continue
        # of a wire along both, of a slab where molecules lie on its lower face
        lowest = float(every[:, axis].min())
        shift[axis] = round_up(max(0.0, min(vacuum, float(slab.cart_coords[:, axis].min())) - lowest))
        matrix[axis] = 0.0
        matrix[axis, axis] = round_up(float(every[:, axis].max()) + shift[axis] + vacuum)
    if shift.any():
        placement = placement | {"substrate_shift": shift.tolist()}
    result = Structure(
        Lattice(matrix, pbc=slab.lattice.pbc),
        [site.specie for site in slab] + [site.specie for site in fragment],
        every + shift,
        coords_are_cartesian=True,
        site_properties={"component": slab.site_properties["component"] + fragment.site_properties["component"]},
        properties=_provenance(slab, fragment, placement),
    )
    if "selective_dynamics" in slab.site_properties:
        free = [[True, True, True]] * len(fragment)
        result.add_site_property("selective_dynamics", slab.site_properties["selective_dynamics"] + free)
    if "magmom" in slab.site_properties:
        result.add_site_property("magmom", slab.site_properties["magmom"] + [0.0] * len(fragment))
    return result


def _provenance(slab: Structure, fragment: Structure, placement: dict[str, Any]) -> dict[str, Any]:
    """Merge the parts' provenance: what names the interface on top, all that is the fragment's own below."""
    named = {key: fragment.properties[key] for key in ("polymer", "units", "salt") if key in fragment.properties}
    charges = [float(part.properties.get("charge", 0)) for part in (slab, fragment)]
    own = {key: value for key, value in slab.properties.items() if key != "formula"}
    return {
        **own,
        **named,
        "charge": sum(charges),
        "formula": formula(symbols_of(slab) + symbols_of(fragment)),
        "fragment": dict(fragment.properties),
        "placement": placement,
    }

"""How large a cell is in its plane: room for a molecule to lie without feeling its own periodic images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from pymatgen.core import Structure

from iface_wf.builders.contact import image_distance, images_apart, symbols_of
from iface_wf.builders.placing.placements import APART, flat_along, footprint, principal_axes, turned
from iface_wf.builders.solids.planes import in_plane_supercell
from iface_wf.builders.solids.ready import AS_GIVEN
from iface_wf.errors import InputError

ROOM_ATOMS = 100
"""Up to so many atoms a cell is enlarged for the sake of that distance, where no engine says another number."""

_DEGREES = 10
"""Step of the directions in which a molecule is laid down to see whether it fits."""

_LESS = (8.0, 7.0, 6.0, 5.0)
Size = tuple[float, float]


class LargerCell(NamedTuple):
    """The cell on which a molecule would have the wanted room.

    Attributes
    ----------
    in_plane
        Lengths to ask for, A.
    atoms
        Of the interface.
    """

    in_plane: Size
    atoms: int


def extents(fragment: Structure) -> Size:
    """Return the extents of a molecule that lies flat, longer first, from atom to atom, A."""
    flat = fragment.cart_coords @ principal_axes(fragment.cart_coords).T
    x, y, _ = np.ptp(flat, axis=0)
    return float(x), float(y)


def diameter(fragment: Structure) -> float:
    """Return the largest distance between two atoms, A."""
    xyz = fragment.cart_coords
    return float(np.linalg.norm(xyz[:, None] - xyz[None], axis=-1).max())


def roomy_sizes(fragments: Sequence[Structure], apart: float = APART) -> list[Size]:
    """List in-plane lengths that give molecules room, the best first.

    Parameters
    ----------
    fragments
        All molecules that the cell is for.
    apart
        Wanted distance between images, A.

    Returns
    -------
    list of tuple
        First the one with the wanted distance however a molecule is turned; then those for one that lies along the
        longer vector, at the wanted distance and at less.
    """
    longest = max(map(diameter, fragments))
    x, y = (max(lengths) for lengths in zip(*map(extents, fragments), strict=True))
    sizes = [(longest + apart, longest + apart)]
    return sizes + [(x + d, y + d) for d in (apart, *(less for less in _LESS if less < apart))]


def roomy(
    build: Callable[[Size], Structure], own: Structure, fragments: Sequence[Structure], most: int
) -> Structure | None:
    """Build the substrate with the most room for molecules that has few enough atoms.

    Parameters
    ----------
    build
        Builds the substrate with given smallest in-plane lengths, A.
    own
        The substrate as large as its own chemistry needs.
    fragments
        All molecules that shall lie on it, one at a time.
    most
        Atoms of the substrate and the largest molecule together.

    Returns
    -------
    Structure or None
        None where no such cell has few enough atoms.
    """
    if _as_given(own):
        return None
    largest = max(map(len, fragments))
    for size in roomy_sizes(fragments):
        try:
            slab = build(size) if _atoms_with(own, size) + largest <= most else None
        except InputError:
            continue  # more surface cells than are allowed, or no such termination: a smaller one may do
        if slab is not None and len(slab) + largest <= most:
            return slab
    return None


def flat_distance(slab: Structure, fragment: Structure) -> float | None:
    """Return how far images of a molecule are apart that lies flat along the longer vector of a cell, A."""
    flat = fragment.cart_coords @ flat_along(slab.lattice, fragment.cart_coords).T
    return image_distance(flat, slab.lattice)


def require_room(slab: Structure, fragment: Structure) -> None:
    """Refuse a cell on which a molecule cannot lie down in any direction without touching its own images.

    Upright it may still fit, but then a result would be one of the cell, not of the molecule.

    Raises
    ------
    InputError
        With the size of both.
    """
    symbols = symbols_of(fragment)
    for roll in (0.0, 90.0):
        for azimuth in range(0, 180, _DEGREES):
            xyz = fragment.cart_coords @ (turned(roll, azimuth) @ principal_axes(fragment.cart_coords)).T
            if images_apart(xyz, symbols, slab.lattice):
                return
    x, y = footprint(fragment)
    raise InputError(
        f"The cell of {slab.lattice.a:.1f} x {slab.lattice.b:.1f} A is smaller than {fragment.properties.get('formula', '')}, "
        f"which takes {x:.1f} x {y:.1f} A where it lies: give a larger one, or leave it out to get one that fits."
    )


def larger_cell(slab: Structure, fragment: Structure, apart: float = APART) -> LargerCell | None:
    """Say which cell would keep images of a molecule apart however it is turned, and how many atoms that takes.

    Parameters
    ----------
    slab
        The substrate as built.
    fragment
        The molecule.
    apart
        Wanted distance, A.

    Returns
    -------
    LargerCell or None
        None where the cell is large enough, or one that is has too many surface cells.
    """
    size = roomy_sizes([fragment], apart)[0]
    try:
        atoms = _atoms_with(slab, size)
    except InputError:
        return None
    return LargerCell(size, atoms + len(fragment)) if atoms > len(slab) else None


def room_of(slab: Structure, fragment: Structure) -> dict[str, Any]:
    """Say how much room a molecule has on a cell, as plain JSON.

    Returns
    -------
    dict
        ``cell``, in-plane lengths (A); ``flat_distance`` (A), see `flat_distance`; and ``larger_cell``, see `larger_cell`.
    """
    larger = larger_cell(slab, fragment)
    return {
        "cell": [float(slab.lattice.a), float(slab.lattice.b) if slab.lattice.pbc[1] else None],
        "flat_distance": flat_distance(slab, fragment),
        "larger_cell": None if larger is None else {"in_plane": list(larger.in_plane), "atoms": larger.atoms},
    }


def _atoms_with(slab: Structure, size: Size) -> int:
    """Count the atoms of a substrate whose cell has at least some in-plane lengths (A), from a smaller one."""
    if not slab.lattice.pbc[1]:  # a wire
        return len(slab) * max(1, int(np.ceil((max(size) - 0.1) / slab.lattice.a)))
    matrix = np.array(slab.properties.get("in_plane_supercell", np.eye(2)))
    plane = slab.lattice.matrix[:2]
    base = np.linalg.inv(matrix) @ plane
    cells = in_plane_supercell(base[0], base[1], size)
    return round(len(slab) * abs(float(np.linalg.det(cells)) / float(np.linalg.det(matrix))))


def _as_given(slab: Structure) -> bool:
    """Whether a substrate is a ready slab of the user's, whose cell is kept where what lies on it fits."""
    return bool(slab.properties.get("surface") == AS_GIVEN)

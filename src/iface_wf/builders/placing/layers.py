"""Several molecules on a slab: put down one after another, each where it touches the surface or what lies there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import images_apart, symbols_of, vdw_radii
from iface_wf.builders.molecules.assemblies import join
from iface_wf.builders.placing.bodies import Body
from iface_wf.builders.placing.placements import principal_axes, turned
from iface_wf.errors import InputError

#: Places and orientations that are compared for each molecule; the one that comes down lowest is taken.
_DRAWS = 8
#: Orientations that are drawn for it before the cell is too small.
_TRIES = 60
#: A molecule touches the slab when it has an atom within so many van der Waals sums of one of the slab's.
TOUCHES = 1.25
_FAR = 6.0

Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """One kind of molecule in a layer.

    Attributes
    ----------
    name
        As it was asked for.
    structure
        The molecule in isolation, or an ion pair.
    count
        How many lie on each face.
    """

    name: str
    structure: Structure
    count: int


def copies_of(structures: Sequence[Structure], counts: Sequence[int]) -> list[Structure]:
    """List the molecules of one face in the order of their sites: all copies of the first kind, then of the second."""
    return [each for each, count in zip(structures, counts, strict=True) for _ in range(count)]


def group_of(molecules: Sequence[Structure]) -> Structure:
    """Return molecules as one fragment, side by side without contact: their sites in order, bonds and charge of all."""
    return reduce(join, molecules)


def turned_over(slab: Structure) -> Structure:
    """Turn a slab upside down, half a turn about a, its lowest atom at the height where it was."""
    a, b, c = slab.lattice.matrix
    # half a turn takes b to (b_x, -b_y), of which the opposite keeps the cell right-handed
    lattice = Lattice([a, [-b[0], b[1], 0.0], c], pbc=slab.lattice.pbc)
    return Structure(
        lattice,
        slab.species,
        over(slab, slab.cart_coords),
        coords_are_cartesian=True,
        site_properties=slab.site_properties,
        properties=slab.properties,
    )


def over(slab: Structure, xyz: Vectors) -> Vectors:
    """Take positions (A) on a slab to those on the slab turned over, and back again."""
    z = slab.cart_coords[:, 2]
    return np.asarray(xyz * [1.0, -1.0, -1.0] + [0.0, 0.0, float(z.min() + z.max())])


def laid(
    slab: Structure,
    shapes: Sequence[Vectors],
    molecules: Sequence[Structure],
    clearance: float,
    rng: np.random.Generator,
) -> list[Vectors]:
    """Put molecules onto the upper face of a slab, one after another in random order, or the larger ones first.

    Of several places and orientations of each molecule the one is taken in which it comes down lowest: the surface fills
    before molecules lie on others. None overlaps another or an image, because each is lowered until it touches.

    Parameters
    ----------
    slab
        Labelled slab.
    shapes, molecules
        Coordinates (A) and structures of the molecules, in the order of their sites.
    clearance
        Contact distance in van der Waals sums.
    rng
        Source of the draw.

    Returns
    -------
    list of ndarray
        Coordinates of each molecule, A, in the order of `molecules`.

    Raises
    ------
    InputError
        When a molecule touches its own image however it lies.
    """
    found: list[Vectors] = [np.empty((0, 3))] * len(molecules)
    there: list[int] = []
    order = [int(index) for index in rng.permutation(len(molecules))]
    if rng.random() < 0.5:  # small ones find room between large ones, not the other way round
        order.sort(key=lambda index: -len(molecules[index]))
    for index in order:
        found[index] = put_down(
            with_others(slab, [found[i] for i in there], [molecules[i] for i in there]),
            shapes[index],
            molecules[index],
            clearance,
            rng,
        )
        there.append(index)
    return found


def with_others(slab: Structure, places: Sequence[Vectors], molecules: Sequence[Structure]) -> Body:
    """Return a slab with molecules on it (coordinates in A) as what the next one is lowered onto."""
    body = Body.seen_from(slab)
    symbols = [symbol for each in molecules for symbol in symbols_of(each)]
    return Body(np.vstack([body.xyz, *places]), body.lattice, body.symbols + symbols, body.turn)


def put_down(body: Body, shape: Vectors, molecule: Structure, clearance: float, rng: np.random.Generator) -> Vectors:
    """Lower a molecule onto a body, anywhere and turned anyhow; arguments, result and errors as of `laid`."""
    symbols, centred = symbols_of(molecule), shape - shape.mean(axis=0)
    reach, flat = body.reach(symbols, clearance), principal_axes(centred)
    places: list[Vectors] = []
    for _ in range(_TRIES):
        if rng.random() < 0.5:
            xyz = centred @ (turned(float(rng.choice([0, 90, 180, 270])), float(rng.uniform(0, 360))) @ flat).T
        else:
            xyz = Rotation.random(rng=rng).apply(centred)
        xyz = xyz + rng.uniform(0, 1, 2) @ body.lattice.matrix[:2]
        if images_apart(xyz, symbols, body.lattice):
            try:
                places.append(body.lowered(xyz, reach))
            except InputError:  # a hole as wide as the molecule is no place for it
                continue
        if len(places) == _DRAWS:
            break
    if not places:
        raise InputError(
            f"The molecule {molecule.properties.get('formula', '')} would touch its own periodic image on a cell of "
            f"{body.lattice.a:.1f} x {body.lattice.b:.1f} A, however it lies: ask for a larger one (in_plane)."
        )
    return min(places, key=lambda xyz: float(xyz[:, 2].mean()))


def pieces_of(xyz: Vectors, sizes: Sequence[int]) -> list[Vectors]:
    """Cut the coordinates of a group into those of its molecules.

    Parameters
    ----------
    xyz
        Coordinates, A, shape (atoms, 3).
    sizes
        Atoms of each molecule.
    """
    return [np.asarray(each) for each in np.split(xyz, np.cumsum(sizes)[:-1])]


def n_touching(slab: Structure, xyz: Vectors, symbols: Sequence[str], sizes: Sequence[int]) -> int:
    """Count the molecules that touch the slab, the others lie on these.

    Parameters
    ----------
    slab
        The slab.
    xyz, symbols
        Coordinates (A) and elements of all molecules.
    sizes
        Atoms of each.
    """
    body, radii, ends = Body.seen_from(slab), vdw_radii(list(symbols)), np.cumsum(sizes)
    own = vdw_radii(body.symbols)
    count = 0
    for each, end in zip(pieces_of(xyz, sizes), ends, strict=True):
        atoms, index = body.near(each, _FAR, _FAR)
        distance = np.linalg.norm(each[:, None] - atoms[None], axis=-1)
        sums = radii[end - len(each) : end, None] + own[index][None]
        count += bool(np.any(distance < TOUCHES * sums))
    return count

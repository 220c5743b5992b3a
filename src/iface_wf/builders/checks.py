"""What may go wrong in a relaxation, told from the geometry before and after: flags, never silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

from iface_wf.builders.contact import covalent_radii, symbols_of, vdw_radii
from iface_wf.documents.labels import ANION, CATION, POLYMER, SLAB_PARTS
from iface_wf.errors import MismatchError

DESORBED = 1.25
"""A fragment is off the surface when every atom is farther than this many van der Waals sums."""

MADE, BROKEN = 1.2, 1.45
"""A bond is made below, and broken above, these multiples of the covalent sum; between them nothing changes.

Thermal and force-field scatter of covalent bonds stays below 10 %; second neighbours start at about 1.6.
"""

STRETCHED = 1.3
"""A bond is broken, too, when it is longer than before by this factor: C-F at 1.8 A."""

MOVED = 1.5
"""A heavy slab atom (hydrogen and alkali aside) that moved farther, A, is a changed slab."""

LIFTED = 1.0
"""A cation of the slab (hydrogen and alkali aside) that moved outward by more, A, against the slab as a whole, is a changed slab.

Relaxations of oxide surfaces along the normal stay below 0.5 A.
"""

LEFT = 1.5
"""A mobile ion has left its slab when it came so much farther out, A, and now is so far above the outermost other atom."""

SEPARATED = 1.25
"""A cation has left its anion when all atoms of anions are farther than this many van der Waals sums; 1 is a contact."""

CLASH = 0.65
"""Atoms nearer than this multiple of their covalent sum overlap."""

MOBILE = frozenset({"Li", "Na", "K", "Rb", "Cs"})
"""Ions that may move within a slab without the slab being another one."""


def flags(initial: Structure, final: Structure) -> list[str]:
    """Name everything that went wrong between a starting and a relaxed interface or fragment.

    Parameters
    ----------
    initial, final
        The same labelled sites in the same order.

    Returns
    -------
    list of str
        Some of ``"clash"``, ``"desorbed"``, ``"dissociated"``, ``"slab_changed"``, ``"ion_left_slab"``,
        ``"ion_pair_separated"``; empty when all is well.

    Raises
    ------
    MismatchError
        When the two structures differ in sites, labels or periodic directions.
    """
    labels = _labels(initial)
    if symbols_of(initial) != symbols_of(final) or labels != _labels(final):
        raise MismatchError("The structures before and after the relaxation differ in elements or components.")
    if tuple(initial.lattice.pbc) != tuple(final.lattice.pbc):
        raise MismatchError("The structures before and after the relaxation differ in periodic directions.")
    tests = {
        "clash": clash(final),
        "desorbed": desorbed(final),
        "dissociated": dissociated(initial, final),
        "slab_changed": slab_changed(initial, final) or lifted(initial, final),
        "ion_left_slab": ion_left_slab(initial, final),
        "ion_pair_separated": ion_pair_separated(initial, final),
    }
    return [name for name, hit in tests.items() if hit]


def clash(structure: Structure) -> bool:
    """Say whether two atoms, periodic images included, are nearer than ``CLASH`` covalent sums."""
    distance = _distances(structure)
    return bool(np.any(distance < CLASH * _covalent_sums(structure)))


def desorbed(structure: Structure) -> bool:
    """Say whether a part of the fragment has left: one of its molecules, the salt's cation or its anion.

    Atoms are held that are within ``DESORBED`` van der Waals sums of the slab, or of others that are: a molecule as a whole when
    one of its atoms is, each of several molecules by itself. A structure without slab or without fragment is never desorbed.
    """
    substrate = np.isin(_labels(structure), SLAB_PARTS)
    if substrate.all() or not substrate.any():
        return False
    radii = vdw_radii(symbols_of(structure))
    near = _distances(structure) < DESORBED * (radii[:, None] + radii[None])
    held = substrate
    while True:
        more = held | (near & held[None]).any(axis=1)
        if np.array_equal(more, held):
            return not bool(held.all())
        held = more


def dissociated(initial: Structure, final: Structure) -> bool:
    """Say whether a covalent bond of the fragment broke, or one formed within it or to the slab.

    Contacts of metals are not counted as bonds: an oxygen that coordinates to Gd or Li is adsorbed, not changed, and
    a Li+ that leaves its anion is no dissociation in this sense.
    """
    fragment = ~np.isin(_labels(initial), SLAB_PARTS)
    return _bonds_changed(initial, final, fragment[:, None] | fragment[None])


def slab_changed(initial: Structure, final: Structure) -> bool:
    """Say whether a slab atom other than hydrogen and alkali ions moved farther than ``MOVED``, or a hydroxyl changed.

    Displacements are minimum images; hydrogens are judged by their bonds, because a silanol may turn freely. In a
    slab of alkali atoms alone they count.
    """
    slab = np.isin(_labels(initial), SLAB_PARTS)
    symbols = np.array(symbols_of(initial))
    heavy = slab & ~np.isin(symbols, ["H", *MOBILE])
    if not heavy.any():
        heavy = slab & (symbols != "H")
    if heavy.any() and np.linalg.norm(_moves(initial, final)[heavy], axis=1).max() > MOVED:
        return True
    hydrogen = slab & (symbols == "H")
    return _bonds_changed(initial, final, (slab[:, None] & hydrogen[None]) | (hydrogen[:, None] & slab[None]))


def lifted(initial: Structure, final: Structure) -> bool:
    """Say whether a cation of the slab moved outward by more than ``LIFTED``: it is on its way out of the surface."""
    slab, symbols = np.isin(_labels(initial), SLAB_PARTS), np.array(symbols_of(initial))
    bulk = slab & ~np.isin(symbols, ["H", *MOBILE])
    cations = bulk & np.array([Element(symbol).is_metal or Element(symbol).is_metalloid for symbol in symbols])
    outward = _outward(initial, bulk)
    if not cations.any() or outward is None:
        return False
    moves = _moves(initial, final)
    moves -= moves[bulk].mean(axis=0)
    return bool(np.einsum("ij,ij->i", moves, outward)[cations].max() > LIFTED)


def ion_left_slab(initial: Structure, final: Structure) -> bool:
    """Say whether an alkali ion of the slab lost all contact with its anions, or came out of it by more than ``LEFT``.

    Within the slab such ions may move. One that goes over to the molecule has left the slab, too.
    """
    slab, symbols = np.isin(_labels(initial), SLAB_PARTS), np.array(symbols_of(initial))
    mobile = slab & np.isin(symbols, sorted(MOBILE))
    bulk = slab & ~mobile & (symbols != "H")
    anions = bulk & np.array([not Element(symbol).is_metal for symbol in symbols])
    if not mobile.any() or not anions.any():
        return False
    sums = _covalent_sums(initial)
    before, after = (
        (_distances(structure) / sums)[np.ix_(mobile, anions)].min(axis=1) for structure in (initial, final)
    )
    if np.any((before < BROKEN) & (after > BROKEN)):
        return True
    outward = _outward(initial, bulk)
    if outward is None:
        return False
    start = initial.cart_coords
    heights = []
    for positions in (start, start + _moves(initial, final)):
        # how far each mobile ion is out beyond the outermost bulk atom on its side
        projected = np.einsum("id,jd->ij", outward[mobile], positions)
        own = np.einsum("id,id->i", outward[mobile], positions[mobile])
        heights.append(own - projected[:, bulk].max(axis=1))
    return bool(np.any((heights[1] - heights[0] > LEFT) & (heights[1] > LEFT)))


def ion_pair_separated(initial: Structure, final: Structure) -> bool:
    """Say whether a cation of a salt that touched an anion is away from all of them.

    It may be a state of its own, as on a surface that binds both ions: a mark, not a fault.
    """
    labels = np.array(_labels(initial))
    cations, anions = labels == CATION, labels == ANION
    if not cations.any() or not anions.any():
        return False
    radii = vdw_radii(symbols_of(initial))
    sums = radii[:, None] + radii[None]
    before, after = (
        (_distances(structure) / sums)[np.ix_(cations, anions)].min(axis=1) for structure in (initial, final)
    )
    return bool(np.any((before < 1.0) & (after > SEPARATED)))


def _outward(structure: Structure, bulk: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return unit vectors out of a slab or wire for all atoms, shape (atoms, 3); None where there is no outside."""
    periodic = np.flatnonzero(structure.lattice.pbc)
    if not bulk.any() or len(periodic) not in (1, 2):
        return None
    positions = structure.cart_coords
    away = positions - positions[bulk].mean(axis=0)
    axes = structure.lattice.matrix[periodic]
    if len(periodic) == 1:
        axis = axes[0] / np.linalg.norm(axes[0])
        away = away - np.outer(away @ axis, axis)
    else:
        normal = np.cross(axes[0], axes[1])
        normal /= np.linalg.norm(normal)
        away = np.outer(np.where(away @ normal >= 0, 1.0, -1.0), normal)
    lengths = np.linalg.norm(away, axis=1)
    return np.asarray(away / np.where(lengths > 0, lengths, 1.0)[:, None])


def _moves(initial: Structure, final: Structure) -> NDArray[np.float64]:
    """Return how far all atoms went, A, shape (atoms, 3), as minimum images along the periodic directions."""
    difference = final.frac_coords - initial.frac_coords
    difference -= np.rint(difference) * np.array(initial.lattice.pbc)
    return np.asarray(difference @ initial.lattice.matrix)


def _bonds_changed(initial: Structure, final: Structure, pairs: NDArray[np.bool_]) -> bool:
    metal = np.array([Element(symbol).is_metal for symbol in symbols_of(initial)])
    pairs = pairs & ~metal[:, None] & ~metal[None] & ~np.eye(len(metal), dtype=bool)
    sums = _covalent_sums(initial)
    before, after = _distances(initial) / sums, _distances(final) / sums
    broke = (before < MADE) & (after > np.minimum(BROKEN, STRETCHED * before))
    formed = (before > BROKEN) & (after < MADE)
    return bool(np.any((broke | formed) & pairs))


def _labels(structure: Structure) -> list[str]:
    return [str(label) for label in structure.site_properties.get("component", [POLYMER] * len(structure))]


def _covalent_sums(structure: Structure) -> NDArray[np.float64]:
    radii = covalent_radii(symbols_of(structure))
    return np.asarray(radii[:, None] + radii[None])


def _distances(structure: Structure) -> NDArray[np.float64]:
    """Return all minimum-image distances, A, shape (atoms, atoms), with infinity on the diagonal."""
    # pymatgen brings atoms outside of the cell back into it along open directions, too: there the cell holds all of them
    lattice, places = structure.lattice, structure.frac_coords.copy()
    low = np.where(lattice.pbc, 0.0, places.min(axis=0))
    longer = np.where(lattice.pbc, 1.0, np.maximum(1.01 * np.ptp(places, axis=0), 1.0))
    whole = Lattice(lattice.matrix * longer[:, None], pbc=lattice.pbc)
    places = (places - low) / longer
    distance = np.array(whole.get_all_distances(places, places), dtype=float)
    np.fill_diagonal(distance, np.inf)
    return distance

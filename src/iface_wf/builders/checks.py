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

STRETCHED = 1.25
"""A bond between two atoms other than hydrogen that was whole (`MADE`) is stretched above this multiple of the covalent sum:
S=O and C-O bonds lengthen by a few per cent when they bind something."""

MOVED = 1.5
"""A heavy slab atom (hydrogen and alkali aside) that moved farther, A, is a changed slab."""

LIFTED = 1.0
"""A slab atom that moved farther outwards, A, is leaving the slab: heavy ones anyhow, alkali ions where they come to lie as far
above all others as they began below."""

SPLIT = 1.6
"""A salt's cation has left its anion when it touched it (`MADE`) and every atom of it is beyond this multiple of the covalent
sum: Li-O contacts are 1.0 of it, Li+ beside an anion in a second shell 1.8 and more."""

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
        Some of ``"clash"``, ``"desorbed"``, ``"dissociated"``, ``"stretched"``, ``"ion_pair_split"``, ``"slab_changed"``,
        ``"ion_left_slab"``; empty when all is well.

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
        "stretched": stretched(initial, final),
        "ion_pair_split": ion_pair_split(initial, final),
        "slab_changed": slab_changed(initial, final),
        "ion_left_slab": ion_left_slab(initial, final),
    }
    return [name for name, hit in tests.items() if hit]


def clash(structure: Structure) -> bool:
    """Say whether two atoms, periodic images included, are nearer than ``CLASH`` covalent sums."""
    distance = _distances(structure)
    return bool(np.any(distance < CLASH * _covalent_sums(structure)))


def desorbed(structure: Structure) -> bool:
    """Say whether a part of the fragment has left: the polymer, the salt's cation or its anion.

    A part is held when it is within ``DESORBED`` van der Waals sums of the slab, or of another part that is.
    A structure without slab or without fragment is never desorbed.
    """
    labels = np.array(_labels(structure))
    radii = vdw_radii(symbols_of(structure))
    near = _distances(structure) < DESORBED * (radii[:, None] + radii[None])
    substrate = np.isin(labels, SLAB_PARTS)
    loose = set(labels[~substrate].tolist())
    if not loose or not substrate.any():
        return False
    held = substrate
    while True:
        joined = {part for part in loose if near[np.ix_(labels == part, held)].any()}
        if not joined:
            return bool(loose)
        held = held | np.isin(labels, sorted(joined))
        loose -= joined


def dissociated(initial: Structure, final: Structure) -> bool:
    """Say whether a covalent bond of the fragment broke, or one formed within it or to the slab.

    Contacts of metals are not counted as bonds: an oxygen that coordinates to Gd or Li is adsorbed, not changed, and
    a Li+ that leaves its anion is no dissociation in this sense, see `ion_pair_split`.
    """
    fragment = ~np.isin(_labels(initial), SLAB_PARTS)
    return _bonds_changed(initial, final, fragment[:, None] | fragment[None])


def stretched(initial: Structure, final: Structure) -> bool:
    """Say whether a bond of the fragment is about to break: longer than ``STRETCHED``, but not yet broken."""
    fragment = ~np.isin(_labels(initial), SLAB_PARTS)
    light = np.array([Element(symbol).is_metal or symbol == "H" for symbol in symbols_of(initial)])
    pairs = fragment[:, None] & fragment[None] & ~light[:, None] & ~light[None]
    sums = _covalent_sums(initial)
    before, after = _distances(initial) / sums, _distances(final) / sums
    return bool(np.any(pairs & (before < MADE) & (after > STRETCHED) & (after <= BROKEN)))


def ion_pair_split(initial: Structure, final: Structure) -> bool:
    """Say whether a salt's cation that touched its anion has left it."""
    labels = np.array(_labels(initial))
    cations, anions = np.flatnonzero(labels == CATION), np.flatnonzero(labels == ANION)
    if not len(cations) or not len(anions):
        return False
    block = np.ix_(cations, anions)
    sums = _covalent_sums(initial)[block]
    before, after = (_distances(each)[block] / sums for each in (initial, final))
    return bool(np.any((before.min(axis=1) < MADE) & (after.min(axis=1) > SPLIT)))


def ion_left_slab(initial: Structure, final: Structure) -> bool:
    """Say whether an alkali ion of the slab came out of it, onto whatever lies there or into the vacuum."""
    slab = np.isin(_labels(initial), SLAB_PARTS)
    symbols = np.array(symbols_of(initial))
    mobile = slab & np.isin(symbols, [*MOBILE])
    others = slab & ~mobile & (symbols != "H")
    if not mobile.any() or not others.any():
        return False
    before, after = (_outwards(initial, each) for each in (initial, final))
    edge = np.where(_upper(initial), before[others & _upper(initial)].max(initial=-np.inf),
                    before[others & ~_upper(initial)].max(initial=-np.inf))  # fmt: skip
    return bool(np.any(mobile & (after - before > LIFTED) & (after > edge + LIFTED)))


def _upper(structure: Structure) -> NDArray[np.bool_]:
    """Say which atoms are nearer to the upper face of a slab; of a wire all are on one side."""
    if not structure.lattice.pbc[1]:
        return np.ones(len(structure), dtype=bool)
    slab = np.isin(_labels(structure), SLAB_PARTS)
    middle = 0.5 * (structure.cart_coords[slab, 2].max() + structure.cart_coords[slab, 2].min())
    return np.asarray(structure.cart_coords[:, 2] > middle)


def _outwards(initial: Structure, structure: Structure) -> NDArray[np.float64]:
    """Return how far out each atom is, A: its height along the normal of its face, or its distance from a wire's axis."""
    shifts = np.array(structure.frac_coords) - initial.frac_coords
    shifts -= np.where(initial.lattice.pbc, np.round(shifts), 0.0)
    moves = shifts @ initial.lattice.matrix
    # against most of the slab, which may drift as a whole where none of its atoms are frozen
    xyz = initial.cart_coords + moves - np.median(moves[np.isin(_labels(initial), SLAB_PARTS)], axis=0)
    if initial.lattice.pbc[1]:
        return np.asarray(np.where(_upper(initial), xyz[:, 2], -xyz[:, 2]))
    slab = np.isin(_labels(initial), SLAB_PARTS)
    return np.asarray(np.linalg.norm(xyz[:, 1:] - initial.cart_coords[slab, 1:].mean(axis=0), axis=1))


def slab_changed(initial: Structure, final: Structure) -> bool:
    """Say whether a slab atom other than hydrogen and alkali ions moved far, or a hydroxyl broke.

    Far is ``MOVED`` anywhere, or ``LIFTED`` outwards.

    Displacements are minimum images; hydrogens are judged by their bonds, because a silanol may turn freely. In a
    slab of alkali atoms alone they count.
    """
    slab = np.isin(_labels(initial), SLAB_PARTS)
    symbols = np.array(symbols_of(initial))
    heavy = slab & ~np.isin(symbols, ["H", *MOBILE])
    if not heavy.any():
        heavy = slab & (symbols != "H")
    if not heavy.any():
        return False
    moved = [initial[i].distance(final[i]) for i in np.flatnonzero(heavy)]
    lifted = _outwards(initial, final)[heavy] - _outwards(initial, initial)[heavy]
    if max(moved) > MOVED or lifted.max() > LIFTED:
        return True
    hydrogen = slab & (symbols == "H")
    return _bonds_changed(initial, final, (slab[:, None] & hydrogen[None]) | (hydrogen[:, None] & slab[None]))


def _bonds_changed(initial: Structure, final: Structure, pairs: NDArray[np.bool_]) -> bool:
    metal = np.array([Element(symbol).is_metal for symbol in symbols_of(initial)])
    pairs = pairs & ~metal[:, None] & ~metal[None] & ~np.eye(len(metal), dtype=bool)
    sums = _covalent_sums(initial)
    before, after = _distances(initial) / sums, _distances(final) / sums
    broke = (before < MADE) & (after > BROKEN)
    formed = (before > BROKEN) & (after < MADE)
    return bool(np.any((broke | formed) & pairs))


def _labels(structure: Structure) -> list[str]:
    return [str(label) for label in structure.site_properties.get("component", [POLYMER] * len(structure))]


def _covalent_sums(structure: Structure) -> NDArray[np.float64]:
    radii = covalent_radii(symbols_of(structure))
    return np.asarray(radii[:, None] + radii[None])


def _distances(structure: Structure) -> NDArray[np.float64]:
    """Return all minimum-image distances, A, shape (atoms, atoms), with infinity on the diagonal."""
    # pymatgen folds positions back into the cell along open directions too, where what has left would come in again opposite
    matrix, xyz = np.array(structure.lattice.matrix), structure.cart_coords
    for axis in np.flatnonzero(~np.array(structure.lattice.pbc)):
        normal = np.linalg.inv(matrix)[:, axis]
        height = xyz @ normal
        matrix[axis] *= 1.0 + 2.0 * float(np.ptp(height))
        xyz = xyz - float(height.min()) * structure.lattice.matrix[axis]
    lattice = Lattice(matrix, pbc=structure.lattice.pbc)
    fractions = lattice.get_fractional_coords(xyz)
    distance = np.array(lattice.get_all_distances(fractions, fractions), dtype=float)
    np.fill_diagonal(distance, np.inf)
    return distance

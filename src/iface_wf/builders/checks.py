"""What may go wrong in a relaxation, told from the geometry before and after: flags, never silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

from iface_wf.builders.contact import covalent_radii, symbols_of, vdw_radii
from iface_wf.documents.labels import POLYMER, SLAB_PARTS
from iface_wf.errors import MismatchError

DESORBED = 1.25
"""A fragment is off the surface when every atom is farther than this many van der Waals sums."""

MADE, BROKEN = 1.2, 1.45
"""A bond is made below, and broken above, these multiples of the covalent sum; between them nothing changes.

Thermal and force-field scatter of covalent bonds stays below 10 %; second neighbours start at about 1.6.
"""

MOVED = 1.5
"""A heavy slab atom (hydrogen and alkali aside) that moved farther, A, is a changed slab."""

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
        Some of ``"clash"``, ``"desorbed"``, ``"dissociated"``, ``"slab_changed"``; empty when all is well.

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
        "slab_changed": slab_changed(initial, final),
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
    a Li+ that leaves its anion is no dissociation in this sense.
    """
    fragment = ~np.isin(_labels(initial), SLAB_PARTS)
    return _bonds_changed(initial, final, fragment[:, None] | fragment[None])


def slab_changed(initial: Structure, final: Structure) -> bool:
    """Say whether a slab atom other than hydrogen and alkali ions moved farther than ``MOVED``, or a hydroxyl broke.

    Displacements are minimum images; hydrogens are judged by their bonds, because a silanol may turn freely. In a
    slab of alkali atoms alone they count.
    """
    slab = np.isin(_labels(initial), SLAB_PARTS)
    symbols = np.array(symbols_of(initial))
    heavy = slab & ~np.isin(symbols, ["H", *MOBILE])
    if not heavy.any():
        heavy = slab & (symbols != "H")
    moved = [initial[i].distance(final[i]) for i in np.flatnonzero(heavy)]
    if moved and max(moved) > MOVED:
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
    distance = np.array(structure.distance_matrix, dtype=float)
    np.fill_diagonal(distance, np.inf)
    return distance

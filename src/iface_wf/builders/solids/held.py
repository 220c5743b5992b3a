"""Which atoms of a slab are held where they are: its lowest layers, or its middle ones where molecules lie on both faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from iface_wf.errors import InputError

#: Atoms whose heights differ by less, from one to the next, A, are one layer.
LAYER_GAP = 0.5
#: Says, among the properties of a slab, what its held atoms are where they are not those of its surface.
OWN = "held"
#: Whether the file of a slab says which atoms are held.
BY_FILE = "held_by_file"


def layers_of(slab: Structure) -> list[NDArray[np.int_]]:
    """List the sites of a slab layer by layer, from below; heights within a layer have no gap of 0.5 A or more."""
    heights = slab.cart_coords[:, 2]
    order = np.argsort(heights, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(heights[order]) >= LAYER_GAP) + 1))


def held(slab: Structure) -> NDArray[np.bool_]:
    """Return which sites are held along any direction."""
    free = slab.site_properties.get("selective_dynamics")
    if free is None:
        return np.zeros(len(slab), dtype=bool)
    return np.asarray(~np.array(free, dtype=bool).all(axis=1))


def hold_layers(slab: Structure, count: int, middle: bool = False) -> Structure:
    """Hold whole layers of a slab and free all others.

    Parameters
    ----------
    slab
        As built.
    count
        How many layers, from below; 0 holds nothing.
    middle
        Hold those in the middle instead.

    Returns
    -------
    Structure
        A copy.

    Raises
    ------
    InputError
        When no layer would be free, or layers in the middle cannot lie as far from both faces.
    """
    layers = layers_of(slab)
    most = len(layers) - (2 if middle else 1)
    if not 0 <= count <= max(most, 0):
        raise InputError(
            f"held_layers is {count}, but the slab has {len(layers)} layers of atoms, of which at most {max(most, 0)} may be held"
            f"{' when molecules lie on both faces' if middle else ''}: ask for fewer, or a thicker slab."
        )
    if middle and count and (len(layers) - count) % 2:
        raise InputError(
            f"held_layers is {count}, but of {len(layers)} layers of atoms not so many lie in the middle: with molecules on both faces "
            f"an {'even' if len(layers) % 2 == 0 else 'odd'} number of layers is held."
        )
    first = (len(layers) - count) // 2 if middle else 0
    return _holding(slab, np.concatenate([[], *layers[first : first + count]]).astype(int))


def hold_middle(slab: Structure) -> Structure:
    """Hold as many atoms in the middle of a slab as it holds from below: those nearest to its central plane."""
    heights = slab.cart_coords[:, 2]
    away = np.abs(heights - 0.5 * (heights.min() + heights.max()))
    count = int(held(slab).sum())
    if count == 0:
        return slab
    # atoms as far away as the last one are held with it, so that both halves hold the same
    limit = np.sort(away)[count - 1] + LAYER_GAP / 2
    return _holding(slab, np.flatnonzero(away <= min(limit, away.max() - LAYER_GAP)))


def _holding(slab: Structure, sites: NDArray[np.int_]) -> Structure:
    before, copy = held(slab), slab.copy()
    free = np.ones((len(slab), 3), dtype=bool)
    free[sites] = False
    copy.add_site_property("selective_dynamics", free.tolist())
    if not np.array_equal(before, held(copy)):
        copy.properties = {**slab.properties, OWN: f"{len(sites)} atoms as asked for"}
    return copy

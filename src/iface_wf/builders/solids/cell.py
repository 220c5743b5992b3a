"""Where a slab stands in its cell: fixed bottom height, c on a grid, in-plane repeats, held atoms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure

from iface_wf.builders.edges import round_up

BOTTOM_VACUUM = 6.0
"""Height in A of the lowest atom of every slab."""


def repeat(slab: Structure, matrix: npt.NDArray[np.int_]) -> Structure:
    """Repeat a slab in its plane by a 2 x 2 matrix (rows: new vectors) and turn it so that a points along +x."""
    full = np.eye(3, dtype=int)
    full[:2, :2] = matrix
    large = slab.make_supercell(full, to_unit_cell=False, in_place=False)
    a, b, c = large.lattice.matrix
    x = a / np.linalg.norm(a)
    turn = np.array([x, np.cross((0, 0, 1), x), (0, 0, 1)]).T
    lattice = Lattice(np.array([a, b, c]) @ turn, pbc=(True, True, False))
    return Structure(lattice, large.species, large.frac_coords, site_properties=large.site_properties)


def place(slab: Structure, vacuum: float) -> Structure:
    """Put a slab in its cell.

    Parameters
    ----------
    slab
        Slab with c normal to a and b.
    vacuum
        Empty space above the topmost atom in A; c is rounded up to a multiple of 0.8 A.

    Returns
    -------
    Structure
        Lowest atom at z = 6 A, sites wrapped in a and b, periodic in a and b.
    """
    cart = np.array(slab.cart_coords)
    cart[:, 2] += BOTTOM_VACUUM - cart[:, 2].min()
    height = round_up(float(cart[:, 2].max()) + vacuum)
    a, b, _ = slab.lattice.matrix
    lattice = Lattice([a, b, [0.0, 0.0, height]], pbc=(True, True, False))
    frac = lattice.get_fractional_coords(cart)
    frac[:, :2] -= np.floor(frac[:, :2] + 1e-9)
    return Structure(lattice, slab.species, frac, site_properties=slab.site_properties)


def by_element(slab: Structure) -> Structure:
    """Sort sites by electronegativity, keeping their order within an element."""
    return slab.get_sorted_structure(key=lambda site: (site.specie.X, site.specie.Z))


def freeze(slab: Structure, fraction: float, extent: float) -> Structure:
    """Hold the lower atoms of a placed slab.

    Parameters
    ----------
    slab
        Slab whose lowest atom is at ``BOTTOM_VACUUM``.
    fraction
        Share of the extent, from the bottom, that is held; 0 holds nothing.
    extent
        Extent of the slab along z, A, without what passivates it.

    Returns
    -------
    Structure
        A copy with the site property ``selective_dynamics``, False for held atoms.
    """
    limit = BOTTOM_VACUUM + fraction * extent
    z = slab.cart_coords[:, 2]
    frozen = z <= limit + 1e-6 if fraction > 0 else np.zeros(len(slab), dtype=bool)
    held = slab.copy()
    held.add_site_property("selective_dynamics", [[not f] * 3 for f in frozen.tolist()])
    return held

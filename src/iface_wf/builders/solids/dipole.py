"""Take the dipole out of a polar slab by moving a few ions, as a real surface does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pymatgen.core import Structure

from iface_wf.builders.edges import area_of
from iface_wf.builders.solids.bonds import Bonds, radius
from iface_wf.builders.solids.terminations import POLAR_TOLERANCE, VACANT, atoms_only, dipole_of

MAX_MOVES = 24
SHORTEST = 0.80
"""A moved ion keeps this share of the sum of the covalent radii from every other atom."""


def movable_elements(structure: Structure, bonds: Bonds, charges: dict[str, float]) -> set[str]:
    """Say which ions are loose: of charge 2 or less, and without a bond as strong as 1/2 in the crystal.

    Parameters
    ----------
    structure
        The crystal.
    bonds
        Its bonds, with Pauling strengths in e.
    charges
        Formal charge of each element, e.

    Returns
    -------
    set of str
        Elements.
    """
    strongest: dict[str, float] = {}
    for i, strength in zip(bonds.start, bonds.strength, strict=True):
        symbol = structure[int(i)].specie.symbol
        strongest[symbol] = max(strongest.get(symbol, 0.0), float(strength))
    return {e for e, s in strongest.items() if s < 0.5 and 0 < abs(charges.get(e, 0.0)) <= 2}


def without_dipole(
    slab: Structure,
    charges: dict[str, float],
    repeat: npt.NDArray[np.float64],
    movable: set[str],
    min_distances: dict[str, float],
) -> Structure | None:
    """Move ions until the dipole of formal charges vanishes (P. W. Tasker, 10.1088/0022-3719/12/22/036).

    An ion may go from one face to the place where the crystal would go on beyond the other face, and, in a
    crystal with empty sites, into any of these. The move that leaves the smallest dipole is made first, so
    that few ions move.

    Parameters
    ----------
    slab
        Slab with stand-ins for empty sites.
    charges
        Formal charges in e.
    repeat
        Vector in A that carries the slab's bottom face onto the place above its top face.
    movable
        Elements whose ions may move.
    min_distances
        Smallest distances of pairs in A, besides 0.8 times the covalent radii.

    Returns
    -------
    Structure or None
        The slab without a dipole (below 0.002 e/A) and with the same composition; None if no moves do it.
        ``properties["moved_ions"]`` is their number.
    """
    limit = POLAR_TOLERANCE * area_of(slab)
    work = slab.copy()
    dipole = dipole_of(atoms_only(work), charges)
    moves = 0
    while abs(dipole) > limit:
        best = _best_move(work, charges, repeat, movable, min_distances, dipole)
        if best is None or moves == MAX_MOVES:
            return None
        site, target, stand_in = best
        dipole += charges[work[site].specie.symbol] * float(target[2] - work[site].coords[2])
        if stand_in is not None:  # the ion and the empty site change places
            work.translate_sites([stand_in], work[site].coords - work[stand_in].coords, False, False)
        work.translate_sites([site], target - work[site].coords, False, False)
        moves += 1
    work.properties["moved_ions"] = moves
    return work


def _best_move(
    slab: Structure,
    charges: dict[str, float],
    repeat: npt.NDArray[np.float64],
    movable: set[str],
    min_distances: dict[str, float],
    dipole: float,
) -> tuple[int, npt.NDArray[np.float64], int | None] | None:
    """Find the allowed move that leaves the smallest dipole: site, new place, empty site used."""
    atoms = [i for i, site in enumerate(slab) if site.specie.symbol != VACANT]
    empty = [i for i, site in enumerate(slab) if site.specie.symbol == VACANT]
    z = slab.cart_coords[:, 2]
    low, high = z[atoms].min(), z[atoms].max()
    free = [i for i in atoms if slab[i].specie.symbol in movable]
    options: list[tuple[float, int, npt.NDArray[np.float64], int | None]] = []
    for i in free:
        q = charges[slab[i].specie.symbol]
        targets: list[tuple[npt.NDArray[np.float64], int | None]] = []
        if z[i] < low + 1.0:
            targets.append((slab[i].coords + repeat, None))
        if z[i] > high - 1.0:
            targets.append((slab[i].coords - repeat, None))
        targets += [(slab[k].coords, k) for k in empty]
        options += [(abs(dipole + q * float(t[2] - z[i])), i, t, k) for t, k in targets]
    options = [o for o in options if o[0] < abs(dipole) - 1e-6]
    options.sort(key=lambda o: (round(o[0], 4), o[1]))
    for _, i, target, k in options:
        if _has_room(slab, i, target, min_distances):
            return i, target, k
    return None


def _has_room(slab: Structure, site: int, target: npt.NDArray[np.float64], min_distances: dict[str, float]) -> bool:
    own = slab[site].specie.symbol
    for n in slab.get_sites_in_sphere(target, 3.5):
        other = n.specie.symbol
        if other == VACANT or n.index == site:
            continue
        wanted = SHORTEST * (radius(own) + radius(other))
        wanted = max(wanted, min_distances.get(f"{own}-{other}", 0.0), min_distances.get(f"{other}-{own}", 0.0))
        if n.nn_distance < wanted:
            return False
    return True

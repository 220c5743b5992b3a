"""Which atoms of an interface are the molecule, and which are the slab: as a user says it, or by their bonds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

from iface_wf.builders.checks import MADE
from iface_wf.builders.contact import covalent_radii, symbols_of
from iface_wf.builders.molecules.fragments import formula
from iface_wf.builders.solids.bonds import connected
from iface_wf.documents.labels import ANION, CATION, POLYMER, SLAB, SLAB_PARTS
from iface_wf.errors import InputError, shown, unknown_name

_SITES = re.compile(r"(\d+)(?:-(\d+)|(:)(\d*))?")
_ALLOWED = (
    "give sites counted from 0 with commas between ('48-55,60' with both ends, '48:' for the last ones), or labels of the column "
    "'component' of an extended XYZ file"
)


@dataclass(frozen=True)
class Molecule:
    """Atoms that are bonded to each other; contacts of metals are no bonds.

    Attributes
    ----------
    sites
        Its sites, ascending.
    images
        By how many cell vectors each site is to be moved to make it whole, shape (sites, 3).
    endless
        Whether it is bonded to its own periodic image.
    """

    sites: tuple[int, ...]
    images: NDArray[np.int_]
    endless: bool


def bonds_of(structure: Structure) -> list[tuple[int, int, NDArray[np.int_]]]:
    """List the bonds of a structure: sites i and j, and the cell in which j stands as seen from i, each bond both ways.

    Atoms within 1.2 covalent sums (10.1039/b801115j) are bonded, but for metals, whose contacts are coordination.
    """
    symbols = symbols_of(structure)
    radii = covalent_radii(symbols)
    metal = np.array([Element(symbol).is_metal for symbol in symbols])
    i, j, image, distance = structure.get_neighbor_list(2.0 * MADE * float(radii.max()))
    near = (distance < MADE * (radii[i] + radii[j])) & ~metal[i] & ~metal[j]
    cells = np.rint(image[near]).astype(int)
    return [(int(a), int(b), cell) for a, b, cell in zip(i[near], j[near], cells, strict=True)]


def molecules_of(structure: Structure) -> list[Molecule]:
    """Group the sites of a structure into what is bonded together, the molecule of the lowest site first."""
    found = []
    for members, images, endless in connected(len(structure), bonds_of(structure)):
        order = np.argsort(members)
        found.append(Molecule(tuple(np.array(members)[order].tolist()), images[order], endless))
    return found


def sites_of_molecule(structure: Structure, split: str | None, labels: Sequence[str] | None, name: str) -> list[int]:
    """Say which sites of an interface are the molecule.

    Parameters
    ----------
    structure
        The interface, its vacuum along c and its molecule above the slab, sites in the order of the file.
    split
        Sites, counted from 0, or labels; None: what our own labels say, else the molecule that is the only one of its formula.
    labels
        What the file calls each site; None where it calls them nothing.
    name
        Of the file, for errors.

    Returns
    -------
    list of int
        Ascending.

    Raises
    ------
    InputError
        When the text cannot be read, names a site or label that is not there, leaves no slab, or bonds do not tell.
    """
    if split is None and labels is not None and {SLAB, POLYMER, CATION, ANION} & set(labels) > {SLAB}:
        return [site for site, label in enumerate(labels) if label not in SLAB_PARTS]  # a file that we wrote
    if split is None:
        return _by_bonds(structure, name)
    parts = [part.strip() for part in split.split(",") if part.strip()]
    if not parts:
        raise InputError(f"The split of {name} is empty: {_ALLOWED}.")
    if all(_SITES.fullmatch(part) for part in parts):
        sites = sorted({site for part in parts for site in _sites(part, len(structure), name)})
    else:
        sites = _labelled(parts, labels, name)
    if len(sites) == len(structure):
        raise InputError(
            f"The split of {name} makes all {len(structure)} atoms the molecule: nothing is left for the slab."
        )
    return sites


def _sites(part: str, count: int, name: str) -> range:
    first, last, colon, end = _SITES.fullmatch(part).groups()  # type: ignore[union-attr]
    start = int(first)
    stop = (int(end) if end else count) if colon else int(last or first) + 1
    if not start < stop <= count:
        raise InputError(
            f"The split of {name} names the sites {shown(part)}, but it has the sites 0 to {count - 1}, counted from 0."
        )
    return range(start, stop)


def _labelled(parts: Sequence[str], labels: Sequence[str] | None, name: str) -> list[int]:
    if labels is None:
        raise InputError(f"The split {shown(','.join(parts))} cannot be read, and {name} has no labels: {_ALLOWED}.")
    known = sorted(set(labels))
    for part in parts:
        if part not in known:
            raise unknown_name(f"label of {name}", part, known)
    return [site for site, label in enumerate(labels) if label in parts]


def _by_bonds(structure: Structure, name: str) -> list[int]:
    """Take the finite molecule of which there is one, the others being many alike, such as hydroxyls of a surface."""
    symbols = symbols_of(structure)
    finite = [each for each in molecules_of(structure) if not each.endless and len(each.sites) > 1]
    kinds = Counter(formula([symbols[site] for site in each.sites]) for each in finite)
    middle = float(structure.cart_coords[:, 2].mean())
    alone = [
        each
        for each in finite
        if kinds[formula([symbols[site] for site in each.sites])] == 1
        and structure.cart_coords[list(each.sites), 2].mean() > middle
        and len(each.sites) < len(structure)
    ]
    if len(alone) == 1:
        return list(alone[0].sites)
    seen = ", ".join(f"{count} x {kind}" for kind, count in sorted(kinds.items())[:8]) or "no molecule"
    raise InputError(
        f"Bonds do not tell which atoms of {name} are the molecule (above the slab there must be one of its formula; found: {seen}): "
        f"say it with the split (--split); {_ALLOWED}."
    )

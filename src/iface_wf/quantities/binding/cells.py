"""One slab for each filler of a screening: as large as the largest fragment needs, so that all share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pymatgen.core import Structure

from iface_wf.builders.interface import require_few_atoms
from iface_wf.builders.placing.placements import count_placements, footprint
from iface_wf.builders.room import require_room, roomy
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.builders.substrate import build_substrate
from iface_wf.errors import InputError
from iface_wf.library.library import Library

Size = tuple[float, float]


class SharedSlab(NamedTuple):
    """A slab and which fragments have no place on it.

    Attributes
    ----------
    slab
        The slab.
    refused
        By index of the fragment: why it cannot be put on this filler.
    """

    slab: Structure
    refused: dict[int, str]


def shared_slab(spec: InterfaceSpec, library: Library, fragments: Sequence[Structure], cell: Size | None) -> SharedSlab:
    """Build the one slab on which all fragments of a screening have room.

    The slab is enlarged until all fragments are 8 A from their images, as far as the spec's atoms for room allow. Where they
    allow nothing, the surface's own cell comes first. A fragment that has no room on it, lying in any way that placing tries, needs
    its footprint; the slab is as large as the largest such footprint. A fragment for which the slab would have too
    many atoms does not make it larger: it is refused.

    Parameters
    ----------
    spec
        Filler, surface, thickness, vacuum, seed, placements and most atoms; its fragment plays no part.
    library
        Where the filler is looked up.
    fragments
        All fragments of the screening.
    cell
        Smallest in-plane lengths, A, if the user gives them; then fragments without room are refused.

    Returns
    -------
    SharedSlab
        The slab, and the fragments that are refused.

    Raises
    ------
    InputError
        When the filler's slab cannot be built at all.
    """
    own = build_substrate(spec, library, cell or (0.0, 0.0))
    if cell is None:
        large = roomy(lambda size: build_substrate(spec, library, size), own, fragments, spec.most_for_room)
        if large is not None:
            return SharedSlab(large, {})
    sizes = [footprint(fragment) for fragment in fragments]
    refused: dict[int, str] = {}
    need: Size = (0.0, 0.0)
    fits: list[Size] = []
    for index in sorted(range(len(fragments)), key=lambda i: sizes[i], reverse=True):
        if any(_inside(sizes[index], other) for other in [*fits, need]):
            continue  # what is smaller than one that has room has room too
        try:
            require_few_atoms(own, fragments[index], spec)
            if cell is not None:
                require_room(own, fragments[index])
            if _has_room(own, fragments[index], spec):
                fits.append(sizes[index])
                continue
            if cell is not None:
                raise InputError(f"The fragment has no room on the given cell of {cell[0]:g} x {cell[1]:g} A.")
            larger = (max(need[0], sizes[index][0]), max(need[1], sizes[index][1]))
            require_few_atoms(build_substrate(spec, library, larger), fragments[index], spec)
            need = larger
        except InputError as error:
            refused[index] = str(error)
    slab = own if need == (0.0, 0.0) else build_substrate(spec, library, need)
    for index, fragment in enumerate(fragments):
        if index not in refused:
            try:
                require_few_atoms(slab, fragment, spec)
            except InputError as error:
                refused[index] = str(error)
    return SharedSlab(slab, refused)


def _inside(size: Size, other: Size) -> bool:
    return size[0] <= other[0] and size[1] <= other[1]


def _has_room(slab: Structure, fragment: Structure, spec: InterfaceSpec) -> bool:
    """Whether more than half of the placements keep clear of their periodic images, as for a single interface."""
    try:
        found = count_placements(slab, fragment, spec.placements, spec.seed, spec.vacuum, spec.clearance, spec.target)
    except InputError:
        return False
    return 2 * found > spec.placements

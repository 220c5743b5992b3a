"""The slab or wire that was asked for."""

from __future__ import annotations

from pymatgen.core import Structure

from iface_wf.builders.solids.held import BY_FILE, hold_layers, hold_middle
from iface_wf.builders.solids.miller import resolve_surface
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.wires import build_wire
from iface_wf.builders.spec import SlabSpec
from iface_wf.errors import InputError
from iface_wf.library.library import Library
from iface_wf.library.records import FillerRecord


def build_substrate(spec: SlabSpec, library: Library, lengths: tuple[float, float]) -> Structure:
    """Build the slab or wire of a spec.

    Parameters
    ----------
    spec
        Filler, surface, thickness, vacuum and seed; if it says ``in_plane``, the surface's own lengths do not count.
    library
        Where the filler is looked up.
    lengths
        Smallest lengths of the cell along its periodic directions, A; a wire takes the larger one.

    Returns
    -------
    Structure
        As from `iface_wf.builders.solids.slabs.build_slab` or `iface_wf.builders.solids.wires.build_wire`.

    Raises
    ------
    InputError
        As from these two, and for an unknown filler.
    """
    slab = _substrate(spec, library, lengths)
    if spec.held_layers is None and spec.n_faces == 1:
        return slab
    if not slab.lattice.pbc[1]:
        raise InputError("'faces' and 'held_layers' mean nothing for a wire, which has neither.")
    if spec.held_layers is None:  # who holds atoms in the file of a slab has chosen which
        return slab if slab.properties.get(BY_FILE) else hold_middle(slab)
    return hold_layers(slab, spec.held_layers, middle=spec.n_faces == 2)


def _substrate(spec: SlabSpec, library: Library, lengths: tuple[float, float]) -> Structure:
    """Build the slab or wire with the atoms held that its surface or its file says."""
    filler = library.filler(spec.filler)
    if spec.surface == "wire":
        return build_wire(filler, spec.thickness, None, max(lengths), spec.vacuum, spec.seed)
    if filler.ready_slab:
        _require_as_given(spec, filler)
    if spec.in_plane is None:  # a surface's own cell is large enough for its chemistry, a footprint may not be
        least = resolve_surface(filler, spec.surface).in_plane or (0.0, 0.0)
        lengths = (max(lengths[0], least[0]), max(lengths[1], least[1]))
    return build_slab(filler, spec.surface, spec.thickness, lengths, spec.vacuum, spec.seed)


def _require_as_given(spec: SlabSpec, filler: FillerRecord) -> None:
    """Refuse to cut a slab that is used as its file brings it."""
    other = spec.surface is not None and (
        resolve_surface(filler, spec.surface).miller != resolve_surface(filler, None).miller
    )
    if spec.thickness is not None or other:
        raise InputError(
            f"{spec.filler} is a ready slab, used as it is: surface and thickness mean nothing for it. To cut another one, give a crystal "
            "(a file without an empty layer of 6 A)."
        )

"""One interface from names: slab, fragment and placements, with a report of what was built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from pymatgen.core import Structure

from iface_wf.builders.alone import no_ion_alone
from iface_wf.builders.contact import image_distance, symbols_of
from iface_wf.builders.docking.layers import Layers
from iface_wf.builders.edges import area_of
from iface_wf.builders.fragment import build_fragment, require_small, role_of
from iface_wf.builders.given import Given, read_given
from iface_wf.builders.molecules.fragments import formula
from iface_wf.builders.placing.layers import Piece, copies_of, group_of, n_touching
from iface_wf.builders.placing.placements import footprint, place
from iface_wf.builders.room import diameter, require_room, room_of, roomy
from iface_wf.builders.solids.held import held
from iface_wf.builders.spec import InterfaceSpec, SlabSpec, counted
from iface_wf.builders.substrate import build_substrate
from iface_wf.errors import InputError
from iface_wf.library.library import Library


@dataclass(frozen=True)
class InterfaceBuild:
    """Slab, fragment, their placements, and a report.

    Attributes
    ----------
    slab
        Isolated slab or wire, labelled sites.
    fragment
        Isolated polymer, molecule or salt, labelled sites; None where nothing lies on the slab.
    placements
        Interfaces; slab sites first.
    report
        Plain JSON: formula, surface, how many atoms are held, charge (e), area (A^2; None for a wire), thickness (A), atoms, the slab's
        dipole per area by formal charges (e/A, along +z; None where its oxidation states are unknown), and the
        closest contact of each placement and its distance from its images (A), and what a cell with room takes. Of a
        slab alone: its own properties.
    given
        What a file brought, where the interface is one of a file.
    pieces
        Where several molecules lie on the slab: which, and how many on each face; ``fragment`` then is all of them.
    """

    slab: Structure
    fragment: Structure | None
    placements: list[Structure]
    report: dict[str, Any]
    given: Given | None = None
    pieces: tuple[Piece, ...] = ()


def build_interface(spec: InterfaceSpec, library: Library) -> InterfaceBuild:
    """Build the slab, the fragment and the placements of one interface.

    Parameters
    ----------
    spec
        What to build.
    library
        Where names are looked up.

    Returns
    -------
    InterfaceBuild
        At least one placement.

    Raises
    ------
    InputError
        For unknown names, impossible requests, or more than ``spec.max_atoms`` atoms.
    """
    if spec.interface is not None:
        return _build_given(spec, library)
    if spec.several:
        return _build_layer(spec, library)
    fragment = build_fragment(spec, library)
    slab, placements = _substrate_with_room(spec, library, fragment)
    for placement in placements:
        placement.properties["spec"] = spec.model_dump(mode="json", exclude_none=True)
    return InterfaceBuild(slab, fragment, placements, _report(slab, fragment, placements))


def _build_layer(spec: InterfaceSpec, library: Library) -> InterfaceBuild:
    """Put several molecules on the slab that the largest of them needs alone, so that coverages share it."""
    pieces = build_pieces(spec, library)
    molecules = copies_of([each.structure for each in pieces], [each.count for each in pieces])
    atoms = spec.n_faces * sum(map(len, molecules))
    require_small(atoms, spec, "molecules", "ask for fewer, or raise max_atoms")
    group = group_of(molecules * spec.n_faces)
    slab, placements = _laid_with_room(spec, library, pieces, molecules, group)
    for placement in placements:
        placement.properties["spec"] = spec.model_dump(mode="json", exclude_none=True)
    sizes = [len(each) for each in molecules] * spec.n_faces
    shown = placements[0].cart_coords
    touching = n_touching(
        Structure.from_sites(placements[0][: len(slab)]), shown[len(slab) :], symbols_of(group), sizes
    )
    report = _report(slab, group, placements) | {
        "flat_distance": None,
        "larger_cell": None,
        "on_each_face": on_each_face(pieces),
        "faces": spec.n_faces,
        "coverage": 100.0 * len(molecules) / area_of(slab),
        "touch_the_slab": f"{touching} of {len(sizes)} molecules",
    }
    return InterfaceBuild(slab, group, placements, report, pieces=pieces)


def _laid_with_room(
    spec: InterfaceSpec, library: Library, pieces: Sequence[Piece], molecules: Sequence[Structure], group: Structure
) -> tuple[Structure, list[Structure]]:
    """Put molecules on the slab that the longest of them needs alone, and only where another one is too wide on a larger one."""
    longest = max((each.structure for each in pieces), key=diameter)
    one = spec.model_copy(update={"copies": 1, "beside": (), "placements": 1})
    slab, _ = _substrate_with_room(one, library, longest)
    if not slab.lattice.pbc[1]:
        raise InputError("Several molecules lie on slabs only: a wire takes one molecule at a time.")
    x, y = (max(lengths) for lengths in zip(*(footprint(each.structure) for each in pieces), strict=True))
    sizes = [None] if spec.in_plane is not None else [None, (x, y), (x, x)]
    for size in sizes:
        slab = slab if size is None else build_substrate(spec, library, size)
        require_few_atoms(slab, group, spec)
        layers = Layers(slab, molecules, spec.n_faces, spec.vacuum, spec.clearance, spec.placements, spec.seed)
        try:
            return slab, [pose.structure for pose in layers.first()]
        except InputError:
            if size == sizes[-1]:
                raise
    raise AssertionError("the last size returns or raises")


def build_pieces(spec: InterfaceSpec, library: Library) -> tuple[Piece, ...]:
    """Build the molecules that lie together on a slab, one of each kind; errors as of `build_fragment`."""
    units = "" if spec.units is None else f" x {spec.units}"
    host = f"{spec.polymer or spec.molecule or ''}{units}"
    name = f"({host} + {spec.salt})" if host and spec.salt else host or spec.salt or ""
    pieces = [Piece(_short(name), build_fragment(spec, library), spec.copies)]
    for text in spec.beside:
        count, other = counted(text)
        role = role_of(other, library)
        asked = {
            "filler": spec.filler,
            "seed": spec.seed,
            "n_conformers": spec.n_conformers,
            "max_atoms": spec.max_atoms,
        }
        pieces.append(Piece(_short(other), build_fragment(InterfaceSpec(**asked, **{role: other}), library), count))
    for each in pieces:
        if abs(float(each.structure.properties.get("charge", 0.0))) > 1e-6:
            raise no_ion_alone(f"{each.name} carries a charge", spec.salt or "LiTFSI")
    return tuple(pieces)


def _short(name: str) -> str:
    """Call a user's own file by its name."""
    return PurePath(name).name if name.lower().endswith(".xyz") else name


def on_each_face(pieces: Sequence[Piece]) -> dict[str, int]:
    """Count the molecules of a face by name."""
    return {name: sum(each.count for each in pieces if each.name == name) for name in (each.name for each in pieces)}


def _build_given(spec: InterfaceSpec, library: Library) -> InterfaceBuild:
    assert spec.interface is not None
    given = read_given(Path(spec.interface), spec.split, spec.filler, library, spec.vacuum)
    require_few_atoms(given.slab, given.fragment, spec)
    given.whole.properties["spec"] = spec.model_dump(mode="json", exclude_none=True)
    report = _report(given.slab, given.fragment, [given.whole]) | {
        "larger_cell": None,  # the cell is the file's
        "slab_formula": formula(symbols_of(given.slab)),
        "molecules": given.molecules,
        "warnings": given.slab.properties["warnings"] or None,
    }
    return InterfaceBuild(given.slab, given.fragment, [given.whole], report, given)


def _substrate_with_room(
    spec: InterfaceSpec, library: Library, fragment: Structure
) -> tuple[Structure, list[Structure]]:
    """Build the substrate on which the fragment has most room, and place the fragment.

    Where room would take too many atoms: a long fragment often fits the surface's own cell along a diagonal. So that cell
    comes first, and the cell of the fragment's footprint only where fewer than half of the placements keep clear of their
    periodic images.
    """
    sizes = [spec.in_plane] if spec.in_plane else [(0.0, 0.0), footprint(fragment)]
    first = build_substrate(spec, library, sizes[0])
    if spec.in_plane is not None:
        require_room(first, fragment)
    else:
        large = roomy(lambda size: build_substrate(spec, library, size), first, [fragment], spec.most_for_room)
        if large is not None:
            first, sizes = large, sizes[:1]
    for size in sizes:
        slab = first if size == sizes[0] else build_substrate(spec, library, size)
        require_few_atoms(slab, fragment, spec)
        last = size == sizes[-1]
        try:
            placements = place(slab, fragment, spec.placements, spec.seed, spec.vacuum, spec.clearance, spec.target)
        except InputError:
            if last:
                raise
            continue
        if last or 2 * len(placements) > spec.placements:
            return slab, placements
    raise AssertionError("the last size returns or raises")


def require_few_atoms(slab: Structure, fragment: Structure, spec: InterfaceSpec) -> None:
    """Refuse an interface with more than ``spec.max_atoms`` atoms (`InputError`)."""
    count = len(slab) + len(fragment)
    if count > spec.max_atoms:
        raise InputError(
            f"The interface would have {count} atoms ({len(slab)} slab, {len(fragment)} fragment), at most "
            f"{spec.max_atoms} are allowed: use fewer units, a thinner slab or raise max_atoms."
        )


def build_bare(spec: SlabSpec, library: Library) -> InterfaceBuild:
    """Build a slab or wire on which nothing lies; errors as of `build_interface`."""
    slab = build_substrate(spec, library, spec.in_plane or (0.0, 0.0))
    return InterfaceBuild(slab, None, [], dict(slab.properties))


def _report(slab: Structure, fragment: Structure, placements: Sequence[Structure]) -> dict[str, Any]:
    """Summarise an interface as plain JSON; see `InterfaceBuild`."""
    first = placements[0]
    return {
        "formula": first.properties["formula"],
        "surface": slab.properties.get("surface"),
        "held": f"{int(held(slab).sum())} of {len(slab)} atoms of the slab",
        "fragment_formula": fragment.properties.get("formula"),
        "atoms": {"slab": len(slab), "fragment": len(fragment), "total": len(first)},
        "charge": first.properties["charge"],
        "area": area_of(slab) if slab.lattice.pbc[1] else None,
        "thickness": float(np.ptp(slab.cart_coords[:, 2])),
        "dipole_per_area": slab.properties.get("dipole_per_area"),
        "contacts": [placement.properties["placement"]["contact"] for placement in placements],
        "image_distances": [_image_distance(placement, len(slab)) for placement in placements],
        **room_of(slab, fragment),
    }


def _image_distance(placement: Structure, above: int) -> float | None:
    """Return how far the fragment, the sites from ``above`` on, is from its nearest image, A."""
    return image_distance(placement.cart_coords[above:], placement.lattice)

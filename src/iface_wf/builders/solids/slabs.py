"""Build slabs: thickness as asked, one fixed place in the cell, unpolar, and everything about them reported."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from pymatgen.core import Structure

from iface_wf.builders.components import label
from iface_wf.builders.edges import check_vacuum
from iface_wf.builders.solids.bonds import find_bonds
from iface_wf.builders.solids.cell import by_element, freeze, place, repeat
from iface_wf.builders.solids.condense import condense_silanols, heavy_extent
from iface_wf.builders.solids.describe import describe, describe_graft
from iface_wf.builders.solids.dipole import movable_elements, without_dipole
from iface_wf.builders.solids.disorder import bulk
from iface_wf.builders.solids.graft import graft
from iface_wf.builders.solids.miller import Surface, resolve_surface
from iface_wf.builders.solids.planes import in_plane_supercell
from iface_wf.builders.solids.ready import ready_slab
from iface_wf.builders.solids.surfaces import check_contacts, hydroxylate
from iface_wf.builders.solids.terminations import (
    VACANT,
    Termination,
    atoms_only,
    terminations,
)
from iface_wf.documents.labels import SLAB
from iface_wf.errors import InputError, unknown_name
from iface_wf.library.records import FillerRecord, SurfaceSpec

MAX_ATOMS = 600
MAX_THICKNESS = 60.0
Polar = Literal["repair", "keep"]


def build_slab(
    record: FillerRecord,
    surface: Surface = None,
    thickness: float | None = None,
    in_plane: tuple[float, float] | None = None,
    vacuum: float = 8.0,
    seed: int = 0,
    polar: Polar = "repair",
) -> Structure:
    """Build the slab of a filler.

    Parameters
    ----------
    record
        The filler. A record whose crystal file is a ready slab is used as it is, repeated in its plane where it is too small,
        and moved to its place.
    surface
        One of the record's surfaces, Miller indices, or text such as ``"101"``, ``"1 0 -1"`` and
        ``"101/2"`` (with a termination); by default the record's first surface.
    thickness
        Smallest extent along z of the cut crystal in A; the slab is less than one repeat thicker.
        By default the surface's own.
    in_plane
        Smallest lengths of the two in-plane vectors in A; by default the surface's own, else the smallest
        cell. The crystal's plane lattice is never strained.
    vacuum
        Empty space above the topmost atom in A, at least 6; c is rounded up to a multiple of 0.8 A.
    seed
        Seed of the ordering of partly occupied sites; the same seed gives the same slab.
    polar
        What to do with a slab that carries a dipole: move ions until it is gone, or keep it as it is.

    Returns
    -------
    Structure
        Periodic in a and b, c along +z; lowest atom at z = 6 A; ``component`` is ``slab`` on every site;
        ``selective_dynamics`` holds the lower part; ``properties`` says what was built.

    Raises
    ------
    InputError
        If the request cannot be fulfilled: unknown termination, no passivation possible, a dipole that no
        moves of ions remove, too many atoms.
    """
    check_vacuum(vacuum)
    if record.ready_slab:
        return ready_slab(record, vacuum, in_plane or (0.0, 0.0))
    spec = resolve_surface(record, surface)
    found = slab_terminations(record, spec, seed)
    if spec.termination is not None:
        named = [t for t in found if spec.termination in (t.label, t.label.split(":")[0])]
        if not named:
            what = f"termination of {record.name} {spec.miller}"
            raise unknown_name(what, spec.termination, [t.label for t in found])
        found = named
    problem: InputError | None = None
    for termination in found:
        try:
            return _finish(record, spec, termination, thickness, in_plane, vacuum, seed, polar)
        except InputError as error:
            problem = problem or error
    raise problem or InputError(f"{record.name} {spec.miller} has no termination.")


def build_slabs(
    record: FillerRecord,
    surfaces: Surface | list[Surface] = None,
    thickness: float | None = None,
    in_plane: tuple[float, float] | None = None,
    vacuum: float = 8.0,
    seed: int = 0,
    polar: Polar = "keep",
) -> Iterator[Structure]:
    """Build a slab of every distinct termination of one or more surfaces.

    Terminations that the passivation cannot finish, or whose dipole cannot be repaired where that is asked
    for, are left out.

    Parameters
    ----------
    record
        The filler.
    surfaces
        One surface or several, each as for `build_slab`.
    thickness, in_plane, vacuum
        A; as for `build_slab`.
    seed
        Seed of the ordering of partly occupied sites.
    polar
        By default slabs keep their dipoles; see `build_slab`.

    Yields
    ------
    Structure
        As from `build_slab`.

    Raises
    ------
    InputError
        If a surface has no termination that can be built.
    """
    for surface in surfaces if isinstance(surfaces, list) else [surfaces]:
        spec = resolve_surface(record, surface)
        count = 0
        for termination in slab_terminations(record, spec, seed):
            try:
                yield _finish(record, spec, termination, thickness, in_plane, vacuum, seed, polar)
            except InputError:
                continue  # left out, as documented; none at all is an error below
            count += 1
        if count == 0:
            raise InputError(f"No termination of {record.name} {spec.miller} can be built.")


def slab_terminations(record: FillerRecord, surface: Surface = None, seed: int = 0) -> list[Termination]:
    """List all distinct terminations of a filler's surface.

    Parameters
    ----------
    record
        The filler.
    surface
        As for `build_slab`.
    seed
        Seed of the ordering of partly occupied sites.

    Returns
    -------
    list of Termination
        In the order in which `build_slab` tries them.

    Raises
    ------
    InputError
        If the surface is none, or the crystal cannot be ordered.
    """
    spec = resolve_surface(record, surface)
    crystal = bulk(record, seed)
    for empty in crystal.properties.get("vacant_sites", []):
        crystal.append(VACANT, empty)
    return terminations(crystal, spec.miller, dict(record.oxidation_states))


def _finish(
    record: FillerRecord,
    spec: SurfaceSpec,
    chosen: Termination,
    thickness: float | None,
    in_plane: tuple[float, float] | None,
    vacuum: float,
    seed: int,
    polar: Polar,
) -> Structure:
    """Cut, passivate or repair, enlarge, place, freeze and describe one termination."""
    asked = spec.thickness if thickness is None else thickness
    if not (math.isfinite(asked) and 0 < asked <= MAX_THICKNESS):
        raise InputError(
            f"The thickness of {asked} A is not allowed, it must be above 0 and at most {MAX_THICKNESS} A."
        )
    layers = chosen.layers(asked)
    matrix = _supercell(chosen.stack(layers), in_plane or spec.in_plane or (0.0, 0.0))
    cut = (
        _hydroxylated(record, spec, chosen, layers, matrix)
        if spec.passivation == "hydroxyl"
        else _bare(record, chosen, layers, matrix, repair=polar == "repair" and chosen.polar)
    )
    slab = by_element(place(cut.slab, vacuum))
    report = describe(record, slab)
    if record.graft is not None:
        slab = place(graft(slab, record.graft, seed), vacuum)
        report |= describe_graft(record.graft, slab, report)
    check_contacts(slab, f"The slab of {record.name} {spec.miller}")
    slab = freeze(slab, spec.frozen_fraction, cut.extent)
    crystal = bulk(record, seed).properties
    slab.properties = report | {
        "source": record.source,
        "surface": f"({' '.join(map(str, spec.miller))}) {chosen.label}",
        "miller": list(spec.miller),
        "termination": chosen.label,
        "reason": spec.reason,
        "passivation": cut.passivation,
        "thickness": cut.extent,
        "vacuum": float(slab.lattice.c - slab.cart_coords[:, 2].max()),
        "in_plane_supercell": matrix.tolist(),
        "symmetric": chosen.symmetric and cut.faces_alike and record.graft is None,
        "stoichiometric": True,
        "moved_ions": cut.moved,
        "seed": seed,
        "ordering": crystal.get("ordering"),
        "warnings": list(dict.fromkeys([*record.warnings, *crystal.get("warnings", [])])),
    }
    if "silanol" in slab.site_properties:
        slab.remove_site_property("silanol")
    return slab if record.graft is not None else label(slab, SLAB)


def _supercell(bare: Structure, lengths: tuple[float, float]) -> npt.NDArray[np.int_]:
    """Choose the in-plane supercell (rows: new vectors) with at least these lengths (A), unless it has too many atoms."""
    a, b, _ = bare.lattice.matrix
    matrix = in_plane_supercell(a, b, lengths)
    count = len(atoms_only(bare)) * abs(round(float(np.linalg.det(matrix))))
    if count > MAX_ATOMS:
        raise InputError(f"The slab would have {count} atoms, at most {MAX_ATOMS} are allowed.")
    return matrix


@dataclass(frozen=True)
class _Cut:
    """A slab that has been cut and finished, not yet at its place.

    ``extent`` is that of the crystal along z in A, ``moved`` the number of ions that were moved against a dipole.
    """

    slab: Structure
    extent: float
    passivation: str
    faces_alike: bool = True
    moved: int = 0


def _hydroxylated(
    record: FillerRecord, spec: SurfaceSpec, chosen: Termination, layers: int, matrix: npt.NDArray[np.int_]
) -> _Cut:
    """Close broken bonds with OH and H, and condense silanols where the surface asks for it."""
    bare = chosen.stack(layers)
    if any(site.specie.symbol == VACANT for site in bare):
        raise InputError("A crystal with empty sites cannot be closed with hydroxyl; use passivation 'none'.")
    slab = repeat(hydroxylate(bare, chosen.broken(layers, dict(record.oxidation_states))), matrix)
    extent = float(np.ptp(bare.cart_coords[:, 2]))
    if not spec.condense:
        return _Cut(slab, extent, "hydroxyl")
    wanted = record.silanols
    limits = (4.0, 6.0) if wanted is None else (wanted.min_per_nm2, wanted.max_per_nm2)
    condensed = condense_silanols(slab, limits)
    if len(condensed) == len(slab):
        return _Cut(condensed, extent, "hydroxyl")
    alike = bool(condensed.properties["faces_alike"])
    return _Cut(condensed, heavy_extent(condensed), "hydroxyl, geminal pairs condensed", alike)


def _bare(record: FillerRecord, chosen: Termination, layers: int, matrix: npt.NDArray[np.int_], repair: bool) -> _Cut:
    """Leave the cut as it is, or move ions until it has no dipole."""
    bare = chosen.stack(layers)
    extent = float(np.ptp(atoms_only(bare).cart_coords[:, 2]))
    if not repair:
        return _Cut(repeat(atoms_only(bare), matrix), extent, "none")
    slab, moved = _repaired(record, chosen, bare, layers, matrix)
    return _Cut(slab, extent, "none", faces_alike=not moved, moved=moved)


def _repaired(
    record: FillerRecord, chosen: Termination, bare: Structure, layers: int, matrix: npt.NDArray[np.int_]
) -> tuple[Structure, int]:
    """Enlarge a polar slab and move ions until its dipole is gone."""
    charges = dict(record.oxidation_states)
    distances = record.disorder.min_distances if record.disorder is not None else {}
    movable = movable_elements(chosen.cell, find_bonds(chosen.cell, charges), charges)
    upwards = layers * chosen.cell.lattice.matrix[2]
    small = without_dipole(bare, charges, upwards, movable, distances)
    if small is not None:
        times = abs(round(float(np.linalg.det(matrix))))
        return repeat(atoms_only(small), matrix), times * small.properties["moved_ions"]
    full = np.eye(3, dtype=int)
    full[:2, :2] = matrix
    large = without_dipole(
        bare.make_supercell(full, to_unit_cell=False, in_place=False), charges, upwards, movable, distances
    )
    if large is None:
        raise InputError(
            f"{record.name} {chosen.label} carries a dipole that moving ions does not remove; ask for a larger "
            "in-plane cell, another termination or surface, or polar='keep'."
        )
    return repeat(atoms_only(large), np.eye(2, dtype=int)), large.properties["moved_ions"]

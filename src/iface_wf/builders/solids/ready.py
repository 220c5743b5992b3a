"""Slabs that a file brings ready made, used without moving an atom."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pymatgen.core import Lattice, Structure

from iface_wf.builders.components import label
from iface_wf.builders.solids.cell import by_element, freeze, place, repeat
from iface_wf.builders.solids.describe import describe
from iface_wf.builders.solids.held import BY_FILE, OWN, held
from iface_wf.builders.solids.planes import in_plane_supercell
from iface_wf.builders.solids.surfaces import check_contacts
from iface_wf.documents.labels import SLAB
from iface_wf.errors import InputError
from iface_wf.library.crystals import empty_along, read_crystal, vacuum_axis
from iface_wf.library.records import FillerRecord

AS_GIVEN = "as given"
"""Surface of a slab that a file brings."""
MAX_ATOMS = 2000
WIRE_GAP = 10.0
"""Empty space (A) along a second cell vector from which on a slab may be a wire or a molecule."""


def ready_slab(record: FillerRecord, vacuum: float, in_plane: tuple[float, float] = (0.0, 0.0)) -> Structure:
    """Take the user's own slab as it is: no atom moves against another, only the cell is put upright.

    Parameters
    ----------
    record
        The filler, whose crystal file is a slab. Its vacuum may lie along any vector, which becomes c, and c may be
        tilted. Atoms that the file holds stay held, and its magnetic moments are kept; where it holds none, the lower
        part is held as in any slab.
    vacuum
        Empty space above the topmost atom in A.
    in_plane
        Smallest lengths of the two in-plane vectors, A: the file's cell is repeated where it is smaller.

    Returns
    -------
    Structure
        As ``build_slab`` gives it.

    Raises
    ------
    InputError
        If the slab has partly occupied sites, atoms that are nearer than any bond, or too many atoms.
    """
    notes: list[str] = []
    upright = put_upright(read_crystal(record.crystal_path), record.crystal, notes)
    matrix = _repeats(upright, in_plane)
    large = upright if np.array_equal(matrix, np.eye(2)) else repeat(upright, matrix)
    if len(large) > len(upright):
        notes.append("The cell of the file was repeated in its plane to make room, with all that it says of its atoms.")
    return described(record, large, vacuum, notes, matrix)


def put_upright(raw: Structure, name: str, notes: list[str]) -> Structure:
    """Bring what a file says of a slab into our frame: its vacuum along c, normal to the plane, and a along x.

    Parameters
    ----------
    raw
        The crystal as it was read; properties of its sites are kept.
    name
        Of the file, for errors.
    notes
        Takes the warnings of the file, and a sentence about each thing that was changed.

    Returns
    -------
    Structure
        Its sites in the order of the file.

    Raises
    ------
    InputError
        If it has partly occupied sites.
    """
    if not raw.is_ordered:
        raise InputError(f"{name} is a slab with partly occupied sites; order it first.")
    notes += raw.properties.get("warnings", [])
    return _upright(_vacuum_along_c(raw, notes))


def described(
    record: FillerRecord,
    upright: Structure,
    vacuum: float,
    notes: list[str],
    matrix: npt.NDArray[np.int_] | None = None,
) -> Structure:
    """Put a slab that stands upright to its place, hold its lower atoms where it holds none, and say what it is.

    Parameters
    ----------
    record
        The filler.
    upright
        As from `put_upright`, perhaps repeated.
    vacuum
        Empty space above the topmost atom in A.
    notes
        Warnings for its properties.
    matrix
        How it was repeated in its plane.

    Returns
    -------
    Structure
        As ``build_slab`` gives it.

    Raises
    ------
    InputError
        If it is charged by its record's oxidation states, or atoms are nearer than any bond.
    """
    matrix = np.eye(2, dtype=int) if matrix is None else matrix
    slab = by_element(place(upright, vacuum))
    check_contacts(slab, record.crystal)
    extent = float(np.ptp(slab.cart_coords[:, 2]))
    usual = freeze(slab, record.surfaces[0].frozen_fraction, extent)
    by_file = "selective_dynamics" in slab.site_properties
    if by_file:
        _about_held(slab, notes)
    else:
        slab = usual
    own: dict[str, Any] = {BY_FILE: True} if by_file else {}
    own |= {} if _free(slab) == _free(usual) else {OWN: "as in the file"}
    slab.properties = (
        describe(record, slab)
        | own
        | {
            "source": record.source,
            "surface": AS_GIVEN,
            "miller": None,
            "termination": "as given",
            "passivation": "as given",
            "thickness": extent,
            "vacuum": float(slab.lattice.c - slab.cart_coords[:, 2].max()),
            "in_plane_supercell": matrix.tolist(),
            "warnings": list(dict.fromkeys([*record.warnings, *notes])),
        }
    )
    return label(slab, SLAB)


def _free(slab: Structure) -> list[list[bool]]:
    return [[bool(each) for each in site] for site in slab.site_properties["selective_dynamics"]]


def _repeats(slab: Structure, lengths: tuple[float, float]) -> npt.NDArray[np.int_]:
    """Choose the in-plane supercell (rows: new vectors): the file's own cell, however skew, where that is large enough."""
    if np.all(np.sort(slab.lattice.abc[:2]) >= np.sort(lengths) - 0.1):
        return np.eye(2, dtype=int)
    matrix = in_plane_supercell(slab.lattice.matrix[0], slab.lattice.matrix[1], lengths)
    if (count := len(slab) * abs(round(float(np.linalg.det(matrix))))) > MAX_ATOMS:
        raise InputError(f"The slab would have {count} atoms, at most {MAX_ATOMS} are allowed.")
    return matrix


def _vacuum_along_c(raw: Structure, notes: list[str]) -> Structure:
    """Rename the cell vectors so that the vacuum lies along c and the cell is right-handed."""
    axis = vacuum_axis(raw)
    axis = 2 if axis is None else axis
    gaps = empty_along(raw)
    if max(gap for k, gap in enumerate(gaps) if k != axis) > WIRE_GAP:
        notes.append(
            "The file has empty space along two of its vectors: it is used as a slab, not as a wire or molecule."
        )
    order = [(axis + 1) % 3, (axis + 2) % 3, axis]
    if axis != 2:
        notes.append(f"The vacuum of the file lies along {'abc'[axis]}, which became c.")
    if np.linalg.det(raw.lattice.matrix) < 0:
        order[:2] = order[1::-1]
    properties = dict(raw.site_properties)
    if "selective_dynamics" in properties:
        properties["selective_dynamics"] = [
            [bool(flags[k]) for k in order] for flags in properties["selective_dynamics"]
        ]
    return Structure(raw.lattice.matrix[order], raw.species, raw.frac_coords[:, order], site_properties=properties)


def _upright(raw: Structure) -> Structure:
    """Make a slab whole where it crosses the border of its cell, turn a to x, and take c normal to a and b."""
    frac = np.mod(raw.frac_coords, 1.0)
    heights = np.sort(frac[:, 2])
    gaps = np.diff(np.append(heights, heights[0] + 1.0))
    lowest = heights[(int(np.argmax(gaps)) + 1) % len(heights)]
    frac[:, 2] = np.mod(frac[:, 2] - lowest + 1e-9, 1.0) - 1e-9
    a, b, _ = raw.lattice.matrix
    normal = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
    x = a / np.linalg.norm(a)
    turn = np.array([x, np.cross(normal, x), normal]).T
    cart = frac @ raw.lattice.matrix @ turn  # across the border by the file's own c, tilted or not
    a, b, c = raw.lattice.matrix @ turn
    lattice = Lattice([a, b, [0.0, 0.0, c[2]]], pbc=(True, True, False))
    return Structure(lattice, raw.species, cart, coords_are_cartesian=True, site_properties=raw.site_properties)


def _about_held(slab: Structure, notes: list[str]) -> None:
    """Say it where the held atoms lie at the top, where molecules are placed."""
    free = ~held(slab)
    z = slab.cart_coords[:, 2]
    if not free.all() and free.any() and z[~free].mean() > z[free].mean():
        notes.append("The atoms that the file holds lie at the top of the slab, where molecules are placed.")

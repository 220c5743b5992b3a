"""The distinct low-index faces of a crystal, by the symmetry of what its file says, and slabs of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt
import spglib
from pymatgen.core import Structure

from iface_wf.builders.components import label
from iface_wf.builders.solids.disorder import bulk
from iface_wf.builders.solids.miller import resolve_surface
from iface_wf.builders.solids.planes import SYMPREC
from iface_wf.builders.solids.slabs import build_slab, slab_terminations
from iface_wf.documents.labels import SLAB
from iface_wf.errors import InputError
from iface_wf.library.crystals import read_crystal
from iface_wf.library.records import FillerRecord, Miller

Matrix = npt.NDArray[np.float64]


def miller_basis(record: FillerRecord, seed: int) -> Matrix:
    """Return the vectors in whose basis Miller indices of a filler are meant, rows, A."""
    crystal = bulk(record, seed)
    return np.asarray(crystal.properties.get("miller_basis", crystal.lattice.matrix), dtype=float)


def distinct_faces(record: FillerRecord, largest: int, seed: int) -> list[Miller]:
    """List the faces that no symmetry operation of the crystal maps onto each other, opposite ones counting once.

    A crystal with partly occupied sites has the symmetry of its average: (100) and (010) of a cubic garnet are one face,
    however its lithium was ordered.

    Parameters
    ----------
    record
        The filler.
    largest
        Largest index.
    seed
        Seed of the ordering, whose cell may be another one than the file's.
    """
    basis = miller_basis(record, seed)
    normals = np.linalg.inv(basis)  # columns: reciprocal vectors
    turns = _rotations(read_crystal(record.crystal_path))
    faces = [h for h in product(range(-largest, largest + 1), repeat=3) if any(h) and math.gcd(*h) == 1]
    faces.sort(key=lambda h: (sum(abs(i) for i in h), [-i for i in h]))
    found: list[Miller] = []
    seen: list[Matrix] = []
    for face in faces:
        vector = normals @ np.array(face, dtype=float)
        if any(np.abs(one - vector).max() < 1e-4 for one in seen):
            continue
        found.append((face[0], face[1], face[2]))
        seen += [sign * (turn @ vector) for turn in turns for sign in (1, -1)]
    return found


def _rotations(crystal: Structure) -> list[Matrix]:
    """Return the point operations of a crystal, Cartesian; sites that are occupied alike count as one kind."""
    kinds = sorted({site.species_string for site in crystal})
    numbers = [kinds.index(site.species_string) + 1 for site in crystal]
    lattice = crystal.lattice.matrix
    found = spglib.get_symmetry((lattice, crystal.frac_coords, numbers), symprec=SYMPREC)
    if found is None:
        return [np.eye(3)]
    inverse = np.linalg.inv(lattice.T)
    return [lattice.T @ rotation @ inverse for rotation in np.unique(found["rotations"], axis=0)]


def crystal_of(record: FillerRecord, seed: int) -> Structure:
    """Return the ordered crystal as a part that can be calculated."""
    crystal = bulk(record, seed)
    bare = Structure(crystal.lattice, crystal.species, crystal.frac_coords)
    return label(bare, SLAB)


def slabs_of(
    record: FillerRecord, face: Miller, most: int, thickness: float, vacuum: float, seed: int
) -> Iterator[Structure | InputError]:
    """Build slabs of the first terminations of a face, whole formula units, on the smallest cell, with no atom held.

    Yields
    ------
    Structure or InputError
        The slab, or why that termination cannot be built.
    """
    spec = resolve_surface(record, face)
    cell = spec.in_plane if spec.condense and spec.in_plane is not None else (0.0, 0.0)
    for termination in slab_terminations(record, face, seed)[:most]:
        named = spec.model_copy(update={"termination": termination.label})
        try:
            slab = build_slab(record, named, thickness, cell, vacuum, seed)
        except InputError as error:
            yield error
            continue
        slab.remove_site_property("selective_dynamics")
        yield slab

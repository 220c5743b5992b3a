"""Electron densities: storage, differences and their profiles across an interface."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from dataclasses import dataclass

import h5py
import numpy as np
from numpy.typing import ArrayLike

from iface_wf.analysis.grid import FloatArray, Grid, check_same_grid
from iface_wf.documents.density import DensityKind, DensityRecord
from iface_wf.errors import CalculationError

INTEGRAL_TOLERANCE = 1e-3
"""A density difference must integrate to zero within this (e)."""

DATASET = "density"
_CHUNK = 64


def pack(values: ArrayLike, cell: ArrayLike, pbc: tuple[bool, bool, bool], kind: DensityKind) -> DensityRecord:
    """Compress a density: HDF5 in memory, float32, chunked, shuffled and gzipped.

    Integral and planar profile are taken before rounding to float32, which costs at most 6e-8 of a value.

    Parameters
    ----------
    values
        Density in e/A^3, shape (nx, ny, nz), point (i, j, k) at the fractions (i/nx, j/ny, k/nz).
    cell
        Cell vectors as rows, A.
    pbc
        Which directions are periodic.
    kind
        What the density holds.

    Raises
    ------
    CalculationError
        The density contains values that are not finite.
    """
    grid = Grid(np.asarray(values, dtype=np.float64), np.asarray(cell, dtype=np.float64), pbc)
    if not np.isfinite(grid.values).all():
        raise CalculationError("The density contains values that are not finite and is not stored.")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset(
            DATASET,
            data=grid.values.astype(np.float32),
            chunks=tuple(min(_CHUNK, n) for n in grid.shape),
            compression="gzip",
            compression_opts=4,
            shuffle=True,
        )
    raw = buffer.getvalue()
    first, second, third = ((float(v[0]), float(v[1]), float(v[2])) for v in grid.cell)
    return DensityRecord(
        kind=kind,
        shape=grid.shape,
        cell=(first, second, third),
        pbc=grid.pbc,
        n_electrons=grid.integral(),
        planar=planar_integral(grid).tolist(),
        sha256=hashlib.sha256(raw).hexdigest(),
        n_bytes=len(raw),
        blob=base64.b64encode(raw).decode("ascii"),
    )


def unpack(record: DensityRecord) -> FloatArray:
    """Return the density of a record as float64, e/A^3, after checking that it is the one that was stored.

    Raises
    ------
    CalculationError
        The bytes are not in the record, were changed, or hold an array of another shape.
    """
    if not isinstance(record.blob, str):
        raise CalculationError(
            "The density's bytes are not in its record: load the document together with its additional store."
        )
    try:
        raw = base64.b64decode(record.blob, validate=True)
    except binascii.Error as error:
        raise CalculationError("The stored density is damaged: its bytes are not base64 text.") from error
    digest = hashlib.sha256(raw).hexdigest()
    if digest != record.sha256:
        raise CalculationError(f"The stored density is damaged: SHA-256 {digest[:12]} instead of {record.sha256[:12]}.")
    with h5py.File(io.BytesIO(raw), "r") as file:
        values: FloatArray = file[DATASET][()].astype(np.float64)
    if values.shape != record.shape:
        raise CalculationError(f"The stored density has the shape {values.shape}, its record says {record.shape}.")
    return values


def unpack_grid(record: DensityRecord) -> Grid:
    """Return the density of a record together with its cell; errors as in `unpack`."""
    return Grid(unpack(record), np.array(record.cell), record.pbc)


def difference(ab: Grid, *fragments: Grid) -> Grid:
    """Return the charge-density difference ``rho(AB) - rho(A*) - rho(B*)``, e/A^3.

    Positive where electrons accumulate. The fragments keep the coordinates, cell and grid they have in AB.

    Parameters
    ----------
    ab
        Density of the whole system.
    fragments
        Densities of its parts, usually two.

    Raises
    ------
    MismatchError
        Shape, cell or periodicity differ.
    CalculationError
        The integral is not zero within 1e-3 e: charges or electron counts do not match.
    """
    check_same_grid(ab, *fragments)
    values = ab.values - fragments[0].values if fragments else ab.values.copy()
    for fragment in fragments[1:]:
        values -= fragment.values
    delta = Grid(values, ab.cell, ab.pbc)
    excess = delta.integral()
    if abs(excess) > INTEGRAL_TOLERANCE:
        raise CalculationError(
            f"The density difference integrates to {excess:+.4f} e instead of 0: the fragments and the "
            "whole differ in their number of electrons."
        )
    return delta


def planar_integral(grid: Grid) -> FloatArray:
    """Return the integral over the plane of the first two cell vectors, shape (nz,), e/A for a density.

    Its integral over the height of the cell is the integral of the grid; for slabs the height is along z.
    """
    nx, ny, _ = grid.shape
    profile: FloatArray = np.asarray(grid.values.sum(axis=(0, 1)) * (grid.area / (nx * ny)), dtype=np.float64)
    return profile


def heights(grid: Grid) -> FloatArray:
    """Return the height of every plane along c above the plane at 0, shape (nz,), A."""
    values: FloatArray = np.linspace(0.0, grid.volume / grid.area, grid.shape[2], endpoint=False)
    return values


@dataclass(frozen=True)
class DifferenceProfile:
    """How a density difference looks along the normal of an interface.

    Attributes
    ----------
    z
        Height of every plane, shape (nz,), A, rising; negative below the border of the cell where a slab crosses it.
    delta_rho_z
        Difference integrated over the plane, shape (nz,), e/A.
    delta_q_z
        Electrons gained below each plane, shape (nz,), e: the running integral of ``delta_rho_z``. At a plane between
        filler and molecule it is the charge transfer across that plane, positive = the filler gained electrons; it
        needs no partition into atoms.
    displaced_charge
        Half the integral of the absolute difference, e: how many electrons changed place.
    integral
        Integral of the difference, e: zero but for noise.
    """

    z: FloatArray
    delta_rho_z: FloatArray
    delta_q_z: FloatArray
    displaced_charge: float
    integral: float


def difference_profile(delta: Grid, start: float = 0.0) -> DifferenceProfile:
    """Return profile, running integral and displaced charge of a density difference.

    Parameters
    ----------
    delta
        The difference, e/A^3.
    start
        Fraction of c at which the running integral begins: in the vacuum, which is not at 0 where a slab stands on the
        border of the cell, see `iface_wf.analysis.vacuum.vacuum_middle`.
    """
    z = heights(delta)
    first = round(start * len(z)) % len(z)
    step = z[1] if len(z) > 1 else 0.0
    profile = np.roll(planar_integral(delta), -first)
    z = np.roll(np.where(np.arange(len(z)) < first, z, z - len(z) * step), -first) if first else z
    # A plane stands for the slice half a step to each side, hence half of its own charge lies below it.
    running = (np.cumsum(profile) - 0.5 * profile) * step
    return DifferenceProfile(
        z=z,
        delta_rho_z=profile,
        delta_q_z=running,
        # plane by plane: an array of all absolute values would take longer to make than to add up
        displaced_charge=0.5 * sum(float(np.abs(plane).sum()) for plane in delta.values) * delta.point_volume,
        integral=delta.integral(),
    )

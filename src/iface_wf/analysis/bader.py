"""Charges of atoms from Bader's partition of the electron density."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.spatial import cKDTree

from iface_wf.analysis.bader_domains import find_maxima, share, threads_to_use
from iface_wf.analysis.bader_weights import IntArray, voronoi_facets
from iface_wf.analysis.charges import CHARGE_TOLERANCE, component_sums
from iface_wf.analysis.grid import FloatArray, Grid, check_cell, check_same_grid
from iface_wf.documents.bader import BaderDocument, BaderFlag
from iface_wf.documents.density import DensityKind
from iface_wf.errors import CalculationError, InputError

VACUUM_CUT = 1e-3
"""Density at or below which a point belongs to no atom (e/A^3)."""

TAIL_CUT = 1e-5
"""Density at or below which even the owner of vacuum electrons is found by distance alone (e/A^3)."""

MAX_SPACING = 0.08
MAX_SPACING_HYDROGEN = 0.05
MAX_OFFSET = 0.5
MIN_ELECTRONS = 0.05
_NEGATIVE = -1e-3
_BLOCK = 0.3


@dataclass(frozen=True)
class _Partition:
    """What belongs to each atom, before it is checked.

    Attributes
    ----------
    electrons
        Electrons above the vacuum cut, shape (n_atoms,), e.
    vacuum_electrons
        Electrons below the vacuum cut, shape (n_atoms,), e.
    volumes
        Volume above the vacuum cut, shape (n_atoms,), A^3.
    maxima
        Fractional coordinates of the maxima, shape (m, 3).
    maxima_density
        Density at the maxima, shape (m,), e/A^3.
    """

    electrons: FloatArray
    vacuum_electrons: FloatArray
    volumes: FloatArray
    maxima: FloatArray
    maxima_density: FloatArray


def bader_charges(
    density: Grid,
    structure: Structure,
    *,
    kind: DensityKind = "all_electron",
    valence_electrons: Mapping[str, float] | Sequence[float] | None = None,
    reference: Grid | None = None,
    vacuum_cut: float = VACUUM_CUT,
) -> BaderDocument:
    """Divide the electrons between the atoms by Bader's partition, weight method.

    Yu and Trinkle, J. Chem. Phys. 134, 064111 (2011), doi 10.1063/1.3553716. The density should contain the core
    and have points no more than 0.08 A apart (0.05 A for hydrogen).

    Parameters
    ----------
    density
        Electrons per volume, e/A^3, laid out as in `iface_wf.analysis.grid`.
    structure
        The atoms, in the same cell. A site property ``component`` yields sums per component.
    kind
        ``"all_electron"``: neutral atoms have as many electrons as their atomic number. ``"valence"``: they have
        the numbers in ``valence_electrons``.
    valence_electrons
        Valence electrons in the pseudopotentials used, by element or of each atom; needed for ``kind="valence"``.
    reference
        Density whose basins are used instead, on the same grid: all-electron, when ``density`` is the valence.
    vacuum_cut
        Density at or below which a point belongs to no atom, e/A^3.

    Raises
    ------
    InputError
        The kind of density cannot be partitioned, or a number of valence electrons is missing.
    MismatchError
        Cells or grids differ.
    CalculationError
        An atom has no electrons or no maximum, or electrons were lost.
    """
    if kind not in ("all_electron", "valence"):
        raise InputError(f"A Bader analysis needs an all-electron or a valence density, not {kind!r}.")
    if len(structure) == 0:
        raise InputError("A Bader analysis needs at least one atom.")
    check_cell(density, structure)
    if reference is not None:
        check_same_grid(density, reference)
    ref = density if reference is None else reference
    partition = _partition(density, ref, structure, vacuum_cut)
    return _document(partition, density, ref, structure, kind, valence_electrons, vacuum_cut)


def _partition(density: Grid, reference: Grid, structure: Structure, vacuum_cut: float) -> _Partition:
    """Integrate ``density`` over the basins of ``reference``, both in e/A^3 on one grid.

    The basins are followed below the vacuum cut, down to 1e-5 e/A^3, to find the owners of ``vacuum_electrons``.
    """
    ref, threads = reference.values, threads_to_use()
    tail_cut = min(TAIL_CUT, vacuum_cut)
    offsets, ratios = voronoi_facets(reference.steps)
    maxima, single = find_maxima(ref, offsets, tail_cut, threads)
    fractions = np.stack(np.unravel_index(maxima, ref.shape), axis=-1) / np.array(reference.shape)
    owners, _ = _nearest_atoms(fractions, structure)
    charge, count, tail = share(
        ref, density.values, offsets, ratios, maxima, owners, len(structure), tail_cut, vacuum_cut, threads
    )
    heights = ref.reshape(-1)[maxima]
    counted = single & (heights > vacuum_cut)
    return _Partition(
        electrons=charge * density.point_volume,
        vacuum_electrons=tail * density.point_volume + given_to_nearest(density, ref <= tail_cut, structure),
        volumes=count * density.point_volume,
        maxima=fractions[counted],
        maxima_density=heights[counted],
    )


def _nearest_atoms(fractions: FloatArray, structure: Structure) -> tuple[IntArray, FloatArray]:
    """Return index of and distance to (A) the atom nearest to each point, shape (m,) each.

    Parameters
    ----------
    fractions
        Fractional coordinates, shape (m, 3).
    structure
        The atoms; images are considered along its periodic directions.
    """
    pbc = np.array(structure.lattice.pbc)
    cell = structure.lattice.matrix
    atoms = np.where(pbc, np.mod(structure.frac_coords, 1.0), structure.frac_coords)
    points = np.where(pbc, np.mod(fractions, 1.0), fractions)
    # A point and the nearest image of an atom lie no further apart than half the longest diagonal of the cell.
    signs = np.array(list(np.ndindex(2, 2, 2))) * 2 - 1
    reach = 0.5 * np.linalg.norm(signs @ cell, axis=1).max()
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    images = np.where(pbc, np.ceil(reach / heights), 0).astype(int)
    shifts = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in images], indexing="ij"), axis=-1)
    copies = (shifts.reshape(-1, 1, 3) + atoms).reshape(-1, 3)
    distance, index = cKDTree(copies @ cell).query(points @ cell)
    return np.asarray(index % len(structure), dtype=np.int64), np.asarray(distance, dtype=np.float64)


def given_to_nearest(density: Grid, chosen: NDArray[np.bool_], structure: Structure) -> FloatArray:
    """Attribute the electrons of the chosen points to the nearest atoms, shape (n_atoms,), e.

    Meant for points where the density is noise, negative values included. Points are taken together in blocks of
    about 0.3 A, so that the cost does not grow with the grid.
    """
    loose = np.where(chosen, density.values, 0.0)
    centres = []
    for axis, (n, step) in enumerate(zip(density.shape, density.spacing, strict=True)):
        size = max(1, round(_BLOCK / step))
        edges = np.arange(0, n, size)
        loose = np.add.reduceat(loose, edges, axis=axis)
        centres.append((edges + np.append(edges[1:], n) - 1) / (2 * n))
    filled = np.argwhere(loose != 0.0)
    fractions = np.stack([centre[filled[:, axis]] for axis, centre in enumerate(centres)], axis=-1)
    owners, _ = _nearest_atoms(fractions, structure)
    amounts = loose[tuple(filled.T)] * density.point_volume
    result: FloatArray = np.bincount(owners, weights=amounts, minlength=len(structure)).astype(np.float64)
    return result


def _document(
    partition: _Partition,
    density: Grid,
    reference: Grid,
    structure: Structure,
    kind: DensityKind,
    valence_electrons: Mapping[str, float] | Sequence[float] | None,
    vacuum_cut: float,
) -> BaderDocument:
    """Turn a partition into a document after its checks; errors as in `bader_charges`."""
    species = [site.specie.symbol for site in structure]
    references = _reference_charges(structure, kind, valence_electrons)
    vacuum = reference.values <= vacuum_cut
    vacuum_charge = float(density.values[vacuum].sum()) * density.point_volume
    total = density.integral()
    distances = _maximum_distances(partition.maxima, structure)
    _check(partition, species, distances, vacuum_charge, total)
    net = references - partition.electrons - partition.vacuum_electrons
    components = structure.site_properties.get("component")
    labels = None if components is None else [str(label) for label in components]
    return BaderDocument(
        method="weight",
        engine="iface-wf",
        engine_version=version("iface-wf"),
        density_kind=kind,
        partition_kind=kind if reference is density else "all_electron",
        shape=density.shape,
        spacing=density.spacing,
        vacuum_cut=vacuum_cut,
        species=species,
        components=labels,
        reference_charges=references.tolist(),
        electrons=partition.electrons.tolist(),
        vacuum_electrons=partition.vacuum_electrons.tolist(),
        net_charges=net.tolist(),
        net_charges_above_cut=(references - partition.electrons).tolist(),
        volumes=partition.volumes.tolist(),
        component_charges=None if labels is None else component_sums(labels, net.tolist()),
        total_electrons=total,
        vacuum_charge=vacuum_charge,
        vacuum_volume=float(np.count_nonzero(vacuum)) * density.point_volume,
        negative_charge=float(density.values[density.values < 0].sum()) * density.point_volume,
        min_density=float(density.values.min()),
        max_density=float(density.values.max()),
        n_maxima=len(partition.maxima),
        max_distance=float(distances.max()),
        flags=_flags(partition, density, structure, vacuum_cut),
    )


def _check(
    partition: _Partition, species: list[str], distances: FloatArray, vacuum_charge: float, total: float
) -> None:
    """Refuse a partition that lost electrons, or an atom without electrons or without a maximum of its own."""
    for what, found in (
        ("atoms and vacuum", float(partition.electrons.sum()) + vacuum_charge),
        ("atoms and their vacuum", float(partition.electrons.sum() + partition.vacuum_electrons.sum())),
    ):
        if abs(found - total) > CHARGE_TOLERANCE:
            raise CalculationError(f"Bader analysis: {what} hold {found:.4f} of {total:.4f} electrons.")
    for number, (name, electrons, distance) in enumerate(zip(species, partition.electrons, distances, strict=True)):
        if electrons < MIN_ELECTRONS or distance > MAX_OFFSET:
            raise CalculationError(
                f"Bader analysis found {electrons:.4f} e for atom {number} ({name}), {distance:.2f} A from the "
                "nearest maximum of the density: the grid is too coarse or the density lacks the core."
            )


def _reference_charges(
    structure: Structure, kind: DensityKind, valence_electrons: Mapping[str, float] | Sequence[float] | None
) -> FloatArray:
    if kind == "all_electron":
        return np.array([site.specie.Z for site in structure], dtype=np.float64)
    if isinstance(valence_electrons, Sequence):
        return np.array(valence_electrons, dtype=np.float64)
    given = valence_electrons or {}
    missing = sorted({site.specie.symbol for site in structure} - set(given))
    if missing:
        raise InputError(f"Bader charges of a valence density need the valence electrons of {', '.join(missing)}.")
    return np.array([given[site.specie.symbol] for site in structure], dtype=np.float64)


def _maximum_distances(maxima: FloatArray, structure: Structure) -> FloatArray:
    """Distance of every nucleus to the nearest maximum, shape (n_atoms,), A; infinite without maxima."""
    if len(maxima) == 0:
        return np.full(len(structure), np.inf)
    peaks = Structure(structure.lattice, ["H"] * len(maxima), maxima)
    return _nearest_atoms(structure.frac_coords, peaks)[1]


def _flags(partition: _Partition, density: Grid, structure: Structure, vacuum_cut: float) -> list[BaderFlag]:
    flags: list[BaderFlag] = []
    spacing = max(density.spacing)
    # Grids are made of whole points: do not complain about 0.0801.
    if spacing > MAX_SPACING * 1.005:
        flags.append("grid_too_coarse")
    elif spacing > MAX_SPACING_HYDROGEN * 1.005 and any(site.specie.symbol == "H" for site in structure):
        flags.append("grid_coarse_for_hydrogen")
    if density.values.min() < _NEGATIVE:
        flags.append("negative_density")
    strong = partition.maxima[partition.maxima_density > 10 * vacuum_cut]
    if len(strong) and _nearest_atoms(strong, structure)[1].max() > MAX_OFFSET:
        flags.append("maximum_off_nucleus")
    return flags

"""Charges of atoms from Hirshfeld's stockholder partition of the electron density."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from iface_wf.analysis.bader import given_to_nearest
from iface_wf.analysis.charges import CHARGE_TOLERANCE, component_sums
from iface_wf.analysis.grid import FloatArray, Grid, check_cell
from iface_wf.documents.hirshfeld import HirshfeldDocument
from iface_wf.errors import CalculationError, InputError

REACH = 1e-6
"""Density of a free atom below which it counts no more, e/A^3."""

_STEP = 0.002
"""Distance of neighbouring points of the tables that densities of free atoms are read from, A."""


@dataclass(frozen=True)
class FreeAtom:
    """Density of a free, neutral, spherical atom, core included.

    Attributes
    ----------
    radii
        Distances from the nucleus, ascending from about 0, A.
    density
        There, e/A^3.
    """

    radii: FloatArray
    density: FloatArray

    @property
    def reach(self) -> float:
        """Distance beyond which the density is below `REACH`, A."""
        within = np.flatnonzero(self.density > REACH)
        return float(self.radii[min(within.max() + 1, len(self.radii) - 1)]) if len(within) else 0.0

    def table(self) -> FloatArray:
        """Return the density at multiples of `_STEP`, up to the reach and two points beyond, where it is zero."""
        distances = np.arange(0.0, self.reach + 2 * _STEP, _STEP)
        found: FloatArray = np.interp(distances, self.radii, self.density)
        found[distances > self.reach] = 0.0
        return np.append(found, [0.0, 0.0])


def hirshfeld_charges(
    density: Grid,
    structure: Structure,
    free_atoms: Mapping[str, FreeAtom],
    source: str,
    own_electrons: Sequence[float] | None = None,
) -> HirshfeldDocument:
    """Divide the electrons between the atoms as their free atoms share the density at each point.

    Hirshfeld, Theor. Chim. Acta 44, 129 (1977), doi 10.1007/BF00549096.

    Parameters
    ----------
    density
        Electrons, e/A^3, laid out as in `iface_wf.analysis.grid`: all, or without cores, which lie where an atom has no neighbours
        to share with.
    structure
        The atoms, in the same cell. A site property ``component`` yields sums per component.
    free_atoms
        By element.
    source
        Where these are from.
    own_electrons
        Electrons that each atom brings into the density; default: its atomic number.

    Raises
    ------
    InputError
        When there are no atoms, or the density of a free atom is missing.
    MismatchError
        When the cells differ.
    CalculationError
        When electrons were lost.
    """
    species = [site.specie.symbol for site in structure]
    missing = sorted(set(species) - set(free_atoms))
    if missing or not species:
        raise InputError(f"Hirshfeld charges need the free atoms of {', '.join(missing) or 'at least one element'}.")
    check_cell(density, structure)
    tables = {symbol: free_atoms[symbol].table() for symbol in set(species)}
    together = np.zeros(density.shape)
    for symbol, position in zip(species, structure.frac_coords, strict=True):

        def add(planes: tuple[NDArray[np.int64], ...], own: FloatArray) -> None:
            together[np.ix_(*planes)] += own

        _around(density, position, tables[symbol], add)
    far = together <= 0.0
    ratio = np.divide(density.values, together, out=np.zeros(density.shape), where=~far)
    electrons = np.zeros(len(species))
    for number, (symbol, position) in enumerate(zip(species, structure.frac_coords, strict=True)):

        def take(planes: tuple[NDArray[np.int64], ...], own: FloatArray, number: int = number) -> None:
            electrons[number] += float((ratio[np.ix_(*planes)] * own).sum())

        _around(density, position, tables[symbol], take)
    rest = given_to_nearest(density, far, structure)
    electrons = electrons * density.point_volume + rest
    own = np.array([site.specie.Z for site in structure] if own_electrons is None else own_electrons, dtype=float)
    return _document(density, structure, own, electrons, float(rest.sum()), source)


def _around(
    grid: Grid,
    position: FloatArray,
    table: FloatArray,
    use: Callable[[tuple[NDArray[np.int64], ...], FloatArray], None],
) -> None:
    """Hand the density of one free atom to ``use``, plane by plane: indices along each axis, and its values there.

    Parameters
    ----------
    grid
        Whose points count.
    position
        Of the nucleus, fractions of the cell.
    table
        See `FreeAtom.table`.
    use
        An atom that reaches over more than one cell meets points again, in another call.
    """
    shape, steps = np.array(grid.shape), grid.steps
    reach = (len(table) - 3) * _STEP
    centre = position * shape
    extent = reach * np.linalg.norm(np.linalg.inv(steps), axis=0)
    ranges = []
    for axis in range(3):
        first, last = np.ceil(centre[axis] - extent[axis]), np.floor(centre[axis] + extent[axis])
        indices = np.arange(int(first), int(last) + 1, dtype=np.int64)
        ranges.append(indices if grid.pbc[axis] else indices[(indices >= 0) & (indices < shape[axis])])
    # blocks of one cell each, so that no point occurs twice in one call
    along = [_cells(indices, int(n)) for indices, n in zip(ranges, shape, strict=True)]
    for i in ranges[0]:
        for second in along[1]:
            for third in along[2]:
                rows = (i - centre[0]) * steps[0] + (second - centre[1])[:, None] * steps[1]
                columns = (third - centre[2])[:, None] * steps[2]
                # axis by axis: three small arrays take half the time of one with a vector for each point
                square = sum(np.add.outer(rows[:, axis], columns[:, axis]) ** 2 for axis in range(3))
                place = np.minimum(np.sqrt(square) / _STEP, len(table) - 2.0)
                low = place.astype(np.int64)
                own = table[low] + (place - low) * (table[low + 1] - table[low])
                planes = (np.array([i % shape[0]]), second % shape[1], third % shape[2])
                use(planes, own[None])


def _cells(indices: NDArray[np.int64], n: int) -> list[NDArray[np.int64]]:
    """Divide indices into runs that lie in one cell of ``n`` points."""
    return [indices[indices // n == cell] for cell in np.unique(indices // n)]


def _document(
    density: Grid, structure: Structure, own: FloatArray, electrons: FloatArray, far: float, source: str
) -> HirshfeldDocument:
    total = density.integral()
    if abs(float(electrons.sum()) - total) > CHARGE_TOLERANCE:
        raise CalculationError(f"Hirshfeld analysis: atoms hold {electrons.sum():.4f} of {total:.4f} electrons.")
    net = own - electrons
    components = structure.site_properties.get("component")
    labels = None if components is None else [str(label) for label in components]
    return HirshfeldDocument(
        engine="iface-wf",
        engine_version=version("iface-wf"),
        species=[site.specie.symbol for site in structure],
        components=labels,
        net_charges=net.tolist(),
        component_charges=None if labels is None else component_sums(labels, net.tolist()),
        free_atoms=source,
        shape=density.shape,
        spacing=density.spacing,
        electrons=electrons.tolist(),
        total_electrons=total,
        far_electrons=far,
    )

"""Density and potential matrix of atom-centred functions on the grid, by matrix products.

GPAW walks over the grid point by point and multiplies functions pair by pair, which takes nine tenths of the time of a surface
in LCAO mode. Here the grid is cut into boxes; in each, all functions that reach into it stand in one matrix of values, and
density and potential matrix are products of such matrices. The sums are the same in another order, so results agree to
rounding. `use_matrix_products` puts it in GPAW's place in this process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gpaw.lfc import BasisFunctions
from gpaw.new.lcao.ibzwfs import LCAOIBZWaveFunctions

#: Grid points along an edge of a box: small enough that few functions only touch a box, large enough for products to be fast.
EDGE = 10
#: So many values of functions (8 bytes each) are kept at most; larger systems are left to GPAW.
MOST_VALUES = 500_000_000

_potential_of_gpaw = BasisFunctions.calculate_potential_matrices
_sum_of_gpaw = LCAOIBZWaveFunctions.add_to_density


@dataclass(frozen=True)
class Box:
    """Some neighbouring grid points, and the values of all functions there.

    Attributes
    ----------
    points
        Indices of the points in the flattened grid, shape (n_points,).
    functions
        Indices of the functions in density matrices, shape (n_rows,). With k-points, images of a function have a row each.
    cells
        The cells of the rows, as GPAW numbers them, each with its first and last row; rows are sorted by cell.
    values
        Values of the functions, Bohr^-3/2, shape (n_rows, n_points).
    """

    points: np.ndarray
    functions: np.ndarray
    cells: list[tuple[int, slice]]
    values: np.ndarray

    def pairs(self) -> Any:
        """Yield the distance of two cells (an index of GPAW's displacements, never negative), and the rows of both."""
        for number, (first, rows) in enumerate(self.cells):
            for second, columns in self.cells[number:]:
                yield second - first, rows, columns


class GridMatrices:
    """The boxes of a basis at its present positions.

    Parameters
    ----------
    basis
        With its positions set; of a parallel calculation, the part of the grid that this rank has.
    """

    def __init__(self, basis: BasisFunctions) -> None:
        self.made_for = basis.lfc
        self.folded = all_real(basis)
        cell_of_volume = np.zeros(len(basis.M_W), dtype=int) if self.folded else np.asarray(basis.x_W)
        box_of_point, points, first, place_in_box = _cut(np.array(basis.gd.n_c))
        parts: list[list[tuple[int, int, np.ndarray, np.ndarray]]] = [[] for _ in range(len(first) - 1)]
        runs_of_volume = [runs for a in basis.atom_indices for runs in basis.sphere_a[a].G_wb]
        for volume, (runs, values) in enumerate(zip(runs_of_volume, basis.A_Wgm, strict=True)):
            inside = np.concatenate([np.arange(start, stop) for start, stop in np.reshape(runs, (-1, 2))])
            boxes = box_of_point[inside]
            order = np.argsort(boxes, kind="stable")
            found, starts = np.unique(boxes[order], return_index=True)
            for box, chosen in zip(found, np.split(order, starts[1:]), strict=True):
                parts[box].append(
                    (
                        int(cell_of_volume[volume]),
                        int(basis.M_W[volume]),
                        place_in_box[inside[chosen]],
                        values[chosen],
                    )
                )
        self.boxes = [
            self._box(points[first[number] : first[number + 1]], of_box)
            for number, of_box in enumerate(parts)
            if of_box
        ]

    def _box(self, points: np.ndarray, parts: list[tuple[int, int, np.ndarray, np.ndarray]]) -> Box:
        """Put the functions of a box together; at Gamma the images of a function are added up."""
        parts = sorted(parts, key=lambda part: part[:2])
        rows: dict[tuple[int, int], int] = {}
        for cell, function, _, values in parts:
            for m in range(values.shape[1]):
                rows.setdefault((cell, function + m), len(rows))
        table = np.zeros((len(rows), len(points)))
        for cell, function, places, values in parts:
            row = rows[cell, function]
            table[row : row + values.shape[1], places] += values.T
        cells, starts = np.unique([cell for cell, _ in rows], return_index=True)
        stops = [*starts[1:], len(rows)]
        return Box(
            points,
            np.array([function for _, function in rows]),
            [(int(c), slice(int(a), int(b))) for c, a, b in zip(cells, starts, stops, strict=True)],
            table,
        )

    def add_density(self, density_matrices: np.ndarray, density: np.ndarray) -> None:
        """Add the density to a flattened grid.

        Parameters
        ----------
        density_matrices
            Real part of the density matrix times the phase of a displacement, for all displacements, shape (n_x, n, n).
        density
            Bohr^-3, shape (n_points of the grid,).
        """
        for box in self.boxes:
            matrix = np.zeros((len(box.functions),) * 2)
            for distance, rows, columns in box.pairs():
                block = density_matrices[distance][np.ix_(box.functions[rows], box.functions[columns])]
                matrix[rows, columns] = block if distance == 0 else 2.0 * block
            density[box.points] += np.einsum("mg,mg->g", box.values, matrix @ box.values)

    def add_potential(self, potential: np.ndarray, matrices: np.ndarray) -> None:
        """Add the matrix elements of a potential.

        Parameters
        ----------
        potential
            Hartree, times the volume of a point, shape (n_points of the grid,).
        matrices
            By displacement, shape (n_x, n, n).
        """
        for box in self.boxes:
            product = (box.values * potential[box.points]) @ box.values.T
            for distance, rows, columns in box.pairs():
                place = np.ix_(box.functions[rows], box.functions[columns])
                matrices[distance][place] += product[rows, columns]


def _cut(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the box of each point, the points sorted by box, where each box begins there, and a point's place in its box."""
    counts = -(-shape // EDGE)
    along = [np.arange(n) // EDGE for n in shape]
    box_of_point = np.ravel_multi_index(np.meshgrid(*along, indexing="ij"), counts).ravel()
    points = np.argsort(box_of_point, kind="stable")
    first = np.searchsorted(box_of_point[points], np.arange(counts.prod() + 1))
    place = np.empty(len(points), dtype=np.intp)
    place[points] = np.arange(len(points)) - first[box_of_point[points]]
    return box_of_point, points, first, place


def all_real(basis: BasisFunctions) -> bool:
    """Whether only Gamma is calculated, and in real numbers: then the images of a function are one."""
    return bool(basis.gamma and basis.dtype == float)


def matrices_of(basis: BasisFunctions) -> GridMatrices | None:
    """Return the boxes of a basis, made anew where its atoms have moved; None where the work is GPAW's."""
    if basis.xp is not np or (basis.Mstart, basis.Mstop) != (0, basis.Mmax) or not basis.use_global_indices:
        return None
    made: GridMatrices | None = basis.__dict__.get("grid_matrices")
    if made is None or made.made_for is not basis.lfc:
        basis.__dict__.pop("grid_matrices", None)  # the old one's memory goes before the new one's comes
        if sum(values.size for values in basis.A_Wgm) > MOST_VALUES / 2:  # a box is about half full
            return None
        made = basis.__dict__["grid_matrices"] = GridMatrices(basis)
    return made


def by_displacement(basis: BasisFunctions, rho_MM: np.ndarray, q: int) -> np.ndarray:
    """Return the real part of a k-point's density matrix times the phase of each displacement, shape (n_x, n, n)."""
    if all_real(basis):
        return rho_MM[np.newaxis]
    kpoint = np.zeros(3) if basis.gamma else basis.ibzk_qc[q]
    phases = np.exp(-2j * np.pi * (basis.sdisp_xc @ kpoint))
    found = np.empty((len(phases), *rho_MM.shape))
    for matrix, phase in zip(found, phases, strict=True):
        np.multiply(rho_MM.real, phase.real, out=matrix)
        if abs(phase.imag) > 1e-15:
            matrix -= rho_MM.imag * phase.imag
    return found


def add_to_density(ibzwfs: LCAOIBZWaveFunctions, nt_sR: Any, D_asii: Any) -> None:
    """Add the density of all k-points and its atomic matrices, as GPAW's method of this name does: the k-points in one product.

    Parameters
    ----------
    ibzwfs
        The wave functions of this rank.
    nt_sR
        Density of each spin, Bohr^-3.
    D_asii
        Atomic density matrices.
    """
    all_wfs = list(ibzwfs)
    made = matrices_of(all_wfs[0].basis) if all_wfs else None
    if made is None or all_wfs[0].ncomponents == 4 or any(wfs.basis is not all_wfs[0].basis for wfs in all_wfs):
        _sum_of_gpaw(ibzwfs, nt_sR, D_asii)
        return
    of_spin: dict[int, np.ndarray] = {}
    for wfs in all_wfs:
        found = by_displacement(wfs.basis, wfs.calculate_density_matrix(), wfs.q)
        of_spin[wfs.spin] = of_spin[wfs.spin] + found if wfs.spin in of_spin else found
        wfs.add_to_atomic_density_matrices(wfs.weight * wfs.spin_degeneracy * wfs.myocc_n, D_asii)
    for spin, matrices in of_spin.items():
        made.add_density(matrices, nt_sR.data[spin].reshape(-1))
    for comm in (ibzwfs.kpt_comm, ibzwfs.band_comm):
        comm.sum(nt_sR.data)
        comm.sum(D_asii.data)


def calculate_potential_matrices(basis: BasisFunctions, vt_G: np.ndarray) -> np.ndarray:
    """Return the matrix elements of a potential by displacement, as GPAW's method of this name does.

    Parameters
    ----------
    basis
        The functions.
    vt_G
        Hartree, on this rank's part of the grid.

    Returns
    -------
    ndarray
        Hartree, shape (n_x, n, n), or (1, n, n) where all is real.
    """
    made = matrices_of(basis)
    if made is None:
        matrices: np.ndarray = _potential_of_gpaw(basis, vt_G)
        return matrices
    matrices = np.zeros((1 if made.folded else len(basis.sdisp_xc), basis.Mmax, basis.Mmax))
    made.add_potential(np.asarray(vt_G).reshape(-1) * basis.gd.dv, matrices)
    return matrices


def use_matrix_products() -> None:
    """Let GPAW's atom-centred functions use these, in this process."""
    BasisFunctions.calculate_potential_matrices = calculate_potential_matrices
    LCAOIBZWaveFunctions.add_to_density = add_to_density

"""GPAW's LCAO mode with matrix products: the same numbers as GPAW's own loops, to rounding."""

from __future__ import annotations

from collections.abc import Iterator

import gpaw
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from gpaw import GPAW
from gpaw.core.matrix import MatrixDistribution
from gpaw.lfc import BasisFunctions
from gpaw.new.lcao.hamiltonian import CollinearHamiltonianMatrixCalculator
from gpaw.new.lcao.ibzwfs import LCAOIBZWaveFunctions

from iface_wf.engines.gpaw import lcao_grid
from iface_wf.engines.gpaw.lcao_grid import GridMatrices, use_matrix_products
from iface_wf.engines.gpaw.lcao_kpoints import use_larger_products
from iface_wf.engines.gpaw.replaced import KNOWN

REPLACED = {
    BasisFunctions: ["calculate_potential_matrices"],
    LCAOIBZWaveFunctions: ["add_to_density"],
    CollinearHamiltonianMatrixCalculator: ["_calculate_matrix_without_kinetic"],
    MatrixDistribution: ["eigh_serial"],
}


@pytest.fixture
def gpaws_own() -> Iterator[None]:
    """Put GPAW's methods back afterwards."""
    kept = {(owner, name): getattr(owner, name) for owner, names in REPLACED.items() for name in names}
    yield
    for (owner, name), method in kept.items():
        setattr(owner, name, method)


def system(spin: bool = False) -> Atoms:
    """Lithium hydroxide in a cell so small that functions meet their own images."""
    atoms = Atoms("OHLi", [(0.2, 0.1, 0.0), (0.3, 0.2, 0.97), (1.9, 0.3, -0.4)], cell=[4.2, 4.6, 8.0], pbc=(1, 1, 0))
    atoms.center(axis=2)
    if spin:
        del atoms[2]
        atoms.set_initial_magnetic_moments([1.0, 0.0])
    return atoms


def solved(
    atoms: Atoms, kpoints: tuple[int, int, int], **more: object
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Return energy (eV), forces (eV/A), density and eigenvalues; the atoms move once, so that everything is set up again."""
    atoms = atoms.copy()
    atoms.calc = GPAW(
        mode="lcao",
        basis="dzp",
        gpts=(20, 24, 40),
        kpts={"size": kpoints, "gamma": True},
        symmetry={"point_group": False},
        convergence={"energy": 1e-8, "density": 1e-7},
        txt=None,
        **more,
    )
    atoms.get_potential_energy()
    atoms.positions[0] += [0.03, -0.02, 0.04]
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    return energy, forces, atoms.calc.dft.density.nt_sR.data.copy(), atoms.calc.get_eigenvalues(kpt=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kpoints", "spin", "ghosts"),
    [
        pytest.param((1, 1, 1), False, False, id="gamma"),
        pytest.param((2, 2, 1), False, False, id="real_kpoints"),
        pytest.param((3, 2, 1), False, True, id="complex_kpoints_and_a_ghost"),
        pytest.param((1, 1, 1), True, False, id="spin"),
    ],
)
def test_matrix_products_give_gpaws_numbers(
    gpaws_own: None, kpoints: tuple[int, int, int], spin: bool, ghosts: bool
) -> None:
    more: dict[str, object] = {"setups": {2: "ghost"}} if ghosts else {}
    more |= {"spinpol": True} if spin else {}
    expected = solved(system(spin), kpoints, **more)
    use_matrix_products()
    use_larger_products()
    assert LCAOIBZWaveFunctions.add_to_density is lcao_grid.add_to_density
    found = solved(system(spin), kpoints, **more)
    # Both stop at the same step of the SCF: what differs is the rounding of sums in double precision.
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_large_systems_are_left_to_gpaw(gpaws_own: None, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = solved(system(), (1, 1, 1))[0]
    use_matrix_products()
    monkeypatch.setattr(lcao_grid, "MOST_VALUES", 10)
    monkeypatch.setattr(lcao_grid, "GridMatrices", None)  # making one would fail
    assert solved(system(), (1, 1, 1))[0] == pytest.approx(expected, abs=1e-9)


def test_boxes_hold_every_value_once() -> None:
    """The sum over boxes of a function squared is GPAW's own norm of it."""
    atoms = molecule("H2O", vacuum=3.0)
    calc = GPAW(mode="lcao", basis="dzp", gpts=(28, 32, 28), txt=None)
    calc.create_new_calculation(atoms)
    basis = next(iter(calc.dft.ibzwfs)).basis
    made = GridMatrices(basis)
    norms, expected = np.zeros(basis.Mmax), np.zeros(basis.Mmax)
    for box in made.boxes:
        np.add.at(norms, box.functions, (box.values**2).sum(axis=1))
    for first, values in zip(basis.M_W, basis.A_Wgm, strict=True):
        expected[first : first + values.shape[1]] += (values**2).sum(axis=0)
    np.testing.assert_allclose(norms, expected, rtol=1e-12)
    assert sorted(np.concatenate([box.points for box in made.boxes])) == sorted(
        {int(point) for box in made.boxes for point in box.points}
    )


def test_the_version_of_gpaw_is_one_whose_methods_are_known() -> None:
    """With another one the loops of GPAW come back, silently and several times slower: look at them, and raise KNOWN."""
    assert gpaw.__version__.startswith(KNOWN)

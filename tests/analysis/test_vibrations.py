"""Wavenumbers and thermal energies against what is known exactly, and against tables of measured entropies."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.units import J, _amu, _c, _e, _Nav, kB

from iface_wf.analysis.thermochemistry import gas, held
from iface_wf.analysis.vibrations import modes, rigid_directions
from iface_wf.errors import InputError

R = _Nav / J  # eV in J/mol
NITROGEN = Atoms("N2", [[0, 0, 0], [0, 0, 1.0977]])  # measured


def springs(positions, constants):
    """Hessian of atoms joined by springs, eV/A^2: {(i, j): constant}."""
    n = len(positions)
    found = np.zeros((3 * n, 3 * n))
    for (i, j), k in constants.items():
        along = positions[j] - positions[i]
        block = k * np.outer(along, along) / (along @ along)
        for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
            found[3 * a : 3 * a + 3, 3 * b : 3 * b + 3] += sign * block
    return found


def test_two_atoms_on_a_spring_have_the_wavenumber_of_their_reduced_mass():
    positions, masses, k = np.array([[0.1, 0.2, 0.3], [0.8, 0.9, 1.2]]), np.array([1.008, 34.97]), 32.0
    reduced = np.prod(masses) / masses.sum() * _amu
    expected = np.sqrt(k * _e * 1e20 / reduced) / (2 * np.pi * _c * 100)  # 1/cm, by SI units
    found = modes(springs(positions, {(0, 1): k}), masses, positions)
    assert found.wavenumbers == pytest.approx([expected], rel=1e-6)
    assert (found.n_rigid, found.imaginary) == (5, [])
    assert found.rigid < 1e-3


def test_heavier_isotopes_vibrate_more_slowly_by_the_square_root_of_their_masses():
    positions = np.array([[0, 0, 0], [0, 0, 0.74]])
    hessian = springs(positions, {(0, 1): 36.0})
    light, heavy = (modes(hessian, np.array([m, m]), positions).wavenumbers[0] for m in (1.008, 2.014))
    assert light / heavy == pytest.approx(np.sqrt(2.014 / 1.008), rel=1e-9)


def test_order_of_atoms_and_place_in_space_leave_wavenumbers_alone():
    rng = np.random.default_rng(1)
    positions, masses = rng.normal(size=(4, 3)), np.array([1.0, 12.0, 16.0, 7.0])
    pairs = {(i, j): 1.0 + i + j for i in range(4) for j in range(i)}
    reference = modes(springs(positions, pairs), masses, positions)
    assert reference.n_rigid == 6
    order = [2, 0, 3, 1]
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    moved = (positions @ turned.T)[order] + 5.0
    shuffled = {(order.index(i), order.index(j)): k for (i, j), k in pairs.items()}
    found = modes(springs(moved, shuffled), masses[order], moved)
    assert found.wavenumbers == pytest.approx(reference.wavenumbers, abs=1e-6)
    # the sum rule: squared wavenumbers add up to the trace of the mass-weighted second derivatives
    trace = np.trace(springs(positions, pairs) / np.repeat(masses, 3)[:, None])
    unit = modes(springs(positions[:2], {(0, 1): 1.0}), np.array([2.0, 2.0]), positions[:2]).wavenumbers[
        0
    ]  # k / mu = 1
    assert (reference.wavenumbers**2).sum() == pytest.approx(trace * unit**2, rel=1e-9)


def test_noise_in_rotations_is_projected_out_and_told():
    water = molecule("H2O")
    pairs = {(0, 1): 50.0, (0, 2): 50.0, (1, 2): 5.0}
    noisy = springs(water.positions, pairs) + 0.05 * np.eye(9)  # as of a molecule that something weakly holds
    clean = modes(springs(water.positions, pairs), water.get_masses(), water.positions)
    found = modes(noisy, water.get_masses(), water.positions)
    assert len(found.wavenumbers) == 3
    assert found.wavenumbers == pytest.approx(clean.wavenumbers, rel=0.01)
    assert found.rigid > 50 > clean.rigid
    assert len(modes(noisy, water.get_masses()).wavenumbers) == 9  # held: nothing is projected out


def test_atoms_and_negative_curvatures():
    atom = modes(np.zeros((3, 3)), np.array([4.0]), np.zeros((1, 3)))
    assert (len(atom.wavenumbers), atom.n_rigid) == (0, 3)
    pair = np.array([[0, 0, 0], [0, 0, 1.0]])
    assert modes(springs(pair, {(0, 1): -1.0}), np.ones(2), pair).imaginary == [pytest.approx(737.0, rel=0.01)]
    directions = rigid_directions(molecule("CH4").positions, molecule("CH4").get_masses())
    assert directions.T @ directions == pytest.approx(np.eye(6), abs=1e-12)


def test_what_is_no_hessian_is_refused():
    with pytest.raises(InputError, match="of 2 atoms are 6 x 6 finite numbers"):
        modes(np.zeros((3, 3)), np.ones(2))
    with pytest.raises(InputError, match="finite"):
        modes(np.full((3, 3), np.nan), np.ones(1))


# Standard entropies at 298.15 K and 1 bar, J/(mol K): CODATA key values (Cox, Wagman, Medvedev, 1989); measured fundamentals, 1/cm
@pytest.mark.parametrize(
    ("name", "shape", "symmetry", "wavenumbers", "expected"),
    [
        ("Ar", "monatomic", 1, [], 154.846),
        ("N2", "linear", 2, [2330.0], 191.609),
        ("H2O", "nonlinear", 2, [1595.0, 3657.0, 3756.0], 188.835),
        ("NH3", "nonlinear", 3, [950.0, 1627.0, 1627.0, 3337.0, 3444.0, 3444.0], 192.77),
    ],
)
def test_entropies_of_gases_are_those_of_tables(name, shape, symmetry, wavenumbers, expected):
    atoms = {"Ar": Atoms("Ar"), "N2": NITROGEN}.get(name) or molecule(name)
    found = gas(wavenumbers, atoms, shape, symmetry, 0.0, 298.15, 1.0)
    assert found.entropy * R == pytest.approx(expected, abs=0.4)
    assert found.free_energy == pytest.approx(found.energy - 298.15 * found.entropy, abs=1e-12)


def test_enthalpy_of_a_gas_and_its_pressure():
    atoms = NITROGEN
    one, little = (gas([2330.0], atoms, "linear", 2, 0.0, 298.15, p) for p in (1.0, 0.01))
    # H(298.15 K) - H(0 K) of N2 is 8.670 kJ/mol (CODATA)
    assert (one.energy - one.zero_point) * R / 1000 == pytest.approx(8.670, abs=0.02)
    assert one.zero_point == pytest.approx(0.5 * 2330.0 * 1.239842e-4, rel=1e-6)
    assert one.free_energy - little.free_energy == pytest.approx(kB * 298.15 * np.log(100), rel=1e-9)
    radical = gas([2330.0], atoms, "linear", 2, 0.5, 298.15, 1.0)
    assert radical.entropy - one.entropy == pytest.approx(kB * np.log(2), rel=1e-9)


def test_soft_modes_have_bounded_entropies_and_stiff_ones_are_harmonic():
    stiff = held([1500.0], 300.0)
    x = 1500.0 * 1.239842e-4 / (kB * 300.0)
    assert stiff.entropy == pytest.approx(kB * (x / np.expm1(x) - np.log1p(-np.exp(-x))), rel=2e-2)
    soft = [held([w], 300.0).entropy for w in (1.0, 10.0, 100.0, 1000.0)]
    harmonic = kB * (1 + np.log(kB * 300.0 / (1.0 * 1.239842e-4)))
    assert soft == sorted(soft, reverse=True)
    assert soft[0] < 0.75 * harmonic
    assert held([-30.0], 300.0) == held([30.0], 300.0)  # imaginary: by its magnitude


def test_in_the_cold_only_the_zero_point_is_left():
    found = held([800.0, 1200.0], 10.0)
    assert found.zero_point == pytest.approx(0.5 * 2000.0 * 1.239842e-4, rel=1e-6)
    assert found.energy == pytest.approx(found.zero_point, abs=1e-12)
    assert found.free_energy == pytest.approx(found.zero_point, abs=2e-3)

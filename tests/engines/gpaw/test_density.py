from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import molecule
from ase.units import Bohr
from gpaw import GPAW

from iface_wf.analysis.density import heights
from iface_wf.analysis.grid import Grid
from iface_wf.analysis.potential import planar_average, vacuum_levels
from iface_wf.engines.gpaw import density as gpaw_density
from iface_wf.engines.gpaw.density import all_electron_density, electrostatic_potential, pseudo_density
from iface_wf.errors import InputError
from tests.engines.gpaw.splines import splines_of_gpaw

# Densities are tested, not energies: a loosely converged one has partial waves and occupations like any other.
LOOSE = {"density": 1e-2, "energy": 1e-2, "eigenstates": 1e-2}


def calculate(atoms, **parameters):
    defaults = {"xc": "PBE", "txt": None, "h": 0.22, "convergence": LOOSE, "symmetry": "off"}
    atoms.calc = GPAW(**defaults | parameters)
    atoms.get_potential_energy()
    return atoms.calc


def water(pbc=(True, True, False)):
    atoms = molecule("H2O", cell=(5.2, 5.6, 6.0), pbc=pbc)
    atoms.rotate(35, (1, 2, 3))
    atoms.center()
    return atoms


def distances(atoms, shape):
    """Distance of every grid point to the nearest atom."""
    fractions = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1)
    result = np.full(shape, np.inf)
    for position in atoms.get_scaled_positions():
        d = fractions - position
        result = np.minimum(result, np.linalg.norm((d - np.round(d)) @ atoms.cell.array, axis=-1))
    return result


@pytest.fixture(scope="module")
def lcao_water():
    return calculate(water(), mode="lcao", basis="dzp")


@pytest.fixture(scope="module", params=["lcao 110", "pw 110", "fd 000 charged", "lcao 000 spin", "pw 111 oblique"])
def case(request, lcao_water):
    if request.param == "lcao 110":
        return lcao_water, 10
    if request.param == "pw 110":
        return calculate(water(), mode={"name": "pw", "ecut": 300}), 10
    if request.param == "fd 000 charged":
        ion = molecule("OH", cell=(5.6, 5.6, 6.0))
        ion.center()
        return calculate(ion, mode="fd", charge=-1), 10
    if request.param == "lcao 000 spin":
        radical = molecule("OH", cell=(5.6, 5.6, 6.0))
        radical.set_initial_magnetic_moments([1, 0])
        radical.center()
        return calculate(radical, mode="lcao", basis="dzp"), 9
    cell = [[2.8, 0, 0], [-1.4, 1.4 * np.sqrt(3), 0], [0, 0, 4.4]]
    lithium_fluoride = Atoms("LiF", [[0, 0, 0], [0, 0, 2.0]], cell=cell, pbc=True)
    return calculate(lithium_fluoride, mode={"name": "pw", "ecut": 300}, kpts=(2, 2, 1)), 12


@pytest.mark.slow
def test_all_electrons_are_there_on_a_grid_as_fine_as_asked(case):
    calc, electrons = case
    rho, info = all_electron_density(calc, spacing=0.1)
    assert info["n_electrons"] == pytest.approx(electrons, abs=1e-4)
    assert rho.sum() * calc.atoms.get_volume() / rho.size == pytest.approx(electrons, abs=1e-4)
    spacings = np.linalg.norm(calc.atoms.cell.array / np.array(rho.shape)[:, None], axis=1)
    assert 0.095 < spacings.min() <= spacings.max() <= 0.1 + 1e-6
    assert info["shape"] == list(rho.shape)
    assert info["pbc"] == calc.atoms.pbc.tolist()


def test_correction_agrees_with_gpaw(case):
    """Without interpolation of the smooth density, so that the atomic corrections alone are compared.

    GPAW interpolates partial waves from few equidistant points, we use those of the data set. That moves the
    density by some 2e-5 e/A^3 between 0.5 A and the edge of a sphere, and nothing outside.
    """
    calc, _ = case
    rho, _ = all_electron_density(calc, spacing=1.0)
    reference = calc.dft.densities().all_electron_densities().data.sum(axis=0)
    difference = abs(rho - reference)
    distance = distances(calc.atoms, rho.shape)
    spheres = [gpaw_density._PartialWaves.of(setup).radius * Bohr for setup in calc.dft.setups]
    assert difference[distance > 0.5].max() < 1e-4
    assert difference[distance > 1.05 * max(spheres)].max() < 1e-9
    assert rho.max() == pytest.approx(reference.max(), rel=1e-3)


def test_pseudo_density_holds_the_valence_electrons_on_the_padded_grid(case):
    calc, electrons = case
    rho = pseudo_density(calc)
    core = sum(setup.Nc for setup in calc.dft.setups)
    assert rho.sum() * calc.atoms.get_volume() / rho.size == pytest.approx(electrons - core, abs=1e-4)
    assert rho.shape == tuple(calc.dft.density.nt_sR.desc.size_c)
    for axis, periodic in enumerate(calc.atoms.pbc):
        if not periodic:
            assert abs(np.take(rho, 0, axis=axis)).max() < 1e-3


def test_same_array_as_gpaw_when_given_its_interpolation(lcao_water):
    """With GPAW's own splines of the partial waves, every point agrees: the formula is the same."""
    with splines_of_gpaw():
        rho, _ = all_electron_density(lcao_water, spacing=1.0)
    reference = lcao_water.dft.densities().all_electron_densities().data.sum(axis=0)
    np.testing.assert_allclose(rho, reference, rtol=1e-9, atol=1e-9)


def test_partial_waves_go_through_every_point_of_the_data_set(lcao_water):
    setup = lcao_water.dft.setups[0]
    waves = gpaw_density._PartialWaves.of(setup)
    r = setup.data.rgd.r_g
    inside = r < waves.radius
    np.testing.assert_allclose(waves.functions(r[inside])[:, 0], setup.data.phi_jg[0][inside], rtol=1e-12)
    # Beyond the sphere nothing is left to add.
    outside = r > waves.radius
    np.testing.assert_allclose(
        np.array(setup.data.phi_jg)[:, outside], np.array(setup.data.phit_jg)[:, outside], atol=1e-9
    )


def test_ghost_atoms_add_nothing():
    atoms = Atoms("HeF", [[2.8, 2.8, 2.5], [2.8, 2.8, 3.9]], cell=(5.6, 5.6, 6.4))
    calc = calculate(atoms, mode="lcao", basis="dzp", setups={1: "ghost"}, h=0.2)
    rho, info = all_electron_density(calc, spacing=0.1)
    assert info["n_electrons"] == pytest.approx(2, abs=1e-6)
    peak = np.unravel_index(rho.argmax(), rho.shape)
    assert np.array(peak) / rho.shape * [5.6, 5.6, 6.4] == pytest.approx(atoms.positions[0], abs=0.1)
    smooth = pseudo_density(calc)
    assert smooth.sum() * atoms.get_volume() / smooth.size == pytest.approx(2, abs=1e-6)


def test_finer_calculation_grid_is_kept_and_nonsense_refused(lcao_water):
    rho, _ = all_electron_density(lcao_water, spacing=0.5)
    assert rho.shape == tuple(lcao_water.dft.density.nt_sR.desc.size_c)
    with pytest.raises(InputError, match="positive"):
        all_electron_density(lcao_water, spacing=0)


def test_grids_narrower_than_a_sphere_wrap_around():
    """A sphere wider than the cell overlaps its own images; the electrons are still all there."""
    chain = Atoms("HHe", [[0, 0, 0], [0.8, 0.8, 2.0]], cell=(1.2, 1.2, 4.0), pbc=True)
    calc = calculate(chain, mode={"name": "pw", "ecut": 250}, kpts=(2, 2, 1))
    assert all_electron_density(calc, spacing=0.1)[1]["n_electrons"] == pytest.approx(3, abs=1e-5)
    rho, _ = all_electron_density(calc, spacing=1.0)
    difference = abs(rho - calc.dft.densities().all_electron_densities().data.sum(axis=0))
    assert difference[distances(calc.atoms, rho.shape) > 0.3].max() < 1e-4


def test_interpolation_keeps_values_and_integral():
    x = np.arange(20) / 20
    wave = 2 + np.cos(2 * np.pi * x)[:, None, None] * np.sin(4 * np.pi * x)[None, :, None] * np.ones(3)
    fine = gpaw_density._refine(wave, (60, 47, 3))
    assert fine.mean() == pytest.approx(wave.mean(), rel=1e-12)
    exact_x, exact_y = np.arange(60) / 60, np.arange(47) / 47
    exact = 2 + np.cos(2 * np.pi * exact_x)[:, None] * np.sin(4 * np.pi * exact_y)[None, :]
    np.testing.assert_allclose(fine[:, :, 1], exact, atol=2e-4)  # sixth order: (2 pi / 10)^6 / 720 and less
    np.testing.assert_allclose(gpaw_density._refine(wave, (40, 60, 3))[::2, ::3], wave, atol=1e-12)


def test_interpolation_does_not_ring_into_the_vacuum(lcao_water):
    """Fourier series do: their negative densities would enter every charge."""
    rho, _ = all_electron_density(lcao_water, spacing=0.08)
    fourier = lcao_water.dft.densities().all_electron_densities(grid_spacing=0.08).data.sum(axis=0)
    assert rho.min() > -1e-4 > -1e-3 > fourier.min()


SCRIPT = """
import numpy as np
from ase.build import molecule
from ase.units import Bohr
from gpaw import GPAW
from gpaw.mpi import world
from iface_wf.engines.gpaw.density import all_electron_density, electrostatic_potential, pseudo_density

atoms = molecule("H2O", cell=(5.2, 5.6, 6.0), pbc=(1, 1, 0))
atoms.center()
atoms.calc = GPAW(mode="lcao", basis="dzp", h=0.22, txt=None, convergence={"density": 1e-2})
atoms.get_potential_energy()
rho, info = all_electron_density(atoms.calc, spacing=0.12)
smooth = pseudo_density(atoms.calc)
potential = electrostatic_potential(atoms.calc)
atoms.calc.write("water.gpw")
assert world.size == 2
if world.rank == 0:
    np.savez("parallel.npz", rho=rho, smooth=smooth, potential=potential)
else:
    assert rho is None and smooth is None and potential is None and info == {}
"""


@pytest.mark.slow
def test_two_processes_give_what_a_serial_restart_gives(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    program = str(Path(sys.executable).with_name("gpaw"))
    environment = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    command = ["mpirun", "--oversubscribe", "-n", "2", program, "python", "script.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    calc = GPAW(tmp_path / "water.gpw")
    rho, _ = all_electron_density(calc, spacing=0.12)
    with np.load(tmp_path / "parallel.npz") as parallel:
        np.testing.assert_allclose(parallel["rho"], rho, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(parallel["smooth"], pseudo_density(calc), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(parallel["potential"], electrostatic_potential(calc), atol=1e-6)


@pytest.mark.slow
def test_potential_step_of_a_polar_molecule_has_the_right_size_and_sign():
    """Helmholtz: a layer of dipoles p per area A makes a step of p / (eps0 A).

    Water with its H atoms up has its positive end up, which lowers the energy of electrons above it.
    """
    atoms = molecule("H2O", cell=(5.6, 5.6, 14.0), pbc=(True, True, False))
    assert atoms.positions[1, 2] < atoms.positions[0, 2]
    atoms.rotate(180, "x")
    atoms.center()
    calc = calculate(atoms, mode="lcao", basis="dzp", poissonsolver={"dipolelayer": "xy"})
    grid = Grid(electrostatic_potential(calc), atoms.cell.array, (True, True, False))
    z = atoms.positions[:, 2]
    levels = vacuum_levels(planar_average(grid), heights(grid), z.min(), z.max())
    dipole = calc.get_dipole_moment()[2]  # e A
    assert dipole > 0.2
    assert levels.step == pytest.approx(-dipole / (units._eps0 / units._e * 1e-10 * 5.6**2), rel=0.02)

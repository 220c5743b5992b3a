"""Facts that any correct GPAW set-up must reproduce: counterpoise, invariances, dispersion."""

import numpy as np
import pytest
from ase.data.s22 import data as s22
from pymatgen.core import Lattice, Structure

from iface_wf.engines.gpaw.engine import GpawEngine

pytestmark = pytest.mark.slow
#: Tight enough that 1 meV below is above the noise of the SCF.
TIGHT = {"convergence": {"energy": 1e-7, "density": 1e-6}}


def static(structure, folder, ghosts=(), **overrides):
    folder.mkdir()
    maker = GpawEngine(overrides=TIGHT | overrides, processes=1)
    return maker.calculate(maker.request(structure, list(ghosts)), folder)


@pytest.fixture(scope="module")
def dimer():
    """The water dimer of the S22 set (Jurecka et al., 10.1039/b600027d) in a box."""
    entry = s22["Water_dimer"]
    positions = np.array(entry["positions"])
    edges = np.array([12.0, 9.6, 9.6])
    positions += edges / 2 - (positions.max(axis=0) + positions.min(axis=0)) / 2
    lattice = Lattice(np.diag(edges), pbc=(False, False, False))
    return Structure(lattice, ["O", "H", "H", "O", "H", "H"], positions, coords_are_cartesian=True)


def test_counterpoise_corrected_water_dimer(dimer, tmp_path):
    calculations = {
        "AB": static(dimer, tmp_path / "ab"),
        "A": static(dimer, tmp_path / "a", ghosts=[3, 4, 5]),
        "B": static(dimer, tmp_path / "b", ghosts=[0, 1, 2]),
    }
    pbe = {name: c.electronic_energy for name, c in calculations.items()}
    # PBE near the basis limit: about -0.22 eV; the window leaves room for a double-zeta basis
    assert -0.25 < pbe["AB"] - pbe["A"] - pbe["B"] < -0.19
    dispersion = {name: c.dispersion_energy for name, c in calculations.items()}
    assert -0.06 < dispersion["AB"] - dispersion["A"] - dispersion["B"] < -0.005

    alone = dimer.copy()
    alone.remove_sites([3, 4, 5])
    monomer = static(alone, tmp_path / "alone")
    assert monomer.dispersion_energy == pytest.approx(dispersion["A"], abs=1e-12)  # ghosts take no part
    assert monomer.electronic_energy > pbe["A"]  # more functions, lower energy


@pytest.fixture(scope="module")
def interface():
    """Two water molecules, one above the other, repeated in the plane."""
    lattice = Lattice(np.diag([4.8, 4.8, 12.8]), pbc=(True, True, False))
    water = np.array([[0.0, 0.0, 0.0], [0.7632, 0.5963, 0.0], [-0.7632, 0.5963, 0.0]])
    upright = np.array([[0.0, 0.0, 0.0], [0.0, 0.7632, 0.5963], [0.0, -0.7632, 0.5963]])
    positions = np.vstack([water + [2.4, 1.9, 5.0], upright + [2.3, 2.1, 7.9]])
    return Structure(lattice, ["O", "H", "H", "O", "H", "H"], positions, coords_are_cartesian=True)


def test_energy_ignores_translation_and_order_of_atoms(interface, tmp_path):
    reference = static(interface, tmp_path / "reference")
    shifted = interface.copy()
    shifted.translate_sites(range(6), [0.5, 0.5, 0.0], frac_coords=True, to_unit_cell=True)
    shuffled = Structure.from_sites([interface[i] for i in (4, 2, 0, 5, 1, 3)])
    for name, other in (("shifted", shifted), ("shuffled", shuffled)):
        document = static(other, tmp_path / name)
        assert document.grid == reference.grid
        # half a cell is a whole number of grid steps, so only the SCF is left: 1e-7 eV an electron
        assert document.energy == pytest.approx(reference.energy, abs=1e-3)
        assert document.key == reference.key


def test_isolated_part_is_calculated_on_the_grid_steps_of_the_interface(tmp_path):
    """A lone molecule in a wide hexagonal slab cell costs the same as in its own box on the same grid steps."""
    lattice = Lattice([[9.0, 0, 0], [-4.5, 4.5 * 3**0.5, 0], [0, 0, 12.8]], pbc=(True, True, False))
    positions = np.array([[0.0, 0.0, 0.1193], [0.0, 0.7632, -0.477], [0.0, -0.7632, -0.477]]) + [1.0, 3.0, 6.4]
    in_cell = Structure(lattice, ["O", "H", "H"], positions, coords_are_cartesian=True)
    box = Lattice(np.eye(3) * 12.8, pbc=(False, False, False))
    alone = Structure(box, ["O", "H", "H"], positions + [5.4, 3.4, 0.0], coords_are_cartesian=True)
    maker = GpawEngine(overrides=TIGHT, processes=1)
    cell = maker.calculate(maker.request(in_cell, []), tmp_path)
    request = maker.request(alone, [], like=cell.settings)
    steps = request.atoms_structure.lattice.matrix / np.array(request.settings["grid"])[:, None]
    np.testing.assert_allclose(steps, cell.settings["grid_steps"], atol=1e-8)
    same_steps = maker.calculate(request, tmp_path)
    own_steps = maker.calculate(maker.request(alone, []), tmp_path)
    # what is left: images 9 A apart, and the place of the atoms between grid points, about 20 meV together
    assert same_steps.energy == pytest.approx(cell.energy, abs=0.03)
    assert abs(own_steps.energy - cell.energy) > 0.03  # the error that the shared steps remove

"""Dispersion models: what ghosts, vacuum and charge do to their energies, and that calculators and single energies agree."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from iface_wf.engines.dispersion import (
    D3,
    D4,
    PAIRWISE,
    dispersion_calculator,
    dispersion_energies,
    dispersion_energy,
    require_parameters,
)
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.errors import InputError
from tests.engines.conftest import boxed

EDGE = 4.212  # A, of rock salt


def water_on_oxide(height=20.0):
    """Return water on two layers of MgO."""
    square = [(x, y) for x in (0.0, 0.5) for y in (0.0, 0.5)]
    layers = [
        ("Mg" if (x == y) == (layer == 0) else "O", [EDGE * x, EDGE * y, 4 + EDGE / 2 * layer])
        for layer in (0, 1)
        for x, y in square
    ]
    species, places = zip(*layers, strict=True)
    oxide = Atoms(species, places, cell=[EDGE, EDGE, height], pbc=(True, True, False))
    water = molecule("H2O")
    water.positions += np.array([0.0, 0.0, 8.4]) - water.positions[0]
    return oxide + water


def share(model, height=20.0):
    whole = water_on_oxide(height)
    slab, water = whole[:8], whole[8:]
    return sum(sign * dispersion_energy(each, [], model, "PBE") for sign, each in ((1, whole), (-1, slab), (-1, water)))


def test_d4_knows_that_a_cation_has_lost_its_electrons():
    shares = {model: share(model) for model in PAIRWISE}
    assert shares[D3] < shares[D4] < -0.05  # eV; on MgO D3(BJ) binds too strongly by half


@pytest.mark.parametrize("model", PAIRWISE)
def test_the_share_of_an_interface_does_not_hang_on_the_vacuum(model):
    # eV: cells are opened where the model repeats everything
    assert share(model, 20.0) == pytest.approx(share(model, 40.0), abs=1e-3)


@pytest.mark.parametrize("model", PAIRWISE)
def test_ghosts_take_no_part(model):
    whole = water_on_oxide()
    with_ghosts = dispersion_energy(whole, [8, 9, 10], model, "PBE")
    assert with_ghosts == pytest.approx(dispersion_energy(whole[:8], [], model, "PBE"), abs=1e-9)


@pytest.mark.parametrize("model", PAIRWISE)
@pytest.mark.parametrize("charge", [0.0, 1.0])
def test_calculators_give_the_same_energy_and_its_slope(model, charge):
    atoms = molecule("CH3OH") if charge else water_on_oxide()
    atoms.calc = dispersion_calculator(model, "PBE", charge)
    assert atoms.get_potential_energy() == pytest.approx(dispersion_energy(atoms, [], model, "PBE", charge), abs=1e-7)
    atom, step = len(atoms) - 1, 1e-3
    force, energies = atoms.get_forces()[atom, 2], []
    for way in (1, -1):
        moved = atoms.copy()
        moved.positions[atom, 2] += way * step
        energies.append(dispersion_energy(moved, [], model, "PBE", charge))
    assert force == pytest.approx((energies[1] - energies[0]) / (2 * step), abs=2e-4)  # eV/A


def test_a_cation_counts_less_in_d4():
    pair = Atoms("LiO", [[0, 0, 0], [0, 0, 2.0]])
    energies = [[dispersion_energy(pair, [], model, "PBE", charge) for charge in (0.0, 1.0)] for model in PAIRWISE]
    assert energies[0][0] == energies[0][1]
    assert energies[1][0] < energies[1][1] < 0


def test_a_functional_without_parameters_is_refused_in_one_sentence():
    for model, functional, instead in (
        (D3, "AM05", "D4 or none"),
        (D4, "HCTH407", "D3(BJ) or none"),
        (D4, "WC", "none"),
    ):
        with pytest.raises(ValueError, match="has no parameters for") as refused:
            require_parameters(model, functional)
        assert f"take dispersion {instead}, or another xc" in str(refused.value)
    assert dispersion_energies(molecule("H2O"), [], "WC") == {}
    assert set(dispersion_energies(molecule("H2O"), [], "AM05")) == {D4}
    with pytest.raises(InputError, match="Unknown dispersion model 'D5'"):
        dispersion_calculator("D5", "PBE")


def test_what_is_part_of_a_fit_is_not_told_apart(tmp_path):
    engine = XtbEngine()
    document = engine.calculate(engine.request(boxed(molecule("CH4"), 12.0), []), tmp_path)
    assert (document.dispersion, document.dispersion_energies) == ("D3(BJ)", {})

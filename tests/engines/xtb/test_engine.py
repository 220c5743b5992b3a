"""xTB relaxations that are interrupted go on where they were."""

import numpy as np
import pytest
from ase.build import molecule
from pymatgen.core import Lattice, Structure

from iface_wf.engines import relaxation
from iface_wf.engines.relaxation import relax
from iface_wf.engines.walks import Stand, Walk, Walkers
from iface_wf.engines.xtb import engine as xtb
from iface_wf.engines.xtb.profile import PROFILE

SETTINGS = PROFILE.settings("fast", {})


class InterruptionError(Exception):
    pass


def stretched():
    atoms = molecule("CH3CH2OH")
    atoms.rattle(0.15, seed=1)
    atoms.calc = xtb.calculator(SETTINGS)
    return atoms


def test_an_interrupted_relaxation_goes_on_from_its_last_geometry(tmp_path, monkeypatch):
    monkeypatch.setattr(relaxation, "CHECKPOINT_SECONDS", 0.0)
    checkpoint = tmp_path / "positions.npy"
    whole, interrupted, continued = stretched(), stretched(), stretched()
    converged, steps = relax(whole, SETTINGS, tmp_path, tmp_path / "other.npy")
    assert converged

    compute, calls = interrupted.calc.calculate, []

    def until_interrupted(*args, **kwargs):
        calls.append(args)
        if len(calls) > steps // 2:
            raise InterruptionError
        return compute(*args, **kwargs)

    monkeypatch.setattr(interrupted.calc, "calculate", until_interrupted)
    with pytest.raises(InterruptionError):
        relax(interrupted, SETTINGS, tmp_path, checkpoint)
    reached = np.load(checkpoint)
    assert np.abs(reached - continued.positions).max() > 0.01  # A: it had moved

    converged, steps_left = relax(continued, SETTINGS, tmp_path, checkpoint)
    assert converged
    assert steps_left < steps
    assert not checkpoint.exists()
    # eV: two minima within forces of 0.05 eV/A of the same basin
    assert continued.get_potential_energy() == pytest.approx(whole.get_potential_energy(), abs=0.01)


def test_without_enough_time_nothing_is_recorded(tmp_path):
    relax(stretched(), SETTINGS, tmp_path, tmp_path / "positions.npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["relax.log"]


def maker(kind):
    return xtb.XtbEngine(kind=kind)


@pytest.fixture
def ethanol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atoms = stretched()
    box = Structure(
        Lattice(np.eye(3) * 14, (False,) * 3), atoms.symbols, atoms.positions + 7, coords_are_cartesian=True
    )
    box.add_site_property("component", ["polymer"] * len(box))
    return box


class Collapsed:
    """Charges that do not exist, as tblite found them for ethers on a phosphate: the error path, by hand."""

    def __init__(self, calculator, attempts):
        self.calculator, self.attempts = calculator, attempts

    def __call__(self, settings):
        made = self.calculator(settings)
        if self.attempts:
            self.attempts -= 1
            made.get_property = self._collapsed
        return made

    @staticmethod
    def _collapsed(name, atoms=None, allow_calculation=True):
        return -4000.0 if name in ("energy", "free_energy") else np.full((len(atoms), 3), 900.0)


@pytest.mark.parametrize("kind", ["static", "relax"])
def test_energies_with_absurd_forces_are_no_results(ethanol, monkeypatch, kind):
    whole = xtb.calculator
    expected = maker(kind).make.original(maker(kind), ethanol)
    monkeypatch.setattr(xtb, "calculator", Collapsed(whole, attempts=1))
    document = maker(kind).make.original(xtb.XtbEngine(kind=kind, force=True), ethanol)
    assert document.converged
    assert "charges that do not exist" in document.corrections[0].errors[0]
    # eV: another mixing damping reaches the same charges; relaxations may end elsewhere within their forces
    assert document.energy == pytest.approx(expected.energy, abs=1e-4 if kind == "static" else 0.01)

    monkeypatch.setattr(xtb, "calculator", Collapsed(whole, attempts=9))
    document = maker(kind).make.original(xtb.XtbEngine(kind=kind, force=True), ethanol)
    assert (document.energy, document.converged, document.trustworthy) == (None, False, False)
    assert "implausible_forces" in document.flags


def test_absurd_energies_win_no_ranking(ethanol, monkeypatch):
    monkeypatch.setattr(xtb, "calculator", Collapsed(xtb.calculator, attempts=1))
    walkers, stands = Walkers("xtb", processes=1), dict[int, Stand]()
    walkers.take([Walk(ethanol), Walk(ethanol)], [2, 2], 0.05, stands.__setitem__)
    assert stands[0].energy is None
    assert "no state that exists" in stands[0].failed
    energy = stands[1].energy
    assert energy > -1000  # eV; ethanol

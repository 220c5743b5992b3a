"""xTB relaxations that are interrupted go on where they were."""

import numpy as np
import pytest
from ase.build import molecule

from iface_wf.engines import relaxation, xtb
from iface_wf.engines.levels import level_settings

SETTINGS = level_settings("xtb", "fast")


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
    converged, steps = xtb.relax(whole, SETTINGS, tmp_path, tmp_path / "other.npy")
    assert converged

    compute, calls = interrupted.calc.calculate, []

    def until_interrupted(*args, **kwargs):
        calls.append(args)
        if len(calls) > steps // 2:
            raise InterruptionError
        return compute(*args, **kwargs)

    monkeypatch.setattr(interrupted.calc, "calculate", until_interrupted)
    with pytest.raises(InterruptionError):
        xtb.relax(interrupted, SETTINGS, tmp_path, checkpoint)
    reached = np.load(checkpoint)
    assert np.abs(reached - continued.positions).max() > 0.01  # A: it had moved

    converged, steps_left = xtb.relax(continued, SETTINGS, tmp_path, checkpoint)
    assert converged
    assert steps_left < steps
    assert not checkpoint.exists()
    # eV: two minima within forces of 0.05 eV/A of the same basin
    assert continued.get_potential_energy() == pytest.approx(whole.get_potential_energy(), abs=0.01)


def test_without_enough_time_nothing_is_recorded(tmp_path):
    xtb.relax(stretched(), SETTINGS, tmp_path, tmp_path / "positions.npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["relax.log"]

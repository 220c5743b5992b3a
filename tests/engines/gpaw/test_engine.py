"""Real GPAW under custodian: convergence, corrections, interruptions."""

import json
import os
import signal
import subprocess
import time

import pytest

from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.gpaw.execute import command, environment
from iface_wf.engines.gpaw.files import INPUT, RESULT
from iface_wf.errors import InputError

pytestmark = pytest.mark.slow
QUICK = {"grid_spacing": 0.25, "dispersion": "none"}


def calculate(structure, directory, kind="static", processes=1, max_seconds=0.0, **overrides):
    maker = GpawEngine(kind=kind, overrides=QUICK | overrides, processes=processes, max_seconds=max_seconds)
    request = maker.request(structure, [])
    return maker.calculate(request, directory)


def test_static_under_mpi_says_how_it_was_done(water, tmp_path):
    document = calculate(water, tmp_path, processes=2)
    assert document.converged
    assert document.n_processes == 2
    assert document.corrections == []
    assert document.energy == pytest.approx(document.electronic_energy + document.dispersion_energy, abs=1e-10)
    assert document.n_electrons == pytest.approx(8, abs=1e-6)
    assert document.basis == "LCAO dzp"
    assert document.functional == "PBE"
    assert document.versions["gpaw"]
    assert document.energy_type == "extrapolated to zero smearing"


def test_scf_with_two_steps_is_corrected_and_converges(hydrogen, tmp_path):
    undisturbed = calculate(hydrogen, tmp_path)
    corrected = calculate(hydrogen, tmp_path, max_scf_steps=2)
    assert corrected.converged
    assert [c.handler for c in corrected.corrections] == ["ScfHandler"]
    assert "mixer" in corrected.corrections[0].actions[0]
    assert corrected.settings["mixer"]["beta"] == pytest.approx(0.05)
    assert corrected.energy == pytest.approx(undisturbed.energy, abs=1e-3)  # SCF tolerance


def test_scf_that_cannot_converge_is_flagged_not_hidden(hydrogen, tmp_path):
    document = calculate(hydrogen, tmp_path, max_scf_steps=2, scf_step_cap=2)
    assert not document.converged
    assert document.energy is None
    assert document.flags == ["scf_unconverged"]
    assert [next(iter(c.actions[0])) for c in document.corrections] == ["mixer", "smearing", "start"]


def test_killed_run_continues_from_its_density(water, tmp_path):
    maker = GpawEngine(overrides=QUICK | {"checkpoint_every": 0.0, "max_scf_steps": 333})
    request = maker.request(water, [])
    slow = request.model_dump(mode="json")
    slow["settings"]["convergence"] = {"density": 1e-12, "energy": 1e-12}
    (tmp_path / INPUT).write_text(json.dumps(slow))
    process = subprocess.Popen(command(1), cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.time() + 120
    while not (tmp_path / "checkpoint.npz").exists() and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / RESULT).exists()
    document = maker.calculate(request, tmp_path)
    assert document.converged
    assert json.loads((tmp_path / RESULT).read_text())["restored_density"] is True
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert document.energy == pytest.approx(maker.calculate(request, fresh).energy, abs=1e-3)  # SCF tolerance


def test_relaxation_out_of_time_goes_on_in_the_next_slice(hydrogen, tmp_path):
    stretched = hydrogen.copy()
    stretched.translate_sites([0], [0, 0, 0.3], frac_coords=False)
    # as long as a single point takes on this machine now: fewer than all steps, and at least one
    (tmp_path / "static").mkdir()
    slice_of_time = 1.5 * calculate(stretched, tmp_path / "static").wall_time
    (tmp_path / "relax").mkdir()
    document = calculate(stretched, tmp_path / "relax", kind="relax", max_seconds=slice_of_time, fmax=0.05)
    assert document.converged
    assert document.max_force < 0.05
    assert document.corrections[0].errors == ["out of time"]
    assert document.corrections[0].actions[0]["continue_from"]
    bond = document_structure(document).get_distance(0, 1)
    assert bond == pytest.approx(0.75, abs=0.05)  # PBE: 0.751 A; small basis, coarse grid, fmax 0.1 eV/A


def document_structure(document):
    from pymatgen.core import Structure

    return Structure.from_dict(document.structure)


def test_plane_waves_give_densities_and_charges(water, tmp_path):
    overrides = {"cutoff": 300.0, "grid_spacing": 0.2, "convergence": {"energy": 1e-4, "density": 1e-3}}
    maker = GpawEngine(level="precise", densities=["pseudo", "all_electron"], overrides=overrides, processes=2)
    document = maker.calculate(maker.request(water, []), tmp_path)
    assert document.converged
    assert document.n_processes == 1  # a single k-point cannot be shared out
    assert document.basis == "PW 300 eV"
    assert document.densities["pseudo"].n_electrons == pytest.approx(8, abs=1e-4)
    assert document.charges["bader"].total_electrons == pytest.approx(10, abs=1e-4)
    assert -1.35 < document.charges["bader"].net_charges[0] < -1.0  # -1.09 at full cutoff; 300 eV is low


def test_failure_names_its_cause(water, tmp_path):
    with pytest.raises(InputError, match="NoSuchFunctional"):  # before anything runs
        calculate(water, tmp_path, xc="NoSuchFunctional")


def test_ghosts_are_refused_for_plane_waves(water):
    maker = GpawEngine(level="precise")
    with pytest.raises(InputError, match="lcao"):
        maker.request(water, [0])


def test_elements_with_moments_start_magnetic_and_ghosts_do_not(water):
    maker = GpawEngine(overrides={"magmoms": {"O": 2.0}})
    settings = maker.request(water, []).settings
    assert settings["spin_polarized"]
    assert settings["magnetic_moments"] == [2.0, 0.0, 0.0]
    assert not maker.request(water, [0]).settings["spin_polarized"]
    assert not GpawEngine().request(water, []).settings["spin_polarized"]


def test_counterpoise_follows_the_basis():
    assert GpawEngine().counterpoise
    assert not GpawEngine(level="precise").counterpoise

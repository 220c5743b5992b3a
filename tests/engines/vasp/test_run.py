"""VASP under custodian: a stand-in started by its name on PATH, failing, corrected, killed, stopped and continued."""

import json
from pathlib import Path

import numpy as np
import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.engines.vasp.installation import VaspSettings
from iface_wf.engines.vasp.run import handlers
from iface_wf.errors import CalculationError, InputError
from tests.engines.vasp.vasp_fixtures import COARSE, hydrogen_fluoride, lithium_fluoride_slab


def calculate(folder, structure, kind="static", densities=(), **options):
    maker = VaspEngine(kind=kind, level="moderate", overrides=COARSE, densities=list(densities), **options)
    request = maker.request(structure, [])
    folder.mkdir(exist_ok=True)
    return maker.calculate(request, folder)


@pytest.mark.slow
def test_a_job_leaves_the_document_of_any_engine(vasp):
    maker = VaspEngine(
        kind="static", level="moderate", overrides=COARSE, densities=["valence", "all_electron"], role="AB"
    )
    job = maker.make(lithium_fluoride_slab())
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    responses = run_locally(job, store=store, create_folders=True, ensure_success=True)
    output = responses[job.uuid][1].output
    document = CalculationDocument.model_validate(output)
    assert (document.engine, document.engine_version, document.role) == ("vasp", "6.4.2", "AB")
    assert (document.functional, document.dispersion, document.basis) == ("PBE", "D3(BJ)", "PW 110 eV")
    assert document.converged
    assert document.energy - document.electronic_energy == pytest.approx(document.dispersion_energy, abs=1e-9)
    assert document.free_energy < document.energy  # entropy lowers it
    assert document.densities["valence"].n_electrons == pytest.approx(2 * 3 + 2 * 7, abs=1e-4)
    assert sum(document.charges["bader"].net_charges) == pytest.approx(0.0, abs=1e-3)
    assert set(document.charges["bader"].component_charges) == {"slab"}
    assert document.work_function["above"] == pytest.approx(5.0 + 1.25, abs=0.01)  # as the stand-in draws it
    assert document.work_function["below"] == pytest.approx(4.0 + 1.25, abs=0.01)
    structure = Structure.from_dict(document.structure)
    assert structure.site_properties["component"] == ["slab"] * 4
    assert [s.specie.symbol for s in structure] == ["Li", "F", "Li", "F"]
    assert structure.lattice.pbc == (True, True, False)


@pytest.mark.slow
def test_a_relaxation_moves_only_what_is_free(vasp):
    start = lithium_fluoride_slab()
    document = calculate(vasp / "run", start, "relax")
    end = Structure.from_dict(document.structure)
    moved = np.linalg.norm(end.cart_coords - start.cart_coords, axis=1)
    assert document.converged
    assert document.ionic_steps > 1
    assert document.max_force < 0.05
    assert moved[:2].max() < 1e-6
    assert moved[2:].min() > 0.01
    assert not (vasp / "run" / "WAVECAR").exists()


@pytest.mark.slow
def test_a_failed_scf_is_corrected_rerun_and_recorded(vasp, monkeypatch):
    monkeypatch.setenv("STANDIN", "needs=Normal")
    document = calculate(vasp / "run", lithium_fluoride_slab())
    assert document.converged
    assert [(c.handler, c.errors, c.actions) for c in document.corrections] == [
        ("UnconvergedErrorHandler", ["Unconverged"], [{"ALGO": "Normal"}])
    ]
    assert Incar.from_file(vasp / "run" / "INCAR")["ALGO"] == "Normal"
    assert Incar.from_file(vasp / "run" / "INCAR.orig")["ALGO"] == "Fast"
    assert list((vasp / "run").glob("error.*.tar.gz"))


@pytest.mark.slow
def test_what_cannot_converge_is_a_document_with_a_mark(vasp, monkeypatch):
    monkeypatch.setenv("STANDIN", "never")
    monkeypatch.setenv("IFACE_WF_VASP_MAX_ERRORS", "3")
    document = calculate(vasp / "run", lithium_fluoride_slab(), densities=["valence", "all_electron"])
    assert not document.converged
    assert document.flags == ["scf_unconverged"]
    assert not document.trustworthy
    assert document.densities == {}
    assert document.charges == {}
    assert len(document.corrections) == 3


@pytest.mark.slow
def test_a_relaxation_that_never_ends_is_a_document_with_a_mark(vasp, monkeypatch):
    monkeypatch.setenv("STANDIN", "stuck")
    monkeypatch.setenv("IFACE_WF_VASP_MAX_ERRORS", "2")
    maker = VaspEngine(kind="relax", level="moderate", overrides=COARSE | {"max_steps": 3})
    (vasp / "run").mkdir()
    document = maker.calculate(maker.request(lithium_fluoride_slab(), []), vasp / "run")
    assert document.flags == ["geometry_unconverged"]
    assert not document.converged


def test_inputs_that_make_no_sense_to_vasp_end_in_its_last_words(vasp):
    structure = lithium_fluoride_slab()
    structure.append("H", structure[3].frac_coords + np.array([0.02, 0, 0]), properties=structure[3].properties)
    with pytest.raises(CalculationError, match="it last said 'ERROR: two atoms on top of each other'"):
        calculate(vasp / "run", structure)


@pytest.mark.slow
def test_a_killed_relaxation_continues_from_its_last_step(vasp, monkeypatch):
    monkeypatch.setenv("STANDIN", "dies")
    with pytest.raises(CalculationError, match="VASP failed in"):
        calculate(vasp / "run", lithium_fluoride_slab(), "relax")
    first = (vasp / "run" / "POSCAR").read_text()
    document = calculate(vasp / "run", lithium_fluoride_slab(), "relax")
    assert document.converged
    assert (vasp / "run" / "POSCAR").read_text() != first
    continuation = [c for c in document.corrections if c.handler == "continuation"]
    assert [(c.errors, c.actions) for c in continuation] == [(["killed"], [{"continue_from": ["CONTCAR"]}])]
    monkeypatch.delenv("STANDIN")
    undisturbed = calculate(vasp / "other", lithium_fluoride_slab(), "relax")
    assert document.energy == pytest.approx(undisturbed.energy, abs=2e-3)  # both within 0.05 eV/A of the minimum


@pytest.mark.slow
def test_an_empty_contcar_is_not_continued_from(vasp, monkeypatch):
    monkeypatch.setenv("STANDIN", "dies")
    with pytest.raises(CalculationError):
        calculate(vasp / "run", lithium_fluoride_slab(), "relax")
    (vasp / "run" / "CONTCAR").write_text("")
    document = calculate(vasp / "run", lithium_fluoride_slab(), "relax")
    assert document.converged
    assert document.corrections[0].actions == [{"continue_from": ["start"]}]


@pytest.mark.slow
def test_a_run_is_stopped_before_the_wall_time_and_continued(vasp, monkeypatch):
    monkeypatch.setenv("STANDIN", "slow=0.3 stuck")
    monkeypatch.setenv("IFACE_WF_VASP_WALL_TIME", "100")
    monkeypatch.setenv("IFACE_WF_VASP_STOP_BEFORE", "99.5")
    with pytest.raises(CalculationError, match="was stopped before the wall time of 100 s: start the same calculation"):
        calculate(vasp / "run", lithium_fluoride_slab(), "relax")
    assert (vasp / "run" / "STOPCAR").exists()
    assert (vasp / "run" / "WAVECAR").exists()
    monkeypatch.delenv("STANDIN")
    monkeypatch.delenv("IFACE_WF_VASP_WALL_TIME")
    document = calculate(vasp / "run", lithium_fluoride_slab(), "relax")
    assert document.converged
    last = document.corrections[-1]
    assert (last.handler, last.errors) == ("continuation", ["stopped before the wall time"])
    assert last.actions == [{"continue_from": ["CONTCAR", "WAVECAR"]}]


@pytest.mark.slow
def test_stars_in_an_aeccar_end_the_run_with_the_name_of_the_file(vasp, monkeypatch):
    monkeypatch.setenv("STANDIN", "aeccar=stars")
    with pytest.raises(CalculationError, match=r"AECCAR0 cannot be used: it has stars"):
        calculate(vasp / "run", lithium_fluoride_slab(), densities=["valence", "all_electron"])


def test_it_runs_in_the_scratch_folder_and_comes_back(vasp, monkeypatch):
    scratch = vasp / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("IFACE_WF_VASP_SCRATCH", str(scratch))
    document = calculate(vasp / "run", hydrogen_fluoride(6.4))
    assert document.converged
    assert (vasp / "run" / "OUTCAR").is_file()
    assert list(scratch.iterdir()) == []
    assert Path.cwd() == vasp


def test_an_ion_has_its_charge_and_may_have_a_positive_energy(vasp):
    cation = hydrogen_fluoride(6.4)
    document = calculate(vasp / "run", cation, charge=1.0)
    assert document.charge == pytest.approx(1.0)
    assert document.settings["IDIPOL"] == 4
    assert "monopole, dipole and quadrupole of images corrected" in document.energy_type
    request = VaspEngine(charge=1.0).request(cation, [])
    names = {type(h).__name__ for h in handlers(request, VaspSettings())}
    assert "PositiveEnergyErrorHandler" not in names
    assert {"VaspErrorHandler", "UnconvergedErrorHandler"} <= names


def test_a_missing_executable_is_one_sentence_and_nothing_is_written(vasp, monkeypatch):
    monkeypatch.setenv("IFACE_WF_VASP_COMMAND", "vasp_of_nobody")
    with pytest.raises(InputError, match="The VASP program 'vasp_of_nobody' is not on PATH here"):
        calculate(vasp / "run", hydrogen_fluoride())
    assert list((vasp / "run").iterdir()) == []


def test_the_folder_says_what_was_asked(vasp):
    calculate(vasp / "run", hydrogen_fluoride(6.4), role="B")
    note = json.loads((vasp / "run" / "iface-wf.json").read_text())
    assert note["role"] == "B"
    assert note["settings"]["ENCUT"] == 110.0

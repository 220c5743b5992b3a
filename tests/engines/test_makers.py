"""Engines are makers: changes by jobflow and atomate2 reach those inside other makers, and jobs of before still run."""

import json

import pytest
from atomate2.vasp.powerups import update_user_incar_settings
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from monty.json import MontyDecoder
from pymatgen.core import Structure

from iface_wf.builders.placing.targets import Target
from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from tests.engines.vasp.vasp_fixtures import hydrogen_fluoride, lithium_fluoride_slab

ABOUT = {"key": "k", "filler": "LiF", "surface": "001", "polymer": "HF"}


def wired(maker):
    """Return the engines of the jobs, by the names of these."""
    flow = maker.make(lithium_fluoride_slab(), hydrogen_fluoride(), ABOUT)
    assert isinstance(flow, Flow)
    return {job.name: job.maker for job, _ in flow.iterflow() if job.maker is not None}


@pytest.fixture
def maker():
    return BindingEnergyMaker(
        engine=GpawEngine(processes=2, overrides={"smearing": 0.1}),
        geometry_engine=XtbEngine(),
        target=Target(group="hydroxyl", surface="Li"),
        placements=2,
    )


def test_a_change_of_engines_inside_a_maker_changes_their_jobs(maker):
    changed = maker.update_kwargs({"overrides": {"xc": "RPBE"}}, class_filter=GpawEngine)
    assert changed.target == maker.target
    assert changed.geometry_engine.overrides == {}
    engines = wired(changed)
    assert {name for name, engine in engines.items() if engine.overrides == {"xc": "RPBE"}} == {
        "static A", "static B", "static AB", "static A*", "static B*", "static A* in AB basis", "static B* in AB basis",
        "static A from AB", "static B from AB",
    }  # fmt: skip
    assert {engine.engine_name for name, engine in engines.items() if name.startswith("relax")} == {"xtb"}
    settings = engines["static AB"].request(lithium_fluoride_slab(), []).settings
    assert (settings["xc"], settings["smearing"]) == ("RPBE", 0.05)


def test_a_change_by_name_and_one_without_nesting(maker):
    changed = maker.update_kwargs({"level": "moderate"}, name_filter="xtb")
    assert (changed.geometry_engine.level, changed.ranking_engine.level, changed.engine.level) == (
        "moderate", "moderate", "fast",
    )  # fmt: skip
    assert wired(changed)["relax AB"].level == "moderate"
    same = maker.update_kwargs({"level": "moderate"}, class_filter=XtbEngine, nested=False)
    assert same.geometry_engine.level == "fast"


def test_a_change_of_makers_in_a_flow(maker):
    flow = maker.make(lithium_fluoride_slab(), hydrogen_fluoride(), ABOUT)
    flow.update_maker_kwargs({"processes": 7}, class_filter=GpawEngine)
    processes = {job.maker.processes for job, _ in flow.iterflow() if isinstance(job.maker, GpawEngine)}
    assert processes == {7}


def test_atomate2_s_powerups_reach_vasp_inside_a_maker():
    engine = VaspEngine(here=False, level="moderate")
    maker = BindingEnergyMaker(engine, engine, placements=1)
    changed = update_user_incar_settings(maker, {"ENCUT": 650.0})
    for name, engine in wired(changed).items():
        assert engine.request(hydrogen_fluoride(), []).settings["ENCUT"] == 650.0, name
    assert maker.engine.request(hydrogen_fluoride(), []).settings["ENCUT"] == 520.0


#: As they lie in a queue: fields of the makers of before, under the modules and names that these had.
BEFORE = {
    "gpaw": ("GpawMaker", {"name": "static AB", "kind": "static", "level": "fast", "densities": ["pseudo"],
                           "overrides": {"smearing": 0.1}, "role": "AB", "force": False, "charge": 0.0, "processes": 4,
                           "max_seconds": 60.0}),
    "vasp": ("VaspMaker", {"name": "static AB", "kind": "static", "level": "precise", "densities": ["valence"],
                           "overrides": {"SIGMA": 0.1}, "role": "AB", "force": False, "charge": 0.0,
                           "run_vasp_kwargs": {}}),
    "xtb": ("XtbMaker", {"name": "relax A", "kind": "relax", "level": "fast", "densities": [],
                         "overrides": {"fmax": 0.2}, "role": "A", "force": False, "charge": 0.0}),
    "mlip": ("MlipMaker", {"name": "relax A", "kind": "relax", "level": "fast", "densities": [],
                           "overrides": {"fmax": 0.2}, "role": "A", "force": False}),
}  # fmt: skip


@pytest.mark.parametrize("module", ["iface_wf.engines.{}", "iface_wf.engines.{}.engine"])
@pytest.mark.parametrize("name", BEFORE)
def test_makers_of_before_are_engines(name, module):
    former, fields = BEFORE[name]
    text = json.dumps({"@module": module.format(name), "@class": former, "@version": "0.1.0", **fields})
    engine = json.loads(text, cls=MontyDecoder)
    assert engine.engine_name == name
    assert all(getattr(engine, field) == value for field, value in fields.items())
    assert engine.request(hydrogen_fluoride(), []).role == fields["role"]


def test_a_job_of_before_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, fields = BEFORE["xtb"]
    job = XtbEngine().make(hydrogen_fluoride())
    waiting = job.as_dict()
    waiting["function"]["@bound"] = {"@module": "iface_wf.engines.xtb", "@class": "XtbMaker", **fields}
    job = json.loads(json.dumps(waiting), cls=MontyDecoder)
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    output = run_locally(job, store=store, ensure_success=True)[job.uuid][1].output
    assert (output.role, output.engine, output.converged) == ("A", "xtb", True)
    assert Structure.from_dict(output.structure).formula == "H1 F1"

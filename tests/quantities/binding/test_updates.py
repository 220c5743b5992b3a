"""jobflow's updates of makers reach whatever calculates, in makers, flows and single jobs, and so does what is stored."""

import json
from dataclasses import fields

import pytest
from jobflow import Maker
from monty.json import MontyDecoder, MontyEncoder

from iface_wf.builders.placing.targets import Target
from iface_wf.engines import registry
from iface_wf.engines.ase_engine import AseEngine
from iface_wf.engines.base import Engine
from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.flows.run import run_flow
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from tests.quantities.binding.small import gpaw_maker, xtb_maker

#: A physical setting of each engine with a value that no level has.
SETTINGS = {
    "gpaw": ("xc", "RPBE"),
    "vasp": ("ENCUT", 455),
    "xtb": ("method", "GFN2-xTB"),
    "mlip": ("weights", "r2scan"),
}


def settings_of(engine, structure):
    return engine.request(structure, []).settings


def makers():
    for name in registry.names():
        yield registry.create(
            name, level="moderate", overrides=dict([SETTINGS[name]]), role="A", charge=1.0, here=False
        )
    target = Target(group="hydroxyl", surface="Si")
    yield BindingEnergyMaker(
        engine=VaspEngine(overrides={"ENCUT": 455}), geometry_engine=GpawEngine(max_seconds=10.0), target=target, seed=3
    )


@pytest.mark.parametrize("maker", list(makers()), ids=lambda maker: type(maker).__name__)
def test_makers_survive_being_written_and_read(maker):
    text = json.dumps(maker.as_dict(), cls=MontyEncoder)
    for read in (type(maker).from_dict(json.loads(text)), MontyDecoder().decode(text)):
        assert type(read) is type(maker)
        assert all(getattr(read, field.name) == getattr(maker, field.name) for field in fields(maker))


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("dict_mod", [False, True])
def test_an_update_of_an_engine_changes_what_it_calculates(name, dict_mod, layer):
    setting, value = SETTINGS[name]
    update = {"_set": {f"overrides->{setting}": value}} if dict_mod else {"overrides": {setting: value}}
    engine = registry.create(name, kind="static", here=False)
    before, after = engine, engine.update_kwargs(update, class_filter=type(engine), dict_mod=dict_mod)
    assert settings_of(after, layer)[setting] == value != settings_of(before, layer)[setting]
    assert after.request(layer, []).key() != before.request(layer, []).key()
    job = engine.make(layer)
    job.update_maker_kwargs(update, dict_mod=dict_mod)
    assert settings_of(job.maker, layer)[setting] == value
    assert settings_of(engine, layer)[setting] != value  # the job has a maker of its own


def settings_by_job(flow, structure):
    """Return what every job of a flow that calculates would calculate with, that of ranking too."""
    found = {}
    for job, _ in flow.iterflow():
        engine = job.maker or job.function_kwargs.get("engine")
        if isinstance(engine, Engine):
            found[job.name] = settings_of(engine, structure)
    return found


def test_updates_inside_a_maker_reach_all_of_its_jobs(layer, water_molecule):
    maker = gpaw_maker().update_kwargs({"overrides": {"method": "GFN2-xTB"}}, class_filter=XtbEngine)
    maker = maker.update_kwargs({"_set": {"overrides->xc": "RPBE"}}, class_filter=GpawEngine, dict_mod=True)
    flow = maker.make(layer, water_molecule)
    assert flow.jobs[-1].name == "collect"
    told = settings_by_job(flow, layer)
    assert {name for name, settings in told.items() if settings.get("method") == "GFN2-xTB"} == {
        "relax A", "relax B", "relax AB", "search AB", "search B", "relax A from AB", "relax B from AB",
    }  # fmt: skip
    gpaw = {name: settings for name, settings in told.items() if name.startswith("static")}
    assert len(gpaw) == 9
    assert {settings["xc"] for settings in gpaw.values()} == {"RPBE"}
    assert {settings["convergence"]["energy"] for settings in gpaw.values()} == {1e-6}  # what stood beside it stays


def test_updates_of_a_flow_are_those_of_its_makers(layer, water_molecule):
    update = {"overrides": {"method": "GFN2-xTB"}}
    before = xtb_maker().update_kwargs(update, class_filter=AseEngine).make(layer, water_molecule)
    after = xtb_maker().make(layer, water_molecule)
    after.update_maker_kwargs(update, class_filter=AseEngine)
    told = settings_by_job(after, layer)
    assert told == settings_by_job(before, layer)
    assert {settings["method"] for settings in told.values()} == {"GFN2-xTB"}
    assert {"search AB", "search B"} <= set(told)

    only = xtb_maker().make(layer, water_molecule)
    only.update_maker_kwargs(update, name_filter="relax AB")
    methods = {name: settings["method"] for name, settings in settings_by_job(only, layer).items()}
    assert {name for name, method in methods.items() if method == "GFN2-xTB"} == {"relax AB"}


def test_updates_that_are_not_nested_leave_the_engines_alone():
    maker = gpaw_maker().update_kwargs({"placements": 5}, class_filter=Maker, nested=False)
    assert maker.placements == 5
    assert maker.engine.overrides == gpaw_maker().engine.overrides


@pytest.mark.slow
def test_an_updated_flow_is_calculated_and_named_as_what_it_is(layer, water_molecule, store, tmp_path):
    """The settings are in the stored calculations, and the key is not that of the flow before the update."""
    found = []
    for update in ({}, {"overrides": {"method": "GFN2-xTB"}}):
        flow = xtb_maker().make(layer, water_molecule)
        flow.update_maker_kwargs(update, class_filter=XtbEngine)
        found.append(BindingDocument.model_validate(run_flow(flow, store, tmp_path / "runs")))
    assert [document.functional for document in found] == ["GFN1-xTB", "GFN2-xTB"]
    assert found[0].key != found[1].key
    assert found[0].binding_energy != pytest.approx(found[1].binding_energy, abs=1e-3)  # two methods, eV apart or less
    stored = store.query({"output.document_type": "calculation"}, properties=["output.settings"], load=False)
    assert {entry["output"]["settings"]["method"] for entry in stored} == {"GFN1-xTB", "GFN2-xTB"}
    assert found[1].provenance["ranked_by"].startswith("GFN2-xTB")


def test_an_update_that_a_flow_cannot_follow_is_refused(layer, water_molecule):
    """Plane waves know no ghosts: a flow made for atom-centred functions has jobs that say so, and give no number."""
    flow = gpaw_maker().make(layer, water_molecule)
    flow.update_maker_kwargs({"_set": {"overrides->mode": "pw", "overrides->cutoff": 400.0}},
                             class_filter=GpawEngine, dict_mod=True)  # fmt: skip
    ghost = next(job for job in flow.jobs if job.name == "static A* in AB basis")
    with pytest.raises(Exception, match="only 'lcao' has"):
        ghost.maker.request(layer, [0])

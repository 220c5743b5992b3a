"""The binding flow on a tiny interface with real engines: physics, reuse, and honest marks."""

import logging

import pytest

from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.flows.run import run_flow
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from tests.quantities.binding.small import ABOUT, gpaw_maker, xtb_maker


def calculate(maker, slab, fragment, store, folder):
    events = []
    flow = maker.make(slab, fragment, ABOUT)
    output = run_flow(flow, store, folder, events.append)
    return BindingDocument.model_validate(output), events


@pytest.mark.slow
def test_terms_add_up_and_a_second_run_calculates_nothing(layer, water_molecule, store, tmp_path, monkeypatch):
    # what some libraries do to all loggers when they configure logging: progress must not hang on it
    for name in ("jobflow", "jobflow.core.job", "jobflow.managers.local"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", True)
    document, events = calculate(xtb_maker(), layer, water_molecule, store, tmp_path / "runs")
    assert document.binding_energy == pytest.approx(
        document.interaction_energy + sum(document.deformation_energy.values()), abs=1e-8
    )
    energies = {term.role: term.energy for term in document.terms}
    assert document.binding_energy == pytest.approx(energies["AB"] - energies["A"] - energies["B"], abs=1e-8)
    assert document.binding_energy < 0
    assert document.bsse_energy is None
    assert {e.step for e in events if e.state == "finished"} >= {"relax A", "relax B", "relax AB", "static AB"}

    again, events = calculate(xtb_maker(), layer, water_molecule, store, tmp_path / "runs")
    done = {e.step for e in events if e.state == "finished"}
    assert done == {
        "images",
        "cut AB",
        "compare references",
        "collect",
    }  # bookkeeping, and two single points of the molecule
    assert again.binding_energy == pytest.approx(document.binding_energy, abs=1e-12)


@pytest.mark.parametrize(("level", "ghosts"), [("fast", True), ("precise", False)])
def test_atom_centred_functions_get_their_correction_whatever_is_asked_for(layer, water_molecule, level, ghosts):
    maker = BindingEnergyMaker(
        engine=GpawEngine(level=level), geometry_engine=XtbEngine(), frozen=False, densities=False
    )
    statics = {
        job.name
        for job in maker.make(layer, water_molecule, ABOUT).jobs
        if job.name.startswith("static") and "from" not in job.name
    }
    parts = {f"static {name}" for name in ("A*", "B*", "A* in AB basis", "B* in AB basis")}
    assert statics - {"static A", "static B", "static AB"} == (parts if ghosts else set())


@pytest.mark.slow
def test_gpaw_interface_obeys_the_definitions(layer, water_molecule, store, tmp_path):
    document, _ = calculate(gpaw_maker(), layer, water_molecule, store, tmp_path / "runs")
    assert document.converged, document.flags
    # 1e-8 eV: the identity is arithmetic
    assert document.binding_energy == pytest.approx(
        document.interaction_energy + sum(document.deformation_energy.values()), abs=1e-8
    )
    assert document.binding_energy_raw == pytest.approx(
        document.interaction_energy_raw + sum(document.deformation_energy.values()), abs=1e-8
    )
    assert document.binding_energy == pytest.approx(document.binding_energy_raw + document.bsse_energy, abs=1e-8)
    assert document.bsse_energy > 0
    assert {"basis", "geometry"} <= set(document.uncertainty_parts)
    difference = document.density_difference
    assert difference.basis_superposition == "ghosts"
    assert abs(difference.integral) < 1e-3
    assert sum(document.charge_transfer.values()) == pytest.approx(0, abs=1e-3)
    assert abs(difference.delta_q_z[-1]) < 1e-3
    calculations = {c["output"]["role"]: c["output"] for c in store.query({"output.kind": "static"}, load=False)}
    for role, molecules in {"AB": 2, "A* in AB basis": 1, "B* in AB basis": 1}.items():
        assert calculations[role]["densities"]["pseudo"]["shape"] == list(document.grid)
        assert calculations[role]["n_electrons"] == pytest.approx(8 * molecules, abs=1e-4)
        assert calculations[role]["charges"]["bader"]["total_electrons"] == pytest.approx(10 * molecules, abs=1e-4)
    for part in ("A", "B"):
        # ghosts leave dispersion alone
        assert calculations[f"{part}*"]["dispersion_energy"] == pytest.approx(
            calculations[f"{part}* in AB basis"]["dispersion_energy"], abs=1e-12
        )

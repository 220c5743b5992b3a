"""Binding free energies: what is added to a binding energy, what is asked for, and a whole screening by real xTB."""

import json

import numpy as np
import pytest
from ase.build import molecule
from ase.units import kB

from iface_wf.api import calculate
from iface_wf.cli.main import main
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import get_kind
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.quantities.thermal.collect import spin_of, symmetry_number, thermal_document
from iface_wf.quantities.thermal.graph import thermal_graph, thermal_key
from iface_wf.quantities.thermal.page import wavenumber
from iface_wf.quantities.thermal.request import ThermalRequest
from iface_wf.screening.plan import plan_screening
from iface_wf.screening.run import run_screening
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.spec_file import read_spec
from tests import examples
from tests.engines.conftest import boxed
from tests.tiny_library import counted, read_log, spec_text, write_library

CONDITIONS = {"key": "k" * 64, "temperature": 300.0, "pressure": 1.0, "provenance": {}}


def second_derivatives(role, structure, hessian, vibrating):
    values = {
        "key": role,
        "kind": "vibrations",
        "role": role,
        "engine": "xtb",
        "engine_version": "0",
        "level": "fast",
        "functional": "GFN1-xTB",
        "settings": {"displacement": 0.01},
        "structure": structure.as_dict(),
        "formula": structure.reduced_formula,
        "n_atoms": len(structure),
        "energy": 0.0,
        "max_force": 0.01,
        "converged": True,
        "hessian": hessian.tolist(),
        "vibrating": vibrating,
    }
    return CalculationDocument(**values)


def stretch(k, hold):
    """Second derivatives of a diatomic molecule along z that something holds by springs, eV/A^2."""
    along = np.diag([0.0, 0.0, 1.0])
    return np.block([[k * along, -k * along], [-k * along, k * along]]) + hold * np.eye(6)


def both(hold=1.0, **changes):
    fluoride = boxed(molecule("HF"), 8.0)
    whole = second_derivatives("AB", examples.structure(), stretch(55.0, hold), [4, 5])
    return {
        "AB": whole.model_copy(update=changes),
        "B": second_derivatives("B", fluoride, stretch(55.0, 0.0), [0, 1]),
    }


def test_the_free_energy_is_what_its_parts_make_it():
    binding = examples.document()
    found = thermal_document(binding, both(), {"AB": "1", "B": "2"}, CONDITIONS)
    whole, gas = found.vibrations["AB"], found.vibrations["B"]
    assert (len(whole.wavenumbers), len(gas.wavenumbers)) == (6, 1)
    assert (gas.shape, gas.symmetry_number, gas.spin) == ("linear", 1, 0.0)
    assert found.binding_energy_zpe == pytest.approx(binding.binding_energy + whole.zero_point - gas.zero_point)
    expected = binding.binding_energy + whole.free_energy - gas.free_energy
    assert found.binding_free_energy == pytest.approx(expected, abs=1e-12)
    assert found.binding_free_energy == pytest.approx(found.binding_enthalpy - 300.0 * found.binding_entropy, abs=1e-12)
    assert found.binding_entropy < -5 * kB  # a gas loses most of its entropy
    assert found.binding_free_energy > found.binding_energy
    assert found.trustworthy == binding.trustworthy
    assert found.binding_key == binding.key
    assert [term.role for term in found.terms][-2:] == ["vibrations AB", "vibrations B"]
    assert found.terms[-2].uuid == "1"  # so that what is exported has them too
    rarer = thermal_document(binding, both(), {}, CONDITIONS | {"pressure": 1e-3})
    assert rarer.binding_free_energy - found.binding_free_energy == pytest.approx(kB * 300.0 * np.log(1e3), rel=1e-9)
    warmer = thermal_document(binding, both(), {}, CONDITIONS | {"temperature": 500.0})
    assert warmer.binding_free_energy > found.binding_free_energy


def test_imaginary_modes_are_counted_and_flagged_and_large_ones_make_the_number_untrustworthy():
    fine = thermal_document(examples.document(), both(), {}, CONDITIONS)
    assert fine.imaginary_modes == 0
    small = thermal_document(examples.document(), both(hold=-0.001), {}, CONDITIONS)
    assert (small.imaginary_modes, small.trustworthy) == (5, True)
    assert any(flag.startswith("imaginary_modes (AB: 5, up to ") for flag in small.flags)
    large = thermal_document(examples.document(), both(hold=-1.0), {}, CONDITIONS)
    assert large.binding_free_energy is not None
    assert not large.trustworthy
    assert any(flag.startswith("not_a_minimum (AB: ") for flag in large.flags)
    assert wavenumber(large.vibrations["AB"].wavenumbers[0]).endswith("i")


def test_forces_that_hang_on_where_a_molecule_stands_are_told():
    calculations = both()
    noisy = np.array(calculations["B"].hessian) + 3.0 * np.eye(6)
    calculations["B"] = calculations["B"].model_copy(update={"hessian": noisy.tolist()})
    found = thermal_document(examples.document(), calculations, {}, CONDITIONS)
    assert [flag for flag in found.flags if flag.startswith("rough_forces (B: moved as a whole it has ")]
    assert not any("rough" in flag for flag in thermal_document(examples.document(), both(), {}, CONDITIONS).flags)


def test_without_second_derivatives_there_is_no_number():
    lost = thermal_document(
        examples.document(), both(converged=False, hessian=None, flags=["scf_unconverged"]), {}, CONDITIONS
    )
    assert (lost.binding_free_energy, lost.trustworthy) == (None, False)
    assert "scf_unconverged (vibrations AB)" in lost.flags
    kind = get_kind("thermal")
    assert kind.summary(lost)[0].value is None
    assert kind.sections(lost)
    unbound = examples.document(binding_energy=None)
    assert thermal_document(unbound, both(), {}, CONDITIONS).binding_free_energy is None


@pytest.mark.parametrize(
    ("name", "number"), [("H2O", 2), ("NH3", 3), ("CH4", 12), ("N2", 2), ("HF", 1), ("H", 1), ("C6H6", 12)]
)
def test_symmetry_numbers_are_those_of_textbooks(name, number):
    assert symmetry_number(molecule(name)) == number


def test_spins():
    radical = second_derivatives("B", boxed(molecule("CH3"), 8.0), np.zeros((12, 12)), [0, 1, 2, 3])
    assert spin_of(radical) == 0.5
    assert spin_of(radical.model_copy(update={"charge": 1.0})) == 0.0
    assert spin_of(radical.model_copy(update={"magnetic_moment": 2.0})) == 1.0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"temperature": -5.0}, "'temperature': input should be greater than or equal to 10"),
        ({"temperature": float("nan")}, "'temperature'"),
        ({"pressure": 0.0}, "'pressure': input should be greater than or equal to 0.000000000001"),
        ({"temperature": True}, "'temperature'"),
        ({"quantities": ["binding_free_energi"]}, "did you mean binding_free_energy"),
        ({"quantities": ["binding_free_energy", "charges"]}, "belong to several kinds"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(wrong, told):
    asked = {"filler": "LiI", "molecule": "O", "quantities": ["binding_free_energy"]} | wrong
    with pytest.raises(InputError, match=told) as error:
        calculate.make_request(**asked)
    assert "\n" not in str(error.value)


def test_an_engine_that_relaxes_but_has_no_frequencies_is_refused():
    request = ThermalRequest(filler="LiI", molecule="O", thickness=3.0, engine="vasp", level="moderate")
    with pytest.raises(InputError, match="engine vasp gives no frequencies"):
        thermal_graph(request, Library(), here=False)


def test_keys_hang_on_the_binding_energy_and_the_conditions():
    keys = {thermal_key(*each) for each in (("a", 300.0, 1.0), ("b", 300.0, 1.0), ("a", 301.0, 1.0), ("a", 300.0, 2.0))}
    assert len(keys) == 4
    assert thermal_key("a", 300, 1) == thermal_key("a", 300.0, 1.0)


@pytest.mark.slow
def test_a_screening_shares_everything_with_its_binding_energies(tmp_path, monkeypatch, job_store, capsys):
    log = tmp_path / "calculations.jsonl"
    folder = write_library(tmp_path / "library")
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(folder))
    monkeypatch.setenv("IFACE_WF_CALC_LOG", str(log))
    library, path = Library(folder), tmp_path / "spec.yaml"

    def spec(**more):
        text = spec_text(
            fillers=["water-layer"], polymers=["water"], overrides={"fmax": 0.03, "max_steps": 800}, **more
        )
        path.write_text(text, encoding="utf-8")
        return read_spec(path)

    both_kinds = ["binding_energy", "interaction_energy", "charges", "binding_free_energy"]
    (stage,) = plan_screening(spec(quantities=both_kinds), job_store, library)
    assert (stage.pairs, stage.counts["complexes"], stage.counts["frequencies"]) == (2, 1, 2)
    outcome = run_screening(spec(quantities=["interaction_energy", "charges"]), job_store, library, tmp_path / "runs")
    assert outcome.failed == {}
    before = counted(read_log(log))
    (stage,) = plan_screening(spec(quantities=["binding_free_energy"]), job_store, library)
    assert {name: n - stage.found[name] for name, n in stage.counts.items() if n > stage.found[name]} == {
        "frequencies": 2
    }
    outcome = run_screening(spec(quantities=["binding_free_energy"]), job_store, library, tmp_path / "runs")
    assert outcome.failed == {}
    assert dict(counted(read_log(log)) - before) == {("vibrations", "AB"): 1, ("vibrations", "B"): 1}
    warm = run_screening(
        spec(quantities=["binding_free_energy"], temperature=350.0), job_store, library, tmp_path / "runs"
    )
    assert len(warm.finished) == 1
    assert dict(counted(read_log(log)) - before) == {("vibrations", "AB"): 1, ("vibrations", "B"): 1}  # nothing more

    store = ["--store", str(tmp_path / "store.sqlite")]
    capsys.readouterr()
    assert main(["results", "--kind", "thermal", "--json", *store]) == 0
    rows = json.loads(capsys.readouterr().out)
    rows = rows["rows"] if isinstance(rows, dict) else rows
    assert sorted(row["temperature"] for row in rows) == [298.15, 350.0]
    cold, hot = sorted(rows, key=lambda row: row["temperature"])
    assert hot["binding_free_energy"] > cold["binding_free_energy"] > cold["binding_energy"]
    assert main(["show", cold["key"][:12], *store]) == 0
    shown = capsys.readouterr().out
    assert "binding free energy" in shown
    assert "at 298.15 K and 1 bar" in shown
    assert main(["report", "--kind", "thermal", "--out", str(tmp_path / "pages"), *store]) == 0
    pages = "".join(page.read_text(encoding="utf-8") for page in (tmp_path / "pages").rglob("*.html"))
    assert "Wavenumbers, 1/cm" in pages
    assert "quasi-RRHO" in pages


def test_a_spec_refuses_a_temperature_by_its_line(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(spec_text(quantities=["binding_free_energy"]) + "temperature: -1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 8: .*'temperature'.* greater than or equal to 10"):
        read_spec(path)
    assert ScreeningSpec(fillers=["LiI"], molecules=["O"]).temperature == 298.15

"""What an older version stored is read with the same facts; what a newer one stored is refused."""

import pytest

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.upgrade import SCHEMA_VERSION, upgrade
from iface_wf.errors import InputError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.store.settings import open_store
from tests.documents.test_charges import calculation
from tests.examples import document
from tests.store.old.unpack import unpack_store


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """All documents of the old store, as stored."""
    with open_store(str(unpack_store(tmp_path_factory.mktemp("old")))) as store:
        return [entry["output"] for entry in store.query({})]


def of_type(outputs, kind):
    return [output for output in outputs if output.get("document_type") == kind]


def test_every_old_calculation_is_read_with_the_same_facts(outputs):
    old = of_type(outputs, "calculation")
    assert len(old) > 50
    renamed = {"bader", "@module", "@class", "@version"}
    for before in old:
        assert "schema_version" not in before
        after = CalculationDocument.model_validate(before)
        stored = after.model_dump(mode="json")
        assert stored["schema_version"] == SCHEMA_VERSION
        assert {k: v for k, v in before.items() if k not in renamed} == {
            k: stored[k] for k in before if k not in renamed
        }
        assert (after.charges == {}) == (before["bader"] is None)
        if before["bader"]:
            bader = stored["charges"]["bader"]
            assert {k: v for k, v in bader.items() if k != "scheme"} == before["bader"]


def test_every_old_result_keeps_its_numbers_and_tells_charges_by_component(outputs):
    old = of_type(outputs, "binding")
    assert len(old) == 11
    same = ["deformation_energy", "bsse_energy", "dispersion_energy", "key", "area", "flags", "grid", "terms"]
    for before in old:
        after = BindingDocument.model_validate(before)
        stored = after.model_dump(mode="json")
        assert {name: before[name] for name in same} == {name: stored[name] for name in same}
        assert after.lateral_energy is None  # nobody calculated it
        assert after.binding_energy_raw == before["binding_energy"]
        assert after.interaction_energy_raw == before["interaction_energy"]
        assert after.placements == before["n_placements"]
        assert after.provenance["request"]["placements"] == before["provenance"]["request"]["n_placements"]
    (before,) = [each for each in old if each["engine"] == "gpaw"]
    after = BindingDocument.model_validate(before)
    # the headline is the corrected one, to the last digit
    assert (after.binding_energy, after.interaction_energy) == (
        before["binding_energy_cp"],
        before["interaction_energy_cp"],
    )
    assert after.binding_energy == pytest.approx(after.binding_energy_raw + after.bsse_energy, abs=1e-9)
    assert after.binding_energy == pytest.approx(
        after.interaction_energy + sum(after.deformation_energy.values()), abs=1e-9
    )
    assert after.binding_energy_per_area == pytest.approx(after.binding_energy / after.area, abs=1e-12)
    assert after.uncertainty_parts["basis"] == pytest.approx(0.08 * after.bsse_energy)
    # one component on each side: the parts' charges are the components'
    assert after.charge_transfer == pytest.approx(
        {"slab": before["charge_transfer"]["A"], "polymer": before["charge_transfer"]["B"]}, abs=1e-9
    )
    assert (after.charge_scheme, after.converged, after.trustworthy) == ("bader", True, True)
    sums = after.charges["bader"].component_charges
    assert set(sums) == {"AB", "A* in AB basis", "B* in AB basis"}
    assert sums["AB"]["slab"] - sums["A* in AB basis"]["slab"] == pytest.approx(
        after.charge_transfer["slab"], abs=1e-12
    )


def test_an_old_result_in_atom_centred_functions_without_correction_stays_raw_and_says_so(outputs):
    (before,) = [each for each in of_type(outputs, "binding") if each["engine"] == "gpaw"]
    lacking = dict.fromkeys(("binding_energy_cp", "interaction_energy_cp", "bsse_energy", "interaction_energy"))
    after = BindingDocument.model_validate({**before, **lacking})
    assert after.binding_energy == after.binding_energy_raw == before["binding_energy"]
    assert after.flags == [*before["flags"], "uncorrected_basis"]
    assert after.uncertainty > 0.25  # the whole of what a correction might have been
    plane_waves = BindingDocument.model_validate({**before, **lacking, "basis": "PW 600 eV"})
    assert plane_waves.flags == before["flags"]


def test_an_old_result_with_several_components_on_a_side_tells_them_apart():
    old = document().model_dump(mode="json")
    for name in ("schema_version", "charges", "charge_scheme", "trustworthy"):
        old.pop(name)
    charges = {"AB": {"slab": 0.1, "graft": -0.05, "polymer": 0.05, "salt_cation": 0.9, "salt_anion": -1.0},
               "A*": {"slab": 0.0, "graft": 0.0}, "B*": {"polymer": 0.0, "salt_cation": 0.9, "salt_anion": -0.9}}  # fmt: skip
    old["charge_transfer"] = {"A": 0.05, "B": -0.05}
    old["bader"] = [{"role": r, "document": {"component_charges": c, "flags": []}} for r, c in charges.items()]
    transfer = BindingDocument.model_validate(old).charge_transfer
    assert transfer == pytest.approx(
        {"slab": 0.1, "graft": -0.05, "polymer": 0.05, "salt_cation": 0.0, "salt_anion": -0.1}, abs=1e-12
    )
    assert transfer["slab"] + transfer["graft"] == pytest.approx(old["charge_transfer"]["A"], abs=1e-12)


def test_converged_was_false_for_any_fatal_flag_and_is_not_any_more(outputs):
    (halted,) = [each for each in of_type(outputs, "binding") if not each["converged"]]
    after = BindingDocument.model_validate(halted)
    assert (after.converged, after.trustworthy) == (False, False)  # a relaxation was cut short
    desorbed = of_type(outputs, "binding")[0] | {"converged": False, "flags": ["desorbed"]}
    after = BindingDocument.model_validate(desorbed)
    assert (after.converged, after.trustworthy) == (True, False)


def test_placements_of_a_job_that_ran_before_are_read_by_one_that_runs_now(outputs):
    old = [output for output in outputs if output.get("@class") == "RankedPlacements"]
    assert len(old) == 11
    assert all(RankedPlacements.model_validate(each).placement == each["placement"] for each in old)


def test_a_document_of_a_newer_version_is_refused_by_name():
    newer = calculation().model_dump(mode="json") | {"schema_version": SCHEMA_VERSION + 1}
    with pytest.raises(
        InputError, match=r"The calculation cccccccccc was written by a newer version .* update iface-wf"
    ):
        CalculationDocument.model_validate(newer)


def test_a_document_of_today_is_left_as_it_is():
    stored = document().model_dump(mode="json")
    assert upgrade(stored) == stored

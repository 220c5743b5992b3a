"""Bring a store that an older version filled up to date: nothing is lost, and what is stored is found under today's keys."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from iface_wf import run
from iface_wf.documents.failure import FailureDocument, failure_uuid
from iface_wf.documents.upgrade import SCHEMA_VERSION
from iface_wf.engines.gpaw import profile as gpaw
from iface_wf.engines.xtb import profile as xtb
from iface_wf.errors import InputError
from iface_wf.flows.request import KEY_VERSION
from iface_wf.library import Library
from iface_wf.quantities.binding import BINDING, rekey
from iface_wf.quantities.binding.former_keys import key_of_before
from iface_wf.screening.run import run_screening
from iface_wf.screening.spec_file import read_spec
from iface_wf.screening.state import failures, record_failure
from iface_wf.store.migrate import migrate
from iface_wf.store.results import find_result, result_table
from iface_wf.store.settings import open_store
from iface_wf.store.versions import older
from tests.store.old.unpack import library_of_the_store, methods_of_the_store, unpack_store
from tests.tiny_library import spec_text

KINDS = ["binding", "calculation", "failure"]
FILE_IS_GONE = 1


@pytest.fixture
def old(tmp_path, monkeypatch):
    """The old store, opened, its library and methods in use, and a log of all calculations."""
    methods_of_the_store(monkeypatch)
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(library_of_the_store(tmp_path / "library")))
    monkeypatch.setenv("IFACE_WF_CALC_LOG", str(tmp_path / "calculations.jsonl"))
    path = unpack_store(tmp_path)
    with open_store(str(path)) as store:
        yield SimpleNamespace(store=store, path=path, folder=tmp_path)


def bring_up_to_date(store, **options):
    return migrate(store, {"binding": BINDING.rekeyer(store, Library())}, KEY_VERSION, **options)


def contents(store):
    return {(entry["uuid"], entry["index"]): entry for entry in store.docs_store.query({})}


def bindings(store):
    return {entry["uuid"]: entry["output"] for entry in store.query({"output.document_type": "binding"}, load=False)}


@pytest.mark.parametrize("entry", json.loads(Path(__file__).with_name("old").joinpath("keys.json").read_text()))
def test_keys_of_before_are_made_as_they_were(entry):
    """Of requests that the old version made keys for, with every engine."""
    assert key_of_before(entry["request"], "s" * 64, "f" * 64) == entry["key"]


@pytest.mark.slow
def test_all_documents_are_of_today_and_all_results_have_todays_keys(old):
    before = bindings(old.store)
    done = bring_up_to_date(old.store)
    assert old.store.count(older(KINDS)) == 0
    assert done.upgraded == {"binding": 11, "calculation": 76, "failure": 1}
    assert done.rekeyed["binding"] == len(before) - FILE_IS_GONE
    after = bindings(old.store)
    for uuid, output in after.items():
        assert output["schema_version"] == SCHEMA_VERSION
        for name in ("bsse_energy", "deformation_energy", "flags", "structure", "terms"):
            assert output[name] == before[uuid][name]
        for name in ("binding_energy", "interaction_energy"):
            corrected = before[uuid][f"{name}_cp"]
            assert output[f"{name}_raw"] == before[uuid][name]
            assert output[name] == (before[uuid][name] if corrected is None else corrected)
        assert (output["bsse_energy"] is not None) == (output["engine"] == "gpaw")
        if output["key"] != before[uuid]["key"]:
            assert output["provenance"]["former_key"] == before[uuid]["key"]
            assert output["provenance"]["key_version"] == KEY_VERSION
    assert len({output["key"] for output in after.values()}) == len(after)
    density = find_result(old.store, result_table(old.store, engine="gpaw").loc[0, "key"], load=True).document
    assert isinstance(density.density_difference.density.blob, str)


@pytest.mark.slow
def test_what_cannot_have_a_new_key_keeps_its_own_and_says_why(old):
    done = bring_up_to_date(old.store)
    reasons = {(kept.kind, kept.name): kept.reason for kept in done.kept}
    assert "does not exist" in reasons["binding", "methane on mine.vasp (as given)"]
    assert "tells no request" in reasons["failure", "HCN-layer + methanol"]
    assert len(reasons) == 2
    (gone,) = [kept for kept in done.kept if kept.kind == "binding"]
    assert find_result(old.store, gone.key).document.binding_energy == pytest.approx(-0.0533, abs=1e-4)


@pytest.mark.slow
def test_screenings_and_runs_of_today_find_everything_and_calculate_nothing(old):
    bring_up_to_date(old.store)
    specs = [
        spec_text(["HF-layer", "HCN-layer"], ["methane", "water"], room_atoms=0),
        spec_text(["LiF"], ["water", "ethane"], placements=2, room_atoms=0),
        spec_text(["LiF"], ["ammonia"], in_plane=[8.0, 5.5]),
    ]
    for text in specs:
        (old.folder / "spec.yaml").write_text(text, encoding="utf-8")
        events = []
        spec = read_spec(old.folder / "spec.yaml")
        outcome = run_screening(spec, old.store, Library(), old.folder / "runs", events.append)
        assert len(outcome.finished) == spec.n_pairs
        assert {event.state for event in events} == {"found"}
    coarse = {"grid_spacing": 0.2667, "convergence": {"energy": 1e-4, "density": 1e-3}, "kpoint_length": 1.0}
    quick = {"placements": 1, "vacuum": 6.0, "room_atoms": 0, "store": old.store, "workdir": old.folder / "runs"}
    stored = set(bindings(old.store))
    for arguments, options in (
        (("HF-layer", "ammonia"), {"engine": "xtb", "quantities": ["binding_energy"]}),
        (("HF-layer", "methanol"), {"engine": "xtb", "overrides": {"max_steps": 2}}),
        (("HF-layer", "water"), {"engine": "gpaw", "overrides": coarse, "processes": 1}),
    ):
        assert run(*arguments, **options, **quick).provenance["former_key"]
    assert set(bindings(old.store)) == stored
    assert not (old.folder / "calculations.jsonl").exists()


@pytest.mark.slow
def test_a_key_that_somebody_noted_down_still_finds_its_result(old):
    before = {output["key"]: output["binding_energy"] for output in bindings(old.store).values()}  # called raw today
    bring_up_to_date(old.store)
    for key, energy in before.items():
        assert find_result(old.store, key[:10]).document.binding_energy_raw == energy


@pytest.mark.slow
def test_a_second_time_changes_nothing(old):
    bring_up_to_date(old.store)
    before = contents(old.store)
    again = bring_up_to_date(old.store)
    assert contents(old.store) == before
    assert (sum(again.upgraded.values()), sum(again.rekeyed.values()), again.jobs) == (0, 0, 0)
    assert [kept.kind for kept in again.kept] == ["binding"]


@pytest.mark.slow
def test_a_dry_run_says_the_same_and_changes_nothing(old):
    before = contents(old.store)
    planned = bring_up_to_date(old.store, dry_run=True)
    assert contents(old.store) == before
    assert planned == bring_up_to_date(old.store)


@pytest.mark.slow
@pytest.mark.parametrize("writes", [0, 1, 3, 5, 6, 8])
def test_an_interrupted_one_goes_on_where_it_was(old, tmp_path, monkeypatch, writes):
    (tmp_path / "whole").mkdir()
    with open_store(str(unpack_store(tmp_path / "whole"))) as whole:
        bring_up_to_date(whole)
        expected = contents(whole)
    store, left = old.store.docs_store, writes
    original = store.update

    def update(*arguments, **options):
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        original(*arguments, **options)

    monkeypatch.setattr(store, "update", update)
    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(old.store)
    assert len(contents(old.store)) == len(expected)
    assert len(result_table(old.store)) == len(bindings(old.store))
    monkeypatch.setattr(store, "update", original)
    bring_up_to_date(old.store)
    assert contents(old.store) == expected


@pytest.mark.slow
def test_jobs_and_failures_go_with_the_result_they_belong_to(old):
    output = next(o for o in bindings(old.store).values() if o["filler"] == "LiF" and o["polymer"] == "ethane")
    record_failure(old.store, output["key"], "LiF + ethane", "killed")
    made_for = old.store.count({"metadata.interface": output["key"]})
    assert made_for >= 6  # place, relax, three single points, collect
    done = bring_up_to_date(old.store)
    new = find_result(old.store, output["key"]).document.key
    assert new != output["key"]
    assert old.store.count({"metadata.interface": output["key"]}) == 0
    assert old.store.count({"metadata.interface": new}) == made_for
    assert done.jobs > made_for
    assert failures(old.store, [output["key"], new]).keys() == {new}
    assert old.store.query_one({"uuid": failure_uuid(new)})["output"]["cause"] == "killed"
    assert done.rekeyed["failure"] == 1


@pytest.mark.slow
def test_a_failure_of_today_is_not_overwritten_by_one_of_before(old):
    output = next(o for o in bindings(old.store).values() if o["polymer"] == "ammonia")
    new = next(o["key"] for o in _migrated_copy(old).values() if o["provenance"].get("former_key") == output["key"])
    record_failure(old.store, output["key"], "x", "before")
    record_failure(old.store, new, "x", "today")
    bring_up_to_date(old.store)
    assert {key: f.cause for key, f in failures(old.store, [output["key"], new]).items()} == {new: "today"}


def _migrated_copy(old):
    (old.folder / "copy").mkdir()
    with open_store(str(unpack_store(old.folder / "copy"))) as copy:
        bring_up_to_date(copy)
        return bindings(copy)


@pytest.mark.slow
def test_a_default_that_has_changed_since_is_another_method(old, monkeypatch):
    """The keys of before did not hold GPAW's dispersion: a result with D3 must not stand for one without."""
    monkeypatch.setitem(gpaw.COMMON, "dispersion", "none")
    done = bring_up_to_date(old.store)
    refused = {kept.name: kept.reason for kept in done.kept if kept.kind == "binding"}
    assert "other settings today" in refused["water on HF-layer (as given)"]
    assert len(refused) == 1 + FILE_IS_GONE


@pytest.mark.slow
def test_a_level_that_has_changed_since_is_another_method(old, monkeypatch):
    monkeypatch.setitem(xtb.LEVELS["fast"], "accuracy", 0.7)
    done = bring_up_to_date(old.store)
    assert done.rekeyed["binding"] == 0
    assert sum("other settings today" in kept.reason for kept in done.kept) == 11 - FILE_IS_GONE


@pytest.mark.slow
def test_xtb_in_another_cell_is_another_method(old, monkeypatch):
    """Every result of the store rests on xTB in a cell of 60 A, which is no more: it is read as it is, and stands for nothing."""
    before = bindings(old.store)
    monkeypatch.undo()
    monkeypatch.setattr(rekey, "SEARCHED_SINCE", 0)
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(old.folder / "library"))
    done = bring_up_to_date(old.store)
    assert done.upgraded["binding"] == len(before)
    assert done.rekeyed["binding"] == 0
    assert sum("other settings today" in kept.reason for kept in done.kept) == len(before) - FILE_IS_GONE
    for output in before.values():
        assert find_result(old.store, output["key"]).document.binding_energy_raw == output["binding_energy"]


@pytest.mark.slow
def test_results_of_a_few_ranked_placements_stand_for_no_search(old, monkeypatch):
    before = bindings(old.store)
    monkeypatch.setattr(rekey, "SEARCHED_SINCE", KEY_VERSION)
    done = bring_up_to_date(old.store)
    assert done.rekeyed["binding"] == 0
    assert sum("was not searched for" in kept.reason for kept in done.kept) == len(before)
    assert {output["key"] for output in before.values()} == {output["key"] for output in bindings(old.store).values()}
    for output in before.values():
        assert find_result(old.store, output["key"]).document.binding_energy_raw == output["binding_energy"]


@pytest.mark.slow
def test_parts_that_are_built_otherwise_today_are_not_those_of_the_result(old):
    folder = old.folder / "library" / "polymers"
    (folder / "water.yaml").write_text((folder / "water.yaml").read_text().replace("*O*", "*S*"))
    done = bring_up_to_date(old.store)
    refused = [kept.name for kept in done.kept if "not the one that was calculated" in kept.reason]
    assert len(refused) == 4
    assert all(name.startswith("water on ") for name in refused)


def test_a_result_without_its_calculations_says_nothing_of_its_method(old):
    old.store.remove_docs({"output.document_type": "calculation"})
    done = bring_up_to_date(old.store)
    assert done.rekeyed["binding"] == 0
    assert sum("not in this store" in kept.reason for kept in done.kept) == 11 - FILE_IS_GONE


@pytest.mark.slow
def test_folders_keep_the_keys_by_which_their_projects_collect_them_again(old):
    """Those of a project that was written here, and those of somebody else's folders, which tell no request."""
    entries = [e for e in contents(old.store).values() if e["output"].get("polymer") in ("ammonia", "methanol")]
    ours, others = (e for e in entries if e["output"]["filler"] == "HF-layer")
    ours["output"]["key"] = hashlib.sha256(f"{ours['output']['key']} by hand".encode()).hexdigest()
    del others["output"]["provenance"]["request"]
    old.store.docs_store.update([ours, others], key=["uuid", "index"])
    done = bring_up_to_date(old.store)
    after = bindings(old.store)
    for entry in (ours, others):
        assert after[entry["uuid"]]["key"] == entry["output"]["key"]
    assert [kept.name for kept in done.kept if kept.kind == "binding"] == ["methane on mine.vasp (as given)"]


@pytest.mark.slow
def test_a_damaged_document_is_named_and_left_alone(old):
    entry = next(e for e in contents(old.store).values() if e["output"].get("document_type") == "calculation")
    del entry["output"]["functional"]
    old.store.docs_store.update(entry, key=["uuid", "index"])
    done = bring_up_to_date(old.store)
    assert contents(old.store)[entry["uuid"], 1] == entry
    (kept,) = [kept for kept in done.kept if kept.kind == "calculation"]
    assert entry["uuid"] in kept.reason
    assert "'functional' is missing" in kept.reason
    assert done.upgraded["calculation"] == 75


def test_a_store_that_a_newer_version_has_written_to_is_left_alone(old):
    newer = FailureDocument(key="k", name="x", cause="y", attempts=1).model_dump() | {"schema_version": 99}
    old.store.docs_store.update({"uuid": "u", "index": 1, "output": newer}, key=["uuid", "index"])
    before = contents(old.store)
    with pytest.raises(InputError, match="newer version"):
        bring_up_to_date(old.store)
    assert contents(old.store) == before

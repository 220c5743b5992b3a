"""Local screenings with real xTB, counted by what the calculations themselves write into a log."""

import json

import pytest

from iface_wf.cli.main import main
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.errors import CalculationError
from iface_wf.library import Library
from iface_wf.screening.plan import plan_screening
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import MAX_ATTEMPTS, record_failure
from iface_wf.store.provenance import trace
from iface_wf.store.results import result_table
from tests.tiny_library import LAYERS, MOLECULES, counted, read_log, spec_text


def dry_run(tmp_path, capsys):
    capsys.readouterr()
    assert (
        main(["screen", str(tmp_path / "spec.yaml"), "--dry-run", "--json", "--store", str(tmp_path / "store.sqlite")])
        == 0
    )
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_three_fillers_and_five_polymers_need_eight_references(screen, tmp_path, job_store, capsys):
    log = tmp_path / "calculations.jsonl"
    four = list(MOLECULES)[:4]
    spec = tmp_path / "spec.yaml"
    spec.write_text(spec_text(polymers=MOLECULES), encoding="utf-8")
    expected = {
        "conformer_searches": 0, "placement_searches": 0, "references": 8, "reference_statics": 8, "complexes": 15, "reference_checks": 30, "complex_statics": 15,
        "frozen_statics": 30, "frequencies": 0,
    }  # fmt: skip
    assert dry_run(tmp_path, capsys)["counts"] == expected

    outcome, _ = screen(spec_text(polymers=four))
    assert (len(outcome.finished), outcome.failed) == (12, {})
    first = counted(read_log(log))
    assert first["relax", "A"] + first["relax", "B"] == 3 + 4
    assert (first["relax", "AB"], first["static", "AB"], first["static", "frozen"]) == (12, 12, 24)

    outcome, _ = screen(spec_text(polymers=four))
    assert len(outcome.finished) == 12
    assert counted(read_log(log)) == first  # a second run: nothing

    spec.write_text(spec_text(polymers=MOLECULES), encoding="utf-8")
    plan = dry_run(tmp_path, capsys)
    assert plan["to_run"] == {
        "conformer_searches": 0, "placement_searches": 0, "references": 1, "reference_statics": 1, "complexes": 3, "reference_checks": 6, "complex_statics": 3,
        "frozen_statics": 6, "frequencies": 0,
    }  # fmt: skip
    screen(spec_text(polymers=MOLECULES))
    more = counted(read_log(log)) - first
    assert 0 < more.pop(("relax", "again")) <= 6  # a frozen layer comes out as it went in
    assert more.pop(("static", "again"), 0) <= 6  # of the references that came out elsewhere
    assert dict(more) == {
        ("relax", "B"): 1, ("static", "B"): 1, ("relax", "AB"): 3, ("static", "AB"): 3, ("static", "frozen"): 6,
    }  # fmt: skip
    plan = dry_run(tmp_path, capsys)
    assert plan["found"] == plan["counts"] == expected
    assert plan["core_hours"] == 0
    table = result_table(job_store)
    assert len(table) == 15
    assert sorted(set(table["filler"])) == sorted(LAYERS)


def small(**more):
    return spec_text(fillers=["HF-layer"], polymers=["methane", "water"], **more)


def test_one_interface_that_fails_stops_no_other_and_is_not_tried_for_ever(screen, tmp_path, monkeypatch):
    real = XtbEngine.calculate

    def sometimes(self, request, directory):
        if self.role == "AB" and "C" in request.atoms_structure.formula:
            raise CalculationError("the disk of node 7 is broken.")
        return real(self, request, directory)

    monkeypatch.setattr(XtbEngine, "calculate", sometimes)
    for _ in range(MAX_ATTEMPTS):
        outcome, events = screen(small())
        assert len(outcome.finished) == 1
        assert "node 7" in outcome.failed["HF-layer + methane"]
        assert [e.name for e in events if e.state == "failed"] == ["HF-layer + methane"]
    before = len(read_log(tmp_path / "calculations.jsonl"))
    outcome, events = screen(small())
    assert "--retry" in outcome.failed["HF-layer + methane"]
    assert [e.state for e in events if e.name == "HF-layer + methane"] == ["skipped"]
    assert len(read_log(tmp_path / "calculations.jsonl")) == before
    monkeypatch.setattr(XtbEngine, "calculate", real)
    outcome, _ = screen(small(), retry=True)
    assert (len(outcome.finished), outcome.failed) == (2, {})


def test_a_failed_reference_fails_its_interfaces_with_its_cause(screen, monkeypatch):
    real = XtbEngine.calculate

    def never_methane(self, request, directory):
        if self.role == "B" and self.kind == "relax" and "C" in request.atoms_structure.formula:
            raise CalculationError("methane exploded.")
        return real(self, request, directory)

    monkeypatch.setattr(XtbEngine, "calculate", never_methane)
    for states in (["skipped"], ["skipped"], ["skipped"]):
        outcome, events = screen(small())
        assert len(outcome.finished) == 1
        assert "methane exploded" in outcome.failed["HF-layer + methane"]
        assert [e.state for e in events if e.name == "HF-layer + methane"] == states
    assert [e.state for e in events if e.name == "methane"] == ["skipped"]  # the third time not even tried


def test_more_steps_are_another_attempt_where_fewer_did_not_converge(screen, tmp_path, job_store, capsys):
    def text(steps):
        overrides = {"fmax": 0.05, "max_steps": steps}
        quantities = ["binding_energy"]
        return spec_text(fillers=["HF-layer"], polymers=["water"], quantities=quantities, overrides=overrides)

    screen(text(1))
    (row,) = result_table(job_store).to_dict("records")
    assert not row["converged"]
    before = len(read_log(tmp_path / "calculations.jsonl"))
    outcome, _ = screen(text(1))
    assert len(outcome.finished) == 1
    assert len(read_log(tmp_path / "calculations.jsonl")) == before
    outcome, _ = screen(text(300))
    (row,) = result_table(job_store).to_dict("records")
    assert row["converged"]
    assert len(outcome.finished) == 1
    assert dry_run(tmp_path, capsys)["to_run"]["complexes"] == 0


def test_outages_that_an_earlier_version_counted_are_no_failures(screen, job_store):
    """It took a full disk for the interface's fault, and gave up after two of them."""
    (key,) = screen(small(max_atoms=8))[0].finished
    job_store.remove_docs({"output.key": key})
    for _ in range(MAX_ATTEMPTS):
        record_failure(job_store, key, "HF-layer + water", "OSError: [Errno 28] No space left on device")
    outcome, _ = screen(small(max_atoms=8))
    assert outcome.finished == {key}


@pytest.mark.slow
def test_a_funnel_lets_only_the_best_through(screen, tmp_path, job_store, tiny):
    text = small(level="moderate", funnel={"engine": "xtb", "level": "fast", "keep": 1}, overrides={})
    outcome, events = screen(text)
    assert len(outcome.finished) == 1
    assert {e.stage for e in events} == {"references", "ranking", "interfaces"}
    table = result_table(job_store)
    assert sorted(table["level"]) == ["fast", "fast", "moderate"]
    best = table[table["level"] == "fast"].sort_values("binding_energy").iloc[0]["polymer"]
    assert list(table[table["level"] == "moderate"]["polymer"]) == [best]
    spec = ScreeningSpec.model_validate(json.loads(json.dumps({
        "fillers": ["HF-layer"], "polymers": ["methane", "water"], "engine": "xtb", "placements": 1, "vacuum": 6.0,
        "level": "moderate", "funnel": {"keep": 1},
    })))  # fmt: skip
    stages = plan_screening(spec, job_store, Library(tiny))
    assert [(s.name, s.pairs, s.stored, s.exact) for s in stages] == [
        ("ranking", 2, 2, True),
        ("interfaces", 1, 1, True),
    ]


def test_an_interface_that_cannot_be_built_is_named_and_passed_over(screen):
    outcome, _ = screen(small(max_atoms=8))
    assert len(outcome.finished) == 1
    assert "9 atoms" in outcome.failed["HF-layer + methane"]


@pytest.mark.slow
def test_gpaw_gives_what_the_dry_run_counts(screen, tmp_path, job_store, capsys):
    """One tiny interface with real DFT; the relaxations are xTB's, the single points GPAW's."""
    overrides = {"convergence": {"energy": 1e-4, "density": 1e-3}, "kpoint_length": 1.0}
    text = spec_text(fillers=["HF-layer"], polymers=["water"], engine="gpaw", overrides=overrides, processes=1)
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    plan = dry_run(tmp_path, capsys)
    outcome, _ = screen(text)
    assert outcome.failed == {}
    lines = [line for line in read_log(tmp_path / "calculations.jsonl") if line["event"] == "end"]
    assert [line["engine"] for line in lines if line["kind"] == "relax"] == ["xtb"] * 5
    assert {line["engine"] for line in lines if line["kind"] == "static"} == {"gpaw"}
    unforeseen = [line for line in lines if line["kind"] == "static" and " from " in line["role"]]
    assert len(lines) - len(unforeseen) == sum(plan["counts"].values())
    assert dry_run(tmp_path, capsys)["found"] == plan["counts"]
    row = result_table(job_store).iloc[0]
    assert (row["engine"], row["filler"], row["polymer"]) == ("gpaw", "HF-layer", "water")
    # 1e-6 eV: the identity is arithmetic
    assert row["binding_energy"] == pytest.approx(
        row["interaction_energy"] + row["deformation_A"] + row["deformation_B"], abs=1e-6
    )


def test_every_number_is_traced_to_its_input_files(screen, job_store):
    screen(small())
    for key in result_table(job_store)["key"]:
        found = trace(job_store, key)
        roles = [calculation["role"] for calculation in found["calculations"]]
        assert sorted(roles) == sorted(["A", "B", "AB", "A*", "B*", "relax A", "relax B", "relax AB"])
        for calculation in found["calculations"]:
            assert calculation["settings"]["method"] == "GFN1-xTB"
            assert calculation["kind"] == ("relax" if "relax" in calculation["role"] else "static")
        files = {c["role"]: c["files"] for c in found["calculations"]}
        assert files["relax AB"] == ["document.json", "relax.log"]

"""Screenings in which a real ML potential ranks, relaxes or gives the energies: its name is on all of them."""

import json

import pytest
import yaml

from iface_wf.cli.main import main
from iface_wf.library import Library
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.screening.plan import plan_screening
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.store.provenance import trace
from iface_wf.store.results import result_table
from tests.tiny_library import read_log, spec_text


def small(**more):
    return spec_text(fillers=["HF-layer"], polymers=["methane", "water"], **more)


@pytest.mark.slow
def test_a_funnel_by_an_ml_potential_and_tables_that_name_it(screen, tmp_path, job_store, capsys):
    funnel = {"engine": "mlip", "level": "fast", "keep": 1}
    outcome, events = screen(small(funnel=funnel))
    assert (len(outcome.finished), outcome.failed) == (1, {})
    assert {e.stage for e in events} == {"references", "ranking", "interfaces"}
    table = result_table(job_store)
    cheap = table[table["engine"] == "mlip"]
    assert set(cheap["functional"]) == {"CHGNet 0.3.0"}
    assert set(cheap["dispersion"]) == {"D3(BJ)"}
    best = cheap.sort_values("binding_energy").iloc[0]
    assert list(table[table["engine"] == "xtb"]["polymer"]) == [best["polymer"]]

    store = ("--store", str(tmp_path / "store.sqlite"))
    name = "CHGNet 0.3.0-D3(BJ)"
    for command in (["results"], ["best", "3"], ["show", best["key"]], ["compare", "mlip/fast", "xtb/fast"]):
        capsys.readouterr()
        assert main([*command, *store]) == 0
        printed = capsys.readouterr()
        assert name in printed.out, command
        if command[0] == "best":
            assert f"unlike methods (mlip fast {name}, xtb fast GFN1-xTB-D3(BJ))" in printed.err
    for first in (name, "mlip"):
        assert main(["compare", f"{first}/fast", "xtb/fast", "--json", *store]) == 0
        compared = json.loads(capsys.readouterr().out)
        assert compared["methods"] == [f"mlip fast {name}", "xtb fast GFN1-xTB-D3(BJ)"]
        assert compared["n"] == 1
    assert main(["provenance", best["key"], *store]) == 0
    printed = capsys.readouterr().out
    assert printed.count("fast CHGNet 0.3.0") == len(trace(job_store, best["key"])["calculations"])
    assert main(["report", best["key"], "--out", str(tmp_path), *store]) == 0
    assert name in next(tmp_path.glob("*.html")).read_text(encoding="utf-8")


@pytest.mark.slow
def test_energies_of_two_models_are_never_mixed(screen, tmp_path, capsys):
    for overrides in ({}, {"weights": "r2scan"}):
        screen(spec_text(fillers=["HF-layer"], polymers=["water"], engine="mlip", overrides=overrides))
    store = ("--store", str(tmp_path / "store.sqlite"))
    first, second = "CHGNet 0.3.0-D3(BJ)/fast", "CHGNet r2scan-D3(BJ)/fast"
    capsys.readouterr()
    assert main(["compare", "mlip/fast", first, *store]) == 2
    assert f"write {first} or {second}" in capsys.readouterr().err
    assert main(["compare", first, second, *store]) == 0


@pytest.mark.slow
def test_geometries_and_ranking_by_an_ml_potential_for_energies_of_another_engine(screen, tmp_path, job_store, tiny):
    text = spec_text(fillers=["HF-layer"], polymers=["water"], placements=2, overrides={})
    spec = ScreeningSpec.model_validate(yaml.safe_load(text + "geometry: mlip\n"))
    (stage,) = plan_screening(spec, job_store, Library(tiny))
    assert (stage.counts["placement_searches"], stage.found["placement_searches"]) == (1, 0)
    assert stage.counts["conformer_searches"] == 0  # water has one shape
    assert "mlip search: rule of thumb" in stage.cost.basis
    outcome, _ = screen(text + "geometry: mlip\n")
    assert outcome.failed == {}
    lines = [line for line in read_log(tmp_path / "calculations.jsonl") if line["event"] == "end"]
    assert {(line["kind"], line["engine"]) for line in lines} == {("relax", "mlip"), ("static", "xtb")}
    document = job_store.query_one({"output.document_type": "binding"})["output"]
    assert (document["engine"], document["functional"]) == ("xtb", "GFN1-xTB")
    assert document["geometry_engine"] == "mlip CHGNet 0.3.0 (fast)"
    candidates = len(document["placement_ranking"])
    assert candidates >= 2
    by = document["provenance"]["ranked_by"]
    assert by.startswith("CHGNet 0.3.0-D3(BJ), ")
    assert by.endswith(f"{candidates} candidates")
    job_store.remove_docs({"output.document_type": "binding"})
    (stage,) = plan_screening(spec, job_store, Library(tiny))  # begun: its search is stored
    assert (stage.stored, stage.found["placement_searches"]) == (0, 1)
    screen(text + "geometry: mlip\n")
    screen(text)  # the same interface, relaxed and ranked by xTB, is another result
    assert len(result_table(job_store)) == 2


@pytest.mark.parametrize(
    ("engine", "level", "geometry", "relaxes", "ranks"),
    [
        ("gpaw", "fast", None, "xtb", "xtb"),
        ("gpaw", "fast", "mlip", "mlip", "mlip"),
        ("gpaw", "moderate", "mlip", "gpaw", "mlip"),
        ("mlip", "fast", None, "mlip", "mlip"),
        ("mlip", "fast", "xtb", "xtb", "xtb"),
        ("mlip", "moderate", None, "mlip", "mlip"),
        ("xtb", "fast", "mlip", "mlip", "mlip"),
        ("xtb", "moderate", "mlip", "xtb", "mlip"),
    ],
)
def test_who_relaxes_and_who_ranks(engine, level, geometry, relaxes, ranks):
    request = BindingRequest(filler="SiO2", polymer="PEO", engine=engine, level=level, geometry=geometry)
    assert (request.geometry_engine().engine_name, request.ranking_engine().engine_name) == (relaxes, ranks)


def test_a_model_as_main_engine_relaxes_and_ranks_too():
    request = BindingRequest(filler="SiO2", polymer="PEO", engine="mlip", overrides={"weights": "r2scan"})
    assert request.geometry_engine().overrides == {"weights": "r2scan"}
    assert request.ranking_engine().overrides == {"weights": "r2scan"}
    other = request.model_copy(update={"overrides": {}})
    assert request.key("slab", "fragment") != other.key("slab", "fragment")

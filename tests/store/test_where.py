"""Conditions on results, comparisons of levels, and where numbers come from."""

import pandas as pd
import pytest

from iface_wf.documents.kinds import get_kind
from iface_wf.errors import InputError
from iface_wf.store.compare import compare_levels
from iface_wf.store.provenance import trace
from iface_wf.store.results import columns_of, result_table
from iface_wf.store.where import parse_where
from tests.examples import document, put

COLUMNS = {column.name: column.field for column in columns_of(get_kind("binding"))}
POLYMERS = {"PEO": -0.9, "PAN": -0.3, "PVA": -0.6, "PAA": -0.1}


def uuid_of(number):
    return f"{number:08d}-0000-0000-0000-000000000000"


@pytest.fixture
def filled(job_store):
    number = 0
    for engine, level, factor in (("xtb", "fast", 1.0), ("gpaw", "fast", 0.8), ("gpaw", "moderate", 0.7)):
        for polymer, energy in POLYMERS.items():
            number += 1
            result = document(
                f"{number:064x}", polymer=polymer, engine=engine, level=level, binding_energy=factor * energy
            )
            put(job_store, result, uuid=uuid_of(number))
    return job_store


@pytest.mark.parametrize(
    ("where", "polymers"),
    [
        ("binding_energy < -0.5", {"PEO", "PVA"}),
        ("binding_energy>=-0.3 and engine = xtb", {"PAN", "PAA"}),
        ("polymer != PEO AND binding_energy < -0.5", {"PVA"}),
        ("n_atoms == 6 and polymer = 'PAA'", {"PAA"}),
        ("converged = false", set()),
        ("deformation_A > 0.02 and polymer = PVA", {"PVA"}),
    ],
)
def test_conditions_select_rows(filled, where, polymers):
    assert set(result_table(filled, where=where, engine="XTB")["polymer"]) == polymers


@pytest.mark.parametrize(
    "text", ["", "binding_energy", "binding_energy <", "__import__('os') = 1", "binding_energy < -1 or area > 2"]
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(InputError, match="no condition"):
        parse_where(text, COLUMNS)


def test_an_unknown_column_is_named_with_the_nearest():
    with pytest.raises(InputError, match="did you mean binding_energy"):
        parse_where("bindingenergy < 1", COLUMNS)


def test_an_older_result_does_not_stand_for_a_newer_one(job_store):
    put(job_store, document(binding_energy=-0.7), uuid=uuid_of(1), completed_at="2026-01-01T00:00:00")
    put(job_store, document(binding_energy=-0.2), uuid=uuid_of(2), completed_at="2026-01-02T00:00:00")
    assert result_table(job_store, where="binding_energy < -0.5").empty
    assert len(result_table(job_store, where="binding_energy > -0.5")) == 1


def test_levels_are_compared_interface_by_interface(filled):
    both = compare_levels(result_table(filled), "xtb/fast", "gpaw/fast", "binding_energy")
    assert list(both["polymer"]) == ["PEO", "PVA", "PAN", "PAA"]
    assert both.attrs["n"] == 4
    assert both.attrs["spearman"] == pytest.approx(1.0)
    assert both.attrs["mean_difference"] == pytest.approx(0.2 * 1.9 / 4)
    with pytest.raises(InputError, match="xtb/fast"):
        compare_levels(result_table(filled), "fast", "moderate", "binding_energy")
    with pytest.raises(InputError, match="precise"):
        compare_levels(result_table(filled), "moderate", "precise", "binding_energy")


def test_untrustworthy_results_are_not_compared(filled):
    worst = document("f" * 64, polymer="PSMA", engine="xtb", binding_energy=-9.0, flags=["desorbed"])
    put(filled, worst, uuid=uuid_of(90))
    put(filled, document("e" * 64, polymer="PSMA", binding_energy=-0.1), uuid=uuid_of(91))
    assert "PSMA" not in set(compare_levels(result_table(filled), "xtb/fast", "gpaw/fast", "binding_energy")["polymer"])


def test_best_and_parquet_on_the_command_line(filled, tmp_path, capsys):
    from iface_wf.cli.main import main

    store = str(tmp_path / "store.sqlite")
    assert main(["best", "2", "--engine", "gpaw", "--level", "fast", "--store", store]) == 0
    shown = capsys.readouterr().out
    assert [name in shown for name in POLYMERS] == [True, False, True, False]
    out = tmp_path / "results.parquet"
    assert main(["results", "--format", "parquet", "--out", str(out), "--where", "engine = xtb", "--store", store]) == 0
    table = pd.read_parquet(out)
    assert len(table) == 4
    assert "eV" in table.attrs["units"]["binding_energy"]
    assert main(["results", "--format", "parquet", "--store", store]) == 2
    assert main(["compare", "xtb/fast", "gpaw/fast", "--json", "--store", store]) == 0


def test_a_missing_calculation_is_said(filled):
    found = trace(filled, f"{1:064x}")
    assert {c["role"] for c in found["calculations"]} == {"AB", "A", "B", "A*", "B*"}
    assert all("not in this store" in c["missing"] for c in found["calculations"])

"""Conditions on results, comparisons of levels, and where numbers come from."""

import pandas as pd
import pytest

from iface_wf.documents.kinds import get_kind
from iface_wf.errors import InputError
from iface_wf.screening.state import ranked_keys
from iface_wf.store.compare import compare_levels, ties
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
                f"{number:064x}", polymer=polymer, engine=engine, level=level, binding_energy=factor * energy,
                geometry_engine=f"{engine} PBE ({level})",
            )  # fmt: skip
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


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("binding_energy < abc", "'binding_energy' holds numbers, and cannot be compared with abc"),
        ('n_atoms == "x"', "'n_atoms' holds numbers"),
        ("units = true", "'units' holds numbers"),
        ("converged == maybe", "'converged' holds true or false"),
        ("trustworthy = 1", "'trustworthy' holds true or false"),
        ("converged < true", "= and != only, not with <"),
        ("filler < 3", "'filler' holds text, which compare with = and != only"),
        ("filler = 3", "put a name in quotes"),
        ("flags == 1", "'flags' holds text, and cannot be compared with 1"),
    ],
)
def test_a_value_is_of_the_type_of_its_column(job_store, where, message):
    with pytest.raises(InputError, match=message):
        result_table(job_store, where=where)


def test_flags_are_compared_one_by_one(job_store):
    put(job_store, document("d" * 64, flags=["desorbed", "crowded"]), uuid=uuid_of(1))
    assert len(result_table(job_store, where="flags = crowded and filler = 'LiF'")) == 1


@pytest.mark.slow
def test_names_that_nothing_has_are_refused_and_others_only_not_found(filled, tmp_path, capsys):
    from iface_wf.cli.main import main

    store = ["--store", str(tmp_path / "store.sqlite")]
    put(filled, document("c" * 64, engine="elsewhere"), uuid=uuid_of(80))  # of a package that is not here
    for arguments, message in (
        (["results", "--engine", "gpav"], "Unknown engine 'gpav': did you mean gpaw?"),
        (["results", "--level", "fat"], "Unknown level 'fat': did you mean fast?"),
        (["compare", "fsat", "moderate"], "Unknown level 'fsat': did you mean fast?"),
        (["compare", "xtbb/fast", "moderate"], "Unknown engine or functional 'xtbb': did you mean xtb?"),
        (["results", "--format", "parquet", "--out", "/proc/x"], "/proc/x cannot be written: "),
    ):
        assert main([*arguments, *store]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1
    assert main(["results", "--engine", "elsewhere", "--format", "csv", *store]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    picture = tmp_path / "none.png"
    assert main(["best", "--engine", "vasp", "--figure", str(picture), *store]) == 0
    assert "there is nothing to draw" in capsys.readouterr().err
    assert not picture.exists()
    for chosen, said in ((["--engine", "vasp"], "No result matches."), (["--kind", "surface"], "No results yet.")):
        assert main(["results", *chosen, *store]) == 0
        assert said in capsys.readouterr().err


def test_an_older_result_does_not_stand_for_a_newer_one(job_store):
    put(job_store, document(binding_energy=-0.7), uuid=uuid_of(1), completed_at="2026-01-01T00:00:00")
    put(job_store, document(binding_energy=-0.2), uuid=uuid_of(2), completed_at="2026-01-02T00:00:00")
    assert result_table(job_store, where="binding_energy < -0.5").empty
    assert len(result_table(job_store, where="binding_energy > -0.5")) == 1


def test_levels_are_compared_interface_by_interface(filled):
    both = compare_levels(result_table(filled), "xtb/fast", "gpaw/fast", get_kind("binding"))
    assert list(both["polymer"]) == ["PEO", "PVA", "PAN", "PAA"]
    assert both.attrs["n"] == 4
    assert both.attrs["spearman"] == pytest.approx(1.0)
    assert both.attrs["mean_difference"] == pytest.approx(0.2 * 1.9 / 4)
    with pytest.raises(InputError, match="xtb/fast"):
        compare_levels(result_table(filled), "fast", "moderate", get_kind("binding"))
    with pytest.raises(InputError, match="precise"):
        compare_levels(result_table(filled), "moderate", "precise", get_kind("binding"))


def test_two_levels_say_what_they_cannot_tell_apart(filled, tmp_path, capsys):
    """Two more polymers, 0.01 eV from others by GPAW (0.030 +- eV of a difference), one of them by xTB too."""
    import iface_wf
    from iface_wf.cli.main import main

    put(filled, document("e" * 64, polymer="PSMA", engine="xtb", binding_energy=-0.5), uuid=uuid_of(90))
    number = document("d" * 64, polymer="PSMA", engine="gpaw", binding_energy=-0.47, geometry_engine="gpaw PBE (fast)")
    put(filled, number, uuid=uuid_of(91))
    both = iface_wf.compare("xtb/fast", "gpaw/fast", filled)
    assert both["polymer"].tolist() == ["PEO", "PVA", "PSMA", "PAN", "PAA"]
    rows = result_table(filled).set_index("key")["uncertainty"]
    for i in (1, 2):
        assert both[f"uncertainty {i}"].tolist() == [rows[key] for key in both[f"key {i}"]]
    expected = (both["uncertainty 1"] ** 2 + both["uncertainty 2"] ** 2) ** 0.5
    assert both["difference uncertainty"].tolist() == pytest.approx(expected.tolist())
    assert both["agree"].tolist() == [d < u for d, u in zip(both["difference"].abs(), expected, strict=True)]
    assert set(both["agree"]) == {True, False}
    (tie,) = both.attrs["not_told_apart"][1]
    assert {tie["first"], tie["second"]} == {"d" * 64, both["key 2"][1]}
    store = str(tmp_path / "store.sqlite")
    assert main(["compare", "xtb/fast", "gpaw/fast", "--store", store]) == 0
    shown = capsys.readouterr().out
    assert "-0.720 +- 0.022" in shown
    assert "gpaw fast PBE-D3(BJ): these places cannot be told apart: 2 and 3" in shown
    assert f"{both['agree'].sum()} differ by less than their uncertainty" in shown
    best = iface_wf.best(3, filled, engine="gpaw", level="fast")
    assert [{tie["first"], tie["second"]} for tie in best.attrs["not_told_apart"]] == [{"d" * 64, both["key 2"][1]}]


def test_untrustworthy_results_are_not_compared(filled):
    worst = document("f" * 64, polymer="PSMA", engine="xtb", binding_energy=-9.0, flags=["desorbed"])
    put(filled, worst, uuid=uuid_of(90))
    put(filled, document("e" * 64, polymer="PSMA", binding_energy=-0.1), uuid=uuid_of(91))
    assert "PSMA" not in set(
        compare_levels(result_table(filled), "xtb/fast", "gpaw/fast", get_kind("binding"))["polymer"]
    )


def test_best_and_parquet_on_the_command_line(filled, tmp_path, capsys):
    from iface_wf.cli.main import main

    store = str(tmp_path / "store.sqlite")
    assert main(["best", "2", "--engine", "gpaw", "--level", "fast", "--store", store]) == 0
    shown = capsys.readouterr().out
    assert [name in shown for name in POLYMERS] == [True, False, True, False]
    assert "-0.720 +- 0.022" in shown
    assert "uncertainty covers: basis, geometry; not known of all rows: search, dispersion, lateral, model" in shown
    assert "cannot be told apart" not in shown
    near = document("e" * 64, polymer="PSMA", engine="gpaw", binding_energy=-0.7, geometry_engine="gpaw PBE (fast)")
    put(filled, near, uuid=uuid_of(92))
    picture = tmp_path / "best.png"
    chosen = ["--engine", "gpaw", "--level", "fast", "--figure", str(picture), "--store", store]
    assert main(["best", *chosen]) == 0
    alike = [line for line in capsys.readouterr().out.splitlines() if "cannot be told apart" in line]
    assert alike == ["00000000 cannot be told apart from eeeeeeee (0.020 +- 0.030 eV)"]
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert main(["best", *chosen]) == 2  # nothing is replaced
    out = tmp_path / "results.parquet"
    assert main(["results", "--format", "parquet", "--out", str(out), "--where", "engine = xtb", "--store", store]) == 0
    table = pd.read_parquet(out)
    assert len(table) == 4
    assert "eV" in table.attrs["units"]["binding_energy"]
    assert main(["results", "--format", "parquet", "--store", store]) == 2
    assert main(["compare", "xtb/fast", "gpaw/fast", "--json", "--store", store]) == 0


def table_of(*rows):
    """Return a table with a few columns: key, filler, number, and parts of its uncertainty."""
    kind = get_kind("binding")
    parts = ("search", "basis", "dispersion", "lateral", "geometry", "model")
    columns = {"engine": "gpaw", "level": "fast", "functional": "PBE", "dispersion": "D3(BJ)", "surface": "(001)"}
    entries = [
        {**columns, "key": key, "filler": filler, kind.headline: number,
         **{f"uncertainty_{part}": known.get(part, float("nan")) for part in parts}}
        for key, filler, number, known in rows
    ]  # fmt: skip
    return pd.DataFrame(entries)


def told(*rows):
    return [(tie.first, tie.second) for tie in ties(table_of(*rows), get_kind("binding"))]


def test_what_cannot_be_told_apart():
    known = {"basis": 0.03, "geometry": 0.04}  # 0.05 each, 0.071 of a difference
    assert told(("a", "MgO", -0.8, known), ("b", "MgO", -0.75, known), ("c", "MgO", -0.6, known)) == [("a", "b")]
    assert told(("a", "MgO", -0.8, known), ("b", "MgO", -0.75, {})) == []  # nothing is known of b, so nothing is said
    (tie,) = ties(table_of(("a", "MgO", -0.8, known), ("b", "MgO", -0.75, known)), get_kind("binding"))
    assert (tie.difference, tie.uncertainty) == pytest.approx((0.05, 0.05 * 2**0.5))


def test_the_dispersion_of_one_surface_has_one_error():
    first, second = {"dispersion": 0.2}, {"dispersion": 0.18}
    assert told(("a", "MgO", -0.8, first), ("b", "MgO", -0.7, second)) == []
    assert told(("a", "MgO", -0.8, first), ("b", "LiF", -0.7, second)) == [("a", "b")]


def test_a_funnel_ranks_older_results_by_what_their_numbers_mean_today(job_store):
    """An interface of before, raw -0.9 and corrected -0.3 eV, comes behind one of -0.5 eV."""
    put(job_store, document("1" * 64, binding_energy=-0.5), uuid=uuid_of(1))
    old = document("2" * 64).model_dump(mode="json")
    for name in ("binding_energy_raw", "interaction_energy_raw", "uncertainty", "uncertainty_parts", "trustworthy"):
        old.pop(name)
    old |= {"schema_version": 2, "binding_energy": -0.9, "binding_energy_cp": -0.3, "interaction_energy_cp": -0.4}
    entry = {"uuid": uuid_of(2), "index": 1, "output": old, "completed_at": "2026-01-01", "metadata": {}, "hosts": []}
    job_store.update({**entry, "name": "collect"}, key=["uuid", "index"])
    assert ranked_keys(job_store, get_kind("binding"), ["1" * 64, "2" * 64]) == ["1" * 64, "2" * 64]
    assert result_table(job_store)["binding_energy"].tolist() == pytest.approx([-0.5, -0.3])
    assert result_table(job_store, where="binding_energy < -0.6").empty


def test_a_missing_calculation_is_said(filled):
    found = trace(filled, f"{1:064x}")
    assert {c["role"] for c in found["calculations"]} == {"AB", "A", "B", "A*", "B*"}
    assert all("not in this store" in c["missing"] for c in found["calculations"])

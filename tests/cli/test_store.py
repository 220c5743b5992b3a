"""`iface-wf store`, on the store that an older version filled."""

import json

import pytest

from iface_wf.store.settings import open_store
from tests.store.old.unpack import library_of_the_store, methods_of_the_store, unpack_store


@pytest.fixture
def old(tmp_path, monkeypatch):
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(library_of_the_store(tmp_path / "library")))
    methods_of_the_store(monkeypatch)
    return ("--store", unpack_store(tmp_path))


@pytest.mark.slow
def test_migrate_says_what_it_did_and_why_something_stays(cli, old):
    ran = cli("store", "migrate", *old)
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["binding", "11", "10"] in rows
    assert ["calculation", "76", "0"] in rows
    assert "(methane on mine.vasp (as given)) keeps its key: The file " in ran.out
    again = cli("store", "migrate", *old)
    assert "binding  " not in again.out
    assert "up to date" in again.err


@pytest.mark.slow
def test_migrate_as_json(cli, old):
    data = json.loads(cli("store", "migrate", "--json", *old).out)
    assert (data["upgraded"]["binding"], data["rekeyed"]["binding"]) == (11, 10)
    assert {each["kind"] for each in data["kept"]} == {"binding", "failure"}


@pytest.mark.slow
def test_dry_run_changes_nothing(cli, old):
    ran = cli("store", "migrate", "--dry-run", *old)
    assert ["binding", "11", "10"] in [line.split() for line in ran.out.splitlines()]
    assert "Nothing has been changed" in ran.err
    with open_store(str(old[1])) as store:
        assert store.count({"output.document_type": "binding", "output.schema_version": None}) == 11


def test_a_store_of_today_needs_nothing(cli, filled_store):
    ran = cli("store", "migrate", "--store", filled_store)
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.slow
def test_who_calculates_on_an_old_store_is_told_until_it_is_up_to_date(cli, old, tmp_path):
    run = (
        "run",
        "--filler",
        "HF-layer",
        "--polymer",
        "ammonia",
        "--engine",
        "xtb",
        "--vacuum",
        6,
        "--placements",
        1,
        "--room-atoms",
        0,
    )
    run = (*run, "--quantities", "binding_energy", "--dry-run", "--json", *old)
    before = cli(*run)
    assert "11 results of an older version" in before.err
    assert json.loads(before.out)["steps"] != []
    assert "11 of these" in cli("results", *old).err
    cli("store", "migrate", *old)
    after = cli(*run)
    assert after.err == ""
    assert json.loads(after.out)["steps"] == []
    assert cli("results", *old).err == ""


def test_a_screening_on_an_old_store_is_told_too(cli, old, tmp_path):
    (tmp_path / "spec.yaml").write_text("fillers: [HF-layer]\npolymers: [water]\nengine: xtb\nvacuum: 6.0\n")
    assert "11 results of an older version" in cli("screen", tmp_path / "spec.yaml", "--dry-run", *old).err

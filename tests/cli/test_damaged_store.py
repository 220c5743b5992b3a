"""Damaged documents, lost densities, and what a newer version wrote: named, left out, and never a wrong number."""

import gc
import json
import sqlite3
from contextlib import closing

import pytest

from iface_wf.cli import doctor
from iface_wf.documents.upgrade import SCHEMA_VERSION
from iface_wf.errors import InputError, NoticeWarning
from iface_wf.screening.state import stored_results
from iface_wf.store.results import find_result, stored_result
from iface_wf.store.settings import open_store
from tests.examples import document, put

GOOD, BAD = "abc0" + "1" * 60, "def0" + "2" * 60
ENERGY = -0.442
RESULT_COMMANDS = [("show", BAD), ("report", BAD), ("provenance", BAD), ("export", BAD, "--out", "out.cif")]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Return the path of a closed store with two results."""
    monkeypatch.chdir(tmp_path)
    with open_store("s.sqlite") as store:
        put(store, document(GOOD), uuid="1" * 36)
        put(store, document(BAD, binding_energy=ENERGY), uuid="2" * 36)
    return tmp_path / "s.sqlite"


def replace(path, old, new):
    """Change bytes of a file, as a failing disk or memory does."""
    gc.collect()  # closes what commands left open: with the last connection the log goes into the file
    raw = path.read_bytes()
    assert raw.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(raw.replace(old, new))


#: One flipped bit in a digit; in the syntax of JSON; one that leaves no character of UTF-8.
FLIPS = [
    (b'"binding_energy":-0.442', b'"binding_energy":-0.542'),
    (b'"binding_energy":-0.442', b'"binding_energy"z-0.442'),
    (b'"binding_energy":-0.442', b'"binding_energy":-0\xae442'),
]


@pytest.mark.parametrize("flip", FLIPS)
def test_one_flipped_bit_is_named_and_the_rest_works(cli, path, flip):
    replace(path, *flip)
    for command in (("results", "--json"), ("best", "--json")):
        ran = cli(*command, "--store", path)
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        assert [row["key"] for row in told["rows"]] == [GOOD]
        (sentence,) = told["damaged"]
        assert "def0222222" in sentence
        (line,) = ran.err.splitlines()
        assert "def0222222" in line
    assert cli("show", GOOD, "--store", path).code == 0
    ran = cli("show", BAD, "--store", path)
    assert ran.code == 2
    assert "-0.542" not in ran.out
    assert "def0222222" in ran.err
    with open_store(str(path)) as store:
        with pytest.warns(NoticeWarning, match="def0222222"):
            assert stored_result(store, BAD) is None
        assert stored_result(store, GOOD) is not None
        assert stored_results(store, [GOOD, BAD]) == {GOOD}
    assert doctor._store(str(path)) == f"{path}, 1 result"


@pytest.mark.parametrize("flip", FLIPS)
def test_check_and_repair(cli, path, flip):
    assert cli("store", "check", "--store", path).code == 0
    replace(path, *flip)
    ran = cli("store", "check", "--store", path, "--json")
    assert ran.code == 1
    (found,) = json.loads(ran.out)["damaged"]
    assert (found["collection"], found["place"]) == ("outputs", "2")
    assert "def0222222" in found["name"]
    cli("store", "repair", "--dry-run", "--store", path)
    assert cli("store", "check", "--store", path).code == 1
    ran = cli("store", "repair", "--store", path)
    assert (ran.code, "1 documents have been set aside" in ran.err) == (0, True)
    assert cli("store", "check", "--store", path).code == 0
    with closing(sqlite3.connect(path)) as connection:
        ((raw, reason),) = connection.execute("SELECT doc, reason FROM set_aside")
    assert flip[1] in raw  # as it was found
    assert reason
    with open_store(str(path)) as store:
        put(store, document(BAD, binding_energy=ENERGY), uuid="3" * 36)
        assert stored_result(store, BAD).document.binding_energy == ENERGY
    assert json.loads(cli("results", "--json", "--store", path).out)["damaged"] == []


def test_a_flipped_bit_in_an_indexed_field_is_set_aside(cli, path):
    replace(path, b'"key":"def0', b'"key":"dgf0')
    ran = cli("store", "repair", "--store", path)
    assert (ran.code, "1 documents have been set aside" in ran.err) == (0, True), ran.err
    assert cli("store", "check", "--store", path).code == 0
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]  # indexes too
        assert b'"key":"dgf0' in connection.execute("SELECT doc FROM set_aside").fetchone()[0]


def test_a_damaged_document_gives_way_to_the_same_one_stored_anew(path):
    replace(path, *FLIPS[0])
    with open_store(str(path)) as store:
        with pytest.warns(NoticeWarning, match="def0222222"):
            put(store, document(BAD, binding_energy=ENERGY), uuid="2" * 36)
        assert stored_result(store, BAD).document.binding_energy == ENERGY
        assert store.count() == 2


def test_a_damaged_density_counts_as_missing(cli, path):
    raw = path.read_bytes()
    place = raw.rfind(b'"data":"') + 1000
    path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
    ran = cli("store", "check", "--store", path, "--json")
    told = json.loads(ran.out)
    assert (ran.code, len(told["damaged"]), len(told["density_missing"])) == (1, 1, 1)
    lost = told["density_missing"][0]["name"]
    key = BAD if "def02" in lost else GOOD
    ran = cli("report", key, "--store", path)
    assert ran.code == 2
    assert "The density of the result" in ran.err.splitlines()[-1]
    assert cli("store", "repair", "--store", path).code == 0
    assert cli("store", "check", "--store", path).code == 0
    assert len(json.loads(cli("results", "--json", "--store", path).out)["rows"]) == 1


@pytest.fixture
def torn(path):
    """Return the path of a store in which the density of one result never arrived."""
    with open_store(str(path)) as store:
        store.additional_stores["data"].remove_docs({"job_uuid": "2" * 36})
    return path


def test_a_result_without_its_density_is_marked_and_counts_as_not_stored(cli, torn, tmp_path):
    rows = {row["key"]: row["flags"] for row in json.loads(cli("results", "--json", "--store", torn).out)["rows"]}
    assert rows == {GOOD: [], BAD: ["density_missing"]}
    assert "density_missing" in cli("show", BAD, "--store", torn).out
    for command in (("report", BAD), ("export", BAD, "--what", "density_difference", "--out", "cdd.cube")):
        ran = cli(*command, "--store", torn)
        assert ran.code == 2
        assert "The density of the result def0222222 is not in the store" in ran.err
        assert len(ran.err.splitlines()) == 1
    assert cli("export", BAD, "--out", "structure.cif", "--store", torn).code == 0
    assert cli("store", "check", "--store", torn).code == 1
    with open_store(str(torn)) as store:
        assert stored_result(store, BAD) is None
        assert stored_result(store, GOOD) is not None


def test_a_result_that_was_stored_again_is_the_one_that_counts(torn):
    with open_store(str(torn)) as store:
        put(store, document(BAD, binding_energy=-0.5), uuid="3" * 36, completed_at="2025-01-01")
        assert stored_result(store, BAD).uuid == "3" * 36  # although it is older
        assert find_result(store, BAD, load=True).uuid == "3" * 36


def change(path, **fields):
    with open_store(str(path)) as store:
        entry = store.query_one({"output.key": BAD}, load=False)
        entry["output"] |= fields
        store.docs_store.update(entry, key=["uuid", "index"])


@pytest.mark.parametrize("command", [*RESULT_COMMANDS, ("results",), ("best",), ("compare", "fast", "fast")])
def test_a_result_of_a_newer_version_is_one_sentence(refused, path, command):
    change(path, schema_version=SCHEMA_VERSION + 1, new_field=1)
    assert "The binding def0222222 was written by a newer version of iface-wf" in refused(*command, "--store", path)


@pytest.mark.parametrize("command", RESULT_COMMANDS)
def test_a_field_of_a_newer_version_is_one_sentence(refused, path, command):
    change(path, new_field=1)
    said = refused(*command, "--store", path)
    assert "The stored binding def0222222" in said
    assert "has a field that this version of iface-wf does not know, 'new_field'" in said


@pytest.mark.slow
def test_documents_without_a_checksum_are_read_and_get_one(cli, path):
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("docs_outputs", "docs_blobs"):
            for row, text in connection.execute(f"SELECT id, doc FROM {table}").fetchall():
                old = text[: text.rindex(',"_checksum"')] + "}"
                connection.execute(f"UPDATE {table} SET doc = ? WHERE id = ?", [old, row])
    before = json.loads(cli("results", "--json", "--store", path).out)
    told = json.loads(cli("store", "check", "--json", "--store", path).out)
    assert (told["ok"], told["without_checksum"]) == (True, {"blobs": 2, "outputs": 2})
    assert "4 have been given a checksum" in cli("store", "repair", "--store", path).err
    told = json.loads(cli("store", "check", "--json", "--store", path).out)
    assert (told["ok"], told["without_checksum"]) == (True, {"blobs": 0, "outputs": 0})
    assert json.loads(cli("results", "--json", "--store", path).out) == before
    replace(path, *FLIPS[0])
    assert cli("store", "check", "--store", path).code == 1


def test_what_can_be_read_of_a_damaged_file_is_saved(cli, path, tmp_path):
    with open_store(str(path)) as store:
        store.docs_store.update([{"uuid": f"u{n}", "index": 1, "text": "x" * 3000} for n in range(200)], key="uuid")
        store.docs_store.connection.open.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    page = raw.index(b'{"uuid":"u100"') // 4096 * 4096
    raw[page : page + 4096] = bytes(4096)
    path.write_bytes(raw)
    ran = cli("store", "check", "--json", "--store", path)
    assert ran.code == 1
    told = json.loads(ran.out)
    assert "docs_outputs" in " ".join(told["pages"])
    lost = [each["place"] for each in told["damaged"] if each["reason"] == "cannot be read from the file"]
    assert 1 <= len(lost) <= 12
    ran = cli("store", "check", "--store", path)
    assert f"{len(lost)} damaged, unreadable or without density; the file itself is damaged" in ran.err
    assert f"entry {lost[0]}, cannot be read from the file" in ran.out
    with pytest.raises(InputError, match=r"is damaged \(.*store repair"):
        doctor._store(str(path))
    damaged = path.read_bytes()
    assert "cannot" in cli("store", "repair", "--dry-run", "--store", path).err
    assert path.read_bytes() == damaged
    ran = cli("store", "repair", "--store", path)
    assert ran.code == 0, ran.err
    assert f"{len(lost)} cannot and are lost" in ran.err
    (kept,) = tmp_path.glob("s.sqlite.damaged-*")
    assert kept.read_bytes()[100:] == damaged[100:]  # all but the header
    assert cli("store", "check", "--store", path).code == 0
    with open_store(str(path)) as store:
        assert 190 <= store.count() <= 201
        assert stored_result(store, GOOD) is not None
        assert stored_result(store, BAD) is not None


@pytest.mark.parametrize("left", [-4096, -10000, 0.7])
def test_a_file_without_its_end(cli, path, left):
    with open_store(str(path)) as store:
        store.docs_store.update([{"uuid": f"u{n}", "index": 1, "text": "x" * 3000} for n in range(30)], key="uuid")
    raw = path.read_bytes()
    cut = raw[: int(left * len(raw)) if left > 0 else left]
    path.write_bytes(cut)
    ran = cli("store", "repair", "--dry-run", "--json", "--store", path)
    told = json.loads(ran.out)
    assert sum(told["salvaged"].values()) >= (30 if left < 0 else 3)
    assert path.read_bytes() == cut
    ran = cli("store", "repair", "--store", path)
    assert ran.code == 0, ran.err
    assert "can be read of the damaged file" in ran.err
    (kept,) = path.parent.glob("s.sqlite.damaged-*")
    assert kept.read_bytes() == cut
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, kept.name]
    ran = cli("store", "check", "--json", "--store", path)
    assert ran.code == 0
    assert sum(json.loads(ran.out)["documents"].values()) >= (29 if left < 0 else 2)  # of one the end may be missing


def test_a_file_of_which_nothing_can_be_read(refused, path):
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    assert "Nothing can be read of" in refused("store", "repair", "--store", path)
    assert "store repair" in refused("results", "--store", path)


@pytest.mark.parametrize("command", [("check",), ("repair",), ("repair", "--dry-run"), ("backup", "copy.sqlite")])
def test_a_store_that_is_not_there_or_empty(refused, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    assert "There is no store" in refused("store", *command, "--store", "typo.sqlite")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.sqlite").touch()
    assert "is empty, which no store is" in refused("store", *command, "--store", "empty.sqlite")
    assert [(each.name, each.stat().st_size) for each in tmp_path.iterdir()] == [("empty.sqlite", 0)]

"""Copies of a store: whole, part by part, and what a colleague gets."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from iface_wf.api import transfer
from iface_wf.api.stored import results, show
from iface_wf.errors import InputError
from iface_wf.store import archive as archives
from iface_wf.store.annotate import marks_of, tag
from iface_wf.store.check import check
from iface_wf.store.settings import open_store
from tests.examples import document, put

KEYS = ["a" * 64, "b" * 64, "c" * 64]
UUID = "1111111{}-1111-1111-1111-111111111111"


@pytest.fixture
def filled(job_store, tmp_path):
    """A store with three results, each with a density; two of LiF, one of MgO."""
    for number, (key, filler) in enumerate(zip(KEYS, ("LiF", "LiF", "MgO"), strict=True)):
        put(job_store, document(key, filler=filler), UUID.format(number))
    return tmp_path / "store.sqlite"


def contents(store):
    """All documents without what a store adds to them, and all large data."""
    with open_store(str(store)) as opened:
        rows = {
            (e["uuid"], e["index"]): {k: v for k, v in e.items() if k != "_id"} for e in opened.docs_store.query({})
        }
        blobs = {b["blob_uuid"]: b["data"] for b in opened.additional_stores["data"].query({})}
    return rows, blobs


def test_a_copy_holds_the_same_and_is_sound(filled, tmp_path):
    done = transfer.store_copy(filled, tmp_path / "copy.sqlite")
    assert (done.copied, done.densities, done.there, done.left_out) == ({"binding": 3}, 3, 0, 0)
    assert contents(tmp_path / "copy.sqlite") == contents(filled)
    with open_store(str(tmp_path / "copy.sqlite")) as copied:
        assert check(copied).good
    whole = show("aaaa", densities=True, store=tmp_path / "copy.sqlite")
    assert whole.density_difference == show("aaaa", densities=True, store=filled).density_difference


def test_an_interrupted_copy_goes_on(filled, tmp_path):
    def stop(done, total):
        assert total == 3
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer.store_copy(filled, tmp_path / "copy.sqlite", tell=stop)
    assert len(contents(tmp_path / "copy.sqlite")[0]) == 1
    done = transfer.store_copy(filled, tmp_path / "copy.sqlite")
    assert (done.there, done.copied["binding"]) == (1, 2)
    assert contents(tmp_path / "copy.sqlite") == contents(filled)


def test_filters_choose_results(filled, tmp_path):
    transfer.store_copy(filled, tmp_path / "copy.sqlite", filler="mgo")
    assert results(tmp_path / "copy.sqlite")["filler"].tolist() == ["MgO"]
    with pytest.raises(InputError, match="No result matches"):
        transfer.store_copy(filled, tmp_path / "none.sqlite", where="binding_energy > 5")


def test_what_is_there_stays_unless_it_is_to_be_replaced(filled, tmp_path):
    transfer.store_copy(filled, tmp_path / "copy.sqlite")
    with open_store(str(filled)) as source:
        tag(source, "aaaa", ["paper"], [])
    assert transfer.store_copy(filled, tmp_path / "copy.sqlite").there == 3
    with open_store(str(tmp_path / "copy.sqlite")) as copied:
        assert marks_of(copied, "binding") == {}
    assert transfer.store_copy(filled, tmp_path / "copy.sqlite", force=True).copied["binding"] == 3
    with open_store(str(tmp_path / "copy.sqlite")) as copied:
        assert marks_of(copied, "binding") == {UUID.format(0): (["paper"], "")}


def test_a_result_without_its_density_is_left_out_and_told(filled, tmp_path):
    with open_store(str(filled)) as source:
        source.additional_stores["data"].remove_docs({"job_uuid": UUID.format(1)})
    done = transfer.store_copy(filled, tmp_path / "copy.sqlite")
    assert (done.left_out, done.copied["binding"]) == (1, 2)


def test_a_colleague_gets_the_same(filled, tmp_path, cli_like):
    code, told = cli_like("store", "export", tmp_path / "x.zip", "--filler", "LiF", "--store", filled, "--json")
    assert (code, json.loads(told)["copied"]) == (0, {"binding": 2})
    code, told = cli_like("store", "import", tmp_path / "x.zip", "--store", tmp_path / "theirs.sqlite", "--json")
    assert (code, json.loads(told)["densities"]) == (0, 2)
    mine, theirs = contents(filled), contents(tmp_path / "theirs.sqlite")
    assert theirs[0].items() <= mine[0].items()
    assert len(theirs[0]) == 2
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert json.loads(archive.read("about.json"))["documents"] == {"binding": 2}
    with pytest.raises(InputError, match="exists already"):
        transfer.store_export(tmp_path / "x.zip", filled)


@pytest.fixture
def cli_like(capfd):
    from iface_wf.cli.main import main

    def run(*words):
        capfd.readouterr()
        code = main([str(word) for word in words])
        return code, capfd.readouterr().out

    return run


@pytest.mark.parametrize("content", ["text", "zip of another", "zip without about", "cut", "about of another"])
def test_what_is_no_archive_is_refused_in_one_sentence(filled, tmp_path, content):
    path = tmp_path / "x.zip"
    if content == "cut":
        transfer.store_export(path, filled)
        path.write_bytes(path.read_bytes()[:-2000])
    elif content == "text":
        path.write_text("no zip", encoding="utf-8")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("store.sqlite" if content != "zip of another" else "../../etc/passwd", "x")
            if content == "about of another":
                archive.writestr("about.json", '["iface-wf"]')
    with pytest.raises(InputError, match="is no archive") as caught:
        transfer.store_import(path, tmp_path / "mine.sqlite")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="does not exist"):
        transfer.store_import(tmp_path / "none.zip", tmp_path / "mine.sqlite")


def test_a_store_is_not_copied_into_itself(filled, tmp_path):
    with pytest.raises(InputError, match="are the same"):
        transfer.store_copy(filled, filled)
    with pytest.raises(InputError, match="There is no store"):
        transfer.store_copy(tmp_path / "typo.sqlite", tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


def test_an_archive_of_which_one_byte_is_another_is_damaged_and_no_traceback(tmp_path):
    """Of packed bytes a damaged one is met while unpacking, before any checksum."""
    whole = (Path(__file__).parents[2] / "docs" / "data" / "papers.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        start = max(archive.infolist(), key=lambda member: member.compress_size).header_offset + 100
    broken = tmp_path / "broken.zip"
    for place in range(start, start + 40):
        broken.write_bytes(whole[:place] + bytes([whole[place] ^ 0x7F]) + whole[place + 1 :])
        with pytest.raises(InputError, match=r"is no archive of iface-wf store export, or is damaged"):
            archives._unpack(broken, tmp_path / "inner.sqlite")

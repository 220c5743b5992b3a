"""`iface-wf store list`, `tag`, `note`, `reject` and `delete`."""

import json
from types import SimpleNamespace

import pytest

import iface_wf
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.screening import single
from iface_wf.store.check import check
from iface_wf.store.results import find_result, stored_result
from tests.examples import document, put, structure

ONE, TWO = "abc0" + "1" * 60, "d" * 64
SHARED, OWN = "5" * 8 + "-0000-0000-0000-" + "5" * 12, "6" * 8 + "-0000-0000-0000-" + "6" * 12


def calculation(key):
    return CalculationDocument(
        key=key, kind="static", engine="gpaw", engine_version="1", level="fast", functional="PBE",
        structure=structure().as_dict(), formula="x", n_atoms=6, energy=-1.0, converged=True,
    )  # fmt: skip


@pytest.fixture
def two(job_store, tmp_path):
    """Return the options for a store with two results that share the calculation of A; the first one's AB is its own."""
    put(job_store, calculation("7" * 64), uuid=SHARED)
    put(job_store, calculation("8" * 64), uuid=OWN)
    of = {"A": SHARED, "AB": OWN}
    first = [term.model_copy(update={"uuid": of.get(term.role, "")}) for term in document().terms]
    second = [term.model_copy(update={"uuid": SHARED if term.role == "A" else ""}) for term in document().terms]
    put(job_store, document(ONE, terms=first, polymer="PEO"), uuid="1" * 36)
    put(job_store, document(TWO, terms=second, polymer="PAN", binding_energy=-0.2), uuid="2" * 36)
    return "--store", tmp_path / "store.sqlite"


def listed(cli, *arguments):
    return json.loads(cli("store", "list", "--json", *arguments).out)["rows"]


@pytest.mark.slow
def test_tags_and_notes_are_listed_and_taken_away(cli, job_store, two):
    assert cli("store", "tag", "abc0", "paper", "fig-2", *two).err == "Tags: fig-2, paper\n"
    assert cli("store", "note", "abc0", "looks\nfine [bold]", *two).err == "Noted.\n"
    rows = {row["key"]: (row["tags"], row["note"], row["rejected"]) for row in listed(cli, *two)}
    assert rows == {ONE: (["fig-2", "paper"], "looks fine [bold]", None), TWO: ([], "", None)}
    assert [row["key"] for row in listed(cli, "--tag", "paper", *two)] == [ONE]
    assert [row["key"] for row in listed(cli, "--polymer", "PAN", *two)] == [TWO]
    shown = cli("store", "list", *two)
    assert "looks fine [bold]" in shown.out
    assert shown.err == "2 results\n"
    assert cli("store", "tag", "abc0", "paper", "fig-2", "--remove", *two).err == "Tags: none\n"
    assert cli("store", "note", "abc0", "", *two).err == "The note is gone.\n"
    assert [(row["tags"], row["note"]) for row in listed(cli, *two)] == [([], "")] * 2
    assert check(job_store).good  # checksums are those of what is there now
    assert find_result(job_store, "abc0", load=True).document.density_difference.density.blob


def test_a_rejected_result_is_neither_ranked_nor_handed_out(cli, job_store, two, monkeypatch, tmp_path):
    assert cli("store", "reject", "abc0", "--reason", "the slab is rumpled", *two).code == 0
    best = json.loads(cli("best", "--json", *two).out)["rows"]
    assert [row["key"] for row in best] == [TWO]
    table = iface_wf.results(two[1])
    assert list(table["key"]) == [TWO, ONE]  # what is not trustworthy comes last
    assert table["flags"][1] == ["rejected (the slab is rumpled)"]
    assert list(iface_wf.results(two[1], where="trustworthy = true")["key"]) == [TWO]
    assert not iface_wf.show("abc0", store=two[1]).trustworthy
    assert [(row["key"], row["rejected"]) for row in listed(cli, "--rejected", *two)] == [(ONE, "the slab is rumpled")]
    assert "REJECTED: the slab is rumpled" in cli("store", "list", *two).out

    kind = SimpleNamespace(graph=lambda request, library: SimpleNamespace(items={ONE: None}))
    monkeypatch.setattr(single, "flow_kind_of", lambda quantities: kind)
    monkeypatch.setattr(single, "finished_results", lambda store, items: items)
    request = SimpleNamespace(quantities=(), title=None)
    with pytest.raises(InputError, match="rejected by hand \\(the slab is rumpled\\)"):
        single.run_request(request, job_store, Library(), tmp_path)
    assert "counts again" in cli("store", "reject", "abc0", "--undo", *two).err
    assert iface_wf.show("abc0", store=two[1]).trustworthy
    assert list(iface_wf.results(two[1])["trustworthy"]) == [True, True]
    assert single.run_request(request, job_store, Library(), tmp_path).document.key == ONE
    assert check(job_store).good


def test_a_second_reason_takes_the_place_of_the_first(cli, two):
    for reason in ("one", "two"):
        cli("store", "reject", "abc0", "--reason", reason, *two)
    assert iface_wf.show("abc0", store=two[1]).flags == ["rejected (two)"]


def test_deletion_says_what_stays_and_needs_yes(cli, job_store, two):
    before = job_store.count()
    asked = cli("store", "delete", "abc0", "--with-calculations", *two)
    assert asked.code == 2
    assert f"To be deleted: the result {ONE[:10]} with its calculations AB." in asked.err
    assert f"Its calculation A stays: {TWO[:10]} rest on it." in asked.err
    assert "Nothing has been deleted" in asked.err
    assert job_store.count() == before
    assert cli("store", "delete", "abc0", "--with-calculations", "--yes", *two).code == 0
    assert stored_result(job_store, ONE) is None
    assert stored_result(job_store, TWO) is not None
    left = {entry["uuid"] for entry in job_store.query({}, ["uuid"])}
    assert left == {"2" * 36, SHARED}
    assert job_store.additional_stores["data"].count({"job_uuid": "1" * 36}) == 0
    assert job_store.additional_stores["data"].count({"job_uuid": "2" * 36}) == 1
    assert check(job_store).good


def test_calculations_stay_unless_they_are_asked_for(cli, job_store, two):
    ran = cli("store", "delete", "abc0", "--yes", *two)
    assert "Its calculations stay" in ran.err
    assert {entry["uuid"] for entry in job_store.query({}, ["uuid"])} == {"2" * 36, SHARED, OWN}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (("tag", "abc0", "two words"), "is no tag"),
        (("tag", "eeee", "paper"), "No result"),
        (("note", "abc0", "x" * 501), "500 characters at most, not 501"),
        (("reject", "abc0"), "say it with --reason"),
        (("reject", "abc0", "--undo"), "was not rejected"),
        (("delete", "eeee", "--yes"), "No result"),
        (("list", "--polymer", "PEOO"), "did you mean PEO"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(refused, two, command, text):
    assert text in refused("store", *command, *two)


@pytest.mark.parametrize("command", ["list", "tag x y", "note x y", "reject x --reason y", "delete x --yes"])
def test_none_of_them_makes_a_store(refused, tmp_path, command):
    name, *rest = command.split()
    assert "There is no store" in refused("store", name, *rest, "--store", tmp_path / "typo.sqlite")
    assert list(tmp_path.iterdir()) == []

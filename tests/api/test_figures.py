"""Figures as files: one for each format, replaced only when that is asked for."""

import pytest

import iface_wf
from iface_wf.api.options import opened
from iface_wf.cli.main import main
from iface_wf.errors import InputError, NoticeWarning
from iface_wf.reports.convergence import relaxations_of
from tests.examples import CHARGES_AFTER, calculation, document, put, put_with_calculations

KEY = "abc0" + "1" * 60
BEGINS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture
def store(job_store, tmp_path):
    put_with_calculations(job_store, KEY, "1" * 36)
    put(job_store, document("d" * 64, density_difference=None, polymer="PEO"), uuid="2" * 36)
    for force, when in ((0.4, "2026-01-01"), (0.04, "2026-01-02")):  # repeated: the newest counts
        relaxed = calculation("AB", CHARGES_AFTER, key="7" * 64, kind="relax", ionic_steps=9, max_force=force)
        put(job_store, relaxed, uuid=f"{when}".ljust(36, "7"), completed_at=when)
    provenance = {"relaxations": {"AB": {"key": "7" * 64, "engine": "xtb"}, "A": {"key": "8" * 64, "engine": "xtb"}}}
    put(job_store, document("c" * 64, provenance=provenance), uuid="4" * 36)
    return str(tmp_path / "store.sqlite")


@pytest.mark.slow
@pytest.mark.parametrize("fmt", BEGINS)
def test_the_same_figure_as_pixels_and_vectors(store, tmp_path, fmt):
    path = iface_wf.figure("abc0", "slices", tmp_path, fmt, store=store)
    assert path.name == f"LiF_HF_abc01111_slices.{fmt}"
    before = path.read_bytes()
    assert before.startswith(BEGINS[fmt])
    with pytest.raises(InputError, match="exists already"):
        iface_wf.figure("abc0", "slices", tmp_path, fmt, store=store)
    iface_wf.figure("abc0", "slices", tmp_path, fmt, store=store, force=True, iso=0.01)
    assert path.read_bytes() != before


@pytest.mark.parametrize("fmt", ["svg", "pdf"])
def test_vectors_are_the_same_each_time(store, tmp_path, fmt):
    drawn = (iface_wf.figure("abc0", "potential", tmp_path, fmt, store=store, force=True) for _ in "12")
    first, second = (path.read_bytes() for path in drawn)
    assert first == second


def test_a_map_of_unlike_methods_is_drawn_and_said(job_store, store, tmp_path):
    put(job_store, document("e" * 64, engine="xtb", functional="GFN1-xTB"), uuid="5" * 36)
    with pytest.warns(NoticeWarning, match=r"unlike methods \(gpaw fast PBE-D3\(BJ\), xtb fast GFN1-xTB-D3\(BJ\)\)"):
        iface_wf.heat_map(tmp_path, store=store)
    iface_wf.heat_map(tmp_path, engine="gpaw", store=store, force=True)


def test_convergence_is_of_the_relaxations_that_the_store_has(store, tmp_path):
    stored = opened(store, create=False)
    found = relaxations_of(stored, iface_wf.show("cccc", store=stored))
    assert {role: each.max_force for role, each in found.items()} == {"AB": 0.04}
    path = iface_wf.figure("cccc", "convergence", tmp_path, "svg", store=stored)
    assert "limit" in path.read_text()
    for damaged in (None, [], {"AB": None}, {"AB": {}}):
        assert relaxations_of(stored, document(provenance={"relaxations": damaged})) == {}


@pytest.mark.slow
def test_folders_are_made_and_the_way_to_replace_is_told(store, tmp_path, capsys):
    out = ["--out", str(tmp_path / "new" / "folder"), "--store", store]
    for what in (["abc0", "--figure", "potential"], ["--figure", "heat-map"]):
        assert main(["report", *what, *out]) == 0
        assert main(["report", *what, *out]) == 2
        assert "--force to replace it" in capsys.readouterr().err
        assert main(["report", *what, *out, "--force"]) == 0


@pytest.mark.slow
def test_the_command_line(store, tmp_path, capsys):
    out = ["--out", str(tmp_path), "--store", store]
    assert (
        main(["report", "abc0", "--figure", "difference", "--format", "svg", "--iso", "0.001", "--along", "b", *out])
        == 0
    )
    assert main(["report", "abc0", "--figure", "difference", "--format", "svg", "--iso", "0.002", "--force", *out]) == 0
    assert main(["report", "--figure", "heat-map", "--format", "pdf", "--level", "fast", *out]) == 0
    assert [line.rsplit("/")[-1] for line in capsys.readouterr().out.splitlines()] == [
        "LiF_HF_abc01111_difference.svg", "LiF_HF_abc01111_difference.svg", "heat-map.pdf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["abc0", "--figure", "pie"], "pie"),
        (["abc0", "--figure", "slices", "--format", "jpg"], "jpg"),
        (["abc0", "--figure", "heat-map"], "leave the ID out"),
        (["--figure", "heat-map", "--iso", "0.1"], "--iso mean nothing"),
        (["--figure", "slices"], "--figure goes with the ID"),
        (["abc0", "--along", "a"], "go with --figure"),
        (["dddd", "--figure", "convergence"], "no convergence to draw"),
        (["abc0", "--figure", "potential", "--iso", "0.1"], "'iso' means nothing for potential"),
        (["abc0", "--figure", "slices", "--along", "a"], "'along' means nothing for slices"),
        (["dddd", "--figure", "slices"], "no charge-density difference"),
        (["dddd", "--figure", "transfer"], "no charges of atoms"),
        (["abc0", "--figure", "slices", "--out", "file"], "is a file, not a folder"),
        (["abc0", "--figure", "slices", "--out", "file/below"], "is a file, not a folder"),
        (["--along", "a"], "--along goes with the ID of one result."),
    ],
)
def test_what_does_not_fit_is_refused(store, tmp_path, capsys, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(["report", *arguments, "--store", store]) == 2
    ran = capsys.readouterr()
    assert ran.out == ""
    assert text in ran.err.strip().splitlines()[-1]

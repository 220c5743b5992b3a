"""Figures as files: one for each format, replaced only when that is asked for."""

import pytest

import iface_wf
from iface_wf.cli.main import main
from iface_wf.errors import InputError
from tests.examples import document, put, put_with_calculations

KEY = "abc0" + "1" * 60
BEGINS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture
def store(job_store, tmp_path):
    put_with_calculations(job_store, KEY, "1" * 36)
    put(job_store, document("d" * 64, density_difference=None, polymer="PEO"), uuid="2" * 36)
    return str(tmp_path / "store.sqlite")


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


def test_the_command_line(store, tmp_path, capsys):
    out = ["--out", str(tmp_path), "--store", store]
    assert (
        main(["report", "abc0", "--figure", "difference", "--format", "svg", "--iso", "0.01", "--along", "b", *out])
        == 0
    )
    assert main(["report", "abc0", "--figure", "difference", "--format", "svg", "--iso", "0.02", "--force", *out]) == 0
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
        (["dddd", "--figure", "slices"], "no charge-density difference"),
        (["dddd", "--figure", "transfer"], "no charges of atoms"),
        (["abc0", "--figure", "slices", "--out", "nowhere"], "does not exist"),
    ],
)
def test_what_does_not_fit_is_refused(store, tmp_path, capsys, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *arguments, "--store", store]) == 2
    ran = capsys.readouterr()
    assert ran.out == ""
    assert text in ran.err.strip().splitlines()[-1]

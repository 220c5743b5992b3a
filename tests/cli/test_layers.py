"""What is wrong with several molecules, held layers and titles is said in a sentence."""

from __future__ import annotations

import pytest

MINE = ("--filler", "LiI", "--molecule", "water", "--engine", "xtb")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--copies", "0"), "copies"),
        (("--copies", "101"), "100"),
        (("--faces", "left"), "both"),
        (("--beside", ""), "beside"),
        (("--beside", "0 EC"), "1 to 100"),
        (("--beside", "101 EC"), "1 to 100"),
        (("--beside", "ECC(("), "ECC(("),
        (("--beside", "-3 EC"), "EC"),
        (("--beside", "TFSI-"), "ion"),
        (("--beside", "missing.xyz"), "missing.xyz"),
        (("--beside", "EC", "--target", "[OX2]", "Li"), "target"),
        (("--copies", "2", "--surface", "wire"), "wire"),
        (("--copies", "100", "--beside", "100 EC"), "max_atoms"),
        (("--copies", "2", "--quantities", "binding_free_energy"), "one molecule"),
        (("--held-layers", "-1"), "held"),
        (("--held-layers", "99"), "layers of atoms"),
        (("--title", ""), "title"),
        (("--title", "a\x1b[2Jb"), "title"),
        (("--title", "x" * 201), "200"),
    ],
)
def test_what_is_wrong_is_said(refused, tmp_path, options, told):
    assert told in refused("run", *MINE, *options, "--dry-run", "--store", tmp_path / "s.sqlite")


def test_several_molecules_mean_nothing_on_an_interface_of_a_file(refused, tmp_path):
    for option in (("--copies", "2"), ("--faces", "both"), ("--beside", "EC"), ("--held-layers", "1")):
        text = refused("run", "--interface", "AB.xyz", *option, "--store", tmp_path / "s.sqlite")
        assert option[0].strip("-").replace("-", "_") in text


def test_inputs_by_hand_are_of_one_molecule(refused, tmp_path):
    text = refused(
        "build", "--filler", "LiI", "--molecule", "water", "--copies", "2", "--write-inputs", "vasp", tmp_path / "x"
    )
    assert "one molecule" in text


def test_a_spec_says_where_it_is_wrong(refused, tmp_path):
    head = "fillers: [LiI]\nmolecules: [water]\nengine: xtb\n"
    for line, told in (
        ("copies: [1, 0]", "copies"),
        ("copies: []", "copies"),
        ("copies: true", "copies"),
        ("beside: [0 EC]", "1 to 100"),
        ("faces: lower", "both"),
        ("title: ''", "title"),
        ("quantities: [surface_energy]\ncopies: 2", "copies"),
        ("quantities: [binding_free_energy]\ncopies: 2", "one molecule"),
        ("beside: [EC]\ntarget: {group: O, surface: Li}", "line 5: 'target'"),
    ):
        (tmp_path / "spec.yaml").write_text(f"{head}{line}\n", encoding="utf-8")
        text = refused("screen", tmp_path / "spec.yaml", "--dry-run", "--store", tmp_path / "s.sqlite")
        assert told in text, text
        assert "spec.yaml, line" in text


@pytest.mark.slow
def test_a_title_of_what_is_stored(cli, refused, filled_store):
    cli("store", "title", "abc0", "my own", "--store", filled_store)
    assert "my own" in cli("results", "--store", filled_store, "--wide").out
    assert "my own" in cli("show", "abc0", "--store", filled_store).out
    assert "200" in refused("store", "title", "abc0", "x" * 201, "--store", filled_store)
    assert "printed" in refused("store", "title", "abc0", "a\x1b[2J", "--store", filled_store)
    cli("store", "title", "abc0", "", "--store", filled_store)
    assert "title" not in cli("results", "--store", filled_store, "--wide").out

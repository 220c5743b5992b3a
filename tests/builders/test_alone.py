"""Ions alone: known by their names, refused on surfaces with the reason and the neutral ways."""

from __future__ import annotations

import pytest

import iface_wf
from iface_wf.builders.alone import salt_of_ion
from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.mark.parametrize(
    ("name", "salt"),
    [
        ("TFSI-", "LiTFSI"), ("TFSI", "LiTFSI"), ("[TFSI]-", "LiTFSI"), ("tfsi\u2212", "LiTFSI"), ("Li+", "LiTFSI"), ("Li", "LiTFSI"),
        ("[Li+]", "LiTFSI"), ("PF6-", "LiPF6"), ("PF6", "LiPF6"), ("FSI-", "LiFSI"),
        ("EC", None), ("LiTFSI", None), ("water", None), ("O", None), ("C[O-]", None), ("F", None), ("+", None), ("", None),
    ],
)  # fmt: skip
def test_names_of_ions(name, salt):
    found = salt_of_ion(name, Library())
    assert (found.name if found else None) == salt


@pytest.mark.parametrize(
    "molecule", ["TFSI-", "Li+", "[Li+]", "PF6-", "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F", "C[NH3+]"]
)
def test_an_ion_on_a_slab_ends_in_a_sentence_with_the_neutral_ways(molecule, tmp_path, capsys):
    words = [
        "run",
        "--filler",
        "LiI",
        "--molecule",
        molecule,
        "--engine",
        "xtb",
        "--dry-run",
        "--store",
        str(tmp_path / "s"),
    ]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert "the energy of a charged cell is not defined" in told
    for way in ("--salt Li", "li_binding_energy", "dissociation_energy"):
        assert way in told


def test_part_of_a_salt_on_a_slab(tmp_path):
    with pytest.raises(InputError, match="--salt LiPF6"):
        iface_wf.run("LiI", salt="LiPF6", salt_part="anion", engine="xtb", dry_run=True, store=tmp_path / "s")

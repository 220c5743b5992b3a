"""One interface from names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from rdkit import Chem

from iface_wf.builders.components import indices, select
from iface_wf.builders.fragment import build_fragment
from iface_wf.builders.interface import build_interface
from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library(tmp_path_factory.mktemp("own"))


def test_peo_on_silica(library: Library) -> None:
    spec = InterfaceSpec(filler="SiO2", polymer="PEO", units=2, placements=3)
    built = build_interface(spec, library)
    first = built.placements[0]
    np.testing.assert_allclose(select(first, "slab").cart_coords, built.slab.cart_coords, atol=1e-9)
    assert len(select(first, "polymer")) == 19
    assert built.report["charge"] == 0
    assert built.report["atoms"]["total"] == len(built.slab) + 19
    assert len(built.report["contacts"]) == len(built.placements)
    assert json.loads(json.dumps(built.report)) == built.report
    json.dumps(first.properties)


def test_atom_cap(library: Library) -> None:
    with pytest.raises(InputError, match="at most 50"):
        build_interface(InterfaceSpec(filler="SiO2", polymer="PEO", units=2, max_atoms=50), library)


def test_unknown_keys_and_empty_specs_are_refused() -> None:
    with pytest.raises(ValidationError, match="polimer"):
        InterfaceSpec(filler="SiO2", polimer="PEO")
    with pytest.raises(ValidationError, match="a polymer, a molecule or a salt"):
        InterfaceSpec(filler="SiO2")


@pytest.mark.slow
def test_polymer_with_ion_pair_keeps_its_labels(library: Library) -> None:
    spec = InterfaceSpec(filler="SiO2", polymer="PEO", units=2, salt="LiTFSI", salt_group="ether", placements=2)
    built = build_interface(spec, library)
    first = built.placements[0]
    counts = [len(indices(first, name)) for name in ("slab", "polymer", "salt_anion", "salt_cation")]
    assert counts == [len(built.slab), 19, 15, 1]
    assert sum(counts) == len(first)
    assert first.properties["salt"] == "LiTFSI"
    assert built.report["charge"] == 0


@pytest.mark.slow
def test_sulfonyl_oxygen_is_aimed_at_a_silanol(library: Library) -> None:
    target = {"group": "O=S", "surface": "H-O-Si"}
    built = build_interface(InterfaceSpec(filler="SiO2", salt="LiTFSI", target=target, placements=3), library)
    distances = []
    for interface in built.placements:
        site, atom = interface.properties["placement"]["aimed_pair"]
        pair = interface[site].specie.symbol, interface[len(built.slab) + atom].specie.symbol
        assert pair == ("H", "O")
        distances.append(interface.get_distance(site, len(built.slab) + atom))
    # The aim is 0.7 van der Waals sums, 1.89 A; neighbours may keep a group off, at most 1.5 times as far.
    assert 1.88 < min(distances) < 2.2  # a hydrogen bond
    assert max(distances) < 1.5 * 1.9


def test_named_groups_of_the_polymer_are_understood(library: Library) -> None:
    target = {"group": "hydroxyl", "surface": "O"}
    spec = InterfaceSpec(filler="SiO2", polymer="PVA", units=1, target=target, placements=1)
    interface = build_interface(spec, library).placements[0]
    site, atom = interface.properties["placement"]["aimed_pair"]
    assert interface[site].specie.symbol == "O"
    assert select(interface, "polymer")[atom].specie.symbol == "O"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"molecule": "EC", "target": {"group": "O=C", "surface": "Gd"}}, "no Gd"),
        ({"molecule": "EC", "target": {"group": "C#N", "surface": "H"}}, "matches nothing"),
        ({"polymer": "PEOO"}, "did you mean PEO"),
        ({"polymer": "PEO", "units": 200}, "oligomer would have 1405 atoms"),
        ({"polymer": "*CC(O"}, "cannot be read"),
        ({"molecule": "missing.xyz"}, "cannot be read"),
    ],
)
def test_impossible_requests_are_refused(library: Library, options: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        build_interface(InterfaceSpec(filler="SiO2", **options), library)


@pytest.mark.parametrize(
    "options",
    [
        {"polymer": "PEO", "molecule": "EC"},
        {"polymer": "PEO", "salt_group": "ether"},
        {"polymer": "PEO", "salt": "LiTFSI", "salt_part": "anion"},
        {"molecule": "EC", "target": {"group": "O=C", "surface": "Xx"}},
        {"molecule": "EC", "target": {"group": "O=C", "surface": "H", "side": "top"}},
    ],
)
def test_contradictory_specs_are_refused(options: dict) -> None:
    with pytest.raises((ValidationError, InputError)):
        InterfaceSpec(filler="SiO2", **options)


def test_psmiles_and_xyz_of_the_user(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "water.xyz"
    path.write_text("3\n\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n")
    water = build_interface(InterfaceSpec(filler="SiO2", molecule=str(path), placements=1), library)
    assert water.report["fragment_formula"] == "H2O"
    own = build_interface(InterfaceSpec(filler="SiO2", polymer="*CCO*", units=1, placements=1), library)
    assert own.report["fragment_formula"] == "C2H6O"


@pytest.mark.parametrize(("part", "charge"), [("anion", -1), ("cation", 1)])
def test_one_ion_on_a_surface_carries_its_charge(library: Library, part: str, charge: int) -> None:
    spec = InterfaceSpec(filler="SiO2", salt="LiPF6", salt_part=part, placements=1)
    built = build_interface(spec, library)
    assert built.report["charge"] == charge
    assert built.placements[0].properties["charge"] == charge
    assert indices(built.placements[0], f"salt_{part}")


@pytest.mark.slow
def test_salt_on_a_wire_touches_gadolinium(library: Library) -> None:
    target = {"group": "O=S", "surface": "Gd"}
    spec = InterfaceSpec(filler="GdOOH", surface="wire", salt="LiTFSI", target=target, placements=3)
    built = build_interface(spec, library)
    assert built.report["area"] is None
    distances = []
    for interface in built.placements:
        assert tuple(interface.lattice.pbc) == (True, False, False)
        site, atom = interface.properties["placement"]["aimed_pair"]
        assert interface[site].specie.symbol == "Gd"
        distances.append(interface.get_distance(site, len(built.slab) + atom))
    # Gd-O in oxides and sulfonates is 2.3 to 2.6 A; the aim, 1.05 covalent sums, is 2.75 A.
    assert 2.3 < min(distances) < 3.1


@pytest.mark.parametrize(
    ("name", "formula"),
    [("EC", "C3H4O3"), ("pc", "C4H6O3"), ("Ethylene Carbonate", "C3H4O3"), ("water", "H2O"), ("SN", "C4H4N2"), ("CCO", "C2H6O"),
     ("C-O", "CH4O"), ("O", "H2O"), ("COC", "C2H6O")],
)  # fmt: skip
def test_molecules_are_found_by_name_before_they_are_read_as_smiles(library: Library, name: str, formula: str) -> None:
    fragment = build_fragment(InterfaceSpec(filler="SiO2", molecule=name, n_conformers=1), library)
    assert fragment.properties["formula"] == formula


@pytest.mark.parametrize(
    ("name", "told"),
    [("CO", "the SMILES of CH4O is meant, write 'C-O'"), ("NCO", "may be a formula"), ("PS", "'P-S'"), ("CCl", "'C-Cl'"),
     ("N2", "A formula does not say"), ("LiCl3", "A formula"), ("EMCX", "did you mean EMC"), ("C[", "cannot be read")],
)  # fmt: skip
def test_what_may_be_another_molecule_is_asked_about(library: Library, name: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        build_fragment(InterfaceSpec(filler="SiO2", molecule=name), library)
    assert "\n" not in str(caught.value)


def test_every_molecule_of_the_library_can_be_built(library: Library) -> None:
    for record in library.records("molecule"):
        fragment = build_fragment(InterfaceSpec(filler="SiO2", molecule=record.name, n_conformers=1), library)
        assert fragment.properties["charge"] == 0
        # as built, every stereocentre is the one of the record, so that a seed does not choose the enantiomer
        assert Chem.MolToSmiles(Chem.RemoveHs(mol_of(fragment))) == Chem.CanonSmiles(record.smiles), record.name


def test_a_molecule_among_polymers_is_sent_to_its_place(library: Library) -> None:
    with pytest.raises(InputError, match="EC is a molecule"):
        library.polymer("EC")

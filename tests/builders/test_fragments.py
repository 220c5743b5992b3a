"""Fragments: salts, complexes, the user's own molecules, and conformers without clashes or pierced rings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from iface_wf.builders.components import indices
from iface_wf.builders.contact import vdw_radii
from iface_wf.builders.molecules.complexes import bind_cation, bind_salt, build_salt
from iface_wf.builders.molecules.conformers import embed, has_clash, pierced_rings
from iface_wf.builders.molecules.fragments import from_smiles, from_xyz, group_sites, mol_of, parse_smiles
from iface_wf.builders.molecules.ions import anion_donors
from iface_wf.builders.molecules.oligomers import build_oligomer
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library(tmp_path_factory.mktemp("own"))


def cation_contacts(structure, reach: float = 2.3) -> list[str]:
    """Elements within ``reach`` of the last site, nearest first."""
    distance = np.linalg.norm(structure.cart_coords - structure.cart_coords[-1], axis=1)
    return [structure[i].specie.symbol for i in np.argsort(distance)[1:] if distance[i] < reach]


@pytest.mark.slow
def test_litfsi_is_a_chelate_of_two_oxygens_on_two_sulfurs(library: Library) -> None:
    # The gas-phase pair's known minimum: Li+ in a six-membered ring with one O of each SO2 group.
    pair = build_salt(library.salt("LiTFSI"))
    assert cation_contacts(pair) == ["O", "O"]
    mol = mol_of(pair)
    distance = np.linalg.norm(pair.cart_coords - pair.cart_coords[-1], axis=1)
    oxygens = [int(i) for i in np.argsort(distance)[1:3]]
    sulfurs = {mol.GetAtomWithIdx(i).GetNeighbors()[0].GetIdx() for i in oxygens}
    assert len(sulfurs) == 2
    assert set(pair.site_properties["component"]) == {"salt_anion", "salt_cation"}
    assert indices(pair, "salt_cation") == [len(pair) - 1]


def test_lipf6_is_an_octahedron_with_three_fluorines_at_lithium(library: Library) -> None:
    pair = build_salt(library.salt("LiPF6"))
    xyz, symbols = pair.cart_coords, [site.specie.symbol for site in pair]
    phosphorus = xyz[symbols.index("P")]
    bonds = np.array([xyz[i] - phosphorus for i, s in enumerate(symbols) if s == "F"])
    lengths = np.linalg.norm(bonds, axis=1)
    np.testing.assert_allclose(lengths, 1.60, atol=0.06)  # measured length in salts of PF6-
    cosines = (bonds @ bonds.T / np.outer(lengths, lengths))[np.triu_indices(6, k=1)]
    assert sorted(np.round(cosines).astype(int)) == [-1] * 3 + [0] * 12
    assert cation_contacts(pair, 2.1) == ["F"] * 3


@pytest.mark.slow
@pytest.mark.parametrize(("part", "charge"), [("pair", 0), ("cation", 1), ("anion", -1)])
@pytest.mark.parametrize("name", ["LiTFSI", "LiFSI", "LiPF6"])
def test_charges_of_salts_and_their_ions(library: Library, name: str, part: str, charge: int) -> None:
    assert build_salt(library.salt(name), part=part).properties["charge"] == charge


@pytest.mark.slow
def test_salt_minima_are_numbered_and_distinct(library: Library) -> None:
    first, second = (build_salt(library.salt("LiFSI"), site=k) for k in (0, 1))
    assert not np.allclose(first.distance_matrix, second.distance_matrix, atol=0.05)
    with pytest.raises(InputError, match="does not exist"):
        build_salt(library.salt("LiFSI"), site=99)
    with pytest.raises(InputError, match="pair, cation or anion"):
        build_salt(library.salt("LiFSI"), part="both")


@pytest.mark.parametrize(
    ("smiles", "sizes"),
    [
        ("[N-](S(=O)(=O)C)S(=O)(=O)C", [5]),
        ("CS(=O)(=O)[O-]", [3]),
        ("CC(=O)[O-]", [2]),
        ("F[P-](F)(F)(F)(F)F", [6]),
        ("[O-]C(=O)CC(=O)[O-]", [2, 2]),
        ("CC[N+](=O)[O-]", []),
    ],
)
def test_which_atoms_share_a_negative_charge(smiles: str, sizes: list[int]) -> None:
    assert [len(group) for group in anion_donors(Chem.MolFromSmiles(smiles))] == sizes


def test_lithium_of_an_ionomer_sits_at_the_sulfonates(library: Library) -> None:
    ionomer = build_oligomer(library.polymer("Nafion-Li"), sequence="NN", n_conformers=3)
    assert ionomer.properties["formula"] == "C14F28Li2O10S2"
    assert ionomer.properties["charge"] == 0
    sulfonate = {match[0] for match in group_sites(ionomer, "[OX1]~S")}
    cations = indices(ionomer, "salt_cation")
    assert len(cations) == 2
    for cation in cations:
        distance = np.linalg.norm(ionomer.cart_coords - ionomer.cart_coords[cation], axis=1)
        held = [i for i in np.argsort(distance)[1:3] if distance[i] < 2.3]
        assert len(held) == 2
        assert set(map(int, held)) <= sulfonate


@pytest.mark.parametrize("group", ["ether", "carbonyl"])
def test_lithium_is_bound_at_the_group_that_was_asked_for(library: Library, group: str) -> None:
    record = library.polymer("PEGDA")
    molecule = build_oligomer(record, 2, n_conformers=4)
    smarts = record.functional_groups[group]
    complex_ = bind_cation(molecule, group=smarts)
    distance = np.linalg.norm(complex_.cart_coords - complex_.cart_coords[-1], axis=1)
    assert min(distance[match[0]] for match in group_sites(molecule, smarts)) < 2.6
    assert complex_.properties["charge"] == 1
    assert complex_.site_properties["component"][-1] == "salt_cation"
    assert len(complex_) == len(molecule) + 1


def test_molecule_with_ion_pair(library: Library) -> None:
    molecule = from_smiles("COC(=O)OC", n_conformers=2)
    both = bind_salt(molecule, library.salt("LiPF6"), group="O=C")
    assert both.properties["charge"] == 0
    assert both.properties["formula"] == "C3H6F6LiO3P"
    assert [len(indices(both, c)) for c in ("polymer", "salt_anion", "salt_cation")] == [12, 7, 1]
    carbonyl = group_sites(molecule, "O=C")[0][0]
    assert np.linalg.norm(both.cart_coords[carbonyl] - both.cart_coords[-1]) < 2.6


def test_cations_must_be_single_known_atoms() -> None:
    ether = from_smiles("COC", n_conformers=1)
    with pytest.raises(InputError, match="one atom of Li"):
        bind_cation(ether, "[NH4+]")
    with pytest.raises(InputError, match="no O, N or F"):
        bind_cation(from_smiles("CC", n_conformers=1))
    with pytest.raises(InputError, match="matches nothing"):
        bind_cation(ether, group="C#N")
    with pytest.raises(InputError, match="cannot be read"):
        bind_cation(ether, group="C#(")


@pytest.mark.parametrize(
    ("smiles", "word"),
    [("*CCO*", "open ends"), ("CC.O", "unconnected"), ("C1CC", "cannot be read"), ("C(C)(C)(C)(C)C", "valence")],
)
def test_bad_smiles_are_refused(smiles: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        from_smiles(smiles)


def test_molecule_survives_the_round_trip_through_a_structure() -> None:
    ring = from_smiles("c1ccccc1C#N", n_conformers=1)
    assert Chem.MolToSmiles(Chem.RemoveHs(mol_of(ring))) == Chem.CanonSmiles("c1ccccc1C#N")


def test_xyz_of_the_user(tmp_path: Path) -> None:
    carbonate = from_smiles("C1COC(=O)O1", n_conformers=1)
    lines = [f"{site.specie.symbol} {site.x} {site.y} {site.z}" for site in carbonate]
    path = tmp_path / "ec.xyz"
    path.write_text("\n".join([str(len(lines)), "made by hand", *lines]) + "\n")
    read = from_xyz(path)
    assert read.properties["smiles"] == carbonate.properties["smiles"]
    np.testing.assert_allclose(read.distance_matrix, carbonate.distance_matrix, atol=1e-6)
    assert len(group_sites(read, "O=C")) == 1
    assert len(group_sites(from_smiles("FC(F)(F)C", n_conformers=1), "FC(F)(F)C")) == 6


@pytest.mark.parametrize(
    "text",
    [
        "3\nWasser für Jürgen\nO 0 0 0\nH 0 0.76 0.59\nH 0 -0.76 0.59\n",
        "3\n\nO1 0.D0 0 0 0.1 8\nH2 0 7.6D-1 .59\nH3 0 -0.76 5.9e-1\n\n",
        "\ufeff3\n\n8 0 0 0\n1 0 0.76 0.59\nd 0 -0.76 0.59",
        "3\r\n\r\no 0 0 0\r\nh\t0 0.76 0.59\r\nH 0 -0.76 0.59\r\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_an_xyz_file_is_read_however_it_is_written(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "water.xyz"
    path.write_bytes((text if encoding == "utf-8" else text.lstrip("\ufeff")).encode(encoding))
    assert from_xyz(path).properties["smiles"] == "O"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "malformed"),
        ("2\n\nO 0 0 0\n", "does not hold the 2"),
        ("1\n\nXx 0 0 0\n", "unknown elements: Xx"),
        ("2\n\nO 0 0 0\nO 0 0 0.1\n", "0.10 A apart"),
        ("1\n\nO 0 0 nan\n", "does not hold"),
        ("1\n\nO 0 0 zero\n", "malformed"),
        ("3\n\nO 0 0 0\nO 0 0 4\nC 0 4 0\n", "bonds"),
        ("1\n\nNe 0 0 0\n1\n\nNe 0 0 1\n", "more than its 1 atoms"),
        ("-1\n\nO 0 0 0\n", "does not hold the -1|more than"),
        ("1\n\nT 0 0 0\n", "unknown elements: T"),
    ],
)
def test_bad_xyz_is_refused(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "bad.xyz"
    path.write_text(text)
    with pytest.raises(InputError, match=word):
        from_xyz(path)
    with pytest.raises(InputError, match="cannot be read"):
        from_xyz(tmp_path / "missing.xyz")


def test_clashes_and_pierced_rings_are_found() -> None:
    mol = embed(Chem.AddHs(parse_smiles("c1ccccc1CCCCCCC")), 1, 0).mol
    xyz = np.array(mol.GetConformer().GetPositions())
    assert not has_clash(mol, xyz)
    assert not pierced_rings(mol, xyz)
    ring = list(mol.GetSubstructMatch(Chem.MolFromSmarts("c1ccccc1")))
    centre = xyz[ring].mean(axis=0)
    normal = np.cross(xyz[ring[0]] - centre, xyz[ring[1]] - centre)
    normal /= np.linalg.norm(normal)
    # Thread the chain's last carbon-carbon bond through the benzene ring.
    last, before = 12, 11
    threaded = xyz.copy()
    threaded[last], threaded[before] = centre + 0.77 * normal, centre - 0.77 * normal
    assert (before, last) in [bond for _, bond in pierced_rings(mol, threaded)]
    assert has_clash(mol, threaded)


@pytest.mark.parametrize("symbol", ["Og", "Fm"])  # beyond the table, and without a value in it
def test_elements_without_a_radius_are_named(symbol):
    with pytest.raises(InputError, match=f"No van der Waals radius is known for {symbol}"):
        vdw_radii(["H", symbol])


def test_a_lone_hydrogen_is_read_without_a_word_of_rdkit(capfd):
    assert len(from_smiles("[H]")) == 1
    told = capfd.readouterr()
    assert told.out + told.err == ""

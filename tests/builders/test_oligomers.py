"""Oligomers: what the text says is what the molecule is, and bad text is refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.rdMolTransforms import GetDihedralDeg

from iface_wf.builders.contact import covalent_radii, symbols_of
from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.molecules.oligomers import build_oligomer, expand_sequence, oligomer_mol, parse_cap, parse_unit
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library(tmp_path_factory.mktemp("own"))


@pytest.mark.parametrize(
    ("psmiles", "word"),
    [
        ("*CC(O*", "cannot be read"),
        ("", "characters"),
        ("CCO", "0 '*' ends"),
        ("*CCO", "1 '*' ends"),
        ("*CC(*)O*", "3 '*' ends"),
        ("*CCO*.C", "unconnected"),
        ("*C.CO*", "unconnected"),
        ("*C[Xx]O*", "cannot be read"),
        ("*CC(F)(F)(F)*", "valence"),
        ("*=CC=*", "single bond"),
        ("**", "no atom"),
    ],
)
def test_bad_units_are_refused(psmiles: str, word: str) -> None:
    with pytest.raises(InputError, match=word.replace("*", r"\*").replace("(", r"\(")):
        parse_unit(psmiles)


@pytest.mark.parametrize("units", [0, -3, 201])
def test_bad_numbers_of_units_are_refused(library: Library, units: int) -> None:
    with pytest.raises(InputError, match="1 to 200"):
        build_oligomer(library.polymer("PEO"), units)


def test_sequence_is_repeated_and_cut() -> None:
    assert expand_sequence("ABA", 7) == "ABAABAA"
    assert expand_sequence("ABAA") == "ABAA"
    assert expand_sequence("AAAB", 2) == "AA"


def test_peo_dimer_is_an_ether_of_nineteen_atoms(library: Library) -> None:
    dimer = build_oligomer(library.polymer("PEO"), 2)
    assert dimer.properties["smiles"] == "CCOCCOC"
    assert len(dimer) == 19
    assert dimer.properties["charge"] == 0


def test_caps_by_name_smiles_and_two_different_ends() -> None:
    smiles = Chem.MolToSmiles(Chem.RemoveHs(oligomer_mol(["*CCO*"] * 2, head="OH", tail="*C(=O)C=C")))
    assert smiles == Chem.CanonSmiles("OCCOCCOC(=O)C=C")
    with pytest.raises(InputError, match="'\\*' ends"):
        parse_cap("CC")


def test_units_may_be_turned_round() -> None:
    def carbon_chain(turned: list[bool]) -> str:
        return Chem.MolToSmiles(Chem.RemoveHs(oligomer_mol(["*CC(F)(F)*"] * 2, turned=turned)))

    assert carbon_chain([False, False]) == Chem.CanonSmiles("CC(F)(F)CC(F)F")
    assert carbon_chain([False, True]) == Chem.CanonSmiles("CC(F)(F)C(F)(F)C")


def handedness(mol: Chem.Mol) -> list[str]:
    """CIP labels of the backbone's centres, ends left out: there the neighbours rank differently."""
    Chem.AssignCIPLabels(mol)
    return [atom.GetProp("_CIPCode") for atom in mol.GetAtoms() if atom.HasProp("_CIPCode")]


def test_tacticity_meso_and_racemo() -> None:
    # 2,4-dicyanopentane: the isotactic dimer is the meso compound (R,S), the syndiotactic one is not.
    meso = oligomer_mol(["*CC(C#N)*"] * 2, tail="CH3", tacticity="isotactic")
    racemo = oligomer_mol(["*CC(C#N)*"] * 2, tail="CH3", tacticity="syndiotactic")
    assert sorted(handedness(meso)) == ["R", "S"]
    assert len(set(handedness(racemo))) == 1


def test_atactic_order_follows_the_seed() -> None:
    def chain(seed: int) -> str:
        return Chem.MolToSmiles(oligomer_mol(["*CC(C#N)*"] * 8, tacticity="atactic", seed=seed))

    assert chain(3) == chain(3)
    assert len({chain(seed) for seed in range(6)}) > 1


def test_no_stereocentre_is_left_to_chance() -> None:
    mol = oligomer_mol(["*CC(C1COC(=O)O1)*"] * 3)
    assert all(info.specified == Chem.StereoSpecified.Specified for info in Chem.FindPotentialStereo(mol))


def test_same_seed_same_structure_other_seed_other_structure(library: Library) -> None:
    first, again, other = (build_oligomer(library.polymer("PEO"), 3, seed=s, n_conformers=3) for s in (1, 1, 2))
    np.testing.assert_allclose(first.cart_coords, again.cart_coords, atol=1e-9)
    assert first.cart_coords.shape == other.cart_coords.shape
    assert not np.allclose(first.cart_coords, other.cart_coords, atol=1e-3)


def test_box_is_orthorhombic_open_and_on_the_grid(library: Library) -> None:
    chain = build_oligomer(library.polymer("PEO"), 4)
    edges = np.array(chain.lattice.abc)
    assert tuple(chain.lattice.pbc) == (False, False, False)
    np.testing.assert_allclose(chain.lattice.angles, 90.0, atol=1e-9)
    np.testing.assert_allclose(edges / 0.8, np.round(edges / 0.8), atol=1e-6)
    xyz = chain.cart_coords
    assert xyz.min() >= 6.0 - 1e-9
    assert (edges - xyz.max(axis=0)).min() >= 6.0 - 1e-9
    assert set(chain.site_properties["component"]) == {"polymer"}
    energies = chain.properties["conformer_energies"]
    assert energies == sorted(energies)
    assert chain.properties["force_field"] == "MMFF94"


def test_pvdf_is_built_all_trans(library: Library) -> None:
    chain = build_oligomer(library.polymer("PVDF"), 4)
    carbons = mol_of(chain).GetSubstructMatch(Chem.MolFromSmarts("CCCCCCCCC"))
    conformer = mol_of(chain).GetConformer()
    torsions = [abs(GetDihedralDeg(conformer, *carbons[k : k + 4])) for k in range(6)]
    # Fluorines on every second carbon repel, so that the zigzag of a free chain bends by up to about 10 degrees.
    assert min(torsions) > 165.0
    assert chain.properties["conformation"] == "trans"
    with pytest.raises(InputError, match="lowest or trans"):
        build_oligomer(library.polymer("PVDF"), 2, conformation="gauche")


@settings(max_examples=15, deadline=None)
@given(
    sequence=st.text("ABab", min_size=1, max_size=4),
    head=st.sampled_from(["H", "CH3", "F", "*OC", "C=CC(=O)O*"]),
    tail=st.sampled_from(["H", "CF3", "*C(=O)C=C"]),
    tacticity=st.sampled_from(["isotactic", "syndiotactic", "atactic"]),
    seed=st.integers(0, 1000),
)
def test_atoms_are_the_sum_of_units_and_caps(sequence, head, tail, tacticity, seed) -> None:
    units = {"A": "*CC(C#N)*", "B": "*C(F)(F)C(F)(C(F)(F)F)*"}
    mol = oligomer_mol(
        [units[letter.upper()] for letter in sequence],
        head,
        tail,
        tacticity,
        seed,
        [letter.islower() for letter in sequence],
    )
    heavy = {"A": 4, "B": 9}
    caps = {"H": 0, "CH3": 1, "F": 1, "CF3": 4, "*OC": 2, "C=CC(=O)O*": 5, "*C(=O)C=C": 4}
    expected = sum(heavy[letter.upper()] for letter in sequence) + caps[head] + caps[tail]
    assert mol.GetNumHeavyAtoms() == expected
    assert len(Chem.GetMolFrags(mol)) == 1
    assert Chem.GetFormalCharge(mol) == 0
    assert not any(atom.GetAtomicNum() == 0 or atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())


@pytest.mark.parametrize("name", ["PEO", "PVDF-HFP", "PDMS", "PSMA", "PEEP"])
def test_bonds_have_the_lengths_of_bonds(library: Library, name: str) -> None:
    chain = build_oligomer(library.polymer(name), n_conformers=3)
    radii = covalent_radii(symbols_of(chain))
    ratio = chain.distance_matrix / (radii[:, None] + radii[None])
    bonded = np.zeros_like(ratio, dtype=bool)
    for i, j, _ in chain.properties["bonds"]:
        bonded[i, j] = bonded[j, i] = True
    np.fill_diagonal(ratio, np.inf)
    # Covalent radii carry a spread of about 0.05 A each: bonds within 15 %, everything else clearly beyond.
    assert ratio[bonded].min() > 0.85
    assert ratio[bonded].max() < 1.15
    assert ratio[~bonded].min() > 1.25

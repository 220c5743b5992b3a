"""What a PSMILES writes of its stereochemistry, charges and isotopes is so in every unit of the chain."""

from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.molecules.oligomers import build_oligomer, oligomer_mol
from iface_wf.errors import InputError
from iface_wf.library.records import PolymerRecord


def codes(mol):
    """CIP labels of centres and of double bonds, in the order of the atoms and bonds."""
    mol = Chem.RemoveHs(mol)
    rdCIPLabeler.AssignCIPLabels(mol)
    return [
        "".join(item.GetProp("_CIPCode") for item in items if item.HasProp("_CIPCode"))
        for items in (mol.GetAtoms(), mol.GetBonds())
    ]


@pytest.mark.parametrize("tacticity", ["atactic", "isotactic"])
@pytest.mark.parametrize(
    ("unit", "centres"),
    [
        ("*O[C@@H](C)C(=O)*", "S" * 6),  # poly(L-lactide)
        ("*O[C@H](C)C(=O)*", "R" * 6),  # poly(D-lactide)
        ("*N[C@@H](C)C(=O)*", "S" * 6),  # poly(L-alanine)
        ("*O[C@H](C)CC(=O)*", "R" * 6),  # poly((R)-3-hydroxybutyrate)
        ("*C(=O)[C@H](C)O*", "S" * 6),  # poly(L-lactide) from its other end
    ],
)
def test_written_centres_are_the_same_in_every_unit(unit, centres, tacticity):
    for seed in range(3):
        assert codes(oligomer_mol([unit] * 6, tacticity=tacticity, seed=seed))[0] == centres


# The text of a unit between its two ends, written again and again, is the chain: an independent way to join it.
@pytest.mark.parametrize(
    "body",
    [
        "O[C@@H](C)C(=O)", "[C@@](F)(Cl)C", "[C@H](F)[C@@H](Cl)", "[Si@](C)(F)O", "C[C@H]([NH3+])C", "[S@](=O)C",
        "C[C@@H]([N+](C)(C)C)O", "[13CH2][C@H](F)", "C([2H])([2H])[C@@H](C)", "C/C=C\\C", "C/C=C/C", "C/C(C)=C\\C",
        "C/C(F)=C(/Cl)C", "[C@H]1C[C@@H]1[C@H](C)", "O[C@@H]1CC[C@H](C1)C", "C/C=C/[C@H](C)", "[C@H](/C=C/C)C", "C/C=N/C",
        "O[C@H]1[C@H](O)[C@@H](O)[C@@H](O[C@@H]1CO)O",
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", [0, 1])
def test_a_chain_is_its_text_written_on(body, seed):
    made = Chem.MolToSmiles(Chem.RemoveHs(oligomer_mol([f"*{body}*"] * 3, "CH3", "CH3", seed=seed)))
    assert made == Chem.CanonSmiles(f"C{body * 3}C")


@pytest.mark.parametrize(
    ("unit", "chain"),
    [
        ("*/C=C/*", "C/C=C/C=C/C=C/C"),
        ("*/C=C\\*", "C/C=C\\C=C/C=C\\C"),
        ("*C=C*", "C/C=C/C=C/C=C/C"),
        ("*/N=N/*", "C/N=N/N=N/N=N/C"),
        ("*/C=N/*", "C/C=N/C=N/C=N/C"),
        ("*/[NH+]=C/*", "C/[NH+]=C/[NH+]=C/[NH+]=C/C"),
        ("*/C(C)=C/*", "C/C(C)=C/C(C)=C/C(C)=C/C"),
        ("*/C(C)=C\\*", "C/C(C)=C\\C(C)=C/C(C)=C\\C"),
        ("*/C(F)=C(F)/*", "C/C(F)=C(F)/C(F)=C(F)/C(F)=C(F)/C"),
        ("*/C=C/C=C/*", "C/C=C/C=C/C=C/C=C/C=C/C=C/C"),
        ("*/C=C/c1ccc(*)cc1", "C/C=C/c1ccc(cc1)/C=C/c1ccc(cc1)/C=C/c1ccc(C)cc1"),
        ("*/C=C\\c1ccc(*)cc1", "C/C=C\\c1ccc(cc1)/C=C\\c1ccc(cc1)/C=C\\c1ccc(C)cc1"),
        ("*C/C=C/*", "CC/C=C/C/C=C/C/C=C/C"),
        ("*/[13CH]=[13CH]/*", "C/[13CH]=[13CH]/[13CH]=[13CH]/[13CH]=[13CH]/C"),
        ("*[C@H]1CC[C@@H](*)CC1", "C[C@H]1CC[C@H](CC1)[C@H]1CC[C@H](CC1)[C@H]1CC[C@@H](C)CC1"),
        ("[1*]/C=C/[2*]", "C/C=C/C=C/C=C/C"),
        ("[*:1]/C=C/[*:2]", "C/C=C/C=C/C=C/C"),
        ("*/[CH:7]=[CH:1]/*", "C/C=C/C=C/C=C/C"),
    ],
)
def test_double_bonds_and_rings_whose_partner_is_the_open_end(unit, chain):
    made = Chem.MolToSmiles(Chem.RemoveHs(oligomer_mol([unit] * 3, "CH3", "CH3")))
    assert made == Chem.CanonSmiles(chain)


@pytest.mark.parametrize(
    ("unit", "chain"),
    [
        ("*/C=C/*", "C=C/C=C/C=C"),  # the outer double bonds have an end with two hydrogens
        ("*/C(C)=C/*", "C=C(C)/C=C(C)/C=C\\C"),
        ("*/C=N/*", "C=N/C=N/C=N"),
    ],
)
def test_a_cap_of_hydrogen_leaves_the_written_side(unit, chain):
    assert Chem.MolToSmiles(Chem.RemoveHs(oligomer_mol([unit] * 3))) == Chem.CanonSmiles(chain)


def test_head_of_a_hydrogen_turns_to_the_other_side():
    """In ``H/C(C)=C/C`` the methyl group lies where the hydrogen does not: cis to the chain."""
    made = Chem.RemoveHs(oligomer_mol(["*/C(C)=C/*"], "H", "CH3"))
    assert Chem.MolToSmiles(made) == Chem.CanonSmiles("C/C=C\\C")


def test_units_turned_round_keep_their_centres():
    unit = "*O[C@@H](C)C(=O)*"
    assert codes(oligomer_mol([unit] * 4, turned=[False, True, False, True]))[0] == "S" * 4


def test_open_centres_follow_the_tacticity_beside_written_ones():
    unit = "*[C@@H](F)C(Cl)C*"
    chains = {t: codes(oligomer_mol([unit] * 5, "CH3", "CH3", t))[0] for t in ("isotactic", "syndiotactic")}
    assert chains["isotactic"] != chains["syndiotactic"]
    assert chains["isotactic"][::2][1:] == chains["syndiotactic"][::2][1:]  # the written ones; the first ends the chain


def test_an_open_centre_between_equal_arms_is_decided():
    mol = oligomer_mol(["*CC(F)C*"] * 4, "CH3", "OH", "isotactic")
    assert all(info.specified == Chem.StereoSpecified.Specified for info in Chem.FindPotentialStereo(mol))


def test_a_syndiotactic_chain_of_written_centres_is_refused():
    with pytest.raises(InputError, match="leave them open"):
        oligomer_mol(["*O[C@@H](C)C(=O)*"] * 4, tacticity="syndiotactic")
    assert oligomer_mol(["*CCO*"] * 4, tacticity="syndiotactic").GetNumHeavyAtoms() == 12  # nothing to decide


@pytest.mark.parametrize(
    ("psmiles", "expected"), [("*O[C@@H](C)C(=O)*", ("SSS", "")), ("*/C=C/*", ("", "E")), ("*C/C=C\\C*", ("", "ZZZ"))]
)
def test_the_structure_in_space_is_the_written_one(psmiles, expected):
    record = PolymerRecord(name="own", title="own", source="own", psmiles=psmiles)
    chain = build_oligomer(record, 3, n_conformers=2)
    assert tuple(codes(mol_of(chain))) == expected
    assert chain.properties["tacticity"] == ("as written" if "@" in psmiles else "atactic")

"""Formulas of every oligomer of the library, counted by hand from the textbook repeat units and end groups."""

from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem import rdCIPLabeler
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.molecules.oligomers import build_oligomer, record_mol
from iface_wf.library import Library

# Formulas for one, two and three repeat units, caps (and counter-ion) included.
FORMULAS = {
    "PEO": ("C3H8O", "C5H12O2", "C7H16O3"),
    "P-DOL": ("C4H10O2", "C7H16O4", "C10H22O6"),
    "PVDF": ("C3H6F2", "C5H8F4", "C7H10F6"),
    "PVDF-HFP": ("C3H6F2", "C6H6F8", "C8H8F10"),
    "d-PVDF-HFP": ("C3H6F2", "C5H7F3", "C8H7F9"),
    "PAN": ("C4H7N", "C7H10N2", "C10H13N3"),
    "PVA": ("C3H8O", "C5H12O2", "C7H16O3"),
    "PAA": ("C4H8O2", "C7H12O4", "C10H16O6"),
    "PDMS": ("C6H18OSi2", "C8H24O2Si3", "C10H30O3Si4"),
    "PVEC": ("C6H10O3", "C11H16O6", "C16H22O9"),
    "PEGDA": ("C8H10O4", "C10H14O5", "C12H18O6"),
    "Nafion-Li": ("C7F15LiO5S", "C9F19LiO5S", "C11F23LiO5S"),
    "PSMA": ("C12H12O3", "C24H22O6", "C36H32O9"),
    "PEEP": ("C5H13O4P", "C9H22O8P2", "C13H31O12P3"),
    "TPU": ("C21H26N2O5", "C40H46N4O9", "C59H66N6O13"),
}

SALTS = {"LiTFSI": "C2F6LiNO4S2", "LiFSI": "F2LiNO4S2", "LiPF6": "F6LiP"}


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library(tmp_path_factory.mktemp("own"))


def test_every_polymer_and_salt_of_the_library_is_counted(library: Library) -> None:
    assert set(library.names("polymer")) == set(FORMULAS)
    assert set(library.names("salt")) == set(SALTS)


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("name", FORMULAS)
def test_formula_and_charge(library: Library, name: str, units: int) -> None:
    mol = record_mol(library.polymer(name), units)
    assert CalcMolFormula(mol, True, True) == FORMULAS[name][units - 1]
    assert Chem.GetFormalCharge(mol) == 0
    assert not any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())


@pytest.mark.parametrize("name", FORMULAS)
def test_structure_holds_the_same_atoms(library: Library, name: str) -> None:
    built = build_oligomer(library.polymer(name), 1, n_conformers=2)
    assert built.properties["formula"] == FORMULAS[name][0]
    assert built.properties["charge"] == 0


@pytest.mark.parametrize("name", FORMULAS)
def test_functional_groups_exist_in_the_chain(library: Library, name: str) -> None:
    record = library.polymer(name)
    assert record.functional_groups
    mol = record_mol(record)
    for smarts in record.functional_groups.values():
        assert mol.HasSubstructMatch(Chem.MolFromSmarts(smarts)), smarts


def test_the_double_bond_of_dehydrofluorinated_pvdf_hfp_is_inner_and_e(library: Library) -> None:
    mol = mol_of(build_oligomer(library.polymer("d-PVDF-HFP"), n_conformers=2))
    assert CalcMolFormula(mol) == "C10H9F11"  # as many atoms as PVDF-HFP less HF
    rdCIPLabeler.AssignCIPLabels(mol)
    (bond,) = [bond for bond in mol.GetBonds() if bond.GetBondTypeAsDouble() == 2]
    assert bond.GetProp("_CIPCode") == "E"
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    assert sorted(sum(n.GetSymbol() == "H" for n in end.GetNeighbors()) for end in ends) == [0, 1]  # -CH=CF-, no CH2
    assert all(sum(n.GetSymbol() == "C" for n in end.GetNeighbors()) == 2 for end in ends)

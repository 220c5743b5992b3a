"""Charges of atoms: each with its own from before, and none where atoms differ."""

import pytest
from pymatgen.core import Structure

from iface_wf.reports.site.atoms import atom_data, charge_table, transfer_of_atoms
from tests.examples import CHARGES_AFTER, CHARGES_BEFORE, calculation, document, structure

PARTS = {"A*": slice(4), "B*": slice(4, None)}


def calculations(**swapped):
    parts = {role: calculation(role, CHARGES_BEFORE, swapped.get(role, chosen)) for role, chosen in PARTS.items()}
    return {"AB": calculation("AB", CHARGES_AFTER)} | parts


def test_the_transfer_of_the_atoms_adds_up_to_that_of_the_components():
    transfer = transfer_of_atoms(calculations(), "bader")
    assert transfer == pytest.approx([0.0, -0.01, -0.02, 0.0, 0.04, -0.01])
    assert sum(transfer[:4]) == pytest.approx(document().charge_transfer["slab"])
    assert sum(transfer[4:]) == pytest.approx(document().charge_transfer["polymer"])


def test_without_a_part_or_with_other_atoms_there_is_no_transfer():
    whole = calculations()
    del whole["B*"]
    assert transfer_of_atoms(whole, "bader") is None
    assert transfer_of_atoms({"AB": whole["AB"]}, "nonsense") is None
    assert transfer_of_atoms(calculations(**{"B*": slice(0, 2)}), "bader") is None


def test_charges_of_other_atoms_are_not_shown():
    charges = calculation("AB", CHARGES_AFTER).charges["bader"]
    table = charge_table(structure(), charges, None)
    assert [row[1] for row in table.rows] == ["Li", "Li", "F", "F", "F", "H"]
    assert [row[-2:] for row in table.rows] == [[charge, None] for charge in CHARGES_AFTER]
    assert charge_table(Structure.from_sites(structure()[::-1]), charges, None) is None


def test_charges_by_further_schemes_stand_beside_the_first():
    charges = calculation("AB", CHARGES_AFTER).charges["bader"]
    other = charges.model_copy(update={"net_charges": [x / 2 for x in charges.net_charges]})
    table = charge_table(structure(), charges, [0.0] * 6, {"hirshfeld": (other, None)})
    assert table.title == "Charges of the atoms (bader, hirshfeld)"
    assert table.headings[-2:] == ["charge / e (hirshfeld)", "transfer / e (hirshfeld)"]
    assert [row[-4:] for row in table.rows] == [[x, 0.0, x / 2, None] for x in CHARGES_AFTER]
    alien = other.model_copy(update={"species": ["H"] * 6})
    assert len(charge_table(structure(), charges, None, {"hirshfeld": (alien, None)}).headings) == 8


def test_the_view_has_the_atoms_of_the_cell_first():
    data = atom_data(structure())
    assert data.in_cell == 6
    assert data.elements[:6] == ["Li", "Li", "F", "F", "F", "H"]
    assert (4, 5) in data.bonds

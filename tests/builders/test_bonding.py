"""Hydrogen bonds and longer bonds of structures whose geometry is known."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.bonding import hydrogen_bonds, longer_bonds

#: Two molecules of water; the second one's oxygen takes the bond, along x.
SYMBOLS = ["O", "H", "H", "O", "H", "H"]
LABELS = ["slab"] * 3 + ["polymer"] * 3


def dimer(distance=2.9, bend=0.0, edges=(20.0, 20.0, 20.0), pbc=(False, False, False), shift=0.0):
    angle = np.radians(bend)
    given = [0.96 * np.cos(angle), 0.96 * np.sin(angle), 0.0]
    xyz = np.array(
        [[0, 0, 0], given, [-0.24, 0.0, 0.93], [distance, 0, 0], [distance + 0.6, 0.75, 0], [distance + 0.6, -0.75, 0]]
    )
    lattice = Lattice(np.diag(edges), pbc=pbc)
    return Structure(
        lattice, SYMBOLS, xyz + [shift, 5, 5], coords_are_cartesian=True, site_properties={"component": LABELS}
    )


def test_the_bond_of_the_water_dimer_is_told_with_its_lengths_and_angle():
    (bond,) = hydrogen_bonds(dimer(bend=10.0), ["slab"])
    assert (bond.donor, bond.acceptor, bond.gives) == ("O", "O", "slab")
    assert bond.donor_acceptor == pytest.approx(2.9)
    apart = np.hypot(2.9 - 0.96 * np.cos(np.radians(10)), 0.96 * np.sin(np.radians(10)))
    assert bond.h_acceptor == pytest.approx(apart, abs=1e-3)
    assert 160 < bond.angle < 180 - 10  # bent by 10 degrees at the donor, by more at the hydrogen
    assert hydrogen_bonds(dimer(), ["polymer"]) == hydrogen_bonds(dimer(), ["slab"])  # whichever side is named


@pytest.mark.parametrize("options", [{"distance": 3.6}, {"bend": 60.0}])
def test_what_is_long_or_bent_is_none(options):
    assert hydrogen_bonds(dimer(**options), ["slab"]) == []


def test_bonds_within_one_side_do_not_count():
    pair = dimer()
    pair.add_site_property("component", ["slab"] * 6)
    assert hydrogen_bonds(pair, ["slab"]) == []


def test_bonds_across_the_border_of_the_cell_are_seen():
    apart = dimer(edges=(12.0, 12.0, 20.0), pbc=(True, True, False), shift=11.0)
    across = apart.copy()
    for site in across:
        site.coords = site.coords - [12.0 * (site.coords[0] > 12.0), 0, 0]
    assert len(hydrogen_bonds(across, ["slab"])) == 1
    assert hydrogen_bonds(across, ["slab"]) == hydrogen_bonds(apart, ["slab"])


def test_a_stretched_bond_is_told_and_a_turned_molecule_is_not():
    whole = dimer()
    alone = Structure.from_sites(whole[3:], to_unit_cell=False)
    assert longer_bonds(whole, alone, ["polymer"]) == []
    turned = alone.copy()
    for site in turned:
        x, y, z = site.coords
        site.coords = [10 - y, x, z]
    assert longer_bonds(whole, turned, ["polymer"]) == []
    before = float(np.linalg.norm(whole[4].coords - whole[3].coords))
    whole[4].coords = whole[3].coords + (whole[4].coords - whole[3].coords) * 1.05
    (bond,) = longer_bonds(whole, alone, ["polymer"])
    assert (bond.bond, bond.change) == ("H-O", pytest.approx(0.05 * before, abs=1e-3))
    assert longer_bonds(whole, whole, ["polymer"]) == []  # other sites than the part's: nothing is compared

"""What a molecule feels of its own images: by the numbers of the engine itself, wherever its atoms were written."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.contact import gathered, image_distance
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.quantities.binding.lateral import CROWDED, distance_of_images, lateral_document

WATER = np.array([[0.0, 0.0, 0.1193], [0.0, 0.7632, -0.477], [0.0, -0.7632, -0.477]])


def interface(edge, shift=(2.4, 2.4, 10.0), wrap=False):
    """Return water on a layer of lithium fluoride, as far as labels go: only the molecule counts."""
    lattice = Lattice(np.diag([edge, edge, 20.0]), pbc=(True, True, False))
    xyz = np.vstack([[[0.0, 0.0, 6.0], [2.0, 0.0, 6.0]], WATER + np.array(shift)])
    if wrap:
        fractions = xyz @ np.linalg.inv(lattice.matrix)
        fractions[:, :2] %= 1.0
        xyz = fractions @ lattice.matrix
    labels = ["slab"] * 2 + ["polymer"] * 3
    symbols = ["Li", "F", "O", "H", "H"]
    return Structure(lattice, symbols, xyz, coords_are_cartesian=True, site_properties={"component": labels})


def test_the_energy_is_that_of_the_molecule_in_its_cell_against_none():
    found = lateral_document(interface(4.0), XtbEngine())
    engine = XtbEngine()
    molecule = interface(4.0)
    molecule.remove_sites([0, 1])
    atoms = engine.atoms(molecule)
    energies = []
    for periodic in ((True, True, True), False):
        atoms.pbc = periodic
        atoms.calc = engine.calculator(engine.defaults())
        energies.append(atoms.get_potential_energy())
    assert found.energy == pytest.approx(energies[0] - energies[1], abs=1e-4)  # thresholds of the charges
    assert found.method == "GFN1-xTB-D3(BJ)"
    assert abs(found.energy) > CROWDED
    assert found.flags == [f"crowded ({found.energy:+.3f} eV, images 2.5 A apart)"]


def test_it_vanishes_in_a_wide_cell_and_is_no_flag():
    # two dipoles of 1.85 D side by side feel each other by 1 meV at 12 A
    found = lateral_document(interface(14.0), XtbEngine())
    assert abs(found.energy) < 5e-3
    assert found.flags == []


def test_atoms_written_back_into_the_cell_are_joined_again():
    whole, wrapped = (lateral_document(interface(5.0, (4.9, 4.9, 10.0), wrap), XtbEngine()) for wrap in (False, True))
    assert wrapped.energy == pytest.approx(whole.energy, abs=1e-5)
    assert distance_of_images(interface(5.0, (4.9, 4.9, 10.0), wrap=True)) == pytest.approx(5.0 - 2 * 0.7632)


def test_an_engine_that_gives_no_energy_is_told():
    found = lateral_document(interface(4.0), XtbEngine(overrides={"max_iterations": 1}))
    assert found.energy is None
    (flag,) = found.flags
    assert flag.startswith("lateral_unknown: ")


def test_distance_of_images_by_hand():
    oblique = Lattice([[10.0, 0.0, 0.0], [-4.0, 9.0, 0.0], [0.0, 0.0, 30.0]], pbc=(True, True, False))
    rod = np.array([[0.0, 0.0, 5.0], [0.0, 7.0, 5.0]])
    assert image_distance(rod[:1], oblique) == pytest.approx(np.hypot(4.0, 9.0))
    assert image_distance(rod, oblique) == pytest.approx(np.hypot(4.0, 2.0))  # head to tail along b
    assert image_distance(rod, Lattice(np.eye(3) * 9, pbc=(False, False, False))) is None
    # a chain longer than its cell: the next image but one is the nearest
    chain = np.array([[0.0, 0.0, 0.0], [12.5, 0.0, 0.0]])
    assert image_distance(chain, Lattice(np.diag([6.0, 30.0, 30.0]), pbc=(True, False, False))) == pytest.approx(0.5)


def test_gathered_keeps_what_is_whole():
    lattice = Lattice(np.diag([6.0, 7.0, 20.0]), pbc=(True, True, False))
    xyz = WATER + [3.0, 3.0, 9.0]
    assert np.allclose(gathered(xyz, lattice), xyz)

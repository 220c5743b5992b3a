"""Hirshfeld's partition of densities whose answer is known: superposed free atoms, and such with electrons moved."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.analysis.grid import Grid
from iface_wf.analysis.hirshfeld import FreeAtom, hirshfeld_charges
from iface_wf.errors import InputError

RADII = np.linspace(0.0, 8.0, 1600)


def gaussian(electrons, width):
    """Free atom that is a Gaussian: no cusp, so that grids integrate it exactly."""
    return FreeAtom(RADII, electrons * np.exp(-(RADII**2) / (2 * width**2)) / (2 * np.pi * width**2) ** 1.5)


ATOMS = {"H": gaussian(1.0, 0.45), "Li": gaussian(3.0, 0.7), "F": gaussian(9.0, 0.4)}


def superposed(structure, amounts, shape, shift=(0.0, 0.0, 0.0)):
    """Sum of the free atoms, each with another number of electrons (e), on a grid."""
    grids = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1)
    rho = np.zeros(shape)
    pbc = np.array(structure.lattice.pbc)
    for site, amount in zip(structure, amounts, strict=True):
        delta = grids - site.frac_coords
        delta = np.where(pbc, delta - np.rint(delta), delta)
        r = np.linalg.norm(delta @ structure.lattice.matrix, axis=-1)
        free = ATOMS[site.specie.symbol]
        rho += amount / site.specie.Z * np.interp(r, free.radii, free.density)
    return Grid(rho, structure.lattice.matrix, structure.lattice.pbc)


def fluoride(distance=3.0, pbc=(True, True, False), shift=(0.0, 0.0, 0.0), order=(0, 1)):
    lattice = Lattice(np.diag([8.0, 8.4, 12.0]), pbc=pbc)
    positions = np.array([[0.3, 4.0, 5.0], [0.3 + distance, 4.0, 5.0]]) + shift
    return Structure(
        lattice,
        [["Li", "F"][i] for i in order],
        positions[list(order)],
        coords_are_cartesian=True,
        site_properties={"component": [["slab", "polymer"][i] for i in order]},
    )


SHAPE = (64, 68, 96)


def test_superposed_free_atoms_have_no_charge_however_close_they_are():
    structure = fluoride(1.5)
    found = hirshfeld_charges(superposed(structure, [3.0, 9.0], SHAPE), structure, ATOMS, "test")
    assert found.net_charges == pytest.approx([0.0, 0.0], abs=1e-3)
    assert sum(found.electrons) == pytest.approx(found.total_electrons, abs=1e-9)
    assert found.component_charges == pytest.approx({"slab": 0.0, "polymer": 0.0}, abs=1e-3)
    assert abs(found.far_electrons) < 1e-3


def test_a_density_without_cores_gives_the_same_charges():
    structure = fluoride(4.0)
    whole = hirshfeld_charges(superposed(structure, [2.4, 9.6], SHAPE), structure, ATOMS, "test")
    core = superposed(structure, [2.0, 2.0], SHAPE)  # as wide as the atoms here: nothing is shared at this distance
    valence = Grid(superposed(structure, [2.4, 9.6], SHAPE).values - core.values, core.cell, core.pbc)
    found = hirshfeld_charges(valence, structure, ATOMS, "test", own_electrons=[1.0, 7.0])
    assert found.net_charges == pytest.approx(whole.net_charges, abs=0.01)
    assert sum(found.net_charges) == pytest.approx(0.0, abs=1e-3)


def test_electrons_that_moved_between_atoms_far_apart_are_counted():
    structure = fluoride(4.0)
    found = hirshfeld_charges(superposed(structure, [2.4, 9.6], SHAPE), structure, ATOMS, "test")
    assert found.net_charges == pytest.approx([0.6, -0.6], abs=0.02)
    near = fluoride(1.6)
    shared = hirshfeld_charges(superposed(near, [2.4, 9.6], SHAPE), near, ATOMS, "test")
    assert 0.1 < shared.net_charges[0] < 0.6  # where both atoms have a share, less is told to have moved


def test_place_in_the_cell_order_and_periodicity_leave_charges_alone():
    reference = hirshfeld_charges(superposed(fluoride(), [2.4, 9.6], SHAPE), fluoride(), ATOMS, "test")
    moved = fluoride(shift=(5.5, -2.0, 0.375))  # across a border
    found = hirshfeld_charges(superposed(moved, [2.4, 9.6], SHAPE), moved, ATOMS, "test")
    assert found.net_charges == pytest.approx(reference.net_charges, abs=2e-3)
    swapped = fluoride(order=(1, 0))
    found = hirshfeld_charges(superposed(swapped, [9.6, 2.4], SHAPE), swapped, ATOMS, "test")
    assert found.net_charges == pytest.approx(reference.net_charges[::-1], abs=1e-9)
    closed = fluoride(pbc=(False, False, False), shift=(2.5, 0.0, 0.0))
    found = hirshfeld_charges(superposed(closed, [2.4, 9.6], SHAPE), closed, ATOMS, "test")
    assert found.net_charges == pytest.approx(reference.net_charges, abs=2e-3)


def test_cells_smaller_than_the_atoms_are_filled_by_their_images():
    lattice = Lattice(np.diag([2.0, 2.2, 2.4]))
    structure = Structure(lattice, ["Li", "F"], [[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])
    rho = np.zeros((20, 22, 24))
    for image in np.ndindex(7, 7, 7):
        copy = Structure(
            Lattice(lattice.matrix, pbc=(False,) * 3), structure.species, structure.frac_coords + np.array(image) - 3
        )
        rho += superposed(copy, [3.0, 9.0], rho.shape).values
    found = hirshfeld_charges(Grid(rho, lattice.matrix), structure, ATOMS, "test")
    assert found.net_charges == pytest.approx([0.0, 0.0], abs=2e-3)
    assert found.components is None


def test_a_free_atom_that_is_missing_is_named():
    structure = fluoride()
    with pytest.raises(InputError, match="Hirshfeld charges need the free atoms of F"):
        hirshfeld_charges(superposed(structure, [3.0, 9.0], SHAPE), structure, {"Li": ATOMS["Li"]}, "test")

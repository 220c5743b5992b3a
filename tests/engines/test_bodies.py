"""Molecules on a slab slide to where they lie lowest: modes, bodies, and relaxations that plain ones end too early."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms
from ase.optimize import BFGS, LBFGS
from pymatgen.core import Lattice, Structure

from iface_wf.api import calculate
from iface_wf.engines.bodies import NET, BodyBFGS, BodyLBFGS, at_rest, bodies_of, rigid_modes, soft_hessian
from iface_wf.library import Library
from iface_wf.store.settings import open_store
from tests.tiny_library import write_library

#: Stiffness of a bond, and of the well that a molecule of twelve atoms lies in as a whole, eV/A^2.
BOND, WELL = 30.0, 0.5
FMAX = 0.05


class Chain(Calculator):
    """A stiff chain whose centre is held by a soft well, and whose direction is, too."""

    implemented_properties = ("energy", "forces")

    def __init__(self, sites, home, pull):
        super().__init__()
        self.sites, self.home, self.pull = np.array(sites), np.array(home), np.array([pull, 0.0, 0.0])

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        xyz, forces, energy = atoms.positions[self.sites], np.zeros_like(atoms.positions), 0.0
        for i in range(len(self.sites)):
            for j in range(i + 1, len(self.sites)):
                arm = xyz[j] - xyz[i]
                length = np.linalg.norm(arm)
                off = length - 1.2 * (j - i)
                energy += 0.5 * BOND * off**2
                forces[self.sites[i]] += BOND * off * arm / length
                forces[self.sites[j]] -= BOND * off * arm / length
        away = xyz.mean(axis=0) - self.home
        energy += 0.5 * WELL * away @ away
        forces[self.sites] -= WELL * away / len(self.sites)
        # and a torque: the ends are drawn along x
        energy -= float(self.pull @ (xyz[-1] - xyz[0]))
        forces[self.sites[-1]] += self.pull
        forces[self.sites[0]] -= self.pull
        self.results = {"energy": energy, "forces": forces}


def chain_on_slab(away, pull=0.0):
    """Four atoms of a slab and a chain of twelve, its centre ``away`` A from where it belongs."""
    slab = [[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [0.0, 5.0, 0.0], [5.0, 5.0, 0.0]]
    chain = np.array([[1.2 * i, 5.0, 4.0] for i in range(12)])
    atoms = Atoms("Mg4C12", np.vstack([slab, chain]), cell=[30, 30, 30], pbc=[True, True, False])
    atoms.set_constraint(FixAtoms(range(4)))
    sites = np.arange(4, 16)
    atoms.calc = Chain(sites, chain.mean(axis=0) + np.array(away), pull)
    return atoms, [sites]


@pytest.mark.parametrize(("plain", "ours"), [(LBFGS, BodyLBFGS), (BFGS, BodyBFGS)])
def test_a_molecule_slides_to_where_it_lies_lowest(plain, ours):
    before, _ = chain_on_slab([0.0, 1.0, 0.5])
    lowest = chain_on_slab([0.0, 0.0, 0.0])[0].get_potential_energy()
    with plain(before, logfile=None) as optimiser:
        assert optimiser.run(fmax=FMAX, steps=100)
    assert before.get_potential_energy() > lowest + 0.2, (
        "no atom is pulled by more than 0.05 eV/A, so it stays on the slope"
    )
    after, bodies = chain_on_slab([0.0, 1.0, 0.5])
    with ours(after, bodies, logfile=None) as optimiser:
        assert optimiser.run(fmax=FMAX, steps=60)
    # what is left at a net force of NET fmax in a well of WELL: F^2 / 2 k
    assert after.get_potential_energy() < lowest + (NET * FMAX) ** 2 / (2 * WELL) + 1e-3


def test_a_molecule_turns_to_where_it_lies_lowest():
    atoms, bodies = chain_on_slab([0.0, 0.0, 0.0], pull=0.2)
    lowest = atoms.get_potential_energy()
    atoms.positions[4:] = (atoms.positions[4:] - atoms.positions[4:].mean(axis=0)) @ np.array(
        [[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]
    ) + atoms.positions[4:].mean(axis=0)
    assert atoms.get_potential_energy() > lowest + 0.3
    with BodyLBFGS(atoms, bodies, logfile=None) as optimiser:
        assert optimiser.run(fmax=FMAX, steps=150), optimiser.nsteps
    assert atoms.get_potential_energy() < lowest + 0.05


def test_without_bodies_they_are_ases_own():
    paths = []
    for optimiser in (LBFGS, lambda atoms, **options: BodyLBFGS(atoms, [], **options)):
        atoms, _ = chain_on_slab([0.0, 3.0, 1.0])
        with optimiser(atoms, logfile=None) as running:
            running.run(fmax=0.01, steps=10)
        paths.append(atoms.positions)
    assert np.allclose(*paths, atol=1e-12)


@pytest.mark.parametrize(("molecule", "count"), [("C", 3), ("CO", 5), ("OCO", 5), ("OHH", 6)])
def test_modes_of_atoms_lines_and_others(molecule, count):
    places = {"OHH": [[0, 0, 0], [0.76, 0, 0.59], [-0.76, 0, 0.59]]}.get(
        molecule, [[1.2 * i, 0.0, 0.0] for i in range(len(molecule))]
    )
    positions = np.vstack([[[9.0, 9.0, 9.0]], np.array(places) + 3.0])
    modes = rigid_modes(positions, np.arange(1, len(positions)))
    assert modes.shape == (positions.size, count)
    assert np.allclose(modes.T @ modes, np.eye(count), atol=1e-12)
    assert np.allclose(modes[:3], 0.0), "what is no molecule does not move"
    both = soft_hessian(positions, [np.arange(1, len(positions))])
    inverse = soft_hessian(positions, [np.arange(1, len(positions))], inverse=True)
    assert np.allclose(both @ inverse, np.eye(positions.size), atol=1e-9)


def test_rest_is_that_of_the_whole():
    positions = np.array([[float(i), 0.0, 0.0] for i in range(10)])
    forces = np.tile([0.0, 0.0, 0.02], (10, 1))  # 0.2 eV/A on the molecule
    bodies = [np.arange(10)]
    assert not at_rest(forces, positions, bodies, 0.05)
    assert at_rest(forces, positions, bodies, 0.2)
    assert at_rest(forces, positions, [], 0.05)
    forces = np.zeros((10, 3))
    forces[:5, 2], forces[5:, 2] = 0.02, -0.02  # a torque, and no force
    assert not at_rest(forces, positions, bodies, 0.05)


def structure_of(parts, held=()):
    """Return atoms and structure of parts: label, species, positions."""
    labels = [label for label, species, _ in parts for _ in species]
    species = [each for _, names, _ in parts for each in names]
    places = np.vstack([places for _, _, places in parts])
    structure = Structure(
        Lattice([[12, 0, 0], [0, 12, 0], [0, 0, 20]], pbc=(True, True, False)), species, places,
        coords_are_cartesian=True, site_properties={"component": labels},
    )  # fmt: skip
    atoms = Atoms(species, places, cell=structure.lattice.matrix, pbc=[True, True, False])
    if held:
        atoms.set_constraint(FixAtoms(list(held)))
    return structure, atoms


SLAB = ("slab", ["Mg", "O"], [[0, 0, 0], [2.1, 0, 0]])
WATER = ("polymer", ["O", "H", "H"], [[4, 4, 3], [4.76, 4, 3.59], [3.24, 4, 3.59]])
OTHER = ("polymer", ["O", "H", "H"], [[4, 8, 3], [4.76, 8, 3.59], [3.24, 8, 3.59]])
CATION = ("salt_cation", ["Li"], [[8, 8, 2]])


def test_each_molecule_and_ion_on_a_slab_is_a_body():
    found = bodies_of(*structure_of([SLAB, WATER, OTHER, CATION], held=[0]))
    assert [each.tolist() for each in found] == [[2, 3, 4], [5, 6, 7], [8]]


@pytest.mark.parametrize("parts", [[SLAB], [WATER], [WATER, CATION], [SLAB, ("partner", *WATER[1:])]])
def test_without_slab_or_molecule_there_are_none(parts):
    assert bodies_of(*structure_of(parts)) == []


def test_what_is_held_does_not_slide():
    assert [each.tolist() for each in bodies_of(*structure_of([SLAB, WATER, OTHER], held=[0, 3]))] == [[5, 6, 7]]


@pytest.mark.parametrize("molecule", ["water", "ammonia", "methane"])
def test_small_molecules_do_not_swing_without_end(molecule, tmp_path):
    """A molecule of water turns against more than a chain slides against: a start that is too soft never comes to rest."""
    options = {
        "engine": "xtb",
        "placements": 1,
        "vacuum": 6.0,
        "overrides": {"fmax": 0.1},
        "quantities": ["binding_energy"],
    }
    found = calculate.run(
        "HF-layer", molecule, library=Library(write_library(tmp_path / "library")), store=open_store(str(tmp_path / "s.sqlite")),
        workdir=tmp_path / "runs", **options,
    )  # fmt: skip
    assert found.converged, found.flags
    assert found.binding_energy < 0.0

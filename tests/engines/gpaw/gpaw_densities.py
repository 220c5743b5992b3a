"""Valence and core densities of a hydrogen-bonded pair from GPAW, on one grid, to be written as VASP's files."""

import numpy as np
from ase.units import Bohr
from pymatgen.core import Lattice, Structure

from iface_wf.analysis.bader import bader_charges
from iface_wf.analysis.grid import Grid


def hydrogen_bond():
    """Hydrogen fluoride ('slab') that gives a hydrogen bond to water ('polymer'), in a box with vacuum along c.

    Nothing is symmetric: points that belong to two atoms equally would be given to either by the last digit.
    """
    lattice = Lattice(np.diag([5.6, 5.6, 8.0]), pbc=(True, True, False))
    places = [[2.8, 2.8, 2.2], [2.8, 2.8, 3.13], [2.8, 2.8, 4.85], [3.55, 2.87, 5.45], [2.03, 2.71, 5.42]]
    labels = ["slab"] * 2 + ["polymer"] * 3
    return Structure(
        lattice, ["F", "H", "O", "H", "H"], places, coords_are_cartesian=True, site_properties={"component": labels}
    )


def densities(structure, spacing=0.08):
    """Return valence and core density, e/A^3, whose sum is GPAW's all-electron density, and its Bader analysis.

    The core is the 1s shell of F and O as in an ion with two electrons (screening 0.3), exactly two electrons each.
    """
    from gpaw.new.ase_interface import GPAW
    from pymatgen.io.ase import AseAtomsAdaptor

    from iface_wf.engines.gpaw.density import all_electron_density

    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.pbc = True
    atoms.calc = GPAW(
        mode="lcao",
        basis="dzp",
        gpts=(28, 28, 40),
        convergence={"density": 1e-4},
        symmetry={"point_group": False},
        txt=None,
    )
    atoms.get_potential_energy()
    total, _ = all_electron_density(atoms.calc, spacing)
    core = np.zeros(total.shape)
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in total.shape], indexing="ij"), axis=-1)
    for site in structure:
        if site.specie.Z > 2:
            delta = (points - site.frac_coords + 0.5) % 1 - 0.5
            shell = np.exp(
                -2 * (site.specie.Z - 0.3) * np.linalg.norm(delta @ structure.lattice.matrix, axis=-1) / Bohr
            )
            core += 2 * shell / (shell.sum() * structure.volume / total.size)
    lattice = Lattice(structure.lattice.matrix)
    periodic = Structure(lattice, structure.species, structure.frac_coords)
    return (total - core, core), bader_charges(Grid(total, lattice.matrix), periodic)

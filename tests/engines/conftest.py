"""Small systems that real codes calculate in seconds."""

import numpy as np
import pytest
from ase.build import molecule
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from tests.engines.vasp.vasp_fixtures import module_vasp, potcars, vasp


def boxed(atoms, edge, component="polymer", pbc=(False, False, False)):
    """Put a molecule into a cubic box and label its sites."""
    atoms = atoms.copy()
    atoms.info = {}
    atoms.positions += np.full(3, edge / 2) - atoms.positions.mean(axis=0)
    lattice = Lattice(np.eye(3) * edge, pbc=pbc)
    labels = [component] * len(atoms) if isinstance(component, str) else component
    return Structure(
        lattice,
        atoms.get_chemical_symbols(),
        atoms.positions,
        coords_are_cartesian=True,
        site_properties={"component": labels},
    )


@pytest.fixture
def water():
    return boxed(molecule("H2O"), 6.4)


@pytest.fixture
def hydrogen():
    return boxed(molecule("H2"), 5.6)


@pytest.fixture
def run_here(tmp_path, monkeypatch):
    """Run engines in a temporary folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


__all__ = ["AseAtomsAdaptor", "boxed", "module_vasp", "potcars", "vasp"]

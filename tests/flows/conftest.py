"""A tiny interface that GPAW calculates in seconds: water on one layer of lithium fluoride."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.store.settings import open_store


@pytest.fixture(scope="session")
def layer():
    """One LiF(001) layer, 4 atoms, frozen, lowest atom at 6 A."""
    lattice = Lattice(np.diag([4.0, 4.0, 14.4]), pbc=(True, True, False))
    positions = [[0, 0, 6], [2, 2, 6], [2, 0, 6], [0, 2, 6]]
    frozen = [[False] * 3] * 4
    properties = {"component": ["slab"] * 4, "selective_dynamics": frozen}
    return Structure(lattice, ["Li", "Li", "F", "F"], positions, coords_are_cartesian=True, site_properties=properties)


@pytest.fixture(scope="session")
def water_molecule():
    """One water molecule in a box."""
    lattice = Lattice(np.eye(3) * 12.0, pbc=(False, False, False))
    positions = np.array([[0, 0, 0.1193], [0, 0.7632, -0.477], [0, -0.7632, -0.477]]) + 6.0
    properties = {"component": ["polymer"] * 3, "selective_dynamics": [[True] * 3] * 3}
    return Structure(lattice, ["O", "H", "H"], positions, coords_are_cartesian=True, site_properties=properties)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))

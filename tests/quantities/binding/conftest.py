"""A tiny interface that GPAW calculates in seconds: a water molecule on a layer of water molecules."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.store.settings import open_store


@pytest.fixture(scope="session")
def layer():
    """A dilute layer of flat, frozen water molecules, lowest atom at 6 A: a slab of three atoms."""
    lattice = Lattice(np.diag([4.8, 4.8, 14.4]), pbc=(True, True, False))
    positions = np.array([[0.0, 0.0, 0.0], [0.7632, 0.5963, 0.0], [-0.7632, 0.5963, 0.0]]) + [2.4, 2.4, 6.0]
    properties = {"component": ["slab"] * 3, "selective_dynamics": [[False] * 3] * 3}
    return Structure(lattice, ["O", "H", "H"], positions, coords_are_cartesian=True, site_properties=properties)


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

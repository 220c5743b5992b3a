"""The same slab on every machine: what arithmetic makes of the last digits decides nothing.

Processors differ in how they add: a sum of a crystal's coordinates comes out 1e-16 of itself higher on one than on another. Keys
of results are made of slabs, so a slab that turned on such a digit would be another one on the laptop and on the cluster.
"""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.solids import slabs
from iface_wf.builders.solids.disorder import bulk
from iface_wf.builders.solids.planes import in_plane_supercell
from iface_wf.library import Library
from iface_wf.store.canonical import structure_digest

LIBRARY = Library()
SURFACES = [
    pytest.param(record.name, surface.miller, marks=[pytest.mark.slow] if record.name in ("LLZO", "LLZTO") else [])
    for record in LIBRARY.records("filler")
    for surface in record.surfaces
]


def last_digits(structure: Structure, generator: np.random.Generator) -> Structure:
    """Return a crystal as arithmetic of another kind would have it."""
    lattice = structure.lattice.matrix * (1 + generator.normal(0, 1e-15, (3, 3)))
    frac = structure.frac_coords + generator.normal(0, 1e-14, (len(structure), 3))
    noisy = Structure(Lattice(lattice), structure.species, frac, site_properties=structure.site_properties)
    noisy.properties = structure.properties
    return noisy


@pytest.mark.parametrize(
    ("name", "miller"), [*SURFACES, ("SiO2", (1, 0, 0)), ("SiO2", (1, 1, 0)), ("GdOOH", (0, 1, 0))]
)
def test_slabs_hang_on_no_last_digit(name, miller, monkeypatch):
    record = LIBRARY.filler(name)
    found = {structure_digest(slabs.build_slab(record, miller))}
    for seed in (1, 2):
        generator = np.random.default_rng(seed)
        monkeypatch.setattr(slabs, "bulk", lambda *given, g=generator: last_digits(bulk(*given), g))
        found.add(structure_digest(slabs.build_slab(record, miller)))
    assert len(found) == 1


@pytest.mark.parametrize("seed", range(20))
def test_cells_of_equal_vectors_are_the_same_cell(seed):
    """Hexagonal and rhombic planes have halves to round at every turn."""
    generator = np.random.default_rng(seed)
    for a, b in ([4.9, 0.0], [-2.45, 4.9 * np.sqrt(0.75)]), ([5.0, 0.0], [2.5, 6.0]), ([4.91, 0.0], [1.5 * 4.91, 7.3]):
        base = np.array([a, b])
        noisy = base * (1 + generator.normal(0, 1e-15, (2, 2)))
        for lengths in ((8.0, 8.0), (9.8, 9.8), (12.0, 20.0)):
            assert (in_plane_supercell(*base, lengths) == in_plane_supercell(*noisy, lengths)).all()

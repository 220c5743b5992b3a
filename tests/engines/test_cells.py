"""Which k-points a cell gets."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

import iface_wf
from iface_wf.engines.cells import kpoint_mesh
from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.library import Library


def layer(species, edge, properties=None):
    """Atoms side by side in the middle of a cell that is open along c."""
    lattice = Lattice(np.diag([edge, edge, 12.0]), pbc=(True, True, False))
    places = [[edge * i / len(species), 0.0, 6.0] for i in range(len(species))]
    return Structure(lattice, species, places, coords_are_cartesian=True, properties=properties or {})


@pytest.mark.parametrize(
    ("structure", "mesh"),
    [
        (layer(["Li", "F"], 10.0), (1, 1, 1)),
        (layer(["Li", "Al"], 10.0), (3, 3, 1)),
        (layer(["Li", "C"], 10.0, {"metal": True}), (3, 3, 1)),  # lithium with a molecule on it
        (layer(["Li", "Al"], 10.0, {"metal": False}), (1, 1, 1)),
        (layer(["Ti", "N"], 4.2, {"metal": True}), (8, 8, 1)),
    ],
)
def test_metals_get_more_points(structure, mesh):
    assert kpoint_mesh(structure, 9.0) == mesh


def test_a_molecule_of_metal_atoms_stays_at_gamma():
    box = Structure(Lattice(np.eye(3) * 10.0, pbc=(False, False, False)), ["Li"], [[0.5] * 3])
    assert kpoint_mesh(box, 9.0) == (1, 1, 1)


@pytest.mark.parametrize(("filler", "metal"), [("Li", True), ("I2", False)])
def test_the_builder_says_what_is_a_metal_and_the_interface_keeps_it(filler, metal):
    built = iface_wf.build(filler, molecule="O")
    assert built.slab.properties["metal"] is metal
    assert built.placements[0].properties["metal"] is metal


def test_a_gap_in_the_library_counts_more_than_the_elements(tmp_path):
    from tests.tiny_library import write_library

    write_library(tmp_path)
    record = tmp_path / "fillers" / "HF-layer.yaml"
    record.write_text(record.read_text() + "gap: 0\n")
    slab = iface_wf.build("HF-layer", molecule="O", library=Library(tmp_path)).slab
    assert slab.properties["metal"] is True


@pytest.mark.parametrize("engine", [GpawEngine, VaspEngine])
def test_levels_have_more_points_for_metals_but_not_more_than_asked_for(engine):
    def mesh(level="fast", **overrides):
        return engine(level=level, overrides=overrides).request(layer(["Li", "Al"], 6.0), [], None).settings["kpoints"]

    assert [mesh(level)[0] for level in ("fast", "moderate", "precise")] == [5, 7, 10]
    assert mesh(kpoint_length=12.0) == [2, 2, 1]

"""Room for molecules: how cells are chosen, and that the promised distances hold in what is built."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.interface import build_interface
from iface_wf.builders.placing.placements import place
from iface_wf.builders.room import diameter, flat_distance, larger_cell, require_room, roomy_sizes
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.errors import InputError
from iface_wf.library.library import Library
from iface_wf.quantities.binding.cells import shared_slab
from iface_wf.quantities.binding.request import BindingRequest


@pytest.fixture(scope="module")
def library():
    return Library()


def rod(length):
    """Return two oxygen atoms far apart: as simple as a long molecule can be."""
    lattice = Lattice(np.eye(3) * (length + 12), pbc=(False,) * 3)
    xyz = [[6.0, 6.0, 6.0], [6.0 + length, 6.0, 6.0]]
    labels = {"component": ["polymer"] * 2}
    return Structure(lattice, ["O", "O"], xyz, coords_are_cartesian=True, site_properties=labels)


def plane(a, b):
    """Return a ready layer of lithium."""
    lattice = Lattice(np.diag([a, b, 20.0]), pbc=(True, True, False))
    xyz = [[x, y, 6.0] for x in np.arange(0, a - 1, 3.0) for y in np.arange(0, b - 1, 3.0)]
    labels = {"component": ["slab"] * len(xyz)}
    return Structure(lattice, ["Li"] * len(xyz), xyz, coords_are_cartesian=True, site_properties=labels)


def test_the_best_size_keeps_images_apart_in_any_orientation():
    fragments = [rod(5.0), rod(9.0)]
    sizes = roomy_sizes(fragments)
    assert sizes[0] == pytest.approx((17.0, 17.0))
    assert sizes[1:] == [pytest.approx((9.0 + d, d)) for d in (8.0, 7.0, 6.0, 5.0)]
    placed = place(plane(17.0, 17.0), fragments[1], n=12)
    assert min(distances(placed, 2)) >= 8.0 - 1e-6


def distances(placed, fragment):
    from iface_wf.builders.contact import image_distance

    return [image_distance(one.cart_coords[-fragment:], one.lattice) for one in placed]


def test_placements_keep_the_distance_that_the_cell_leaves_along_its_longer_vector():
    slab, molecule = plane(9.0, 18.0), rod(9.0)
    assert flat_distance(slab, molecule) == pytest.approx(9.0)
    assert min(distances(place(slab, molecule, n=12), 2)) >= 8.0 - 1e-6
    # a square cell of 12 A leaves 3 A along its edge, less than can be asked for: images only must not touch
    assert flat_distance(plane(12.0, 12.0), molecule) == pytest.approx(3.0)
    assert min(distances(place(plane(12.0, 12.0), molecule, n=12), 2)) < 6.0


def test_a_cell_is_enlarged_as_far_as_the_atoms_allow(library):
    built = [
        build_interface(InterfaceSpec(filler="LiI", molecule="EC", placements=6, room_atoms=most), library)
        for most in (0, 70, 400)
    ]
    atoms = [one.report["atoms"]["total"] for one in built]
    assert atoms == sorted(atoms)
    assert atoms[0] < atoms[1] <= 70 < atoms[2] <= 400
    assert min(built[2].report["image_distances"]) >= 8.0 - 1e-6
    assert built[2].report["larger_cell"] is None
    assert built[0].report["larger_cell"]["atoms"] == atoms[2]
    assert built[0].report["larger_cell"]["in_plane"] == pytest.approx([diameter(built[0].fragment) + 8.0] * 2)
    again = InterfaceSpec(
        filler="LiI", molecule="EC", placements=1, in_plane=built[0].report["larger_cell"]["in_plane"]
    )
    assert len(build_interface(again, library).slab) == len(built[2].slab)


def test_engine_and_level_say_up_to_how_many_atoms():
    request = {"filler": "LiI", "molecule": "EC"}
    assert BindingRequest(**request).most_for_room == 100
    assert BindingRequest(**request, level="moderate").most_for_room == 200
    assert BindingRequest(**request, engine="mlip", max_atoms=300).most_for_room == 300
    assert BindingRequest(**request, level="precise", room_atoms=7).most_for_room == 7


def test_one_molecule_has_the_same_slab_in_a_screening(library):
    spec = BindingRequest(filler="LiI", molecule="EC", engine="mlip")
    built = build_interface(spec, library)
    shared = shared_slab(spec, library, [built.fragment], None)
    assert shared.refused == {}
    assert shared.slab == built.slab


def test_a_given_cell_that_is_smaller_than_the_molecule_is_refused(library):
    with pytest.raises(
        InputError, match=r"The cell of 8\.5 x 8\.5 A is smaller than C\w+, which takes 1\d\.\d x \d\.\d A"
    ):
        build_interface(InterfaceSpec(filler="LiI", polymer="PEO", units=3, in_plane=(8.4, 8.4)), library)
    require_room(plane(9.0, 9.0), rod(7.0))  # along the diagonal


def test_what_a_larger_cell_of_a_ready_slab_takes_is_told():
    # the diagonals of 2 x 2 cells are 17 A long
    assert larger_cell(plane(6.0, 6.0), rod(9.0)).atoms == 8 * len(plane(6.0, 6.0)) + len(rod(9.0))
    assert larger_cell(plane(17.0, 17.0), rod(9.0)) is None

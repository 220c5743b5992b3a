"""Geometry of the pictures: what is joined, what is moved, and where surfaces lie."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.reports.scene import ACCUMULATION, View, choose_iso, isosurface, scene_of
from tests.examples import CELL, difference, structure


def test_molecule_torn_by_a_cell_edge_is_drawn_whole_and_centred():
    scene = scene_of(structure())
    pair = scene.positions[[4, 5]]
    # H-F across the edge: 5.8 A and 0.72 A in a 6 A cell are 0.92 A apart
    assert np.linalg.norm(pair[0] - pair[1]) == pytest.approx(0.92, abs=1e-6)
    assert (4, 5) in scene.sticks
    assert pair[:, 1].mean() == pytest.approx(CELL[1, 1] / 2, abs=0.05)


def test_shapes_do_not_depend_on_where_the_cell_is_cut():
    moved = structure()
    moved.translate_sites(list(range(6)), [0.3, 0.4, 0], to_unit_cell=True)
    one, two = (scene_of(s).positions[[4, 5]] for s in (structure(), moved))
    assert one[0] - one[1] == pytest.approx(two[0] - two[1], abs=1e-6)


def test_atoms_never_move_along_z():
    scene = scene_of(structure())
    assert scene.positions[:6, 2] == pytest.approx(structure().cart_coords[:, 2], abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.37])
def test_isosurfaces_lie_where_the_density_is(shift):
    """Both blobs stay above the same atoms, however the cell is shifted, and each is drawn once."""
    base = structure()
    n = round(shift * 20)
    base.translate_sites(list(range(6)), [n / 20, 0, 0], to_unit_cell=False)
    surfaces = isosurface(np.roll(difference(), n, axis=0), base, 0.01)
    assert len(surfaces) == 2
    fluorine = scene_of(base).positions[4]
    for surface in surfaces:
        middle = surface.corners.reshape(-1, 3).mean(axis=0)
        height = 7.0 if np.array_equal(surface.colour, ACCUMULATION) else 8.5
        # the blobs are at x = 1, y = 0; F is at x = 1, y = 5.8 = -0.2; grid spacing 0.2 A
        assert middle == pytest.approx([fluorine[0], fluorine[1] + 0.2, height], abs=0.1)


def test_isosurface_has_the_radius_of_the_gaussian():
    # exp(-r^2 / 0.6) * 0.02 = 0.01 at r = sqrt(0.6 ln 2) = 0.645 A
    for surface in isosurface(difference(), structure(), 0.01):
        points = surface.corners.reshape(-1, 3)
        height = 7.0 if np.array_equal(surface.colour, ACCUMULATION) else 8.5
        # at its equator, where the other blob adds only 2 %
        equator = points[np.abs(points[:, 2] - height) < 0.1]
        radii = np.linalg.norm((equator - equator.mean(axis=0))[:, :2], axis=1)
        assert radii.mean() == pytest.approx(np.sqrt(0.6 * np.log(2)), abs=0.03)


def test_isosurface_faces_outwards():
    """Triangles wind so that their normals point away from the blob: only then is the front painted."""
    for surface in isosurface(difference(), structure(), 0.01):
        centre = surface.corners.reshape(-1, 3).mean(axis=0)
        normals = np.cross(surface.corners[:, 1] - surface.corners[:, 0], surface.corners[:, 2] - surface.corners[:, 0])
        assert (normals * (surface.corners.mean(axis=1) - centre)).sum(axis=1).min() > 0


def test_isovalue_is_round_and_encloses_half_of_the_charge():
    rho = difference()
    iso = choose_iso(rho)
    assert f"{iso:.0e}"[0] in "125"
    # rounded down by less than a factor of 2.5, so somewhat more than half is enclosed
    share = np.abs(rho[np.abs(rho) >= iso]).sum() / np.abs(rho).sum()
    assert 0.5 <= share < 0.95
    assert choose_iso(np.zeros((2, 2, 2))) > 0


def test_side_view_keeps_z_upright():
    view = View.side(np.array([0.0, 3.0, 0.0]), turn=7.0)
    assert view.axes @ view.axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert view.project(np.array([[0.3, 0.4, 5.0]]))[0, 1] == pytest.approx(5.0)


def test_edge_atoms_of_a_slab_get_their_bonded_neighbours():
    lattice = Lattice(np.diag([3.0, 3.0, 20.0]), pbc=(True, True, False))
    chain = Structure(lattice, ["C", "C"], [[0.25, 0.5, 0.5], [0.75, 0.5, 0.5]])  # every 1.5 A along x
    scene = scene_of(chain)
    assert len(scene.numbers) == 4
    assert len(scene.sticks) == 3

"""A density on fewer points: where its surfaces are, and what is said of how far they moved."""

import base64

import numpy as np
import pytest
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from iface_wf.reports.scene import scene_of
from iface_wf.reports.site.volume import MOVED, levels_of, thinned, volume_data
from tests.examples import CELL, difference, structure

FINE = np.array([40, 60, 160])  # 0.1 A


def blobs(shape=FINE, width=0.6):
    """Two Gaussians of opposite sign, as `tests.examples.difference`, on any grid."""
    grids = np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij")
    frac = np.stack(grids, axis=-1)
    rho = np.zeros(shape)
    for centre, amount in (([2.0, 3.0, 7.0], 0.02), ([2.0, 3.0, 9.0], -0.02)):
        delta = (frac - np.array(centre) / CELL.diagonal()) * CELL.diagonal()
        rho += amount * np.exp(-(delta**2).sum(-1) / width)
    return rho


def surface(values, level):
    vertices, faces, _, _ = marching_cubes(values, level=level)
    return vertices / values.shape * CELL.diagonal(), faces


@pytest.mark.parametrize("width", [0.6, 0.25])
def test_surfaces_stay_where_they_are_within_what_is_said(width):
    """Distances of the thinned surface to the full one, measured without the estimate that chose the grid."""
    rho = blobs(width=width)
    levels = levels_of(rho)
    thin = thinned(rho, CELL, levels)
    assert thin.values.size < rho.size / 8
    assert 0 < thin.moved < MOVED
    for level in levels:
        full, faces = surface(rho, level)
        # points of the triangles too, so that the nearest one is no farther than a third of an edge, 0.03 A
        dense = np.concatenate([full, full[faces].mean(axis=1)])
        found, _ = surface(thin.values, level)
        apart = cKDTree(dense).query(found)[0]
        assert np.percentile(apart, 95) < thin.moved + 0.03, level


def test_sharper_densities_keep_more_points():
    sizes = [thinned(blobs(width=w), CELL, levels_of(blobs(width=w))).values.size for w in (0.6, 0.1)]
    assert sizes[0] < sizes[1]


def test_a_grid_that_cannot_be_thinned_is_kept():
    rho = blobs((8, 12, 32))
    thin = thinned(rho, CELL, levels_of(rho))
    assert thin.values == pytest.approx(rho, abs=1e-6)


def test_an_empty_density_has_levels():
    flat = np.zeros((8, 12, 32))
    levels = levels_of(flat)
    assert 0 < levels[0] <= levels[1] < levels[2]
    assert thinned(flat, CELL, levels).moved == 0.0


def test_levels_enclose_more_and_less_than_the_first_one():
    rho = difference()
    low, first, high = levels_of(rho)
    enclosed = [np.abs(rho[np.abs(rho) >= level]).sum() / np.abs(rho).sum() for level in (low, first, high)]
    assert enclosed[0] > 0.9
    assert 0.5 <= enclosed[1] < 0.95
    assert enclosed[2] < 0.4


def test_the_view_has_the_density_where_its_atoms_are_drawn():
    """The blob at z = 8.5 A is at the fluorine of the molecule, which the view moves to the middle of the cell."""
    rho = difference()
    levels = levels_of(rho)
    data = volume_data(thinned(rho, CELL, levels), structure(), rho.shape, levels)
    whole = np.frombuffer(base64.b64decode(data.values), "<i2").reshape(data.shape)
    place = np.unravel_index(whole.argmin(), whole.shape)
    where = np.array(data.origin) + np.array(place) @ np.array(data.steps)
    fluorine = scene_of(structure()).positions[4]
    assert where == pytest.approx(fluorine + [0, 0.2, 0], abs=0.21)  # the blob is at y = 0, the atom at -0.2
    # closed along periodic directions: the first plane once more
    np.testing.assert_array_equal(whole[0], whole[-1])
    np.testing.assert_array_equal(whole[:, 0], whole[:, -1])
    assert whole.max() * data.scale == pytest.approx(rho.max(), rel=0.05)

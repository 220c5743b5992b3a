"""How the grid is shared between processes."""

import math

import pytest

from iface_wf.engines.gpaw.domains import FEWEST, in_plane
from iface_wf.engines.gpaw.engine import GpawEngine
from tests.engines.gpaw.gpaw_densities import hydrogen_bond


@pytest.mark.parametrize(
    ("points", "processes", "parts"),
    [
        ((44, 44, 124), 1, (1, 1, 1)),
        ((44, 44, 124), 2, (1, 2, 1)),
        ((60, 44, 124), 2, (2, 1, 1)),
        ((44, 44, 124), 4, (2, 2, 1)),
        ((128, 64, 124), 8, (4, 2, 1)),
    ],
)
def test_a_slab_is_cut_across_its_plane(points, processes, parts):
    assert in_plane(points, processes) == parts


@pytest.mark.parametrize(("points", "processes"), [((16, 16, 124), 4), ((44, 44, 124), 32), ((12, 12, 200), 2)])
def test_parts_are_never_too_narrow(points, processes):
    parts = in_plane(points, processes)
    assert math.prod(parts) == processes
    assert parts[2] > 1
    assert points[2] / parts[2] >= FEWEST / 2


@pytest.mark.slow
def test_how_the_grid_is_shared_is_no_part_of_the_energy(tmp_path):
    slab = hydrogen_bond()
    energies = []
    for processes in (1, 2):
        engine = GpawEngine(overrides={"grid_spacing": 0.25, "dispersion": "none"}, processes=processes)
        folder = tmp_path / str(processes)
        folder.mkdir()
        document = engine.calculate(engine.request(slab, []), folder)
        assert document.n_processes == processes
        energies.append(document.energy)
    # both start from the same density and take the same steps: sums are in another order, nothing else
    assert energies[0] == pytest.approx(energies[1], abs=1e-6)

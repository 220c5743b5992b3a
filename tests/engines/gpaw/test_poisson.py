"""The solution for the electrostatic potential by whole transforms: GPAW's own numbers, to rounding."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gpaw.mpi import world
from gpaw.old.grid_descriptor import GridDescriptor
from gpaw.poisson import BadAxesError, FastPoissonSolver

from iface_wf.engines.gpaw import poisson

HEXAGONAL = [[5.0, 0.0, 0.0], [-2.5, 4.33, 0.0], [0.0, 0.0, 8.0]]
OBLIQUE = [[5.0, 0.0, 0.0], [1.0, 5.0, 0.0], [0.5, 0.3, 6.0]]
CELLS = [
    pytest.param((24, 20, 28), (4.0, 3.5, 5.0), (False, False, False), id="molecule"),
    pytest.param((25, 20, 29), (4.0, 3.5, 5.0), (False, False, False), id="molecule_odd_points"),
    pytest.param((20, 20, 40), HEXAGONAL, (True, True, False), id="hexagonal_slab"),
    pytest.param((21, 16, 40), (5.0, 4.0, 9.0), (True, True, False), id="slab"),
    pytest.param((20, 21, 24), OBLIQUE, (True, True, True), id="oblique_crystal"),
    pytest.param((20, 21, 25), (5.0, 5.0, 6.0), (False, False, True), id="wire"),
    pytest.param((20, 21, 25), (5.0, 5.0, 6.0), (True, False, True), id="slab_along_another_axis"),
]


def compare(points: tuple[int, int, int], cell: object, periodic: tuple[bool, bool, bool]) -> tuple[float, float]:
    """Return the largest difference from GPAW's potential of a random neutral density, and the largest potential (Hartree)."""
    gd = GridDescriptor(points, np.array(cell), periodic, world)
    everywhere = np.random.default_rng(7).normal(size=gd.get_size_of_global_array())
    density = gd.empty()
    gd.distribute(everywhere - everywhere.mean(), density)
    theirs, ours = gd.zeros(), gd.zeros()
    solver = FastPoissonSolver()
    poisson._prepare_of_gpaw(solver, gd)
    poisson._solve_of_gpaw(solver, theirs, density, poisson.nulltimer)
    solver = FastPoissonSolver()
    poisson.prepare(solver, gd)
    poisson.solve_neutral(solver, ours, density)
    return float(np.abs(ours - theirs).max()), float(np.abs(theirs).max())


@pytest.mark.parametrize(("points", "cell", "periodic"), CELLS)
def test_potentials_are_gpaws(points: tuple[int, int, int], cell: object, periodic: tuple[bool, bool, bool]) -> None:
    apart, largest = compare(points, cell, periodic)
    assert apart < 1e-12 * largest


def test_a_cell_that_gpaw_cannot_solve_is_still_refused_by_it() -> None:
    gd = GridDescriptor((20, 20, 20), np.array(OBLIQUE), (False, True, True))
    with pytest.raises(BadAxesError, match="periodic or orthogonal"):
        poisson.prepare(FastPoissonSolver(), gd)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mpirun") is None, reason="needs MPI")
def test_processes_that_share_a_grid_get_the_same() -> None:
    command = ["mpirun", "--oversubscribe", "--allow-run-as-root", "-n", "2"]
    found = subprocess.run(
        [*command, str(Path(sys.executable).with_name("gpaw")), "python", __file__],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [f"{len(CELLS)} cells, 2 processes"]


if __name__ == "__main__":  # by the test above, in every process
    for case in CELLS:
        difference, whole = compare(*case.values)
        assert difference < 1e-12 * whole, (case.id, difference, whole)
    if world.rank == 0:
        print(len(CELLS), "cells,", world.size, "processes")

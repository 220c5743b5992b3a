"""The all-electron density of a GPAW calculation: ours, and GPAW's own.

python -m benchmarks.rows.all_electron
python -m benchmarks.rows.all_electron --atoms 16 64 192
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gpaw
import numpy as np
from ase.build import bulk
from gpaw import GPAW

from benchmarks.measure import Figure, Row, Section, interleaved, script
from iface_wf.engines.gpaw.density import all_electron_density
from tests.engines.gpaw.splines import splines_of_gpaw

REPEATS = {8: (1, 1, 1), 16: (1, 1, 2), 64: (2, 2, 2), 192: (2, 3, 4)}
LARGEST = 64
"""Beyond so many atoms GPAW's part is not repeated: it takes minutes."""


def calculation(atoms: int) -> GPAW:
    """LiF whose density is hardly converged: partial waves and occupations are there like in any other."""
    crystal = bulk("LiF", "rocksalt", a=4.03, cubic=True).repeat(REPEATS[atoms])
    crystal.calc = GPAW(
        mode="lcao", basis="sz(dzp)", h=0.25, xc="PBE", txt=None, symmetry="off",
        convergence={"density": 1e2, "energy": 1e2, "eigenstates": 1e2},
    )  # fmt: skip
    crystal.get_potential_energy()
    return crystal.calc


def by_gpaw(calc: GPAW, spacing: float) -> np.ndarray:
    return calc.dft.densities().all_electron_densities(grid_spacing=spacing).data.sum(axis=0)


def apart(calc: GPAW) -> float:
    """Largest difference of the two on the grid of the calculation, where nothing is interpolated, with the same splines, e/A^3."""
    with splines_of_gpaw():
        mine, _ = all_electron_density(calc, spacing=9.0)
    return float(np.abs(mine - calc.dft.densities().all_electron_densities().data.sum(axis=0)).max())


def measure(options):
    section = Section("All-electron density of GPAW")
    for atoms in [8] if options.quick else options.atoms:
        calc = calculation(atoms)
        works = {"ours": lambda c=calc: all_electron_density(c, spacing=options.spacing)[0]}
        if atoms <= LARGEST:
            works["gpaw"] = lambda c=calc: by_gpaw(c, options.spacing)
        figures, results = interleaved(works, options.repeats if atoms <= 16 else 2)
        points = results["ours"].size / 1e6
        theirs = figures.get("gpaw", Figure(0.67 * atoms * points, None, cited=True))
        note = "" if "gpaw" in figures else " (its cost per atom and million points from 16 atoms)"
        section.rows.append(
            Row(
                f"{atoms} atoms, {points:.2f} M points",
                figures["ours"],
                theirs,
                f"GPAW {gpaw.__version__}{note}",
                20.0,
                equal=f"all points to {apart(calc):.0e} e/A^3 with the same splines",
            )
        )
    section.text = (
        "Both on a grid of the same spacing. They are compared on the grid of the calculation, where neither interpolates, "
        "with the splines that GPAW makes of the partial waves; with the points of the data set, which we use, they differ by 2e-5 e/A^3 within the spheres. Finer grids are interpolated "
        "in different ways: GPAW's Fourier series rings into the vacuum."
    )
    return section


if __name__ == "__main__":
    script(measure, __doc__, atoms=[16, 64], spacing=0.1)

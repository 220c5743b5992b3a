"""Relaxing placements: ours on all cores, and one after the other by ASE, with the same potential.

python -m benchmarks.rows.search
python -m benchmarks.rows.search --engine mlip
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import ase
import numpy as np
from ase.build import molecule
from ase.optimize import LBFGS
from pymatgen.core import Lattice, Structure

from benchmarks.measure import Row, Section, interleaved, script
from iface_wf.builders.placing.placements import place
from iface_wf.engines.walks import Walk, Walkers

FMAX = 0.1


def placements(count: int):
    """Water on two layers of LiF(001), 16 + 3 atoms."""
    a = 4.03
    places = [
        [a * (i + j % 2) / 2, a * j / 2, 1.0 + a * layer / 2] for layer in range(2) for i in range(2) for j in range(4)
    ]
    names = ["Li" if (i + layer) % 2 else "F" for layer in range(2) for i in range(2) for _ in range(4)]
    flat = Lattice([[a, 0, 0], [0, 2 * a, 0], [0, 0, 14.0]], pbc=(True, True, False))
    slab = Structure(
        flat, names, places, coords_are_cartesian=True, site_properties={"component": ["slab"] * len(names)}
    )
    slab.make_supercell([2, 1, 1])
    water = molecule("H2O")
    box = Lattice.cubic(10)
    fragment = Structure(
        box,
        water.get_chemical_symbols(),
        water.positions + 5,
        coords_are_cartesian=True,
        site_properties={"component": ["polymer"] * 3},
    )
    return place(slab, fragment, count)


def one_by_one(structures, engine: str, steps: int) -> list[float]:
    """What a script does: a calculator, a relaxation, the next one."""
    walks = Walkers(engine)
    energies = []
    for structure in structures:
        atoms = walks.engine.atoms(structure)
        atoms.calc = walks.engine.calculator(walks.settings)
        LBFGS(atoms, logfile=None, maxstep=0.15).run(fmax=FMAX, steps=steps)
        energies.append(float(atoms.get_potential_energy()))
    return energies


def together(structures, engine: str, steps: int) -> list[float]:
    """The same relaxations on all cores."""
    walks = Walkers(engine)
    running = [Walk(structure) for structure in structures]
    walks.take(running, [steps] * len(running), FMAX, lambda *_: None)
    return [walk.stand.energy for walk in running]


def measure(options):
    section = Section("Relaxing placements")
    structures = placements(4 if options.quick else options.placements)
    steps = 5 if options.quick else options.steps
    works = {
        "ours": lambda: together(structures, options.engine, steps),
        "ase": lambda: one_by_one(structures, options.engine, steps),
    }
    figures, results = interleaved(works, 1 if not options.quick else 2)
    apart = np.abs(np.subtract(results["ours"], results["ase"])).max()
    section.rows.append(
        Row(
            f"{len(structures)} placements of {len(structures[0])} atoms, at most {steps} steps each, {options.engine}",
            figures["ours"], figures["ase"], f"ASE {ase.__version__}", 3.0, "wall", equal=f"energies to {apart:.0e} eV",
        )
    )  # fmt: skip
    section.text = "Two cores give at most a factor of two; what a search saves beyond that, by stopping those that fall behind, is in [search](search.md)."
    return section


if __name__ == "__main__":
    script(measure, __doc__, placements=10, steps=5, engine="xtb")

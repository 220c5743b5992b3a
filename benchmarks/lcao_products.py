"""How fast is GPAW's LCAO mode as this program runs it, and as GPAW runs it: what works with functions, what works on the grid.

    python benchmarks/lcao_products.py                       # water on MgO(001) of three sizes, Gamma and 2 x 2 k-points
    python benchmarks/lcao_products.py --sizes 2 --repeat 3  # the smallest one

Both are measured in turn in one process, on the same basis at the same positions, and their results are compared. CPU seconds
on one core.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gpaw
import numpy as np
from ase import Atoms
from ase.build import bulk, molecule, surface
from gpaw import GPAW
from gpaw.lfc import BasisFunctions
from gpaw.poisson import FastPoissonSolver

from iface_wf.engines.gpaw import lcao_grid, poisson, vacuum


def water_on_oxide(size: int) -> Atoms:
    """Three layers of MgO(001), size x size cells of 4.2 A, with a water molecule above."""
    slab = surface(bulk("MgO", "rocksalt", a=4.21, cubic=True), (0, 0, 1), 2).repeat((size, size, 1))
    guest = molecule("H2O")
    guest.rotate(90, "x")
    guest.positions += slab.positions[slab.positions[:, 2].argmax()] + [0, 0, 2.3] - guest.positions[0]
    atoms = slab + guest
    atoms.center(vacuum=6.0, axis=2)
    atoms.pbc = (True, True, False)
    return atoms


def timed(work: Any, *arguments: Any) -> tuple[float, Any]:
    """Return CPU seconds and what came out."""
    started = time.process_time()
    result = work(*arguments)
    return time.process_time() - started, result


def density(basis: BasisFunctions, rho: np.ndarray, grid: np.ndarray, q: int) -> None:
    """Add the density of one k-point, as GPAW's ``construct_density``."""
    made = lcao_grid.matrices_of(basis)
    assert made is not None
    made.add_density(lcao_grid.by_displacement(basis, rho, q), grid.reshape(-1))


class Compared(NamedTuple):
    """What a step took, CPU seconds, and how far the results are apart."""

    system: str
    step: str
    theirs: float
    ours: float
    apart: float
    made: float


def compare(size: int, kpoints: int, repeat: int) -> Iterator[Compared]:
    """Measure each step."""
    atoms = water_on_oxide(size)
    calc = GPAW(
        mode="lcao",
        basis="dzp",
        h=0.2,
        kpts={"size": (kpoints, kpoints, 1), "gamma": True},
        symmetry={"point_group": False},
        txt=None,
    )
    calc.create_new_calculation(atoms)
    basis = next(iter(calc.dft.ibzwfs)).basis
    real = basis.gamma and basis.dtype == float
    rng = np.random.default_rng(0)
    rho = rng.normal(size=(basis.Mmax,) * 2) + (0 if real else 1j * rng.normal(size=(basis.Mmax,) * 2))
    rho, q = rho + rho.conj().T, -1 if real else len(basis.ibzk_qc) - 1
    potential = rng.normal(size=basis.gd.n_c)

    made, _ = timed(lcao_grid.matrices_of, basis)
    name = f"{len(atoms)} atoms, {basis.Mmax} functions, {'Gamma' if real else f'{kpoints} x {kpoints}'}"
    for step, theirs, ours in (
        ("density of a k-point", BasisFunctions.construct_density, density),
        ("potential", lcao_grid._potential_of_gpaw, lcao_grid.calculate_potential_matrices),
    ):
        seconds: dict[str, list[float]] = {"theirs": [], "ours": []}
        results = {}
        for _ in range(repeat):
            for who, work in (("theirs", theirs), ("ours", ours)):
                if step == "potential":
                    spent, results[who] = timed(work, basis, potential)
                    results[who] = np.tril(results[who])  # at Gamma GPAW fills the lower half only
                else:
                    results[who] = np.zeros(basis.gd.n_c)
                    spent, _ = timed(work, basis, rho, results[who], q)
                seconds[who].append(spent)
        least = {who: min(values) for who, values in seconds.items()}
        apart = np.abs(results["theirs"] - results["ours"]).max() / np.abs(results["theirs"]).max()
        yield Compared(name, step, least["theirs"], least["ours"], float(apart), made)


def compare_on_grid(repeat: int) -> Iterator[Compared]:
    """Measure what an ether in its open box takes on the grid: its electrostatics, exchange and correlation."""
    atoms = molecule("CH3CH2OCH3", vacuum=5.0)
    calc = GPAW(mode="lcao", basis="dzp", xc="PBE", h=0.2, symmetry={"point_group": False}, txt=None)
    calc.create_new_calculation(atoms)
    solver, density_s = calc.dft.pot_calc.poisson_solver.solver, calc.dft.pot_calc.interpolate(calc.dft.density.nt_sR)
    gd, functional = solver.gd, calc.dft.pot_calc.xc
    charge = density_s.data.sum(axis=0) - density_s.data.sum(axis=0).mean()

    def prepared(way: Any) -> FastPoissonSolver:
        made = FastPoissonSolver()
        way(made, gd)
        return made

    def solved(way: Any, of: Any) -> np.ndarray:
        potential = gd.zeros()
        way(of, potential, charge, poisson.nulltimer)
        return potential

    def evaluated(way: Any) -> np.ndarray:
        functional._evaluate_xc_cpu = lambda args: way(functional, args)
        return functional.calculate(density_s)[1].data

    theirs, ours = prepared(poisson._prepare_of_gpaw), prepared(poisson.prepare)
    steps = {
        "electrostatics, once per geometry": (
            lambda: prepared(poisson._prepare_of_gpaw).inv_fft_lambdas,
            lambda: prepared(poisson.prepare).inv_fft_lambdas,
        ),
        "electrostatics, each step": (
            lambda: solved(poisson._solve_of_gpaw, theirs),
            lambda: solved(poisson.solve_neutral, ours),
        ),
        "exchange and correlation, each step": (
            lambda: evaluated(vacuum._evaluate_of_gpaw),
            lambda: evaluated(vacuum.evaluate),
        ),
    }
    for step, (gpaws, this) in steps.items():
        turns = [(timed(gpaws), timed(this)) for _ in range(repeat)]
        (_, first), (_, second) = turns[0]
        name = f"{len(atoms)} atoms, {gd.n_c.prod() / 1e6:.1f} M points"
        apart = float(np.abs(first - second).max() / np.abs(first).max())
        yield Compared(name, step, min(one[0] for one, _ in turns), min(one[0] for _, one in turns), apart, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--kpoints", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()
    print(f"GPAW {gpaw.__version__}, dzp, 0.2 A; CPU seconds, the least of {options.repeat}\n")
    print("| system | step | GPAW | products | ratio | largest difference | once per geometry |")
    print("|---|---|---|---|---|---|---|")
    sources = [compare(size, kpoints, options.repeat) for size in options.sizes for kpoints in options.kpoints]
    for row in chain(*sources, compare_on_grid(options.repeat)):
        print(
            f"| {row.system} | {row.step} | {row.theirs:.2f} | {row.ours:.2f} | {row.theirs / row.ours:.1f} "
            f"| {row.apart:.0e} | {row.made:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

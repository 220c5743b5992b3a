"""Bader charges by weights: ours, the Fortran program `bader`, baderkit; pybader's other method beside them.

    python -m benchmarks.rows.bader                    # 1.0, 8.2 and 27.6 million points
    python -m benchmarks.rows.bader --sizes 2          # 8.2 million

The Fortran program is GPL and needs a compiler: it is measured where `bader` is on PATH or BADER names it, else its figures are
those that were measured elsewhere on the same kind of density.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measure import ROOT, Figure, Row, Section, Told, interleaved, peak_memory, script
from benchmarks.rows.grids import KEPT, VALENCES, density, slab, write_chgcar
from benchmarks.rows.peers import Peer, PeerMissingError, version
from iface_wf.analysis.bader import VACUUM_CUT, bader_charges
from iface_wf.analysis.grid import Grid

FORTRAN = {
    1: Figure(0.90, 1.2, 81, cited=True),
    2: Figure(8.68, 10.9, 633, cited=True),
    3: Figure(36.2, 38.0, 2105, cited=True),
}
"""bader 1.05 -b weight -vac 1e-3, from CHGCAR text."""

ALONE = """
import numpy as np
from benchmarks.rows.bader import ours
ours({size}, {threads})
"""
FIRST = """
import os, time
from iface_wf.analysis.bader import bader_charges
from iface_wf.analysis.grid import Grid
import numpy as np
from pymatgen.core import Lattice, Structure
from benchmarks.rows.bader import lonely
spent = []
for _ in range(2):
    before, started = sum(os.times()[:2]), time.perf_counter()
    lonely()
    spent += [sum(os.times()[:2]) - before, time.perf_counter() - started]
print(*spent)
"""


def ours(size: int, threads: int) -> list[float]:
    """Return the electrons of all atoms above the vacuum cut."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    structure = slab()
    grid = Grid(density(size), structure.lattice.matrix)
    return bader_charges(grid, structure, kind="valence", valence_electrons=VALENCES).electrons


def lonely() -> None:
    """Divide the density of one small atom."""
    from pymatgen.core import Lattice, Structure

    x = (np.arange(40) - 20) * 0.1
    rho = np.exp(-5 * np.sqrt(x[:, None, None] ** 2 + x[None, :, None] ** 2 + x[None, None, :] ** 2))
    structure = Structure(Lattice.cubic(4), ["He"], [[0.5, 0.5, 0.5]])
    bader_charges(Grid(rho * 2 / (rho.sum() * 0.001), 4 * np.eye(3)), structure)


def fortran(size: int) -> tuple[Path, Path] | None:
    """Return the program and its input, if there is one."""
    found = os.environ.get("BADER") or shutil.which("bader")
    if not found:
        return None
    path = KEPT / f"CHGCAR-{size}"
    write_chgcar(path, density(size))
    return Path(found), path


def run_fortran(program: Path, chgcar: Path) -> Told:
    """Run it from its file, as everybody does; the electrons are in column five of ACF.dat."""
    with tempfile.TemporaryDirectory() as folder:
        before, started = sum(os.times()[2:4]), time.perf_counter()
        subprocess.run(
            [program, "-b", "weight", "-vac", f"{VACUUM_CUT}", chgcar], cwd=folder, check=True, capture_output=True
        )
        spent = sum(os.times()[2:4]) - before, time.perf_counter() - started
        rows = [
            line.split() for line in (Path(folder) / "ACF.dat").read_text().splitlines() if re.match(r"\s+\d", line)
        ]
    return Told(*spent, [float(row[4]) for row in rows])


def quick(repeats: int) -> Section:
    """Compare with a yardstick that every machine has: numpy sorting the same array."""
    structure, rho = slab(), density(1)
    grid = Grid(rho, structure.lattice.matrix)
    os.environ["OMP_NUM_THREADS"] = "1"

    def charges():
        return bader_charges(grid, structure, kind="valence", valence_electrons=VALENCES).electrons

    charges()
    figures, _ = interleaved({"ours": charges, "sort": lambda: np.sort(rho, axis=None, kind="stable")}, repeats)
    row = Row(
        f"{rho.size / 1e6:.1f} M points, one core",
        figures["ours"],
        figures["sort"],
        f"numpy {np.__version__}: sorting them",
    )
    return Section("Bader charges, weight method", [row])


def measure(options):
    if options.quick:
        return quick(options.repeats)
    sizes = options.sizes
    section = Section(
        "Bader charges, weight method",
        text="Superposed Slater functions of 150 atoms, vacuum cut 1e-3 e/A^3, the array in memory, kernels warm. "
        "The cited Fortran figures include reading its file (1.9 of 8.7 CPU seconds at 8.2 million points).",
    )
    structure = slab()
    for size in sizes:
        rho = density(size)
        grid = Grid(rho, structure.lattice.matrix)
        order = {
            "density": str(KEPT / f"density-{size}.npy"),
            "structure": structure.as_dict(), "cut": VACUUM_CUT, "lattice": structure.lattice.matrix.tolist(),
            "places": structure.cart_coords.tolist(),
        }  # fmt: skip
        name = f"{rho.size / 1e6:.1f} M points"

        def one(threads, grid=grid):
            os.environ["OMP_NUM_THREADS"] = str(threads)
            return bader_charges(grid, structure, kind="valence", valence_electrons=VALENCES).electrons

        works = {"one": lambda: one(1), "two": lambda: one(2)}
        peers, problems, firsts = {}, [], {}
        executable = fortran(size)
        if executable:
            works["fortran"] = lambda executable=executable: run_fortran(*executable)
        one(2)
        try:
            for peer in ["baderkit", "pybader"] if size < 3 else []:
                try:
                    peers[peer] = Peer(peer)
                    firsts[peer] = peers[peer](**order)
                    works[peer] = partial(peers[peer], **order)
                except PeerMissingError as error:
                    problems.append(str(error))
            figures, results = interleaved(works, options.repeats if size < 3 else 2)
            for threads, side in ((1, "one"), (2, "two")):
                figures[side].mb = peak_memory(ALONE.format(size=size, threads=threads))
            for peer in works.keys() & peers.keys():
                figures[peer].mb = peers[peer].mb
        finally:
            for worker in peers.values():
                worker.__exit__()

        def apart(peer, results=results):
            other = results[peer].result
            return (
                f"{np.abs(np.array(results['two']) - other).max():.0e} e"
                if len(other) == len(structure)
                else "other atoms"
            )

        theirs = figures.get("fortran", FORTRAN[size])
        equal = apart("fortran") if "fortran" in figures else ""
        section.rows += [
            Row(f"{name}, one core", figures["one"], theirs, "bader 1.05", 4.0 if size > 1 else None, equal=equal),
            Row(f"{name}, two cores", figures["two"], theirs, "bader 1.05", equal=equal),
        ]
        for peer in peers:
            if peer in figures:
                method = "weight" if peer == "baderkit" else "neargrid: another method, which scatters"
                section.rows.append(
                    Row(
                        f"{name}, two cores",
                        figures["two"],
                        figures[peer],
                        f"{version(peer)} ({method})",
                        equal=apart(peer),
                    )
                )
        for problem in problems:
            section.rows.append(Row(f"{name}, two cores", figures["two"], None, problem))
        firsts_said = ", ".join(f"{peer} {told.wall:.0f} s" for peer, told in firsts.items())
        if firsts_said and size == sizes[0]:
            section.text += f" First call of the peers in a new process, compiled before or not: {firsts_said}."
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": cache}
        spent = [
            [float(word) for word in subprocess.run([sys.executable, "-c", FIRST], env=environment, capture_output=True, text=True, check=True).stdout.split()]
            for _ in range(2)
        ]  # fmt: skip
    section.rows.append(
        Row(
            "first use on a machine: compiling",
            Figure(spent[0][0] - spent[0][2], spent[0][1] - spent[0][3]),
            most=10.0,
        )
    )
    section.rows.append(Row("first use in a process, compiled before", Figure(spent[1][0], spent[1][1]), most=2.0))
    return section


if __name__ == "__main__":
    script(measure, __doc__, sizes=[1, 2, 3])

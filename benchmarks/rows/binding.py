"""Time to a binding energy: `iface-wf run` beside a plain ASE script, same GPAW settings, and what each thing gains by itself.

python -m benchmarks.rows.binding

The script relaxes interface, slab and molecule from a placement as it is built and calculates the frozen pieces, as one does
by hand. Its variants have one thing more each: a start that xTB relaxed, or this program's matrix products of LCAO functions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gpaw
from ase import Atoms
from ase.constraints import FixAtoms
from pymatgen.core import Lattice, Structure

from benchmarks.measure import ROOT, Figure, Row, Section, Told, cpu_seconds, interleaved, script

FMAX, SPACING, WIDTH = 0.05, 0.2, 0.05
CONVERGENCE = {"energy": 1e-6, "density": 1e-5}
OVERRIDES = {"grid_spacing": SPACING, "kpoint_length": 5, "dispersion": "none", "fmax": FMAX}


def write_slab(folder: Path) -> Path:
    """Two layers of LiF(001), four ions each."""
    a = 4.03
    names = ["Li", "Li", "F", "F", "F", "F", "Li", "Li"]
    flat = [[0, 0], [a / 2, a / 2], [a / 2, 0], [0, a / 2]]
    places = [[x, y, a * layer / 2] for layer in range(2) for x, y in flat]
    slab = Structure(Lattice.tetragonal(a, 14.0), names, places, coords_are_cartesian=True)
    path = folder / "POSCAR_LiF"
    slab.to(str(path), fmt="poscar")
    return path


def choices(slab: Path) -> list[str]:
    """What is calculated, as options of the command."""
    overrides = [part for name, value in OVERRIDES.items() for part in ("--overrides", f"{name}={value}")]
    return [
        "--filler", str(slab), "--molecule", "O", "--level", "moderate", "--quantities", "binding_energy,interaction_energy",
        "--processes", "1", "--room-atoms", "0", *overrides,
    ]  # fmt: skip


def ours(folder: Path, slab: Path) -> Told:
    """The command, in an empty store."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        before, started = cpu_seconds(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "iface_wf", "run", *choices(slab), "--store", f"{work}/store.sqlite",
             "--workdir", f"{work}/runs", "--json"],
            capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        cpu, wall = cpu_seconds() - before, time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout)
    found = found[0] if isinstance(found, list) else found
    return Told(cpu, wall, {"binding": found["binding_energy"], "held": found})


def raw_placement(slab: Path, relaxed_by: str = "") -> Atoms:
    """The first placement as it is built, or relaxed by xTB."""
    from iface_wf.builders.interface import build_interface
    from iface_wf.builders.spec import InterfaceSpec
    from iface_wf.engines.registry import create
    from iface_wf.engines.walks import Walk, Walkers
    from iface_wf.library import Library

    spec = InterfaceSpec(filler=str(slab), molecule="O", placements=1, room_atoms=0)
    structure = build_interface(spec, Library()).placements[0]
    if relaxed_by:
        walk = Walk(structure)
        Walkers(create(relaxed_by, level="fast", processes=1), 1).take([walk], [200], FMAX, lambda *_: None)
        structure = walk.now
    atoms = structure.to_ase_atoms(msonable=False)
    atoms.pbc = (True, True, False)
    held = [i for i, flags in enumerate(structure.site_properties["selective_dynamics"]) if not flags[0]]
    atoms.set_constraint(FixAtoms(held))
    atoms.info["molecule"] = [i for i, name in enumerate(structure.site_properties["component"]) if name != "slab"]
    return atoms


def plain(slab: Path, relaxed_by: str = "", products: bool = False) -> dict[str, float]:
    """The script: three relaxations, two frozen pieces with the functions of the other."""
    from ase.optimize import BFGS

    from iface_wf.engines.gpaw import lcao_grid, lcao_kpoints

    if products:
        lcao_grid.use_matrix_products()
        lcao_kpoints.use_larger_products()
    whole = raw_placement(slab, relaxed_by)
    molecule = whole.info.pop("molecule")
    rest = [i for i in range(len(whole)) if i not in molecule]

    def calculator(atoms: Atoms, ghosts: list[int]) -> gpaw.GPAW:
        more = {"poissonsolver": {"dipolelayer": "xy"}} if atoms.pbc.any() else {}
        if ghosts:
            more["setups"] = dict.fromkeys(ghosts, "ghost")
        return gpaw.GPAW(
            mode="lcao", basis="dzp", xc="PBE", h=SPACING, kpts={"size": (2, 2, 1) if atoms.pbc.any() else (1, 1, 1), "gamma": True},
            occupations={"name": "fermi-dirac", "width": WIDTH}, convergence=CONVERGENCE, symmetry={"point_group": False},
            txt=None, **more,
        )  # fmt: skip

    def relaxed(atoms: Atoms) -> float:
        atoms.calc = calculator(atoms, [])
        BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=FMAX, steps=200)
        return float(atoms.get_potential_energy())

    def frozen(ghosts: list[int]) -> float:
        atoms = whole.copy()
        atoms.set_constraint()
        atoms.calc = calculator(atoms, ghosts)
        return float(atoms.get_potential_energy())

    alone = whole[molecule]
    alone.pbc = False
    alone.center(vacuum=6.0)
    a = relaxed(whole[rest])
    b = relaxed(alone)
    ab = relaxed(whole)
    interaction = ab - frozen(molecule) - frozen(rest)
    return {"a": a, "b": b, "ab": ab, "raw": ab - a - b, "interaction": interaction}


def in_a_process(slab: Path, relaxed_by: str = "", products: bool = False) -> Told:
    """Run the script by itself."""
    code = (
        "import json; from pathlib import Path; from benchmarks.rows.binding import plain\n"
        f"print(json.dumps(plain(Path({str(slab)!r}), {relaxed_by!r}, {products!r})))"
    )
    before, started = cpu_seconds(), time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return Told(cpu_seconds() - before, time.perf_counter() - started, json.loads(done.stdout.splitlines()[-1]))


def measure(options):
    section = Section("Time to a binding energy")
    with tempfile.TemporaryDirectory() as folder:
        slab = write_slab(Path(folder))
        works = {
            "ours": lambda: ours(Path(folder), slab),
            "script": lambda: in_a_process(slab),
            "script, start relaxed by xTB": lambda: in_a_process(slab, "xtb"),
            "script, matrix products": lambda: in_a_process(slab, "", True),
        }
        figures, results = interleaved(works, options.repeats)
    told = {name: result.result for name, result in results.items()}
    peer = figures["script"]
    section.rows.append(
        Row(
            "water on LiF(001), 8 + 3 atoms, GPAW LCAO dzp, 2 x 2 k-points: everything", figures["ours"], peer, f"script with ASE and GPAW {gpaw.__version__}",
            2.0, equal=f"interaction {told['ours']['held']['interaction_energy']:+.3f} and {told['script']['interaction']:+.3f} eV",
        )
    )  # fmt: skip
    for name in list(works)[2:]:
        equal = f"interaction {told[name]['interaction']:+.3f} eV"
        section.rows.append(Row(name, figures[name], Figure(peer.cpu, peer.wall), "the script", equal=equal))
    return section


if __name__ == "__main__":
    script(measure, __doc__)

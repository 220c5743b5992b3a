"""Peers that cannot be installed beside this program: each in an environment of its own, and a process that does as it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import PEERS, Told

NEEDS = {"baderkit": ["baderkit"], "pybader": ["pybader", "setuptools<82", "pandas<3"]}

WORKERS = {
    "baderkit": """
import contextlib, io, json, logging, os, sys, time
import numpy as np
logging.disable(logging.CRITICAL)
from baderkit import Bader, Grid
from pymatgen.core import Structure
def work(order):
    rho = np.load(order["density"])
    structure = Structure.from_dict(order["structure"])
    grid = Grid(structure=structure, data={"total": rho * structure.volume}, sig_figs=12)
    def run():
        bader = Bader(charge_grid=grid, method="weight", vacuum_tol=order["cut"])
        return [float(x) for x in bader.atom_charges]
    return run
""",
    "pybader": """
import contextlib, io, json, logging, os, sys, tempfile, time
import numpy as np
os.chdir(tempfile.mkdtemp())
from pybader.interface import Bader
def work(order):
    rho = np.load(order["density"])
    lattice = np.array(order["lattice"])
    def run():
        bader = Bader({"charge": rho}, lattice, np.array(order["places"]), {"prefix": "", "voxel_offset": np.zeros(3)})
        bader(method="neargrid", vacuum_tol=order["cut"], threads=2)
        return [float(x) for x in bader.atoms_charge]
    return run
""",
}

LOOP = """
for line in sys.stdin:
    order = json.loads(line)
    with contextlib.redirect_stdout(io.StringIO()):
        run = work(order)
        before, started = sum(os.times()[:2]), time.perf_counter()
        result = run()
        spent = sum(os.times()[:2]) - before, time.perf_counter() - started
    import resource
    print("RESULT", json.dumps([*spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, result]), flush=True)
"""


class PeerMissingError(Exception):
    """A peer that cannot be had here, and why."""


def environment(name: str, timeout: int = 600) -> Path:
    """Make the environment of a peer where there is none yet; return its Python."""
    folder = PEERS / name
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=120)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", *NEEDS[name]],
            check=True,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.SubprocessError as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise PeerMissingError(f"{name} could not be installed: {said[-1] if said else error}") from error
    ready.touch()
    return python


class Peer:
    """A process of a peer that repeats its work when told.

    Parameters
    ----------
    name
        ``baderkit`` or ``pybader``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.mb = 0.0
        self._process = subprocess.Popen(
            [environment(name), "-c", WORKERS[name] + LOOP],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(PEERS / name / "errors.txt").open("w"), text=True,
            env=os.environ | {"OMP_NUM_THREADS": "2", "NUMBA_CACHE_DIR": str(PEERS / name / "numba")},
        )  # fmt: skip

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.wait()

    def __call__(self, **order: Any) -> Told:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PeerMissingError(f"{self.name} ended") from error
        for line in self._process.stdout:
            if line.startswith("RESULT "):
                cpu, wall, self.mb, result = json.loads(line.removeprefix("RESULT "))
                return Told(cpu, wall, result)
        said = (PEERS / self.name / "errors.txt").read_text().strip().splitlines() or ["no reason given"]
        raise PeerMissingError(f"{self.name} failed: {said[-1][:120]}")


def version(name: str) -> str:
    """Return name and version of an installed peer."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    done = subprocess.run([environment(name), "-c", code], capture_output=True, text=True, check=True)
    return f"{name} {done.stdout.strip()}"

"""What an interrupted run of GPAW goes on from: the density of the SCF and the geometry of a relaxation.

Like `iface_wf.engines.gpaw.run` it runs inside `gpaw python`. What cannot be read is set aside.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read
from gpaw.mpi import world

from iface_wf.engines.checkpoints import readable, usable_positions
from iface_wf.engines.gpaw.files import CHECKPOINT, TRAJECTORY
from iface_wf.engines.relaxation import held


class OutOfTimeError(Exception):
    """The allotted time is over; the checkpoint holds the state."""


class Checkpoint:
    """Density kept on disk during the SCF, so that a killed run continues from it."""

    def __init__(self, calc: Any, interval: float, max_seconds: float) -> None:
        self.calc, self.interval = calc, interval
        self.last = time.monotonic()
        self.deadline = self.last + max_seconds if max_seconds else None

    def after_scf_step(self, _context: Any) -> None:
        """Write the density when the interval is over; stop the run when the time is over."""
        flags = np.array([time.monotonic() - self.last > self.interval, self.late()], dtype=float)
        world.broadcast(flags, 0)  # clocks differ between ranks; all must do the same
        if flags.any():
            self.write()
        if flags[1]:
            raise OutOfTimeError

    def late(self) -> bool:
        """Whether the allotted time is over."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def write(self) -> None:
        """Write the density and the atomic density matrices, atomically."""
        density = self.calc.dft.density
        smooth = density.nt_sR.gather()
        matrices = density.D_asii.gather()
        self.last = time.monotonic()
        if world.rank == 0:
            arrays = {f"D{a}": D for a, D in matrices.items()}
            np.savez("checkpoint.part.npz", nt=smooth.data, positions=self.calc.atoms.positions, **arrays)
            Path("checkpoint.part.npz").replace(CHECKPOINT)

    def restore(self, atoms: Atoms) -> bool:
        """Put the stored density into the new calculation, if it belongs to these atoms and this grid."""
        path = Path(CHECKPOINT)
        usable = np.zeros(1)
        stored: dict[str, Any] = {}
        if world.rank == 0:
            stored = readable(path, read_arrays) or {}
            if stored and np.shape(stored["positions"]) == atoms.positions.shape:
                usable[0] = bool(np.abs(stored["positions"] - atoms.positions).max() < 0.3)
        world.broadcast(usable, 0)
        if not usable[0]:
            return False
        dft = self.calc.dft
        density = dft.density
        smooth, matrices = density.nt_sR.gather(), density.D_asii.gather()
        fits = np.zeros(1)
        if world.rank == 0:
            fits[0] = stored["nt"].shape == smooth.data.shape and all(
                np.shape(stored.get(f"D{a}", 0.0)) == np.shape(matrices[a])
                for a in matrices.keys()  # noqa: SIM118 - GPAW's array, not a dict
            )
        world.broadcast(fits, 0)
        if not fits[0]:
            return False
        density.nt_sR.scatter_from(stored["nt"] if world.rank == 0 else None)
        if world.rank == 0:
            for a in matrices.keys():  # noqa: SIM118 - GPAW's array, not a dict
                matrices[a][:] = stored[f"D{a}"]
        density.D_asii.scatter_from(matrices)
        dft.potential, dft.energies, _ = dft.pot_calc.calculate(density, dft.ibzwfs, dft.potential.vHt_x)
        return True


def last_positions(atoms: Atoms) -> Any:
    """Return where an interrupted relaxation has come to, A: by its trajectory, else by the checkpoint of the density."""
    positions = atoms.positions.copy()
    if world.rank == 0:

        def usable(found: np.ndarray) -> np.ndarray | None:
            return usable_positions(found, atoms.positions, held(atoms))

        path = Path(TRAJECTORY)
        if path.is_file() and not path.stat().st_size:
            path.unlink()  # ASE opens it long before it writes the first step
        changed = [Path(name).stat().st_mtime_ns if Path(name).exists() else 0 for name in (TRAJECTORY, CHECKPOINT)]
        elsewhere = readable(Path(CHECKPOINT), read_arrays)
        found = readable(path, lambda file: usable(read(file, index=-1).positions))
        # the density may be of a step that was still being calculated: without it, short slices would begin it for ever
        if elsewhere is not None and (found is None or changed[1] > changed[0]):
            ahead = usable(elsewhere["positions"])
            found = found if ahead is None else ahead
        if found is not None:
            positions = np.ascontiguousarray(found, dtype=float)
    world.broadcast(positions, 0)
    return positions


def read_arrays(path: Path) -> dict[str, Any] | None:
    """Read the checkpoint of a density; None where not all of it are numbers."""
    with np.load(path) as data:
        arrays = dict(data)
    numbers = {"nt", "positions"} <= set(arrays) and all(np.isfinite(array).all() for array in arrays.values())
    return arrays if numbers else None

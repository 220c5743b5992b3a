"""Relaxation by an ASE calculator that runs in this process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms

from iface_wf.engines.bodies import Bodies, BodyLBFGS
from iface_wf.engines.checkpoints import readable, usable_positions
from iface_wf.engines.history import RELAX_LOG

#: Seconds between two records of the geometry, from which a relaxation that was killed goes on.
CHECKPOINT_SECONDS = 60.0
#: File of a calculation's folder that holds the geometry.
CHECKPOINT = "positions.npy"


def relax(
    atoms: Atoms, settings: dict[str, Any], directory: Path, checkpoint: Path | None = None, bodies: Bodies = ()
) -> tuple[bool, int]:
    """Relax the free atoms in place.

    Parameters
    ----------
    atoms
        With a calculator.
    settings
        ``fmax`` (eV/A) and ``max_steps``.
    directory
        Where the log goes.
    checkpoint
        File in which the geometry is recorded now and then, and from which a relaxation that was killed goes on.
    bodies
        Molecules on a slab, see `iface_wf.engines.bodies`.

    Returns
    -------
    tuple
        Whether the forces converged, and the number of steps.
    """
    with BodyLBFGS(atoms, bodies, logfile=str(directory / RELAX_LOG), maxstep=0.15) as optimiser:
        if checkpoint is not None:
            positions = readable(checkpoint, lambda path: usable_positions(np.load(path), atoms.positions, held(atoms)))
            if positions is not None:
                atoms.positions = positions
            optimiser.attach(_Recorder(atoms, checkpoint))
        converged = optimiser.run(fmax=settings["fmax"], steps=settings["max_steps"])
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
        return bool(converged), int(optimiser.nsteps)


def held(atoms: Atoms) -> np.ndarray:
    """Return the indices of the atoms that do not move at all."""
    indices = [one.index for one in atoms.constraints if isinstance(one, FixAtoms)]
    return np.concatenate(indices) if indices else np.array([], dtype=int)


class _Recorder:
    """Records the geometry when enough time has passed."""

    def __init__(self, atoms: Atoms, path: Path) -> None:
        self.atoms, self.path, self.last = atoms, path, time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self.last < CHECKPOINT_SECONDS:
            return
        draft = self.path.with_suffix(".part.npy")
        np.save(draft, self.atoms.positions)
        draft.replace(self.path)
        self.last = time.monotonic()

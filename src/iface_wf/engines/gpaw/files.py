"""Names of the files in the folder of a GPAW calculation, for the side that starts it and the side that runs in it."""

from __future__ import annotations

#: What to calculate, what came out, and GPAW's own log.
INPUT, RESULT, LOG = "calculation.json", "result.json", "gpaw.txt"
#: Density and geometry from which an interrupted run goes on.
CHECKPOINT, TRAJECTORY = "checkpoint.npz", "relax.traj"
#: Densities of the free atoms of all elements, for Hirshfeld charges.
FREE_ATOMS = "free-atoms.npz"


def density_file(kind: str) -> str:
    """Return the name of the file of a density, e/A^3."""
    return f"density-{kind}.npy"

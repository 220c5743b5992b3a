"""How many cores this process has."""

from __future__ import annotations

import os


def granted_cores() -> int:
    """Return the cores that a scheduler granted to this job; outside of one, those that this process may use."""
    for name in ("IFACE_WF_CORES", "SLURM_NTASKS", "PBS_NP", "NSLOTS"):
        if (value := os.environ.get(name, "")).isdigit() and int(value) > 0:
            return int(value)
    return len(os.sched_getaffinity(0))

"""Run GPAW under custodian: the job that starts it and the handlers that correct it.

A handler is `check` and `correct`; what it changes is written into calculation.json and recorded by custodian.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from custodian.custodian import ErrorHandler, Job

from iface_wf.engines.gpaw.files import CHECKPOINT, INPUT, RESULT, TRAJECTORY

#: How an SCF that does not converge is helped, in this order. Each keeps what the ones before it did.
SCF_REMEDIES: tuple[dict[str, Any], ...] = (
    {"mixer": {"backend": "pulay", "beta": 0.05, "nmaxold": 8, "weight": 100.0}},
    {"smearing": 0.2},
    {"start": "hund", "spin_polarized": True},
)
#: SCF steps allowed after a correction: the first try may have been stopped too early.
CORRECTED_SCF_STEPS = 333

#: A run that dies this often without a result is not tried again.
MAX_KILLS = 3
#: Slices of time that a calculation may take: each of them is progress, so that only endless ones are stopped.
MAX_SLICES = 200


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON file that may be missing."""
    return json.loads(path.read_text()) if path.exists() else None


def change_settings(directory: str, changes: dict[str, Any]) -> None:
    """Merge changes into the settings of calculation.json."""
    path = Path(directory) / INPUT
    task = json.loads(path.read_text())
    task["settings"] |= changes
    path.write_text(json.dumps(task))


class GpawJob(Job):
    """Start GPAW in a folder and leave everything else to the handlers.

    Parameters
    ----------
    command
        Program and arguments.
    environment
        Complete environment of the process.
    """

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.command = command
        self._environment = environment

    def as_dict(self) -> dict[str, Any]:
        """Return what custodian writes into custodian.json: the command, and never the environment."""
        return {"@module": type(self).__module__, "@class": type(self).__name__, "command": self.command}

    def setup(self, directory: str = "./") -> None:
        """Remove the result of an earlier try."""
        (Path(directory) / RESULT).unlink(missing_ok=True)

    def run(self, directory: str = "./") -> subprocess.Popen[bytes]:
        """Start the process."""
        self.setup(directory)
        with (Path(directory) / "stdout.txt").open("ab") as out:
            return subprocess.Popen(
                self.command,
                cwd=directory,
                env=self._environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                close_fds=False,  # the lock on the folder, see `iface_wf.engines.shelf`
            )

    def postprocess(self, directory: str = "./") -> None:
        """Nothing to do: results are read by the engine."""


class ScfHandler(ErrorHandler):
    """An SCF that did not converge: calmer mixing, then smearing, then other initial occupations."""

    is_monitor = False
    max_num_corrections = len(SCF_REMEDIES)
    raise_on_max = False

    def check(self, directory: str = "./") -> bool:
        """Whether the SCF ran out of steps."""
        result = read_json(Path(directory) / RESULT)
        return result is not None and result.get("scf_converged") is False

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Apply the next remedy."""
        task = json.loads((Path(directory) / INPUT).read_text())
        steps = min(CORRECTED_SCF_STEPS, task["settings"].get("scf_step_cap") or CORRECTED_SCF_STEPS)
        changes = {**SCF_REMEDIES[self.n_applied_corrections], "max_scf_steps": steps}
        change_settings(directory, changes)
        return {"errors": ["SCF did not converge"], "actions": [changes]}


class InterruptedHandler(ErrorHandler):
    """A run that was killed or ran out of its time slice: continue from the last geometry and density."""

    is_monitor = False
    max_num_corrections = MAX_SLICES
    raise_on_max = False

    def __init__(self) -> None:
        self.kills = 0

    def check(self, directory: str = "./") -> bool:
        """Whether the run ended without a result."""
        result = read_json(Path(directory) / RESULT)
        if result is None:  # killed, or unable to start: no use in trying that for ever
            return self.kills < MAX_KILLS
        return bool(result.get("out_of_time"))

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Let the next try start from the checkpoint."""
        result = read_json(Path(directory) / RESULT)
        self.kills += result is None
        cause = "killed" if result is None else "out of time"
        state = [name for name in (TRAJECTORY, CHECKPOINT) if (Path(directory) / name).exists()]
        return {"errors": [cause], "actions": [{"continue_from": state or ["start"]}]}

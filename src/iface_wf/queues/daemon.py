"""The runner in the background: started anew when it is killed, stopped by a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from iface_wf.errors import CalculationError, InputError
from iface_wf.queues.project import QueueProject
from iface_wf.secrets import environment_without_secrets, own_secrets
from iface_wf.store.claims import Claim, claims_of

#: Seconds before a runner that was killed is started anew.
REST = 2.0
#: Seconds that starting and stopping may take.
PATIENCE = 60.0


def living_runner(project: QueueProject) -> Claim | None:
    """Return who runs a project now: host, process and since when; None if nobody does."""
    claims = claims_of(project.store())
    return None if claims is None else claims.holder(project.runner_claim)


def start(project: QueueProject) -> tuple[int, Path]:
    """Start the runner in the background; it goes on when the terminal is closed.

    Returns
    -------
    tuple
        Process number of the runner, and its log file.

    Raises
    ------
    InputError
        When a runner is at work already.
    CalculationError
        When it does not come up, with the end of its log.
    """
    if (other := living_runner(project)) is not None:
        raise InputError(f"A runner of {project.name} is at work already: {other.owner}.")
    log = Path(str(project.config.log_dir)) / "iface-wf-runner.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        watch = [sys.executable, "-m", "iface_wf.queues.daemon", project.name]
        environment = environment_without_secrets() | own_secrets()
        keeper = subprocess.Popen(
            watch, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=environment
        )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (runner := living_runner(project)) is not None:
            return runner.pid, log
        if keeper.poll() is not None:
            break
        time.sleep(0.5)
    raise CalculationError(f"The runner did not start; the end of {log}: {_tail(log)}")


def stop(project: QueueProject) -> bool:
    """Stop the runner and wait for its end; jobs in the queue go on, and are collected when a runner is started.

    Returns
    -------
    bool
        False if none was at work.

    Raises
    ------
    InputError
        When it runs on another machine.
    CalculationError
        When it does not end.
    """
    runner = living_runner(project)
    if runner is None:
        return False
    if runner.alive is None:
        raise InputError(f"The runner of {project.name} is at work elsewhere: {runner.owner}. Stop it there.")
    os.kill(runner.pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while (left := living_runner(project)) is not None and left.token == runner.token:
        if time.monotonic() > deadline:
            raise CalculationError(f"The runner {runner.owner} did not end within {PATIENCE:g} s.")
        time.sleep(0.5)
    return True


def keep_running(project: str) -> int:
    """Run a project's runner, and start it anew whenever a signal ended it; return the exit code of the last one."""
    command = [sys.executable, "-m", "iface_wf", "queue", "run", "--project", project, "--plain"]
    while (code := subprocess.call(command)) < 0:
        print(f"The runner was ended by signal {-code}; it is started anew.", flush=True)  # noqa: T201 - this is its log
        time.sleep(REST)
    return code


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


if __name__ == "__main__":
    raise SystemExit(keep_running(sys.argv[1]))

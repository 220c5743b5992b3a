"""``iface-wf queue run``, ``start`` and ``stop``: the runner that moves jobs through the queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_text, say, stderr
from iface_wf.cli.terminal import visible
from iface_wf.secrets import scrub

if TYPE_CHECKING:
    from iface_wf.queues.monitor import Status
    from iface_wf.queues.recover import Action


def run(
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when nothing is left that goes on by itself.")
    ] = False,
    recovery: Annotated[
        bool, typer.Option("--recover/--no-recover", help="Run anew what failed for a reason that may pass.")
    ] = True,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a live table.", hidden=True)] = False,
    project: opt.Project = None,
) -> None:
    """Move jobs through the queue, in the foreground, until Ctrl-C.

    Jobs that are in the scheduler's hands go on without it; it collects them when it is started again.
    """
    from iface_wf.queues import project as projects
    from iface_wf.queues.runner import run as run_queue

    queue = projects.load(project)
    _log_to_stderr()
    with _Progress(plain) as progress:
        found = run_queue(queue, until_done, progress.status, progress.action, recovery)
    if until_done and (found.interfaces.get("failed") or found.jobs.get("failed")):
        say("Some interfaces failed: iface-wf status shows why.")
        raise typer.Exit(1)


def start(project: opt.Project = None) -> None:
    """Start the runner in the background; it survives the end of the terminal and its own death."""
    from iface_wf.queues import daemon
    from iface_wf.queues import project as projects

    pid, log = daemon.start(projects.load(project))
    say(f"The runner is at work as process {pid}; its log is {log}.")


def stop(project: opt.Project = None) -> None:
    """Stop the runner; jobs in the scheduler's hands go on."""
    from iface_wf.queues import daemon
    from iface_wf.queues import project as projects

    queue = projects.load(project)
    say("The runner has stopped." if daemon.stop(queue) else f"No runner of {queue.name} was at work.")


def _log_to_stderr() -> None:
    logger = logging.getLogger("iface_wf")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_PlainFormatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)


class _PlainFormatter(logging.Formatter):
    """Lines and tracebacks without secrets, and without what steers a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        return visible(scrub(super().format(record)))


class _Progress:
    """Tell the state of the queue: a line whenever the numbers change, on a terminal one that is kept up to date."""

    def __init__(self, plain: bool) -> None:
        self._console = stderr()
        self._live: Any = None
        self._plain = plain or not self._console.is_terminal
        self._last = ""

    def __enter__(self) -> _Progress:
        if not self._plain:
            self._live = self._console.status("looking at the queue")
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def status(self, found: Status) -> None:
        """Show the numbers."""
        interfaces = ", ".join(f"{count} {state}" for state, count in sorted(found.interfaces.items()))
        jobs = ", ".join(f"{count} {state}" for state, count in sorted(found.jobs.items()))
        text = f"interfaces: {interfaces or 'none'}; jobs: {jobs or 'none'}"
        if self._live is not None:
            self._live.update(text)
        elif text != self._last:
            self._console.print(text, soft_wrap=True)
        self._last = text

    def action(self, action: Action) -> None:
        """Show what was recovered, or is left to a person."""
        step = f", {action.step}" if action.step else ""
        self._console.print(plain_text(f"{action.verb}: {action.name}{step}: {action.reason}"), soft_wrap=True)

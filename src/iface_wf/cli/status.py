"""``iface-wf status``, ``recover`` and ``cancel``: what is in the queue, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout

if TYPE_CHECKING:
    from rich.console import RenderableType

    from iface_wf.queues.monitor import Item, Status
    from iface_wf.queues.project import QueueProject
    from iface_wf.queues.recover import Action

#: Rows of the table unless all are asked for: those that go on or need a person come first.
MOST_ROWS = 40
_SHOWN = ("failed", "running", "queued", "ready", "cancelled", "waiting", "finished")


def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep the table up to date until Ctrl-C.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every part and interface.")] = False,
    project: opt.Project = None,
    json: opt.Json = False,
) -> None:
    """Show what is in the queue: interface, step, state, queue number, age and cause of failure."""
    from iface_wf.queues import project as projects

    queue = projects.load(project)
    with _controller(queue) as controller:
        from iface_wf.queues.monitor import status as look

        if json:
            print_json(_as_json(look(controller), queue))
            return
        if not watch:
            stdout().print(_table(look(controller), everything))
            _say_runner(queue)
            return
        from rich.live import Live

        with Live(_table(look(controller), everything), console=stdout(), auto_refresh=False) as live:
            while True:
                time.sleep(2.0)
                live.update(_table(look(controller), everything), refresh=True)


def recover(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also run anew what failed by its own calculation, or many times.")
    ] = False,
    project: opt.Project = None,
    json: opt.Json = False,
) -> None:
    """Do the right thing for each job that does not go on.

    Run anew what was cancelled, lost or ran out of time or memory, with more of it up to the project's cap; remove the
    locks of a killed runner. Finished calculations are taken from the worker's shelf, others go on from their checkpoint.
    """
    from iface_wf.queues import daemon
    from iface_wf.queues import project as projects
    from iface_wf.queues import recover as recovering

    queue = projects.load(project)
    with _controller(queue) as controller:
        actions: list[Action] = []
        if daemon.living_runner(queue) is None:
            locks = recovering.leftover_locks(controller)
            actions += recovering.describe_locks(locks) if dry_run else recovering.unlock(controller, locks)
        if dry_run:
            actions += recovering.plan(controller, queue, everything)
        else:
            actions += recovering.recover(controller, queue, everything)
    if json:
        print_json([action._asdict() for action in actions])
        return
    if not actions:
        say("Nothing in the queue needs recovery.")
        return
    table = plain_table("what", "interface or part", "step", "why")
    for action in actions:
        table.add_row(action.verb, action.name, action.step, action.reason)
    stdout().print(table)


def cancel(
    interfaces: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INTERFACE]...", help="Names or first characters of keys.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Cancel everything in the queue.")] = False,
    project: opt.Project = None,
    json: opt.Json = False,
) -> None:
    """Take interfaces out of the queue; running jobs are stopped, results stay."""
    from iface_wf.errors import InputError
    from iface_wf.queues import monitor
    from iface_wf.queues import project as projects
    from iface_wf.queues import recover as recovering

    if bool(interfaces) == everything:
        raise InputError("Give the interfaces to cancel, as iface-wf status names them, or --all.")
    queue = projects.load(project)
    with _controller(queue) as controller:
        keys = None
        if not everything:
            known = [item for item in monitor.status(controller).items if item.part == "interface"]
            keys = [key for wanted in interfaces or [] for key in _matching(wanted, known)]
        count = recovering.cancel(controller, keys)
    if json:
        print_json({"cancelled_jobs": count, "interfaces": keys})
        return
    say(f"Cancelled {count} jobs.")


def _matching(wanted: str, known: list[Item]) -> list[str]:
    from iface_wf.errors import unknown_name

    found = [i.key for i in known if i.name == wanted or (len(wanted) >= 6 and i.key.startswith(wanted))]
    if not found:
        raise unknown_name("interface in the queue", wanted, sorted({i.name for i in known}))
    return found


@contextmanager
def _controller(queue: QueueProject) -> Iterator[Any]:
    controller = queue.controller()
    try:
        yield controller
    finally:
        controller.close()


def _table(found: Status, everything: bool) -> RenderableType:
    """Return the table of items, worst first, with a line of totals."""
    from rich.console import Group
    from rich.text import Text

    items = sorted(found.items, key=lambda item: _SHOWN.index(item.state))
    if not everything:
        items = [i for i in items if i.state != "finished"][:MOST_ROWS]
    headings = ("flow", "interface or part", "state", "step", "done", "queue id", "for", "cause")
    table = plain_table(*headings, right=("done", "for"))
    for item in items:
        style = {"failed": "red", "running": "green", "cancelled": "yellow"}.get(item.state)
        steps, age = f"{item.done}/{item.total}", _age(item.age)
        table.add_row(
            item.flow[:6], item.name, item.state, item.step, steps, item.queue_id or "", age, item.cause, style=style
        )
    totals = ", ".join(f"{count} {state}" for state in _SHOWN if (count := found.interfaces.get(state)))
    jobs = ", ".join(f"{count} {state}" for state in _SHOWN if (count := found.jobs.get(state)))
    lines = [Text(f"Interfaces: {totals or 'none'}. Jobs: {jobs or 'none'}.")]
    hidden = len(found.items) - len(items)
    if hidden and not everything:
        lines.append(Text(f"{hidden} further parts and interfaces are not shown; --all shows them."))
    return Group(*([table] if items else []), *lines)


def _age(seconds: float) -> str:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _as_json(found: Status, queue: QueueProject) -> dict[str, Any]:
    from dataclasses import asdict

    from iface_wf.queues.daemon import living_runner

    runner = living_runner(queue)
    return asdict(found) | {"runner": None if runner is None else runner.owner, "project": queue.name}


def _say_runner(queue: QueueProject) -> None:
    from iface_wf.queues.daemon import living_runner

    runner = living_runner(queue)
    if runner is None:
        say("No runner is at work: nothing moves until one is started with iface-wf queue start.")
    else:
        say(f"Runner: {runner.owner}.")

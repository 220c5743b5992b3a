"""``iface-wf submit``: interfaces into a queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout, with_estimate
from iface_wf.cli.request import with_request

if TYPE_CHECKING:
    from iface_wf.library import Library
    from iface_wf.queues.project import QueueProject
    from iface_wf.queues.submit import Submission


@with_request()
def submit(
    request: dict[str, Any],
    spec: Annotated[
        Path | None, typer.Argument(metavar="[SPEC]", help="YAML file of a screening.", show_default=False)
    ] = None,
    worker: opt.Worker = None,
    project: opt.Project = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be submitted; submit nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Accept more than 10,000 interfaces.")] = False,
    json: opt.Json = False,
) -> None:
    """Send a screening, or one interface, to the queue.

    Either SPEC, or --filler with --polymer and the other options. What is stored, and what is in the queue already, is
    not submitted again. Without a project of a queue, --dry-run counts and estimates by the store of this machine.
    """
    from iface_wf.errors import InputError
    from iface_wf.library import Library
    from iface_wf.queues import project as projects

    if (spec is None) == (not request):
        raise InputError("Give either the YAML file of a screening, or --filler with --polymer or --salt.")
    library = Library()
    if spec is not None:
        from iface_wf.api.screening import checked_spec

        wanted: Any = checked_spec(spec, library, yes)
    else:
        from iface_wf.api.calculate import make_request

        wanted = make_request(**request)
    if dry_run and project is None and worker is None and not projects.names():
        _print_without_project(wanted, library, json)
        return
    queue = projects.load(project)
    _look_for_scheduler(queue, worker, dry_run)
    from iface_wf.queues.submit import submit_one, submit_screening

    send = submit_one if spec is None else submit_screening
    _print(send(wanted, queue, library, worker, dry_run, on_wait=say), dry_run, json)


def _look_for_scheduler(queue: QueueProject, worker: str | None, dry_run: bool) -> None:
    """Refuse to submit where no job could be handed over; a dry run only says so."""
    from iface_wf.errors import InputError
    from iface_wf.queues.project import require_scheduler

    queue.worker(worker)  # an unknown one is refused in any case
    try:
        require_scheduler(queue, worker)
    except InputError as error:
        if not dry_run:
            raise
        say(str(error))


def _print_without_project(wanted: Any, library: Library, json: bool) -> None:
    """Plan as `run` and `screen` do, by the store of this machine."""
    from iface_wf.api.options import opened
    from iface_wf.cli import run, screen
    from iface_wf.screening.plan import plan_screening
    from iface_wf.screening.single import plan_request
    from iface_wf.screening.spec import ScreeningSpec

    say(
        "No project of a queue is set up here (iface-wf queue init): what counts as stored is in the store of this machine."
    )
    store = opened(None)
    if isinstance(wanted, ScreeningSpec):
        screen.print_plan(plan_screening(wanted, store, library), json)
    else:
        run.print_plan(plan_request(wanted, store, library), json)


def _print(done: Submission, dry_run: bool, json: bool) -> None:
    if json:
        from dataclasses import asdict

        print_json(with_estimate(asdict(done)))
        return
    for name, cause in done.refused:
        say(f"{name} gives no result: {cause}")
    table = plain_table("", "number", right=("number",))
    rows = {
        f"{done.stage} of the spec": done.pairs,
        "in the store": done.stored,
        "in the queue": done.queued,
        "refused": len(done.refused),
        "to be submitted" if dry_run else "submitted": len(done.submitted),
        "isolated parts with them": done.references,
        "jobs": done.jobs,
    }
    for title, number in rows.items():
        table.add_row(title, str(number))
    stdout().print(table)
    if done.submitted:
        stdout().print(done.cost.sentence)
        stdout().print(
            f"At most {done.limit_core_hours:.3g} core-hours on {done.worker} (wall time limits times cores)."
        )
    if done.stage == "ranking":
        say("This is the cheap stage of the funnel: the runner submits the second one when this one is over.")
    if done.left:
        say(f"{done.left} further interfaces are too many for one submission: give the same command again for them.")
    if done.flow is not None:
        say(f"Submitted as {done.flow}. Run the queue with: iface-wf queue start; watch it with: iface-wf status")

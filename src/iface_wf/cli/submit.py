"""``iface-wf submit``: interfaces into a queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout
from iface_wf.cli.request import with_request

if TYPE_CHECKING:
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
    not submitted again.
    """
    from iface_wf.errors import InputError
    from iface_wf.library import Library
    from iface_wf.queues import project as projects

    if (spec is None) == (not request):
        raise InputError("Give either the YAML file of a screening, or --filler with --polymer or --salt.")
    library = Library()
    if spec is not None:
        from iface_wf.api.screening import checked_spec

        checked = checked_spec(spec, library, yes)
        queue = projects.load(project)
        from iface_wf.queues.submit import submit_screening

        done = submit_screening(checked, queue, library, worker, dry_run, on_wait=say)
    else:
        from iface_wf.api.calculate import make_request
        from iface_wf.queues.submit import submit_one

        checked_request = make_request(**request)
        done = submit_one(checked_request, projects.load(project), library, worker, dry_run, on_wait=say)
    _print(done, dry_run, json)


def _print(done: Submission, dry_run: bool, json: bool) -> None:
    if json:
        from dataclasses import asdict

        print_json(asdict(done))
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
        stdout().print(f"At most {done.core_hours:.3g} core-hours on {done.worker} (wall time limits times cores).")
    if done.stage == "ranking":
        say("This is the cheap stage of the funnel: the runner submits the second one when this one is over.")
    if done.left:
        say(f"{done.left} further interfaces are too many for one submission: give the same command again for them.")
    if done.flow is not None:
        say(f"Submitted as {done.flow}. Run the queue with: iface-wf queue start; watch it with: iface-wf status")

"""``iface-wf run``: the binding energy of one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout
from iface_wf.cli.request import require_filler, with_request
from iface_wf.cli.store import mention_older

if TYPE_CHECKING:
    from iface_wf.screening.single import Plan


@with_request()
def run(
    request: dict[str, Any],
    store: opt.Store = None,
    workdir: opt.Workdir = None,
    json: opt.Json = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps and what is stored; run nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Put the result together again although it is stored.")
    ] = False,
) -> None:
    """Compute the binding energy of an interface.

    A polymer, molecule and/or salt on a filler: energies with their parts, Bader charges and difference density. With
    --quantities, other kinds of results.
    """
    require_filler(request)
    from iface_wf.api import calculate
    from iface_wf.api.options import opened, work_folder

    checked = calculate.make_request(**request)
    job_store = opened(store)
    mention_older(job_store)
    if dry_run:
        print_plan(calculate.plan(checked, job_store), json)
        return

    from iface_wf.cli.progress import Progress
    from iface_wf.cli.summary import print_summary
    from iface_wf.reports.names import file_stem
    from iface_wf.reports.page import save_figure
    from iface_wf.store.results import find_result

    with Progress() as progress:
        _, uuid = calculate.run_stored(checked, job_store, workdir, force=force, on_event=progress.tell)
    document = find_result(job_store, uuid, load=True).document
    picture = save_figure(document, work_folder(workdir) / f"{file_stem(document)}.png")
    if json:
        data = document.model_dump(mode="json", exclude={"density_difference": {"density": {"blob"}}})
        print_json({"uuid": uuid, "picture": picture, **data})
        return
    print_summary(document)
    say(f"Stored as {document.key[:10]} (iface-wf show {document.key[:10]}).")
    if picture is not None:
        stdout().print(f"Picture: {picture}")


def print_plan(plan: Plan, json: bool) -> None:
    """Print the steps of a request, what they cost, and what is to be known before."""
    from dataclasses import asdict

    if json:
        told = {**asdict(plan.cost), "room": [asdict(room) for room in plan.room], "absent": plan.absent}
        print_json({"steps": list(plan), **told})
        return
    if not plan:
        say("The result is in the store; nothing would be calculated.")
        return
    table = plain_table(
        "step", "kind", "engine", "level", "atoms", "stored", "core-hours", right=("atoms", "core-hours")
    )
    stored = {True: "yes", False: "no", None: "known later"}
    for step in plan:
        atoms = "" if step["atoms"] is None else str(step["atoms"])
        most = "up to " if step["kind"] == "search" else ""
        hours = "perhaps" if step["core_hours"] is None else "" if step["found"] else f"{most}{step['core_hours']:.2g}"
        table.add_row(step["step"], step["kind"], step["engine"], step["level"], atoms, stored[step["found"]], hours)
    stdout().print(table)
    for room in plan.room:
        say(room.remark)
    for sentence in plan.absent:
        say(sentence)
    stdout().print(plan.cost.sentence)

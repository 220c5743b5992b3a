"""``iface-wf run``: the binding energy of one interface."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout
from iface_wf.cli.request import require_filler, with_request
from iface_wf.cli.store import mention_older


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
    from iface_wf import api

    checked = api.make_request(**request)
    job_store = api.open_store(store)
    mention_older(job_store)
    if dry_run:
        _print_plan(api.plan(checked, job_store), json)
        return

    from iface_wf.cli.progress import Progress
    from iface_wf.cli.summary import print_summary
    from iface_wf.report.names import file_stem
    from iface_wf.report.page import save_figure
    from iface_wf.store.results import find_result

    with Progress() as progress:
        _, uuid = api.run_stored(checked, job_store, workdir, force=force, on_event=progress.tell)
    document = find_result(job_store, uuid, load=True).document
    picture = save_figure(document, api.work_folder(workdir) / f"{file_stem(document)}.png")
    if json:
        data = document.model_dump(mode="json", exclude={"density_difference": {"density": {"blob"}}})
        print_json({"uuid": uuid, "picture": picture, **data})
        return
    print_summary(document)
    say(f"Stored as {document.key[:10]} (iface-wf show {document.key[:10]}).")
    if picture is not None:
        stdout().print(f"Picture: {picture}")


def _print_plan(plan: list[dict[str, Any]], json: bool) -> None:
    if json:
        print_json(plan)
        return
    if not plan:
        say("The result is in the store; nothing would be calculated.")
        return
    table = plain_table("step", "kind", "engine", "level", "atoms", "stored", right=("atoms",))
    stored = {True: "yes", False: "no", None: "known later"}
    for step in plan:
        cells = ("" if step[name] is None else str(step[name]) for name in ("step", "kind", "engine", "level", "atoms"))
        table.add_row(*cells, stored[step["found"]])
    stdout().print(table)

"""``iface-wf run``: the binding energy of one interface."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout


def run(
    filler: opt.Filler,
    polymer: opt.Polymer = None,
    units: opt.Units = None,
    salt: opt.Salt = None,
    surface: opt.Surface = None,
    engine: opt.EngineName = "gpaw",
    level: opt.Level = "fast",
    geometry: opt.Geometry = None,
    placements: Annotated[
        int | None, typer.Option("--placements", min=1, help="Placements that the cheap engine ranks.")
    ] = None,
    seed: opt.Seed = 0,
    store: opt.Store = None,
    workdir: Annotated[
        Path | None, typer.Option("--workdir", help="Folder of the calculations; default: ./iface-wf-runs.")
    ] = None,
    cores: Annotated[int, typer.Option("--cores", min=0, help="MPI processes; 0: all cores.")] = 0,
    json: opt.Json = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps and what is stored; run nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Put the result together again although it is stored.")
    ] = False,
) -> None:
    """Compute the binding energy of an interface.

    A polymer and/or a salt on a filler: energies with their parts, Bader charges and difference density.
    """
    from iface_wf import api

    request = api.make_request(
        filler=filler,
        polymer=polymer,
        units=units,
        salt=salt,
        surface=surface,
        engine=engine,
        level=level,
        geometry=geometry,
        placements=placements,
        seed=seed,
        processes=cores,
    )
    job_store = api.open_store(store)
    if dry_run:
        _print_plan(api.plan(request, job_store), json)
        return

    from iface_wf.cli.progress import Progress
    from iface_wf.cli.summary import print_summary
    from iface_wf.report.names import file_stem
    from iface_wf.report.page import save_figure
    from iface_wf.store.results import find_result

    with Progress() as progress:
        _, uuid = api.run_stored(request, job_store, workdir, force=force, on_event=progress.tell)
    document = find_result(job_store, uuid, load=True).document
    picture = save_figure(document, api.work_folder(workdir) / f"{file_stem(document)}.png")
    if json:
        data = document.model_dump(mode="json", exclude={"density_difference": {"density": {"blob"}}})
        print_json({"uuid": uuid, "picture": picture, **data})
        return
    print_summary(document)
    say(f"Stored as {document.key[:10]} (iface-wf show {document.key[:10]}).")
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

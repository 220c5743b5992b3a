"""``iface-wf run``: the binding energy of one interface."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    """Compute the binding energy of a polymer and/or salt on a filler, with its parts and charges."""
    from iface_wf import api

    request = api.make_request(
        filler=filler,
        polymer=polymer,
        units=units,
        salt=salt,
        surface=surface,
        engine=engine,
        level=level,
        n_placements=placements,
        seed=seed,
        processes=cores,
    )
    job_store = api.open_store(store)
    if dry_run:
        _print_plan(api.plan(request, job_store), json)
        return

    from iface_wf.cli.progress import Progress
    from iface_wf.cli.summary import print_summary
    from iface_wf.report.page import save_figure

    with Progress() as progress:
        document, uuid = api.run_stored(request, job_store, workdir, force=force, on_event=progress.tell)
    picture = save_figure(document, job_store, api.work_folder(workdir))
    if json:
        data = document.model_dump(mode="json", exclude={"density_difference": {"density": {"blob"}}})
        print_json({"uuid": uuid, "picture": picture, **data})
        return
    print_summary(document)
    say(f"Stored as {document.key[:10]} (iface-wf show {document.key[:10]}).")
    stdout().print(f"Picture: {picture}")


def _print_plan(plan: list[dict[str, object]], json: bool) -> None:
    if json:
        print_json(plan)
        return
    table = plain_table("step", "kind", "engine", "level", "atoms", "stored", right=("atoms",))
    for step in plan:
        table.add_row(
            *(str(step.get(name, "")) for name in ("step", "kind", "engine", "level", "atoms")), _stored(step)
        )
    stdout().print(table)


def _stored(step: dict[str, object]) -> str:
    return {True: "yes", False: "no", None: "known later"}[step["found"]]  # type: ignore[index]

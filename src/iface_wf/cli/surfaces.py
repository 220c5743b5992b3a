"""``iface-wf surfaces``: surface energies of a filler's low-index faces."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import number, plain_table, print_json, say, stdout
from iface_wf.cli.store import mention_older


def surfaces(
    filler: Annotated[
        str, typer.Argument(metavar="FILLER", help="A name, or your own CIF or YAML file.", show_default=False)
    ],
    engine: Annotated[str, typer.Option("--engine", help="A cheap engine: mlip or xtb.")] = "mlip",
    level: opt.Level = None,
    max_index: Annotated[int, typer.Option("--max-index", min=1, max=3, help="Largest Miller index.")] = 1,
    terminations: Annotated[int, typer.Option("--terminations", min=1, help="Most terminations of each face.")] = 3,
    thickness: Annotated[float, typer.Option("--thickness", help="Smallest thickness of the slabs, A.")] = 10.0,
    max_atoms: Annotated[int, typer.Option("--max-atoms", min=1, help="Leave out slabs with more atoms.")] = 400,
    seed: opt.Seed = None,
    store: opt.Store = None,
    workdir: opt.Workdir = None,
    json: opt.Json = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be calculated; run nothing.")] = False,
) -> None:
    """Compute relaxed surface energies of a filler's low-index faces, and its Wulff shape.

    Of each face the terminations that break the least bonds, whole formula units each, relaxed by an ML potential on both
    sides. What is stored is found again, and an interrupted run goes on.
    """
    from iface_wf.api import calculate
    from iface_wf.api.options import opened, work_folder

    given: dict[str, Any] = {
        "filler": filler, "engine": engine, "level": level, "max_index": max_index, "terminations": terminations,
        "thickness": thickness, "max_atoms": max_atoms, "seed": seed, "quantities": ("surface_energy",),
    }  # fmt: skip
    checked = calculate.make_request(**given)
    job_store = opened(store)
    mention_older(job_store)
    if dry_run:
        steps = calculate.plan(checked, job_store)
        if json:
            print_json(steps)
            return
        for step in steps:
            stdout().print(f"{step['step']}  {step['atoms']} atoms  {'stored' if step['found'] else ''}".rstrip())
        return
    from iface_wf.cli.progress import Progress
    from iface_wf.reports.names import file_stem
    from iface_wf.reports.page import save_figure
    from iface_wf.store.results import find_result

    with Progress() as progress:
        _, uuid = calculate.run_stored(checked, job_store, workdir, on_event=progress.tell)
    document = find_result(job_store, uuid).document
    picture = save_figure(document, work_folder(workdir) / f"{file_stem(document)}.png")
    if json:
        print_json({"uuid": uuid, "picture": picture, **document.model_dump(mode="json")})
        return
    _print(document)
    say(f"Stored as {document.key[:10]} (iface-wf show {document.key[:10]}).")
    if picture is not None:
        stdout().print(f"Picture: {picture}")


def _print(document: Any) -> None:
    dispersion = f"-{document.dispersion}" if document.dispersion else ""
    stdout().print(f"\nSurfaces of {document.filler} by {document.functional}{dispersion}, relaxed", style="bold")
    table = plain_table("face", "J/m^2", "atoms", "top", "bottom", "remarks", right=("J/m^2", "atoms"))
    for face in document.by_energy():
        table.add_row(
            face.name, number(face.energy, 3), str(face.n_atoms), face.top, face.bottom, ", ".join(face.remarks)
        )
    stdout().print(table)
    for face, share in document.wulff_shares.items():
        if share > 0.005:
            stdout().print(f"({face}) is {share:.0%} of the Wulff shape")
    for role, cause in document.refused.items():
        say(f"{role} was left out: {cause}")
    for flag in document.flags:
        stdout().print(f"  flag: {flag}", style="yellow")

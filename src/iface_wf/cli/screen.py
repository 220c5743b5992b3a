"""``iface-wf screen``: every filler with every polymer and every salt of a file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout, with_estimate
from iface_wf.cli.store import mention_older

if TYPE_CHECKING:
    from iface_wf.screening.plan import Stage
    from iface_wf.screening.run import Outcome


def screen(
    spec: Annotated[
        Path | None, typer.Argument(metavar="SPEC", help="YAML file, see docs/screening.md.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the calculations; run nothing.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Also try again what has failed twice.")] = False,
    part: Annotated[
        str | None,
        typer.Option(
            "--part",
            metavar="NUMBER/COUNT",
            help="Only this share, from 1, such as $SLURM_ARRAY_TASK_ID/8 in an array 1-8.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept more than 10,000 interfaces.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of SPEC, for completion in editors.")
    ] = False,
    store: opt.Store = None,
    workdir: opt.Workdir = None,
    json: opt.Json = False,
) -> None:
    """Compute all interfaces of a screening that are not stored yet.

    Interrupt it at any time and start it again: what is finished is not repeated. Start it several times, and the
    processes share the work.
    """
    from iface_wf.errors import InputError

    if schema:
        from iface_wf.screening.spec import ScreeningSpec

        print_json(ScreeningSpec.model_json_schema())
        return
    if spec is None:
        raise InputError("Give the YAML file of a screening, for example workflows/two-minutes.yaml.")
    from iface_wf.api import screening
    from iface_wf.api.options import opened
    from iface_wf.library import Library
    from iface_wf.screening.share import read_share

    library = Library()
    share = None if part is None else read_share(part)
    checked = screening.checked_spec(spec, library, yes)
    job_store = opened(store)
    mention_older(job_store)
    if dry_run:
        print_plan(screening.screen(checked, store=job_store, library=library, part=share, yes=yes, dry_run=True), json)
        return
    from iface_wf.cli.screen_progress import ScreeningProgress

    with ScreeningProgress() as progress:
        outcome = screening.screen(
            checked,
            store=job_store,
            workdir=workdir,
            library=library,
            retry=retry,
            part=share,
            yes=yes,
            on_event=progress.tell,
        )
    _print_outcome(outcome, json)
    if outcome.failed:
        raise typer.Exit(1)


def print_plan(stages: list[Stage], json: bool) -> None:
    """Print the counts of a screening, what it costs, and what is to be known before."""
    from dataclasses import asdict

    from iface_wf.screening.estimate import Estimate
    from iface_wf.screening.plan import KINDS, totals

    total = totals(stages)
    if json:
        print_json(total | {"stages": [with_estimate(asdict(stage)) for stage in stages]})
        return
    table = plain_table("stage", "calculations", "all", "stored", "to run", right=("all", "stored", "to run"))
    for stage in stages:
        title = f"{stage.name}: {stage.engine} {stage.level}{'' if stage.exact else ', at most'}"
        table.add_row(title, "interfaces", *_numbers(stage.pairs, stage.stored))
        for kind in KINDS:
            table.add_row("", kind.replace("_", " "), *_numbers(stage.counts[kind], stage.found[kind]))
    stdout().print(table)
    for stage in stages:
        for name, cause in stage.refused:
            say(f"{name} would give no result: {cause}")
    for room in stages[-1].room:
        say(room.remark)
    for sentence in dict.fromkeys(each for stage in stages for each in stage.absent):
        say(sentence)
    stdout().print(sum((stage.cost for stage in stages), Estimate()).sentence)


def _numbers(everything: int, there: int) -> list[str]:
    return [str(everything), str(there), str(everything - there)]


def _print_outcome(outcome: Outcome, json: bool) -> None:
    if json:
        data: dict[str, Any] = {"finished": sorted(outcome.finished), "failed": outcome.failed}
        print_json(data)
        return
    for name, cause in outcome.failed.items():
        say(f"{name}: {cause}")
    if outcome.failed:
        say(f"What there is of one: iface-wf provenance {shlex.quote(next(iter(outcome.failed)))}")
    stdout().print(
        f"{len(outcome.finished)} interfaces are stored, {len(outcome.failed)} gave no result. "
        "List them with: iface-wf results, iface-wf best 10"
    )

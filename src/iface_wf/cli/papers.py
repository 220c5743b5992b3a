"""``iface-wf papers``: published numbers beside ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iface_wf.screening.papers import Paper
    from iface_wf.screening.papers_outcomes import Outcome


def papers(
    paper: Annotated[
        str | None,
        typer.Argument(metavar="[PAPER]", help="One of them, or your own YAML file; default: all.", show_default=False),
    ] = None,
    stored: Annotated[bool, typer.Option("--stored", help="Tell what is stored; calculate nothing.")] = False,
    gas_phase: Annotated[
        bool, typer.Option("--gas-phase", help="Calculate molecules alone; of slabs and crystals tell what is stored.")
    ] = False,
    only: Annotated[
        str | None, typer.Option("--only", metavar="NAME", help="One quantity, by its name.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the page of Markdown, too.", show_default=False)
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", help="Draw both beside each other, too: .png, .svg or .pdf.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the figure.")] = False,
    store: opt.Store = None,
    workdir: opt.Workdir = None,
    json: opt.Json = False,
) -> None:
    """Compute what papers published of molecules, salts and solids, and compare: numbers, uncertainties, trends.

    What is stored is found, and an interrupted run goes on. What is not computed is said, with the reason. Exit code 1 where
    a quantity failed; the others are calculated all the same.
    """
    from iface_wf.api.options import opened, work_folder
    from iface_wf.cli.progress import Progress
    from iface_wf.library import Library
    from iface_wf.screening import papers_ahead
    from iface_wf.screening.papers import read_papers
    from iface_wf.screening.papers_outcomes import outcomes

    chosen = read_papers(paper)
    if only is not None:
        chosen = papers_ahead.only(chosen, only)
    _require_writable(out)
    fmt = None if figure is None else _figure_format(figure, force)
    named = store is not None or bool(os.environ.get("IFACE_WF_STORE"))
    # without a store of one's own the published numbers are there all the same
    job_store, library = opened(store, create=not (stored and named)), Library()
    folder = None if stored else work_folder(workdir)
    if folder is not None and only is None:
        several = [
            (name if paper is None else paper, quantity)
            for name, quantity in papers_ahead.waiting(chosen, job_store, library)
        ]
        papers_ahead.calculate_side_by_side(several, papers_ahead.as_options(store, folder), say)
    with Progress() as progress:
        found: dict[str, list[Outcome]] = {name: [] for name in chosen}
        count, total = 0, sum(len(each.quantities) for each in chosen.values())
        progress.wait(f"[0/{total}]")
        for name, each in chosen.items():
            for outcome in outcomes(each, job_store, library, folder, progress.tell, not gas_phase):
                found[name].append(outcome)
                count += 1
                progress.wait(f"[{count}/{total}] {name}: {outcome.quantity.name}")
    if out is not None:
        from iface_wf.screening.papers_page import page

        out.write_text(page(chosen, found), encoding="utf-8")
        say(f"Wrote {out}")
    if figure is not None and fmt is not None:
        _draw(chosen, found, figure, fmt)
    if json:
        print_json({name: _as_json(each, found[name]) for name, each in chosen.items()})
    else:
        _print(chosen, found)
    failed = [outcome for each in found.values() for outcome in each if outcome.failed]
    if failed:
        for outcome in failed:
            say(f"{outcome.quantity.name}: {outcome.problem}")
        raise typer.Exit(1)


def _require_writable(out: Path | None) -> None:
    """Refuse to write over a file that is not such a page, before anything is calculated."""
    from iface_wf.errors import InputError
    from iface_wf.screening.papers_page import MARK

    if out is None:
        return
    if not out.parent.is_dir():
        raise InputError(f"The folder {out.parent} does not exist.")
    if out.exists() and not (out.is_file() and out.read_bytes().startswith(MARK.encode())):
        raise InputError(f"{out} exists already and is no page of papers; give another name or remove it first.")


def _figure_format(path: Path, force: bool) -> str:
    """Return the format of a figure, before anything is calculated for it."""
    from iface_wf.errors import InputError, shown
    from iface_wf.reports.paths import FIGURE_FORMATS, new_file

    fmt = path.suffix.removeprefix(".").lower()
    if fmt not in FIGURE_FORMATS:
        raise InputError(f"{shown(path.name, 200)} is no name of a figure: end it in .{', .'.join(FIGURE_FORMATS)}.")
    new_file(path, replace=force)
    return fmt


def _draw(chosen: Mapping[str, Paper], found: Mapping[str, Sequence[Outcome]], path: Path, fmt: str) -> None:
    from iface_wf.errors import InputError
    from iface_wf.reports.paths import save
    from iface_wf.reports.published import published_figure
    from iface_wf.screening.papers_figure import panels

    try:
        drawn = published_figure(list(panels(chosen, found)))
    except InputError as error:  # the table is there all the same
        say(f"No figure {path}: {error}")
        return
    save(drawn, path, fmt)
    say(f"Figure: {path}")


def _print(chosen: Mapping[str, Paper], found: Mapping[str, Sequence[Outcome]]) -> None:
    from iface_wf.screening.papers_outcomes import verdict
    from iface_wf.screening.papers_page import cells

    for name, paper in chosen.items():
        source = f" ({paper.doi})" if paper.doi else ""
        stdout().print(f"\n{name}: {paper.title}{source}", style="bold")
        if found[name]:
            unit = ", eV" if any(outcome.unit == "eV" for outcome in found[name]) else ""  # others say their own
            table = plain_table("quantity", f"ours{unit}", f"published{unit}", "model", "method")
            for outcome in found[name]:
                table.add_row(*cells(outcome))
            stdout().print(table)
        by_name = {outcome.quantity.name: outcome for outcome in found[name]}
        for trend in paper.trends:
            answer, by = verdict(trend, by_name)
            stdout().print(f"  trend: {trend.says}: {answer} ({by})")
        for missing in paper.not_computed:
            stdout().print(f"  not computed: {missing.name}: {missing.why}")


def _as_json(paper: Paper, found: Sequence[Outcome]) -> dict[str, object]:
    from iface_wf.screening.papers_outcomes import verdict

    by_name = {outcome.quantity.name: outcome for outcome in found}
    rows = [
        {
            "name": outcome.quantity.name,
            "published": outcome.quantity.published,
            "value": outcome.value,
            "unit": outcome.unit,
            "uncertainty": outcome.uncertainty,
            "key": getattr(outcome.document, "key", None),
            "flags": getattr(outcome.document, "flags", []),
            "model": outcome.quantity.model,
            "problem": outcome.problem,
        }
        for outcome in found
    ]
    trends = [
        dict(zip(("verdict", "by"), verdict(trend, by_name), strict=True)) | {"says": trend.says}
        for trend in paper.trends
    ]
    missing = [each.model_dump() for each in paper.not_computed]
    return {"doi": paper.doi, "quantities": rows, "trends": trends, "not_computed": missing}

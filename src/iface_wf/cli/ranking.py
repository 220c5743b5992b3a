"""``iface-wf best``, ``compare`` and ``provenance``: answers from what the store holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import number, plain_table, print_json, say, stdout


def best(
    count: Annotated[int, typer.Argument(metavar="N", min=1, help="How many.")] = 10,
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", help="PNG file for a picture of bars with uncertainties; it must not exist."),
    ] = None,
    fmt: opt.TableFormat = None,
    out: opt.TableOut = None,
    columns: opt.Columns = None,
    wide: opt.Wide = False,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """List the N most strongly bound interfaces with a trustworthy energy, and say which cannot be told apart."""
    from iface_wf.api import stored
    from iface_wf.cli import tables
    from iface_wf.cli.results import print_rows
    from iface_wf.documents.kinds import get_kind
    from iface_wf.reports.paths import new_file, save
    from iface_wf.store.results import method_of

    asked = tables.asked(fmt, out, columns, json)
    if figure is not None:
        new_file(figure)
    table = stored.best(
        count,
        store,
        kind=kind,
        where=where,
        filler=filler,
        polymer=polymer,
        salt=salt,
        engine=engine,
        level=level,
    )
    alike = table.attrs["not_told_apart"]
    methods = sorted({method_of(row) for row in table.to_dict("records")})
    if len(methods) > 1:
        say(f"These are of unlike methods ({', '.join(methods)}); choose one with --engine, --level and --where.")
    if not tables.written(table, asked, {"not_told_apart": alike}):
        if table.empty:
            say("No trustworthy results (or none that match).")
        else:
            print_rows(table, asked.columns_of(table), wide)
            shown = get_kind(table.attrs["kind"])
            _print_ties(alike, next(each.unit for each in shown.columns if each.name == shown.headline).split()[0])
    if figure is not None and table.empty:
        say(f"No picture {figure}: there is nothing to draw.")
    elif figure is not None:
        from iface_wf.reports.ranking import ranking_figure

        save(ranking_figure(table, get_kind(table.attrs["kind"])), figure)
        say(f"Picture: {figure}")


def _print_ties(alike: list[dict[str, Any]], unit: str) -> None:
    """Say which results differ by less than their difference is known."""
    for first in dict.fromkeys(tie["first"] for tie in alike):
        others = ", ".join(
            f"{tie['second'][:8]} ({tie['difference']:.3f} +- {tie['uncertainty']:.3f} {unit})"
            for tie in alike
            if tie["first"] == first
        )
        stdout().print(f"{first[:8]} cannot be told apart from {others}")


def _print_places(method: str, alike: list[dict[str, Any]], places: dict[str, int]) -> None:
    """Say which places of one method's order cannot be told apart, neighbours as a range."""
    later: dict[int, set[int]] = {}
    for tie in alike:
        low, high = sorted((places[tie["first"]], places[tie["second"]]))
        later.setdefault(low, set()).add(high)
    told = [f"{place} and {_ranges(sorted(others - {place}) or [place])}" for place, others in sorted(later.items())]
    if told:
        stdout().print(f"{method}: these places cannot be told apart: {'; '.join(told)}")


def _ranges(numbers: list[int]) -> str:
    """Write ascending whole numbers in short, for example ``2-4, 7``."""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and each == runs[-1][1] + 1:
            runs[-1][1] = each
        else:
            runs.append([each, each])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def compare(
    first: Annotated[
        str, typer.Argument(metavar="LEVEL_A", help="Level, or engine/level such as xtb/fast or 'PBE-D3(BJ)/fast'.")
    ],
    second: Annotated[str, typer.Argument(metavar="LEVEL_B", help="The other one.")],
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    kind: opt.KindName = None,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """Compare the numbers and the order of two levels."""
    from iface_wf.api import stored
    from iface_wf.documents.kinds import DEFAULT_KIND, get_kind

    headline = get_kind(kind or DEFAULT_KIND).headline
    both = stored.compare(first, second, store, kind=kind, filler=filler, polymer=polymer, salt=salt)
    unit = both.attrs.pop("units")[headline]
    if json:
        print_json({**both.attrs, "rows": both.to_dict("records")})
        return
    methods = both.attrs["methods"]
    known = [f"{each.uncertainty} {i}" for each in get_kind(kind or DEFAULT_KIND).columns for i in (1, 2)
             if each.name == headline]  # fmt: skip
    values = (f"{headline} 1", f"{headline} 2", "difference")
    rows = []
    for row in both.to_dict("records"):
        spreads = (row.get(c) for c in (*known, "difference uncertainty"))
        numbers = (number(row[c], uncertainty=spread) for c, spread in zip(values, spreads, strict=True))
        told = (row[c] for c in ("filler", "surface", "polymer", "units", "salt"))
        names = ["" if each is None or each != each else str(each) for each in told]
        rows.append([*names, *numbers, f"{row['rank 1']}, {row['rank 2']}"])
    _print_compared(["filler", "surface", "polymer", "n", "salt", *methods, "difference", "places"], rows)
    for i, (method, alike) in enumerate(zip(methods, both.attrs["not_told_apart"], strict=True), 1):
        _print_places(method, alike, dict(zip(both[f"key {i}"], both[f"rank {i}"], strict=True)))
    attrs = both.attrs
    order = (
        "too few for a correlation"
        if attrs["spearman"] is None
        else f"rank correlation {attrs['spearman']:+.2f} (Spearman), {attrs['kendall']:+.2f} (Kendall)"
    )
    stdout().print(
        f"{attrs['n']} results, {headline} in {unit}; {order}; {methods[1]} - {methods[0]}: mean "
        f"{attrs['mean_difference']:+.3f}, mean size {attrs['mean_absolute_difference']:.3f}"
        + (f"; {both['agree'].sum()} differ by less than their uncertainty" if "agree" in both else "")
    )


def _print_compared(headings: list[str], rows: list[list[str]]) -> None:
    """Print the rows of a comparison; where they do not fit, the names share a column and the methods stand below."""
    console, names = stdout(), 5
    width = sum(max(map(len, cells)) + 3 for cells in zip(headings, *rows, strict=True))
    if width <= console.width or not console.is_terminal:
        shown = plain_table(*headings, right=tuple(headings[names:]))
        for row in rows:
            shown.add_row(*row)
        console.print(shown)
        return
    first, second = headings[names : names + 2]
    short = ["first", "second", *headings[names + 2 :]]
    shown = plain_table(", ".join(headings[:names]), *short, right=tuple(short))
    for row in rows:
        shown.add_row(" ".join(filter(None, row[:names])), *row[names:])
    console.print(shown)
    console.print(f"first: {first}; second: {second}")


def provenance(identifier: opt.Identifier, store: opt.Store = None, json: opt.Json = False) -> None:
    """Trace every energy of a result, also of one that is not finished, to its calculation and input files."""
    from iface_wf.store.provenance import trace
    from iface_wf.store.settings import open_store

    found = trace(open_store(store, create=False), identifier)
    if json:
        print_json(found)
        return
    table = plain_table("term", "energy / eV", "code", "job", "folder", "files", right=("energy / eV",))
    for calculation in found["calculations"]:
        energy = calculation["energy"]
        table.add_row(
            calculation["role"],
            "-" if energy is None else f"{energy:.4f}",
            " ".join(
                str(calculation.get(name, "")) for name in ("engine", "engine_version", "level", "functional")
            ).strip(),
            str(calculation.get("uuid", calculation.get("missing")))[:36],
            str(calculation.get("directory", "")),
            ", ".join(calculation.get("files", [])),
        )
    stdout().print(table)
    if "unfinished" in found:
        name = f" ({found['unfinished']})" if found["unfinished"] else ""
        failed = f"It failed: {found['failure']}" if found["failure"] else "The same command goes on with it."
        say(f"{found['key']}{name} is not finished. {failed}")
        return
    stdout().print(f"Result {found['key']}, job {found['uuid']}; --json gives all settings and versions.")

"""``iface-wf reactions``: whether two solids react where they touch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout


def reactions(
    first: Annotated[str, typer.Argument(metavar="SOLID", help="A filler, or a formula such as Li7La3Zr2O12.")],
    second: Annotated[str, typer.Argument(metavar="SOLID", help="The other one.")],
    entries: Annotated[
        Path,
        typer.Option(
            "--entries",
            help="JSON list of pymatgen's ComputedEntry: energies of all phases by one method.",
            show_default=False,
        ),
    ],
    json: opt.Json = False,
) -> None:
    """Tell into which phases two solids react, and what that gains.

    Energies are those of the file; an element or a solid that it lacks is named, never guessed. Nothing is calculated or stored.
    """
    from dataclasses import asdict

    from iface_wf.analysis.reactions import reactivity
    from iface_wf.library import Library
    from iface_wf.library.entries import read_entries
    from iface_wf.library.volumes import formula_of

    library = Library()
    found = reactivity(formula_of(first, library), formula_of(second, library), read_entries(entries))
    if json:
        print_json({**asdict(found), "stable": found.stable, "units": {"energy": "eV/atom", "molar": "kJ/mol"}})
        return
    table = plain_table("mole fraction", "reaction", "eV/atom", "kJ/mol", right=("mole fraction", "eV/atom", "kJ/mol"))
    for each in found.reactions:
        table.add_row(f"{each.share:.3f}", each.equation, f"{each.energy:+.4f}", f"{each.molar:+.1f}")
    stdout().print(f"\n{found.first} | {found.second}", style="bold")
    stdout().print(table)
    best = found.strongest
    stdout().print(
        f"No mixture gains energy: stable against each other, by {found.entries} entries."
        if found.stable
        else f"They react, {best.energy:+.3f} eV/atom at most: {best.equation}; by {found.entries} entries."
    )
    for remark in found.remarks:
        say(remark)

"""A table of results for a narrow terminal: names first, then numbers, flags as short words, and what is left out is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from iface_wf.documents.kinds import get_kind
from iface_wf.reports.tables import Grid, grid
from iface_wf.store.results import NAMES

if TYPE_CHECKING:
    import pandas as pd

GAP = 3
"""Spaces between columns; two more stand around them."""
DOUBT = "!"
#: Flags as short words, each without a space so that no line ends in it; others are shown by their own name.
SHORT = {
    "scf_unconverged": "no-SCF",
    "geometry_unconverged": "no-minimum",
    "implausible_forces": "forces",
    "isolated_atoms": "atoms",
    "desorbed": "desorbed",
    "dissociated": "broken",
    "clash": "clash",
    "slab_changed": "slab",
    "charged_cell": "charged",
    "charge_uncorrected": "charge",
    "ion_left_slab": "ion-out",
    "rejected": "rejected",
    "uncorrected_basis": "no-CP",
    "density_missing": "no-density",
    "deformation_of_cheap_geometry": "deform",
    "unbound_at_cheap_geometry": "unbound",
    "charge_transfer_failed": "no-charges",
    "difference_failed": "no-difference",
    "ion_pair_separated": "ions-apart",
    "reconstructed": "reconstr",
}


class Compact(NamedTuple):
    """A table that fits.

    Attributes
    ----------
    grid
        Headings and cells.
    same
        What is the same in all rows, and stands in no column, by name.
    left_out
        Columns that found no room.
    legend
        Meaning of the short words, by word.
    """

    grid: Grid
    same: dict[str, str]
    left_out: list[str]
    legend: dict[str, str]


def compact(table: pd.DataFrame, width: int, number: Callable[[Any, int, Any], str]) -> Compact:
    """Choose the columns of a table that fit into a width.

    Parameters
    ----------
    table
        Of `iface_wf.results`.
    width
        Characters.
    number
        Writes a value with some digits and, where known, its uncertainty.
    """
    kind = get_kind(table.attrs["kind"])
    full = grid(table, None, number)
    cells: dict[str, list[str]] = {name: [row[i] for row in full.rows] for i, name in enumerate(full.headings)}
    legend: dict[str, str] = {}
    cells["flags"] = [
        _short(flags, bool(good), legend) for flags, good in zip(table["flags"], table["trustworthy"], strict=True)
    ]
    if not any(cells["flags"]):
        del cells["flags"]
    names = [column.name for column in NAMES if column.shown]
    for name in names:
        if not any(cells.get(name, ())):
            cells.pop(name, None)
    same = {name: cells[name][0] for name in ("method", "surface", "units") if name in cells and _same(cells[name])}
    needed = [name for name in ("ID", "filler", "polymer", "salt", "method", kind.headline, "flags")
              if name in cells and name not in same]  # fmt: skip
    chosen = set(needed)
    for name in [each for each in cells if each not in chosen]:
        if _width({n: cells[n] for n in (*chosen, name)}) <= width:
            chosen.add(name)
    order = [name for name in cells if name in chosen]
    numeric = dict(zip(full.headings, full.numeric, strict=True))
    rows = [list(row) for row in zip(*(cells[name] for name in order), strict=True)]
    shown = Grid(order, [numeric[n] for n in order], rows, {n: u for n, u in full.units.items() if n in chosen})
    left = [name for name in cells if name not in chosen and name not in same]
    return Compact(shown, {n: text for n, text in same.items() if n not in chosen}, left, legend)


def _same(cells: list[str]) -> bool:
    return len(set(cells)) == 1


def _width(cells: dict[str, list[str]]) -> int:
    return sum(max(len(name), *map(len, texts)) for name, texts in cells.items()) + GAP * (len(cells) - 1) + 2


def _short(flags: list[str], trustworthy: bool, legend: dict[str, str]) -> str:
    """Return flags as short words, and enter these into the legend."""
    words = []
    for flag in flags:
        name = flag.split("(")[0].split(":")[0].strip()
        words.append(SHORT.get(name, name))
        if words[-1] != name:
            legend[words[-1]] = name
    if not trustworthy:
        legend[DOUBT] = "NOT TRUSTWORTHY"
    return " ".join([*([] if trustworthy else [DOUBT]), *filter(None, [", ".join(dict.fromkeys(words))])])

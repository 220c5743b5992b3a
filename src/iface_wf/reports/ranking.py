"""Figure of a table of results: one bar each, with its uncertainty."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from iface_wf.documents.kinds import ResultKind
from iface_wf.reports.figures import LABEL_SIZE, new_figure
from iface_wf.reports.names import quantity_label

MOST = 60
"""Bars in one figure; more cannot be read."""


def ranking_figure(table: pd.DataFrame, kind: ResultKind) -> Figure:
    """Draw the numbers of the first rows of a table, the first one on top.

    Parameters
    ----------
    table
        From `iface_wf.store.results.result_table`: rows that may be quoted.
    kind
        Of these results.

    Returns
    -------
    Figure
        Horizontal bars; the line at the end of one is its uncertainty, both ways. A bar without a line has none that is known.
    """
    headline = next(column for column in kind.columns if column.name == kind.headline)
    rows = table.head(MOST)
    figure = new_figure(7.0, 1.1 + 0.28 * len(rows))
    axes = figure.subplots()
    places = range(len(rows))
    known = rows[headline.uncertainty] if headline.uncertainty else pd.Series(float("nan"), index=rows.index)
    axes.barh(places, rows[headline.name], height=0.7, color="0.72", edgecolor="0.35", lw=0.6)
    axes.errorbar(
        rows[headline.name], places, xerr=known.astype(float).fillna(0.0).where(known.notna()),
        fmt="none", ecolor="0.1", elinewidth=1.1, capsize=3.0,
    )  # fmt: skip
    axes.axvline(0.0, color="0.35", lw=0.8)
    axes.set_yticks(places, [_name(row) for row in rows.to_dict("records")], fontsize=8, parse_math=False)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel(quantity_label(headline), fontsize=LABEL_SIZE)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def _name(row: dict[Any, Any]) -> str:
    """Name a row, for example ``PEO x 2 + LiTFSI on SiO2`` or ``LiTFSI``; long names of files are cut."""
    if row.get("reaction"):
        return str(row["reaction"])[:60]
    if row.get("partner") and not row["polymer"] and not row["salt"]:
        return f"{PurePath(str(row['filler'])).name} | {PurePath(str(row['partner'])).name}"[:60]
    units = "" if pd.isna(row["units"]) else f" x {int(row['units'])}"
    molecule = " + ".join(str(part) for part in (f"{row['polymer'] or ''}{units}", row["salt"]) if part)
    partner = f" with {row['partner']}" if row.get("partner") else ""
    filler = f" on {PurePath(str(row['filler'])).name}" if row["filler"] else ""
    return f"{molecule or 'molecule'}{partner}{filler}"[:60]

"""Filler against molecule: the lowest number of each pair, with its uncertainty."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from iface_wf.documents.kinds import ResultKind
from iface_wf.errors import InputError
from iface_wf.reports.figures import LABEL_SIZE, new_figure
from iface_wf.reports.names import quantity_label

MOST = 40
"""Rows and columns of one figure; more cannot be read."""
_BESIDE = ("filler", "partner")
"""What stands beside the molecules: the first of these that any result has."""
_FLAT = 0.005
"""Numbers nearer to each other than this are written alike, and have one colour."""


def heat_map_figure(table: pd.DataFrame, kind: ResultKind) -> Figure:
    """Draw the numbers that a kind of result is about, filler by filler (or partner by partner) and molecule by molecule.

    Parameters
    ----------
    table
        From `iface_wf.store.results.result_table`. Only rows that are trustworthy count; of several of one pair the lowest.
    kind
        Of these results.

    Returns
    -------
    Figure
        The number of each pair is written in its field, the uncertainty below it.

    Raises
    ------
    InputError
        When no row can be drawn, or there are more than 40 fillers or molecules.
    """
    headline = next(column for column in kind.columns if column.name == kind.headline)
    rows = table[table["trustworthy"] & table[headline.name].notna()].sort_values(headline.name, kind="stable")
    if rows.empty:
        raise InputError(f"There is nothing to draw: no result {'matches' if table.empty else 'is trustworthy'}.")
    beside = next((name for name in _BESIDE if name in rows and rows[name].astype(bool).any()), "")
    molecules = [_molecule(p, s) for p, s in zip(rows["polymer"], rows["salt"], strict=True)]
    others = [str(each) if each else "" for each in rows[beside]] if beside else [""] * len(rows)
    rows = rows.assign(molecule=molecules, beside=others).drop_duplicates(["beside", "molecule"], keep="first")
    across, down = (sorted(set(rows[name]), key=str.casefold) for name in ("molecule", "beside"))
    if max(len(across), len(down)) > MOST:
        raise InputError(
            f"{len(down)} {beside or 'row'}s and {len(across)} molecules cannot be read in one figure: choose {MOST} at most."
        )
    values, spreads = np.full((2, len(down), len(across)), np.nan)
    for row in rows.to_dict("records"):
        place = down.index(row["beside"]), across.index(row["molecule"])
        values[place] = row[headline.name]
        spreads[place] = row[headline.uncertainty] if headline.uncertainty else np.nan
    figure = new_figure(1.1 * len(across) + 3.2, 0.55 * len(down) + 1.8)
    ax = figure.subplots()
    low, high = np.nanmin(values), np.nanmax(values)
    half = 0.0 if high - low > _FLAT else 10 * _FLAT  # one number, or all the same: a scale around it
    image = ax.imshow(values, cmap="cividis", aspect="auto", vmin=low - half, vmax=high + half)
    for i, j in np.argwhere(np.isfinite(values)):
        spread = "" if np.isnan(spreads[i, j]) else f"\n± {spreads[i, j]:.2f}"
        ink = "black" if (values[i, j] - low + half) / (high - low + 2 * half) > 0.45 else "white"
        ax.text(j, i, f"{values[i, j]:.2f}{spread}".replace("-", "−"), ha="center", va="center", fontsize=8, color=ink)
    ax.set_xticks(
        range(len(across)), [name[:40] for name in across], fontsize=8, rotation=30, ha="right", parse_math=False
    )
    ax.set_yticks(range(len(down)), [PurePath(name).name[:40] for name in down], fontsize=8, parse_math=False)
    ax.set_xlabel("polymer, salt", fontsize=LABEL_SIZE)
    ax.set_ylabel(beside, fontsize=LABEL_SIZE)
    bar = figure.colorbar(image, ax=ax)
    bar.set_label(quantity_label(headline), fontsize=LABEL_SIZE)
    bar.formatter.set_useOffset(False)  # type: ignore[attr-defined]
    bar.ax.tick_params(labelsize=8)
    return figure


def _molecule(polymer: object, salt: object) -> str:
    return " + ".join(str(each) for each in (polymer, salt) if each and not pd.isna(each)) or "molecule"  # type: ignore[call-overload]

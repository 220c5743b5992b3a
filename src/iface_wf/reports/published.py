"""Published numbers beside ours: one panel for each paper and quantity, our numbers with their uncertainties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from iface_wf.errors import InputError
from iface_wf.reports.figures import LABEL_SIZE, new_figure

OURS, PUBLISHED, DOUBTED = "#0072B2", "#D55E00", "0.45"
"""Blue and vermilion differ for all kinds of colour vision (10.1038/nmeth.1618); the shapes of the marks differ too."""
MOST = 60
"""Lines in one figure; more cannot be read."""
_LONGEST = 60


class Published(NamedTuple):
    """One number of a paper.

    Attributes
    ----------
    name
        What the paper calls it.
    published
        The paper's number; None where it gives none.
    ours
        Our number; None where there is none.
    uncertainty
        Of our number; None where nothing is known of it.
    trustworthy
        Whether our number may be quoted.
    problem
        Why there is no number of ours.
    """

    name: str
    published: float | None
    ours: float | None
    uncertainty: float | None = None
    trustworthy: bool = True
    problem: str = ""


class Panel(NamedTuple):
    """Numbers of one paper that are of one kind.

    Attributes
    ----------
    title
        Of the paper.
    label
        Quantity and unit.
    numbers
        From top to bottom.
    """

    title: str
    label: str
    numbers: Sequence[Published]


def published_figure(panels: Sequence[Panel]) -> Figure:
    """Draw published numbers beside ours.

    Parameters
    ----------
    panels
        From top to bottom; those in which there is no number at all are left out.

    Returns
    -------
    Figure
        Circles: ours, the line through one is its uncertainty, both ways; a circle without a line has none that is known.
        Diamonds: published. Crosses: ours, not trustworthy.

    Raises
    ------
    InputError
        When there is no number to draw, or there are more than 60 in one figure.
    """
    drawn = [panel for panel in panels if any(n.published is not None or n.ours is not None for n in panel.numbers)]
    if not drawn:
        raise InputError("There is nothing to draw: no number is published, and none of ours is stored.")
    lines = [len(panel.numbers) for panel in drawn]
    if sum(lines) > MOST:
        raise InputError(f"{sum(lines)} numbers cannot be read in one figure: choose one paper of at most {MOST}.")
    figure = new_figure(7.5, 0.7 + sum(0.95 + 0.32 * count for count in lines))
    axes = figure.subplots(len(drawn), 1, height_ratios=[count + 0.6 for count in lines], squeeze=False)[:, 0]
    for ax, panel in zip(axes, drawn, strict=True):
        _panel(ax, panel)
    figure.legend(handles=_legend(drawn), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    known: list[float] = []
    for place, number in enumerate(panel.numbers):
        if number.published is not None:
            ax.plot(number.published, place, ls="", marker="D", ms=6, mfc="none", mec=PUBLISHED, mew=1.4)
            known.append(number.published)
        if number.ours is not None:
            spread = number.uncertainty or 0.0
            marks = {"marker": "o", "color": OURS} if number.trustworthy else {"marker": "x", "color": DOUBTED}
            ax.plot(number.ours, place, ls="", ms=6, **marks)  # type: ignore[arg-type]
            if number.uncertainty is not None:
                ax.errorbar(
                    number.ours, place, xerr=spread, fmt="none", ecolor=marks["color"], elinewidth=1.1, capsize=3
                )
            known += [number.ours - spread, number.ours + spread]
    low, high = min(known), max(known)
    room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    ax.set(xlim=(low - room, high + room), ylim=(len(panel.numbers) - 0.5, -0.5))
    for place, number in enumerate(panel.numbers):
        if number.ours is None:
            at_left = number.published is None or number.published > (low + high) / 2
            told = f" {(number.problem or 'not computed')[:_LONGEST]} "
            ax.text(0.0 if at_left else 1.0, place, told, transform=ax.get_yaxis_transform(), fontsize=7.5,
                    color="0.35", va="center", ha="left" if at_left else "right", parse_math=False)  # fmt: skip
    ax.set_yticks(range(len(panel.numbers)), [n.name[:_LONGEST] for n in panel.numbers], fontsize=8, parse_math=False)
    ax.set_xlabel(panel.label, fontsize=LABEL_SIZE)
    ax.set_title(panel.title[:110], fontsize=9, loc="left", parse_math=False)
    ax.tick_params(axis="x", labelsize=8)
    ax.grid(axis="y", color="0.9", lw=0.7)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _legend(panels: Sequence[Panel]) -> list[Line2D]:
    numbers = [number for panel in panels for number in panel.numbers]
    found = [Line2D([], [], ls="-", lw=1.1, marker="o", color=OURS, label="ours, with its uncertainty")]
    if any(number.published is not None for number in numbers):
        found.append(Line2D([], [], ls="", marker="D", mfc="none", mec=PUBLISHED, mew=1.4, label="published"))
    if any(number.ours is not None and not number.trustworthy for number in numbers):
        found.append(Line2D([], [], ls="", marker="x", color=DOUBTED, label="ours, NOT TRUSTWORTHY"))
    return found

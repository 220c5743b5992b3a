"""Figure of how far the calculations of a result and the search for its placement converged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from iface_wf.reports.convergence import STEPS_NOT_STORED, Candidate, Cycles, Relaxed
from iface_wf.reports.figures import LABEL_SIZE, new_figure

_GOOD, _BAD, _LIMIT = "#0072B2", "#D55E00", "0.35"
_WIDE = 20.0
"""Where a force is larger than its limit by this factor, the axis is logarithmic."""
_LINES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "0.3")
"""Of relaxations step by step: colours that the colour-blind tell apart (Okabe and Ito)."""
_LEAST = 1e-5
"""Forces below this are drawn here on a logarithmic axis, eV/A: a single atom has none at all."""


def convergence_figure(
    relaxations: Sequence[Relaxed], cycles: Sequence[Cycles], candidates: Sequence[Candidate], title: str
) -> Figure:
    """Draw where relaxations, self-consistency and a search ended; a panel for each of which something is known.

    Parameters
    ----------
    relaxations, cycles, candidates
        Of `iface_wf.reports.convergence`; one of them at least is not empty.
    title
        Printed as it is.

    Returns
    -------
    Figure
        Blue: converged; vermilion crosses and hatched bars: not. What is not stored is said below the panels.
    """
    panels: list[tuple[int, Callable[[Axes], None]]] = []
    if relaxations:
        panels.append((len(relaxations), lambda ax: _forces(ax, relaxations)))
    walked = [each for each in relaxations if len(each.step_forces) > 1 and len(each.step_energies) > 1]
    if walked:
        panels.append((7, lambda ax: _steps(ax, walked, forces=True)))
        panels.append((7, lambda ax: _steps(ax, walked, forces=False)))
    if cycles:
        panels.append((len(cycles), lambda ax: _cycles(ax, cycles)))
    if candidates:
        panels.append((7, lambda ax: _search(ax, candidates)))
    heights = [max(lines, 2) + 1.5 for lines, _ in panels]
    figure = new_figure(7.0, 0.9 + 0.28 * sum(heights) + 0.3 * len(panels))
    axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for ax, (_, draw) in zip(axes, panels, strict=True):
        draw(ax)
        ax.tick_params(labelsize=8)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    missing = [
        *([] if relaxations else ["No relaxation of this result is in the store."]),
        *([STEPS_NOT_STORED] if any(not each.step_forces for each in relaxations) else []),
        *([] if cycles else ["The engine tells no cycles of self-consistency."]),
        *([] if candidates else ["No search for a placement is stored."]),
    ]
    figure.suptitle(title, fontsize=10, x=0.02, ha="left", parse_math=False)
    figure.supxlabel("\n".join(missing), fontsize=7.5, color="0.35", x=0.02, ha="left")
    return figure


def _forces(ax: Axes, relaxations: Sequence[Relaxed]) -> None:
    forces = [each.force for each in relaxations if each.force is not None]
    limits = [each.limit for each in relaxations if each.limit is not None]
    wide = max(forces, default=0.0) > _WIDE * min(limits, default=1.0)
    for place, each in enumerate(relaxations):
        if each.limit is not None:
            ax.plot([each.limit] * 2, [place - 0.35, place + 0.35], color=_LIMIT, lw=1.4)
        if each.force is not None:
            marker, colour = ("o", _GOOD) if each.converged else ("X", _BAD)
            ax.plot(max(each.force, _LEAST if wide else 0.0), place, marker=marker, color=colour, ms=7, clip_on=False)
    for place, each in enumerate(relaxations):
        steps = "steps not told" if each.steps is None else f"{each.steps} step{'' if each.steps == 1 else 's'}"
        told = steps if each.force is not None else f"{steps}, force not told"
        ax.text(1.01, place, told, transform=ax.get_yaxis_transform(), fontsize=8, va="center")
    _names(ax, [each.name for each in relaxations])
    if wide:
        ax.set_xscale("log")
        ax.margins(x=0.12)
    else:
        ax.set_xlim(0.0, 1.12 * max([*forces, *limits, _LEAST]))
    ax.set_xlabel("largest force at the end / eV Å$^{-1}$", fontsize=LABEL_SIZE)
    handles = [Line2D([], [], color=_LIMIT, lw=1.4, label="limit")]
    handles.append(Line2D([], [], ls="", marker="o", color=_GOOD, label="converged"))
    if not all(each.converged for each in relaxations):
        handles.append(Line2D([], [], ls="", marker="X", color=_BAD, label="not converged"))
    ax.legend(handles=handles, fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3)


def _steps(ax: Axes, relaxations: Sequence[Relaxed], forces: bool) -> None:
    """Draw relaxations step by step: the largest force, or the energy above that of the end."""
    for number, each in enumerate(relaxations):
        values = [max(force, _LEAST) for force in each.step_forces]
        if not forces:
            values = [energy - each.step_energies[-1] for energy in each.step_energies]
        style = "-" if number < len(_LINES) else "--"
        ax.plot(range(len(values)), values, style, color=_LINES[number % len(_LINES)], lw=1.3, label=each.name[:40])
    limits = {each.limit for each in relaxations if each.limit is not None}
    if forces:
        ax.set_yscale("log")
        for limit in limits:
            ax.axhline(limit, color=_LIMIT, lw=1.0, ls=":")
    ax.set_xlabel("ionic step", fontsize=LABEL_SIZE)
    quantity = "largest force / eV Å$^{-1}$" if forces else "energy above the last / eV"
    ax.set_ylabel(quantity, fontsize=LABEL_SIZE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if forces:
        ax.legend(fontsize=7, frameon=False, ncols=2)


def _cycles(ax: Axes, cycles: Sequence[Cycles]) -> None:
    for place, each in enumerate(cycles):
        colour, hatch = (_GOOD, "") if each.converged else (_BAD, "//")
        ax.barh(place, each.taken, height=0.6, color=colour, hatch=hatch, edgecolor="white")
        of = "" if each.most is None else f" of at most {each.most}"
        ax.text(each.taken, place, f" {each.taken}{of}", fontsize=8, va="center")
    _names(ax, [each.name for each in cycles])
    ax.set_xlim(0, 1.25 * max(each.taken for each in cycles))
    ax.set_xlabel("cycles of self-consistency of single points", fontsize=LABEL_SIZE)


def _search(ax: Axes, candidates: Sequence[Candidate]) -> None:
    for relaxed, face, label in ((True, _GOOD, "relaxed to the end"), (False, "none", "given up early, as expected")):
        others = [
            (c.number, c.energy) for c in candidates if c.energy is not None and c.relaxed is relaxed and not c.chosen
        ]
        if others:
            ax.plot(*zip(*others, strict=True), ls="", marker="o", ms=5, mec=_GOOD, mfc=face, label=label)
    for each in candidates:
        if each.chosen and each.energy is not None:
            ax.plot(
                each.number, each.energy, ls="", marker="*", ms=10, color=_LINES[1], label="chosen, relaxed on as AB"
            )
    so_far = [(c.number, c.best) for c in candidates if c.best is not None]
    ax.step(*zip(*so_far, strict=True), where="post", color="0.15", lw=1.3, label="lowest so far")
    failed = [c.number for c in candidates if c.energy is None]
    if failed:
        ax.plot(failed, [0.0] * len(failed), ls="", marker="x", color=_BAD, label="could not be calculated")
    ax.set_xlabel("candidate, in the order in which they were proposed", fontsize=LABEL_SIZE)
    ax.set_ylabel("energy above the lowest / eV", fontsize=LABEL_SIZE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(fontsize=8, frameon=False)


def _names(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), [name[:40] for name in names], fontsize=8, parse_math=False)
    ax.set_ylim(len(names) - 0.4, -0.6)

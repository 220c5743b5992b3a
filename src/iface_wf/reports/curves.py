"""Figures of single quantities: the charge that each atom lost, and the potential along the normal."""

from __future__ import annotations

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pymatgen.core import Structure

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import SLAB_PARTS
from iface_wf.reports.figures import LABEL_SIZE, TURN, draw_box, draw_cell, frame_of, looking_along, new_figure
from iface_wf.reports.scene import Array, View, scene_of


def transfer_figure(structure: Structure, transfer: list[float], title: str, *, along: int | None = None) -> Figure:
    """Draw the atoms of an interface from the side and from above, coloured by the charge that they lost.

    Parameters
    ----------
    structure
        Relaxed interface, labelled sites.
    transfer
        By atom, e, positive = lost electrons.
    title
        Printed as it is.
    along
        Cell vector to look along from the side, 0 or 1; by default the one that shows most of the molecule.

    Returns
    -------
    Figure
        The scale is the same for both signs; orange: electrons lost, purple: gained.
    """
    scene = scene_of(structure)
    numbers = scene.numbers[: len(structure)]
    values = np.array(transfer)
    limit = max(float(np.abs(values).max()), 1e-3)
    vector = looking_along(structure) if along is None else np.asarray(structure.lattice.matrix[along])
    views = (View.side(vector, TURN), View.top())
    frames = [frame_of(structure, scene, view) for view in views]
    extents = [np.ptp(frame, axis=0) for frame in frames]
    widths = [float(np.clip(4.0 * e[0] / e[1], 2.0, 7.0)) for e in extents]
    figure = new_figure(sum(widths) + 2.0, 5.0)
    axes = figure.subplots(1, 2, width_ratios=widths)
    molecule = [i for i, label in enumerate(structure.site_properties.get("component", ())) if label not in SLAB_PARTS]
    names = (("across / Å", "z / Å"), ("x / Å", "y / Å"))
    for ax, view, (low, high), labels in zip(axes, views, frames, names, strict=True):
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        flat = view.project(scene.positions)
        shown = _atoms(ax, flat[: len(structure)], numbers, values, limit)
        ax.add_collection(LineCollection([flat[[i, j], :2] for i, j in scene.sticks], colors="0.6", lw=1.0, zorder=0.5))
        for i in molecule:  # those of the slab would hide each other
            ax.text(*flat[i, :2], chemical_symbols[numbers[i]], fontsize=6, ha="center", va="center", color="0.2",
                    clip_on=True, bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.6})  # fmt: skip
        draw_box(ax, structure, view) if view is views[0] else draw_cell(ax, structure, view)
        ax.set_xlabel(labels[0], fontsize=LABEL_SIZE)
        ax.set_ylabel(labels[1], fontsize=LABEL_SIZE)
    bar = figure.colorbar(shown, ax=axes, shrink=0.8)
    bar.set_label("charge transfer / e, positive = electrons lost", fontsize=LABEL_SIZE)
    bar.ax.tick_params(labelsize=8)
    figure.suptitle(title, fontsize=10, x=0.02, ha="left", parse_math=False)
    return figure


def _atoms(ax: Axes, flat: Array, numbers: NDArray[np.int_], values: Array, limit: float) -> EllipseCollection:
    order = np.argsort(flat[:, 2])  # far ones first
    size = 1.3 * covalent_radii[numbers[order]]
    circles = EllipseCollection(
        size, size, np.zeros(len(order)), offsets=flat[order, :2], units="x", offset_transform=ax.transData,
        edgecolors="0.2", linewidths=0.6, cmap="PuOr_r",
    )  # fmt: skip
    circles.set_array(values[order])
    circles.set_clim(-limit, limit)
    ax.add_collection(circles)
    ax.tick_params(labelsize=8)
    return circles


def potential_figure(calculation: CalculationDocument, title: str) -> Figure:
    """Draw the potential along the normal of a slab, with vacuum levels and work functions where they are known.

    Parameters
    ----------
    calculation
        With a ``potential_z``.
    title
        Printed as it is.
    """
    structure = calculation.atoms_structure
    values = np.array(calculation.potential_z)
    height = structure.volume / float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))
    z = np.linspace(0.0, height, len(values), endpoint=False)
    figure = new_figure(6.5, 4.0)
    ax = figure.subplots()
    ax.plot(z, values, color="0.15", lw=1.2)
    if calculation.fermi_level is not None:
        ax.axhline(calculation.fermi_level, color="#0072B2", lw=0.9, ls="--")
        ax.text(z[-1], calculation.fermi_level, "Fermi level ", fontsize=8, ha="right", va="bottom", color="#0072B2")
    places = {"below": (0.0, 0.12), "above": (0.88, 1.0)}
    for side, level in calculation.vacuum_level.items():
        low, high = places[side]
        ax.plot([low * height, high * height], [level, level], color="#D55E00", lw=1.6)
        known = calculation.work_function.get(side)
        told = f"vacuum {level:.2f} eV" + ("" if known is None else f"\nwork function {known:.2f} eV")
        ax.text((low if side == "below" else high) * height, level, told, fontsize=8, va="bottom",
                ha="left" if side == "below" else "right", color="#D55E00")  # fmt: skip
    ax.set_xlabel("z / Å", fontsize=LABEL_SIZE)
    ax.set_ylabel("potential energy of an electron / eV", fontsize=LABEL_SIZE)
    ax.tick_params(labelsize=8)
    ax.margins(x=0.0, y=0.15)
    figure.suptitle(title, fontsize=10, x=0.02, ha="left", parse_math=False)
    return figure

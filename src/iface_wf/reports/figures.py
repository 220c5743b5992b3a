"""Figures of a structure and of an interface's result."""

from __future__ import annotations

import numpy as np
from ase.data import chemical_symbols
from ase.data.colors import jmol_colors
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike
from pymatgen.core import Structure

from iface_wf.documents.labels import SLAB, SLAB_PARTS
from iface_wf.reports.scene import ACCUMULATION, DEPLETION, Array, Scene, View, isosurface, level_of, scene_of

DPI = 200
MARGIN = 1.6
"""Empty rim around the atoms, A."""
_RIM = 0.3
"""Empty rim around the cell, A."""
_CORNERS = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
TURN = 7.0
"""The side view is turned by this angle (degrees), so that rows of atoms do not hide each other."""
LABEL_SIZE = 9


def structure_figure(structure: Structure, title: str = "") -> Figure:
    """Draw a structure from the side and from above.

    Parameters
    ----------
    structure
        Labelled sites.
    title
        Printed as it is; never read as mathematics.

    Returns
    -------
    Figure
        Save with ``figure.savefig(path)``.
    """
    scene = scene_of(structure)
    side = View.side(looking_along(structure), TURN)
    extents = [np.ptp(frame_of(structure, scene, view), axis=0) for view in (side, View.top())]
    height = 5.2
    widths = [height * 0.84 * e[0] / max(extents[0][1], e[1]) for e in extents]
    figure = new_figure(min(max(sum(widths) + 1.6, 6.5), 13.0), height)
    axes = figure.subplots(1, 2, width_ratios=[max(w, 1.0) for w in widths])
    for ax, view, name in zip(axes, (side, View.top()), ("side", "top"), strict=True):
        _frame(ax, frame_of(structure, scene, view))
        figure.canvas.draw()
        draw_cell(ax, structure, view) if name == "top" else draw_box(ax, structure, view)
        scene.paint(ax, view)
        ax.set_title(name, fontsize=9, color="0.35")
    axes[0].set_ylabel("z / Å", fontsize=LABEL_SIZE)
    axes[1].set_ylabel("y / Å", fontsize=LABEL_SIZE)
    _legend(figure, scene, None)
    _titles(figure, title or structure.composition.reduced_formula, "")
    return figure


def binding_figure(
    structure: Structure,
    delta_rho: ArrayLike | None,
    z: ArrayLike | None,
    drho_z: ArrayLike | None,
    dq_z: ArrayLike | None,
    title: str,
    subtitle: str = "",
    iso: float | None = None,
    *,
    along: int | None = None,
    top: bool = False,
) -> Figure:
    """Draw an interface with its charge-density difference, beside the profiles along z.

    Parameters
    ----------
    structure
        Relaxed interface, labelled sites.
    delta_rho
        rho(AB) - rho(A*) - rho(B*) in e/A^3, shape (nx, ny, nz), on the structure's cell; None draws atoms only.
    z, drho_z, dq_z
        Positions in A, planar integral in e/A and running integral in e, all of the same length, or None.
    title, subtitle
        Printed as they are.
    iso
        Isovalue in e/A^3; by default surfaces that enclose half of the displaced charge.
    along
        Cell vector to look along, 0 or 1; by default the one that shows most of the molecule.
    top
        Also draw it from above.

    Returns
    -------
    Figure
        Yellow surfaces: electrons accumulate; blue: they are missing.
    """
    profiles = (z, drho_z, dq_z) if z is not None and drho_z is not None and dq_z is not None else None
    scene = scene_of(structure)
    if delta_rho is not None:
        values = np.asarray(delta_rho, dtype=np.float64)
        iso = level_of(values, iso)
        scene.surfaces = isosurface(values, structure, iso, scene.positions)
    vector = looking_along(structure) if along is None else np.asarray(structure.lattice.matrix[along])
    view = View.side(vector, TURN)
    frame, above = (frame_of(structure, scene, each) for each in (view, View.top()))
    height = 5.6
    widths = [_width(frame, height), *((1.55, 1.55) if profiles else ())]
    if top:
        widths.append(_width(above, height))
    figure = new_figure(widths[0] + (4.6 if profiles else 1.2) + (widths[-1] + 0.8 if top else 0.0), height)
    axes = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    _frame(axes[0], frame)
    axes[0].set_ylabel("z / Å", fontsize=LABEL_SIZE)
    if top:
        _frame(axes[-1], above)
        axes[-1].set_ylabel("y / Å", fontsize=LABEL_SIZE)
    figure.canvas.draw()
    draw_box(axes[0], structure, view)
    scene.paint(axes[0], view)
    if top:
        draw_cell(axes[-1], structure, View.top())
        scene.paint(axes[-1], View.top())
    if profiles:
        _profile(axes[1], profiles[0], profiles[1], "Δρ(z) / e Å$^{-1}$", fill=True)
        _profile(axes[2], profiles[0], profiles[2], "ΔQ(z) / e", fill=False)
        for ax in axes[1:3]:
            ax.sharey(axes[0])
        for ax in axes[:3]:
            for level in _gap(structure):
                ax.axhline(level, color="0.55", lw=0.7, ls=(0, (4, 3)), zorder=1)
    _legend(figure, scene, iso if scene.surfaces else None)
    _titles(figure, title, subtitle)
    return figure


def frame_of(structure: Structure, scene: Scene, view: View) -> Array:
    """Return the lower left and the upper right corner, A, of what a view shows: all atoms, and the cell but for its vacuum."""
    flat = view.project(scene.positions)[:, :2]
    low, high = flat.min(axis=0) - MARGIN, flat.max(axis=0) + MARGIN
    if structure.lattice.pbc[0] and structure.lattice.pbc[1]:
        edge = view.project(structure.lattice.get_cartesian_coords(_CORNERS))[:, :2]
        axes = [0, 1] if np.ptp(edge[:, 1]) > 1.0 else [0]  # from the side the cell's lower face is no more than a line
        low[axes] = np.minimum(low[axes], edge[:, axes].min(axis=0) - _RIM)
        high[axes] = np.maximum(high[axes], edge[:, axes].max(axis=0) + _RIM)
    return np.array([low, high])


def _width(frame: Array, height: float) -> float:
    """Return the width, inches, of a view in a figure of some height."""
    extent = np.ptp(frame, axis=0)
    return float(np.clip(height * 0.78 * extent[0] / extent[1], 2.4, 8.0))


def looking_along(structure: Structure) -> Array:
    """Choose the in-plane cell vector to look along: the one that shows most of the adsorbed molecule's length."""
    matrix = structure.lattice.matrix
    if structure.lattice.pbc[0] and not structure.lattice.pbc[1]:
        return np.asarray(matrix[1])
    labels = structure.site_properties.get("component", [SLAB] * len(structure))
    chosen = [i for i, label in enumerate(labels) if label not in SLAB_PARTS]
    scene = scene_of(structure)
    points = scene.positions[chosen or range(len(structure))]
    spans = [np.ptp(View.side(matrix[k]).project(points)[:, 0]) for k in (0, 1)]
    return np.asarray(matrix[int(np.argmax(spans))])


def _gap(structure: Structure) -> list[float]:
    """Heights in A of the topmost filler atom and of the lowest atom of the molecule."""
    labels = structure.site_properties.get("component", [])
    z = structure.cart_coords[:, 2]
    below = [h for h, label in zip(z, labels, strict=False) if label in SLAB_PARTS]
    above = [h for h, label in zip(z, labels, strict=False) if label not in SLAB_PARTS]
    return [float(max(below)), float(min(above))] if below and above else []


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)  # no window system, whatever the user's configuration says
    return figure


def _frame(ax: Axes, frame: Array) -> None:
    low, high = frame
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", adjustable="box", xticks=[])
    ax.tick_params(labelsize=8)
    for side in ("top", "right", "bottom"):
        ax.spines[side].set_visible(False)


def draw_cell(ax: Axes, structure: Structure, view: View) -> None:
    """Outline the cell where it is periodic."""
    pbc = structure.lattice.pbc
    if not (pbc[0] and pbc[1]):
        return
    corners = structure.lattice.get_cartesian_coords([*_CORNERS, _CORNERS[0]])
    flat = view.project(corners)[:, :2]
    if np.ptp(flat[:, 1]) > 1.0:  # edge-on it is no more than a line
        ax.plot(*flat.T, color="0.3", lw=0.8, ls="--", zorder=1.5)


def draw_box(ax: Axes, structure: Structure, view: View) -> None:
    """Outline the cell from the side by its edges along c."""
    if not (structure.lattice.pbc[0] and structure.lattice.pbc[1]):
        return
    low, high = ax.get_ylim()
    for a, b, _ in _CORNERS:
        ends = structure.lattice.get_cartesian_coords([[a, b, 0], [a, b, 1]])
        flat = view.project(ends)[:, :2]
        ax.plot(*flat.T, color="0.3", lw=0.7, ls="--", zorder=1.5, clip_on=True)
    ax.set_ylim(low, high)


def _profile(ax: Axes, z: ArrayLike, values: ArrayLike, label: str, *, fill: bool) -> None:
    heights, curve = np.asarray(z, dtype=float), np.asarray(values, dtype=float)
    if fill:
        ax.fill_betweenx(heights, 0, curve, where=curve >= 0, interpolate=True, color=ACCUMULATION, lw=0)
        ax.fill_betweenx(heights, 0, curve, where=curve <= 0, interpolate=True, color=DEPLETION, lw=0)
    ax.plot(curve, heights, color="0.15", lw=0.9)
    ax.axvline(0, color="0.5", lw=0.6)
    limit = 1.12 * max(float(np.abs(curve).max()), 1e-9)
    ax.set_xlim(-limit, limit)
    ax.set_xlabel(label, fontsize=LABEL_SIZE)
    ax.locator_params(axis="x", nbins=4)
    ax.tick_params(axis="x", labelsize=8)
    ax.tick_params(axis="y", left=False, labelleft=False)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _legend(figure: Figure, scene: Scene, iso: float | None) -> None:
    handles: list[Line2D | Patch] = [
        Line2D(
            [], [], ls="", marker="o", ms=7, mec="0.2", mew=0.6, mfc=tuple(jmol_colors[z]), label=chemical_symbols[z]
        )
        for z in sorted(set(scene.numbers.tolist()))
    ]
    if iso is not None:
        handles += [
            Patch(color=(*ACCUMULATION, 0.7), label=f"Δρ = +{iso:g} e Å$^{{-3}}$"),
            Patch(color=(*DEPLETION, 0.7), label=f"Δρ = −{iso:g} e Å$^{{-3}}$"),
        ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 9), frameon=False, fontsize=8,
                  handletextpad=0.3, columnspacing=1.1)  # fmt: skip


def _titles(figure: Figure, title: str, subtitle: str) -> None:
    figure.suptitle(title, fontsize=11.5, fontweight="bold", x=0.02, ha="left", parse_math=False)
    if subtitle:
        figure.axes[0].set_title(subtitle, fontsize=8.5, loc="left", pad=6, parse_math=False)

"""Planes through a charge-density difference where filler and molecule touch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from pymatgen.core import Structure
from scipy.ndimage import map_coordinates

from iface_wf.documents.labels import SLAB, SLAB_PARTS
from iface_wf.errors import InputError
from iface_wf.reports.figures import LABEL_SIZE, new_figure
from iface_wf.reports.scene import ACCUMULATION, DEPLETION, Array, level_of

STEP = 0.08
"""Distance between the points of a picture, A."""
NEAR = 0.6
"""Atoms within this of a plane are marked, A."""
AROUND = 5.0
"""How far upright planes reach below and above the contact, A."""
COLOURS = LinearSegmentedColormap.from_list(
    "difference", np.array([DEPLETION * 0.55, DEPLETION, [1.0, 1.0, 1.0], ACCUMULATION, ACCUMULATION * 0.55])
)


class _Plane(NamedTuple):
    """A plane: a point of it, two perpendicular directions of length 1, and how far it reaches along them, A."""

    origin: Array
    across: Array
    up: Array
    reach: tuple[tuple[float, float], tuple[float, float]]
    labels: tuple[str, str]
    title: str


def contact(structure: Structure) -> Array:
    """Return the middle between the two nearest atoms of filler and molecule, A.

    Raises
    ------
    InputError
        Where the structure has not both.
    """
    labels = np.array(
        [label in SLAB_PARTS for label in structure.site_properties.get("component", [SLAB] * len(structure))]
    )
    if labels.all() or not labels.any():
        raise InputError("There is no contact to cut through: the structure has no filler and molecule.")
    below, above = structure.frac_coords[labels], structure.frac_coords[~labels]
    apart = structure.lattice.get_all_distances(below, above)
    i, j = np.unravel_index(apart.argmin(), apart.shape)
    step = above[j] - below[i]
    step -= np.rint(step) * np.array(structure.lattice.pbc)
    middle: Array = structure.lattice.get_cartesian_coords(below[i] + step / 2)
    return middle


def slices_figure(structure: Structure, delta_rho: Array, title: str, iso: float | None = None) -> Figure:
    """Draw a charge-density difference on two upright planes and a level one through the contact.

    Parameters
    ----------
    structure
        Relaxed interface, labelled sites.
    delta_rho
        rho(AB) - rho(A*) - rho(B*) in e/A^3, shape (nx, ny, nz), on the structure's cell.
    title
        Printed as it is.
    iso
        Where lines are drawn, e/A^3, both signs; by default as the isosurfaces.

    Returns
    -------
    Figure
        Yellow: electrons accumulate; blue: they are missing. Circles: atoms within 0.6 A of the plane.
    """
    level = level_of(delta_rho, iso)
    planes = _planes(structure)
    widths = [plane.reach[0][1] - plane.reach[0][0] for plane in planes]
    figure = new_figure(float(np.clip(0.35 * sum(widths) + 2.5, 8.0, 15.0)), 4.8)
    axes = figure.subplots(1, len(planes), width_ratios=widths)
    limit = 4 * level
    for ax, plane in zip(axes, planes, strict=True):
        image = _slice(ax, structure, delta_rho, plane, level, limit)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, extend="both")
    bar.set_label("Δρ / e Å$^{-3}$", fontsize=LABEL_SIZE)
    bar.ax.tick_params(labelsize=8)
    figure.suptitle(f"{title}; lines at ±{level:g} e/Å³", fontsize=10, x=0.02, ha="left", parse_math=False)
    return figure


def _planes(structure: Structure) -> list[_Plane]:
    middle = contact(structure)
    matrix, up = np.asarray(structure.lattice.matrix), np.array([0.0, 0.0, 1.0])
    found = []
    for axis, name in enumerate("ab"):
        if not structure.lattice.pbc[axis]:
            continue
        half = float(np.linalg.norm(matrix[axis])) / 2
        along = matrix[axis] / np.linalg.norm(matrix[axis])
        reach = ((-half, half), (-AROUND, AROUND))
        found.append(
            _Plane(middle, along, up, reach, (f"along {name} / Å", "z / Å"), f"through the contact, along {name}")
        )
    half_x, half_y = np.abs(matrix[:2, :2]).sum(axis=0) / 2
    sides = ((-half_x, half_x), (-half_y, half_y))
    x, y = np.eye(3)[:2]
    return [*found, _Plane(middle, x, y, sides, ("x / Å", "y / Å"), f"level, z = {middle[2]:.2f} Å")]


def _slice(ax: Axes, structure: Structure, values: Array, plane: _Plane, level: float, limit: float) -> AxesImage:
    across, up = (np.arange(low, high + STEP, STEP) for low, high in plane.reach)
    points = plane.origin + across[None, :, None] * plane.across + up[:, None, None] * plane.up
    at = structure.lattice.get_fractional_coords(points.reshape(-1, 3)) * values.shape
    sampled = map_coordinates(values, at.T, order=1, mode="grid-wrap").reshape(len(up), len(across))
    heights = up + (plane.origin[2] if plane.up[2] else 0.0)
    extent = (across[0], across[-1], heights[0], heights[-1])
    image = ax.imshow(sampled, origin="lower", extent=extent, cmap=COLOURS, vmin=-limit, vmax=limit, aspect="equal")
    for value, style in ((level, "-"), (-level, "--")):
        if sampled.min() < value < sampled.max():
            ax.contour(across, heights, sampled, levels=[value], colors="0.2", linewidths=0.7, linestyles=style)
    _mark_atoms(ax, structure, plane)
    ax.set(xlim=extent[:2], ylim=extent[2:])
    ax.set_xlabel(plane.labels[0], fontsize=LABEL_SIZE)
    ax.set_ylabel(plane.labels[1], fontsize=LABEL_SIZE)
    ax.set_title(plane.title, fontsize=9, color="0.35")
    ax.tick_params(labelsize=8)
    return image


def _mark_atoms(ax: Axes, structure: Structure, plane: _Plane) -> None:
    normal = np.cross(plane.across, plane.up)
    for site in structure:
        for image in np.ndindex(3, 3):
            shift = (np.array([*image, 1]) - 1) * np.array(structure.lattice.pbc)
            apart = structure.lattice.get_cartesian_coords(site.frac_coords + shift) - plane.origin
            if abs(apart @ normal) < NEAR:
                x, y = float(apart @ plane.across), float(apart @ plane.up)
                y += plane.origin[2] if plane.up[2] else 0.0
                ax.text(x, y, site.specie.symbol, fontsize=7, ha="center", va="center", clip_on=True,
                        bbox={"boxstyle": "circle,pad=0.15", "fc": (1, 1, 1, 0.75), "ec": "0.2", "lw": 0.6})  # fmt: skip

"""The equilibrium shape of a crystal by its surface energies: Wulff's construction, by pymatgen (10.1038/sdata.2016.80)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pymatgen.core import Lattice

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pymatgen.analysis.wulff import WulffShape

Energies = Mapping[tuple[int, int, int], float]


def wulff(lattice: list[list[float]], energies: Energies) -> WulffShape | None:
    """Return the shape of a crystal.

    Parameters
    ----------
    lattice
        Vectors in whose basis the Miller indices are meant, rows, A; faces that its symmetry maps onto each other are alike.
    energies
        Surface energy by face, J/m^2.

    Returns
    -------
    WulffShape or None
        None where an energy is not positive, or the faces enclose nothing.
    """
    from pymatgen.analysis.wulff import WulffShape
    from scipy.spatial import QhullError

    if not energies or min(energies.values()) <= 0:
        return None
    try:
        return WulffShape(Lattice(lattice), list(energies), list(energies.values()))
    except (ValueError, QhullError):
        return None


def shares(lattice: list[list[float]], energies: Energies) -> dict[str, float]:
    """Return the share of each face in the area of the shape."""
    shape = wulff(lattice, energies)
    if shape is None:
        return {}
    return {"".join(map(str, miller)): float(share) for miller, share in shape.area_fraction_dict.items()}


def figure(lattice: list[list[float]], energies: Energies, title: str) -> Figure | None:
    """Draw the shape, faces coloured by their energies; None where there is none."""
    shape = wulff(lattice, energies)
    if shape is None:
        return None
    drawn: Figure = shape.get_plot(units_in_JPERM2=True).get_figure()
    drawn.suptitle(title)
    return drawn

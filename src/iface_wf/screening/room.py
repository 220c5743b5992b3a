"""What a plan says about room: how far a molecule is from its images, and what a cell that keeps them apart would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import JobStore
from pymatgen.core import Structure

from iface_wf.builders.edges import area_of
from iface_wf.builders.placing.placements import APART
from iface_wf.documents.labels import WHOLE, A, B
from iface_wf.flows.graph import Graph, Item
from iface_wf.screening.estimate import Missing, calculations_of, estimate, search_of
from iface_wf.screening.sizes import Sizes

#: Roles of the calculations that grow with the cell.
_LARGE = frozenset({WHOLE, A.name, A.frozen, A.with_ghosts, B.with_ghosts})


@dataclass(frozen=True)
class Room:
    """How much room a molecule has on a slab.

    Attributes
    ----------
    name
        Of the interface.
    image_distance
        How near the molecule comes to its images, A: of its placements where they are known, else lying flat.
    coverage
        Molecules per nm^2; None on a wire.
    atoms, core_hours
        Of the interface, and estimated for its calculations that grow with the cell.
    larger_cell
        ``in_plane`` (A) of a cell that keeps images 8 A apart in any orientation, with its ``atoms`` and ``core_hours``; None
        where the cell is as large, or such a one cannot be had.
    """

    name: str
    image_distance: float
    coverage: float | None
    atoms: int
    core_hours: float
    larger_cell: dict[str, Any] | None

    @property
    def remark(self) -> str:
        """The same in a sentence."""
        text = f"{self.name}: images of the molecule are {self.image_distance:.1f} A apart"
        if self.coverage is not None:
            text += f", {self.coverage:.2f} molecules per nm^2"
        if self.larger_cell is None:
            return f"{text}."
        a, b = self.larger_cell["in_plane"]
        return (
            f"{text}; {APART:g} A in any orientation would take --in-plane {a:.1f} {b:.1f} with {self.larger_cell['atoms']} "
            f"atoms, about {self.larger_cell['core_hours']:.2g} core-hours instead of {self.core_hours:.2g}."
        )


def room_of_slabs(graph: Graph, store: JobStore, level: str) -> list[Room]:
    """Say for each slab how much room the molecule with the least room has on it.

    Parameters
    ----------
    graph
        What is to be calculated.
    store
        Where timings are looked for.
    level
        Of the calculations.

    Returns
    -------
    list of Room
        Nothing about results that are of no molecule on a slab.
    """
    nearest: dict[str, tuple[float, Item]] = {}
    for item in graph.items.values():
        distance = _distance(item)
        slab = item.parts.get(A.name)
        if distance is not None and slab is not None and distance < nearest.get(slab, (distance + 1.0, item))[0]:
            nearest[slab] = (distance, item)
    return [_room(item, distance, graph, store, level) for distance, item in nearest.values()]


def _distance(item: Item) -> float | None:
    """Return how near the images of a molecule come, A: among its placements where they are known, else lying flat."""
    built = item.about.get("provenance", {}).get("build", {})
    known = [distance for distance in built.get("image_distances", []) if distance is not None]
    flat: float | None = built.get("flat_distance")
    return min(known) if known else flat


def _room(item: Item, distance: float, graph: Graph, store: JobStore, level: str) -> Room:
    slab = graph.parts[item.parts[A.name]].structure
    larger = item.about["provenance"]["build"].get("larger_cell") if distance < APART - 0.05 else None
    above = item.atoms - len(slab)

    def cost(atoms: int) -> float:
        return estimate(_growing(item, graph, (atoms - above) / len(slab)), level, store).core_hours

    return Room(
        name=item.name,
        image_distance=distance,
        coverage=_coverage(item, slab),
        atoms=item.atoms,
        core_hours=cost(item.atoms),
        larger_cell=None if larger is None else {**larger, "core_hours": cost(larger["atoms"])},
    )


def _coverage(item: Item, slab: Structure) -> float | None:
    """Return molecules per nm^2 of the face; None on a wire."""
    if not slab.lattice.pbc[1]:
        return None
    built = item.about["provenance"]["build"]
    return float(built.get("coverage", 100.0 / area_of(slab)))


def _growing(item: Item, graph: Graph, repeats: float) -> list[Missing]:
    """List what grows with the cell of one result, at so many times its slab."""
    sizes = Sizes(graph)
    part = graph.parts[item.parts[A.name]]
    makers = [maker for maker in (part.relax, part.static) if maker is not None]
    steps = [(Missing.of(maker), A.name) for maker in makers]
    steps += [(each, role) for (_, role), (_, each) in calculations_of(item).items() if role in _LARGE]
    search = search_of(item)
    searches = [] if search is None else [Missing.search(search, sizes.of(WHOLE, item, repeats))]
    return [*(each._replace(size=sizes.of(role, item, repeats)) for each, role in steps), *searches]

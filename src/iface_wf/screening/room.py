"""What a plan says about room: how far a molecule is from its images, and what a cell that keeps them apart would cost."""

from __future__ import annotations

from collections.abc import Iterable

from jobflow import JobStore

from iface_wf.builders.placing.placements import APART
from iface_wf.documents.labels import WHOLE, A, B
from iface_wf.flows.graph import Graph, Item
from iface_wf.screening.estimate import Missing, calculations_of, estimate

#: Roles of the calculations that grow with the cell.
_LARGE = frozenset({WHOLE, A.name, A.frozen, A.with_ghosts, B.with_ghosts})


def room_remarks(graph: Graph, store: JobStore, level: str) -> list[str]:
    """Say in a sentence for each slab how much room the molecule with the least room has on it.

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
    list of str
        Nothing about results that are of no molecule on a slab.
    """
    nearest: dict[str, tuple[float, Item]] = {}
    for item in graph.items.values():
        distance = _distance(item)
        slab = item.parts.get(A.name)
        if distance is not None and slab is not None and distance < nearest.get(slab, (distance + 1.0, item))[0]:
            nearest[slab] = (distance, item)
    return [_sentence(item, distance, graph, store, level) for distance, item in nearest.values()]


def _distance(item: Item) -> float | None:
    """Return how near the images of a molecule come, A: among its placements where they are known, else lying flat."""
    built = item.about.get("provenance", {}).get("build", {})
    known = [distance for distance in built.get("image_distances", []) if distance is not None]
    flat: float | None = built.get("flat_distance")
    return min(known) if known else flat


def _sentence(item: Item, distance: float, graph: Graph, store: JobStore, level: str) -> str:
    text = f"{item.name}: images of the molecule are {distance:.1f} A apart"
    larger = item.about["provenance"]["build"].get("larger_cell")
    if larger is None or distance >= APART - 0.05:
        return f"{text}."
    now, then = (estimate(_large(item, graph, atoms), level, store)[0] for atoms in (item.atoms, larger["atoms"]))
    a, b = larger["in_plane"]
    return (
        f"{text}; {APART:g} A in any orientation would take --in-plane {a:.1f} {b:.1f} with {larger['atoms']} atoms, about "
        f"{then:.2g} core-hours instead of {now:.2g}."
    )


def _large(item: Item, graph: Graph, atoms: int) -> Iterable[Missing]:
    """List the calculations of one result that grow with the cell, as if it had so many atoms."""
    part = graph.parts[item.parts[A.name]]
    makers = [maker for maker in (part.relax, part.static) if maker is not None]
    steps = [(maker.engine_name, str(maker.kind)) for maker in makers]
    steps += [(engine, kind) for (kind, role), (_, engine) in calculations_of(item).items() if role in _LARGE]
    return [(engine, kind, atoms) for engine, kind in steps]

"""From a request to the graph of a complex: both pieces and the complex itself are parts that all results share."""

from __future__ import annotations

from typing import Any

from iface_wf.builders.edges import EDGE_STEP
from iface_wf.documents.labels import WHOLE
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.request import KEY_VERSION
from iface_wf.quantities.complexes.maker import ComplexMaker
from iface_wf.quantities.complexes.pieces import Pieces
from iface_wf.quantities.complexes.request import ComplexRequest, box_step, require_charge


def complex_graph(
    request: ComplexRequest, built: Pieces, about: dict[str, Any], here: bool = True, searched: bool = True
) -> Graph:
    """Say what is to be calculated of a complex that is built.

    Parameters
    ----------
    request
        What was asked for.
    built
        The complex and its pieces.
    about
        What the document says of itself beside what all say.
    here
        See `iface_wf.flows.kinds.FlowKind.graph`.
    searched
        Whether the complex is searched for; else it is relaxed as it was built.

    Raises
    ------
    InputError
        When the engine cannot treat the charge of a part.
    """
    engine, geometry_engine = request.main_engine(), request.geometry_engine()
    ranking_engine = request.ranking_engine()
    step = box_step(engine)
    built = built.in_boxes(step)
    structures = {"A": built.first, "B": built.second, WHOLE: built.whole}
    for each in (engine, geometry_engine, ranking_engine):
        require_charge(each, *structures.values())
    if not here:
        engine, geometry_engine = engine.elsewhere(), geometry_engine.elsewhere()
        ranking_engine = ranking_engine.elsewhere()
    maker = ComplexMaker(
        engine=engine,
        geometry_engine=geometry_engine,
        ranking_engine=ranking_engine,
        name=request.label,
        components=built.components,
        charges={role: float(structure.properties.get("charge", 0.0)) for role, structure in structures.items()},
        placements=request.placements,
        search=request.budget.steps,
        patience=request.budget.patience,
        seed=request.seed,
        isomers=request.isomers,
        searched=searched,
        step=EDGE_STEP if step is None else step,
    )
    names = {"A": built.names[0], "B": built.names[1], WHOLE: " with ".join(built.names)}
    parts = {role: maker.part(structure, role, names[role]) for role, structure in structures.items()}
    digests = {role: part.digest for role, part in parts.items()}
    key = request.key(digests, built.elements)
    told = {
        "key": key,
        "kind": request.kind,
        "names": list(built.names),
        "polymer": request.polymer or request.molecule,
        "units": request.units if request.polymer else None,
        "salt": getattr(request, "salt", None),
        **about,
        "provenance": {"request": request.model_dump(mode="json"), "digests": digests, "key_version": KEY_VERSION},
    }
    graph = Graph()
    keys = {role: part.key for role, part in parts.items()}
    graph.add(Item(key, request.label, request.kind, keys, len(built.whole), told, maker), list(parts.values()))
    return graph

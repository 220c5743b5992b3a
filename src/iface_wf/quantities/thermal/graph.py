"""From the graph of binding energies to that of binding free energies: the same parts, and results that hold the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from iface_wf.engines.vibrations import DISPLACEMENT
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.kinds import Lengths
from iface_wf.library.library import Library
from iface_wf.quantities.binding.graph import grid_graph, single_graph
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from iface_wf.quantities.thermal.maker import ThermalMaker
from iface_wf.quantities.thermal.request import ThermalRequest

NAME = "thermal"
#: Part of the keys. Raised by hand when the same request begins to mean another number.
VERSION = 1


def thermal_graph(request: ThermalRequest, library: Library, here: bool = True) -> Graph:
    """Build one interface; see `iface_wf.flows.kinds.FlowKind.graph`."""
    request.geometry_engine().require_vibrations()
    return _with_vibrations(single_graph(request.binding(), library, here), request)


def thermal_grid(
    requests: Sequence[ThermalRequest], library: Library, in_plane: Lengths | None = None, here: bool = True
) -> Graph:
    """Build many interfaces; see `iface_wf.flows.kinds.FlowKind.graph_of_many`. All have one temperature and one pressure."""
    requests[0].geometry_engine().require_vibrations()
    bindings = grid_graph([request.binding() for request in requests], library, in_plane, here)
    return _with_vibrations(bindings, requests[0])


def _with_vibrations(bindings: Graph, request: ThermalRequest) -> Graph:
    """Turn the results of a graph into those that hold them."""
    graph = Graph(parts=dict(bindings.parts), refused=list(bindings.refused))
    for item in bindings.items.values():
        maker = item.maker
        assert isinstance(maker, BindingEnergyMaker)
        key = thermal_key(item.key, request.temperature, request.pressure)
        conditions = {"temperature": request.temperature, "pressure": request.pressure}
        asked = item.about["provenance"]["request"] | conditions | {"quantities": list(request.quantities)}
        about = {
            **item.about,
            **conditions,
            "key": key,
            "provenance": item.about["provenance"] | {"request": asked},
            "binding": item.about,
        }
        thermal = ThermalMaker(maker.engine, maker.geometry_engine, item.name, binding=maker)
        graph.add(Item(key, item.name, NAME, item.parts, item.atoms, about, thermal, holds=item.key), [])
    return graph


def thermal_key(binding: str, temperature: float, pressure: float) -> str:
    """Content key of a result: that of its binding energy, which says by which engine it is relaxed, and the conditions.

    Parameters
    ----------
    binding
        Key of the binding result.
    temperature
        K.
    pressure
        bar.
    """
    content = [NAME, VERSION, binding, f"{temperature:.12g}", f"{pressure:.12g}", DISPLACEMENT]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()

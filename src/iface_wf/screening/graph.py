"""The graph of a screening: parts are calculated once, and all results that contain them refer to them."""

from __future__ import annotations

from iface_wf.errors import InputError
from iface_wf.flows.graph import Graph
from iface_wf.library.library import Library
from iface_wf.screening.spec import ScreeningSpec


def build_screening(spec: ScreeningSpec, library: Library, here: bool = True) -> Graph:
    """Build everything that a spec asks for, and say which results that makes.

    Parameters
    ----------
    spec
        The screening; of a funnel only the last stage, see `ScreeningSpec.cheap`.
    library
        Where names are looked up.
    here
        False when a queue on another machine will calculate: programs are not looked for on this one.

    Returns
    -------
    Graph
        A result that cannot be had is among ``refused``, and stops no other.

    Raises
    ------
    InputError
        For unknown names, and when not a single result can be had.
    """
    graph = Graph()
    for kind in spec.kinds():
        graph.merge(kind.graph_of_many(spec.requests(kind, library), library, spec.in_plane, here))
    if not graph.items:
        name, cause = graph.refused[0]
        raise InputError(f"No interface of the screening can be built; {name}: {cause}")
    return graph

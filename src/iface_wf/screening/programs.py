"""Whether this machine has what a plan needs: programs, packages and potentials, looked for without running anything."""

from __future__ import annotations

from dataclasses import replace

from iface_wf.engines.base import Engine
from iface_wf.errors import InputError, VariableError
from iface_wf.flows.graph import Graph
from iface_wf.flows.search.jobs import searching
from iface_wf.screening.estimate import jobs_of


def absent(graph: Graph) -> list[str]:
    """Say what of a graph could not run here.

    Parameters
    ----------
    graph
        Built for elsewhere, so that it was not refused.

    Returns
    -------
    list of str
        A sentence for each program, package or file that is missing; those that only a running calculation looks for are not
        among them.

    Raises
    ------
    VariableError
        For an environment variable of an engine that is wrong.
    """
    engines: dict[str, Engine] = {}
    for kind in {item.kind: item for item in graph.items.values()}.values():
        for job in jobs_of(kind):
            search = searching(job)
            engine = job.maker if isinstance(job.maker, Engine) else search.engine if search else None
            if engine is not None:
                engines.setdefault(engine.engine_name, replace(engine, here=True))
    for part in graph.parts.values():
        engines.setdefault(part.relax.engine_name, replace(part.relax, here=True))
    # what is missing hangs on elements and charge: a check reads files, and a screening may have thousands of parts
    structures = {
        (frozenset(part.structure.composition.elements), part.structure.properties.get("charge")): part.structure
        for part in graph.parts.values()
    }
    problems: list[str] = []
    for engine in engines.values():
        for structure in structures.values():
            try:
                engine.check(structure)
            except VariableError:
                raise  # is wrong, not absent
            except InputError as error:
                problems.append(str(error))
    return list(dict.fromkeys(problems))

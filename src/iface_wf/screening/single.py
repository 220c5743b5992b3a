"""One request: found, planned or calculated on this machine, by the same graph as a whole screening."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from jobflow import JobStore

from iface_wf.documents.labels import WHOLE
from iface_wf.engines.base import Engine
from iface_wf.errors import CalculationError, InputError
from iface_wf.flows.events import Event
from iface_wf.flows.graph import Graph
from iface_wf.flows.kinds import flow_kind_of
from iface_wf.flows.run import Listener, run_flow
from iface_wf.flows.search.jobs import searching
from iface_wf.library.library import Library
from iface_wf.screening.estimate import Missing, estimate
from iface_wf.screening.finished import finished_results
from iface_wf.screening.room import Room, room_of_slabs
from iface_wf.screening.state import part_state
from iface_wf.store.annotate import rejection
from iface_wf.store.results import StoredResult, stored_result


class Step(TypedDict):
    """A calculation or search that a request needs.

    Attributes
    ----------
    step
        Name, for example ``relax A``.
    kind
        ``search``, ``relax`` or ``static``.
    engine, level
        How it is calculated.
    atoms
        How many; None where the structure comes from an earlier step.
    found
        Whether its result is stored; None where that depends on an earlier step.
    core_hours
        Estimate, of a search the most that it may take; 0 where the result is stored, and None of a single point that is done
        only where a reference comes out elsewhere when it is relaxed from the interface.
    """

    step: str
    kind: str
    engine: str
    level: str
    atoms: int | None
    found: bool | None
    core_hours: float | None


class Plan(list[Step]):
    """The calculations that a request needs, in the order in which they would run.

    Attributes
    ----------
    room
        How much room the molecule has.
    core_hours
        Estimate for all steps that are not stored.
    basis
        What it rests on.
    """

    def __init__(self, steps: Iterable[Step] = (), room: Iterable[Room] = (), basis: str = "") -> None:
        super().__init__(steps)
        self.room = list(room)
        self.core_hours = sum(step["core_hours"] or 0.0 for step in self)
        self.basis = basis


def run_request(
    request: Any,
    store: JobStore,
    library: Library,
    workdir: Path,
    force: bool = False,
    on_event: Listener | None = None,
) -> StoredResult:
    """Return the result of a request, calculated now or found in the store.

    Parameters
    ----------
    request
        What to calculate.
    store
        Where results are looked for and kept.
    library
        Where names are looked up.
    workdir
        Folder of the calculations.
    force
        Collect again even when the finished document is stored; single calculations are still found.
    on_event
        Is told about every step.

    Returns
    -------
    StoredResult
        The document, without large data, and the job that holds it.

    Raises
    ------
    InputError
        For unknown names, levels and unusable structures, for a store that can only be read, and for a result that was
        rejected by hand.
    CalculationError
        When a step failed.
    """
    graph = flow_kind_of(request.quantities).graph(request, library)
    (key,) = graph.items
    found = stored_result(store, key) if not force and finished_results(store, graph.items) else None
    if found is not None:
        if (why := rejection(found.document.flags)) is not None:
            raise InputError(
                f"The result {key[:10]} of this was rejected by hand ({why}): ask for something else, collect it again with "
                "--force, or take it back with: iface-wf store reject ID --undo."
            )
        if on_event is not None:
            on_event(Event("collect", 1, 1, "found", detail="finished result in the store"))
        return found
    run_flow(graph.flow(request.label), store, workdir, on_event)
    found = stored_result(store, key)
    if found is None:
        raise CalculationError(f"The result of {request.label} was calculated but is not in the store.")
    return found


def plan_request(request: Any, store: JobStore, library: Library) -> Plan:
    """List the calculations that a request would need, in the order in which they would run; none when its result is stored.

    Parameters
    ----------
    request
        What to calculate.
    store
        Where finished results are looked for.
    library
        Where names are looked up.

    Returns
    -------
    Plan
        What is known of each, and how much room the molecule has.
    """
    graph = flow_kind_of(request.quantities).graph(request, library)
    if finished_results(store, graph.items):
        return Plan()
    steps, basis = _steps(graph, store, request.level)
    return Plan(steps, room_of_slabs(graph, store, request.level), basis)


def _steps(graph: Graph, store: JobStore, level: str) -> tuple[list[Step], str]:
    """List the steps, and say what their estimates rest on."""
    known: dict[str, tuple[int, bool | None]] = {}
    for part in graph.parts.values():
        state = part_state(store, part)
        uuids = state.uuids
        if part.search is not None:
            known[part.search.name] = len(part.structure), state.searched
        known[part.relax.name] = len(part.structure), uuids[0] is not None
        if part.static is not None:  # its key follows from what the relaxation gives
            known[part.static.name] = len(part.structure), None if uuids[0] is None else uuids[1] is not None
    largest = max(item.atoms for item in graph.items.values())
    sizes = {part.role: len(part.structure) for part in graph.parts.values()}
    steps: list[Step] = []
    bases: set[str] = set()
    for job, _ in graph.flow("plan").iterflow():
        search = searching(job)
        engine = job.maker if isinstance(job.maker, Engine) else search.engine if search else None
        if engine is None:
            continue
        atoms, found = known.get(job.name, (None, None))
        role, _, origin = (WHOLE if search else engine.role).partition(" from ")
        alone = sizes.get(role) if origin or role == job.name.split()[-1] else None
        kind, size = "search" if search else str(engine.kind), atoms or alone or largest
        missing = Missing.search(search, size) if search else Missing(engine.engine_name, kind, size, engine.level)
        hours: float | None = 0.0
        if kind == "static" and " from " in engine.role:
            hours = None
        elif not found:
            hours, basis = estimate([missing], level, store)
            bases.add(basis)
        steps.append(
            Step(
                step=job.name,
                kind=kind,
                engine=engine.engine_name,
                level=engine.level,
                atoms=atoms,
                found=found,
                core_hours=hours,
            )
        )
    return steps, "; ".join(sorted(bases))

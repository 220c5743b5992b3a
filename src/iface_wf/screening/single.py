"""One request: found, planned or calculated on this machine, by the same graph as a whole screening."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from jobflow import JobStore

from iface_wf.documents.labels import B
from iface_wf.engines.base import Engine
from iface_wf.engines.vibrations import KIND as VIBRATIONS
from iface_wf.errors import CalculationError, InputError
from iface_wf.flows.events import Event
from iface_wf.flows.graph import Graph
from iface_wf.flows.kinds import flow_kind_of
from iface_wf.flows.run import Listener, run_flow
from iface_wf.flows.search.jobs import searching
from iface_wf.library.library import Library
from iface_wf.screening.estimate import Estimate, Missing, estimate
from iface_wf.screening.finished import finished_results
from iface_wf.screening.programs import absent
from iface_wf.screening.room import Room, room_of_slabs
from iface_wf.screening.sizes import Sizes
from iface_wf.screening.state import part_state, stored_results
from iface_wf.store.annotate import entitle, rejection
from iface_wf.store.results import StoredResult, stored_result


class Step(TypedDict):
    """A calculation or search that a request needs.

    Attributes
    ----------
    step
        Name, for example ``relax A``.
    kind
        ``search``, ``relax``, ``static`` or ``vibrations``.
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
    cost
        Estimate for all steps that are not stored.
    absent
        What of it cannot run on this machine, a sentence each.
    """

    def __init__(
        self,
        steps: Iterable[Step] = (),
        room: Iterable[Room] = (),
        cost: Estimate | None = None,
        absent: Iterable[str] = (),
    ) -> None:
        super().__init__(steps)
        self.room = list(room)
        self.cost = cost or Estimate()
        self.absent = list(absent)


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
        if request.title is not None:
            entitle(store, key, request.title)
            found = found._replace(document=found.document.model_copy(update={"title": request.title}))
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
    graph = flow_kind_of(request.quantities).graph(request, library, here=False)
    if finished_results(store, graph.items):
        return Plan()
    steps, missing = _steps(graph, store, request.level)
    cost = estimate(missing, request.level, store)
    return Plan(steps, room_of_slabs(graph, store, request.level), cost, absent(graph))


def _steps(graph: Graph, store: JobStore, level: str) -> tuple[list[Step], list[Missing]]:
    """List the steps, and what of them is to be calculated."""
    known: dict[str, tuple[int, bool | None]] = {}
    for part in graph.parts.values():
        state = part_state(store, part)
        uuids = state.uuids
        if part.search is not None:
            known[part.search.name] = len(part.structure), state.searched
        known[part.relax.name] = len(part.structure), uuids[0] is not None
        if part.static is not None:  # its key follows from what the relaxation gives
            known[part.static.name] = len(part.structure), None if uuids[0] is None else uuids[1] is not None
    (item,), sizes = graph.items.values(), Sizes(graph)
    own = {part.role: sizes.parts[key] for key, part in graph.parts.items()}
    there = bool(item.holds and stored_results(store, [item.holds]))
    steps: list[Step] = []
    open_steps: list[Missing] = []
    for job, _ in graph.flow("plan").iterflow():
        search = searching(job)
        engine = job.maker if isinstance(job.maker, Engine) else search.engine if search else None
        if engine is None:
            continue
        atoms, found = known.get(job.name, (None, None))
        role = job.name.removeprefix("search ") if search else engine.role
        kind, size = "search" if search else str(engine.kind), own.get(role) or sizes.of(role, item)
        missing = Missing.search(search, size) if search else Missing.of(engine, size)
        if kind == VIBRATIONS:
            missing = missing.displacing(own[B.name])
        elif there:  # they led to the result that this one holds
            found = True
        hours: float | None = 0.0
        if kind == "static" and " from " in engine.role and not found:
            hours = None
        elif not found:
            open_steps.append(missing)
            hours = estimate([missing], level, store).core_hours
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
    return steps, open_steps

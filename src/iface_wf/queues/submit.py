"""Submit interfaces to a queue through jobflow-remote: only what is neither stored nor in the queue already."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from jobflow import Flow, Job
from jobflow_remote.jobs.jobcontroller import JobController

from iface_wf.documents.kinds import ResultKind, get_kind
from iface_wf.engines.base import Engine
from iface_wf.errors import CalculationError, InputError
from iface_wf.flows.graph import Graph
from iface_wf.flows.kinds import flow_kind_of
from iface_wf.flows.parts import PartOutputs
from iface_wf.library.library import Library
from iface_wf.queues.funnels import Waiting, forget, ranked, remember
from iface_wf.queues.monitor import queued_pairs
from iface_wf.queues.project import QueueProject, QueueWorker
from iface_wf.queues.resources import Resources
from iface_wf.screening.estimate import Estimate
from iface_wf.screening.finished import finished_results
from iface_wf.screening.graph import build_screening
from iface_wf.screening.plan import cost_of
from iface_wf.screening.run import funnel_choice
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import part_state, ranked_keys
from iface_wf.store.reuse import working_on

#: Seconds to wait for another process that submits to the same project.
PATIENCE = 600.0
#: Interfaces of one submission: its document in the queue's database grows by 1.8 kB with each, and MongoDB takes 16 MB.
MOST_AT_ONCE = 5000


@dataclass
class Submission:
    """What a submission did, or would do.

    Attributes
    ----------
    project, worker
        Where to.
    stage
        ``interfaces``; ``ranking`` for the first stage of a funnel, whose second one the runner submits by itself.
    flow
        Uuid of the submitted flow; None when there was nothing to submit or for a dry run.
    pairs, stored, queued
        Interfaces of the spec, those whose results are in the store, and those in the queue already.
    submitted
        Names of the submitted interfaces.
    left
        Interfaces beyond `MOST_AT_ONCE`, which the same call submits next time.
    references_found, references
        Isolated parts whose results are used, and those submitted.
    jobs
        Submitted jobs.
    cost
        Estimate, the same as of `iface_wf.screening.plan.Stage`.
    limit_core_hours
        Upper limit: wall time limits times cores.
    refused
        Name and cause of the interfaces that cannot be built or whose parts have no result.
    """

    project: str
    worker: str
    stage: str = "interfaces"
    flow: str | None = None
    pairs: int = 0
    stored: int = 0
    queued: int = 0
    submitted: list[str] = field(default_factory=list)
    left: int = 0
    references_found: int = 0
    references: int = 0
    jobs: int = 0
    cost: Estimate = field(default_factory=Estimate)
    limit_core_hours: float = 0.0
    refused: list[tuple[str, str]] = field(default_factory=list)


def submit_screening(
    spec: ScreeningSpec,
    project: QueueProject,
    library: Library,
    worker: str | None = None,
    dry_run: bool = False,
    on_wait: Callable[[str], None] = lambda message: None,
) -> Submission:
    """Put all interfaces of a spec into the queue that are not in the store and not in the queue.

    Parameters
    ----------
    spec
        What to calculate. Of a funnel the cheap stage is submitted first; the runner makes the same call again when
        that is over, which submits the second stage.
    project
        The queue.
    library
        Where names are looked up.
    worker
        Name of the worker; None: the project's first.
    dry_run
        Count only.
    on_wait
        Is told when another process is submitting.

    Raises
    ------
    InputError
        For unknown names, when not a single interface can be built, and for an unknown worker.
    """
    chosen = project.worker(worker)  # an unknown one is told before anything is built
    screening, stage, store = build_screening(spec, library, here=False), "interfaces", project.store()
    if spec.funnel is not None:
        ranking = build_screening(spec.cheap(), library, here=False)
        controller = project.controller()
        try:
            over = ranked(controller, project, ranking.items)
            if not over and not dry_run:
                remember(controller, spec, chosen.name, ranking.items)
        finally:
            controller.close()
        if not over:
            screening, stage = ranking, "ranking"
        elif not ranked_keys(store, _kind(ranking), ranking.items):
            raise CalculationError(f"The funnel's engine {spec.funnel.engine} ranked no interface.")
        else:
            screening = screening.only(funnel_choice(spec, screening, ranking, store))
    level = spec.level if stage == "interfaces" or spec.funnel is None else spec.funnel.level
    return _submit(screening, stage, level, project, chosen, dry_run, on_wait)


def submit_second_stage(controller: JobController, project: QueueProject, funnel: Waiting) -> tuple[bool, str]:
    """Submit the second stage of a funnel whose first one is over.

    Returns
    -------
    tuple
        Whether something was submitted, and one sentence about it.
    """
    try:
        done = submit_screening(funnel.spec, project, Library(), funnel.worker)
    except (InputError, CalculationError) as error:
        forget(controller, funnel)
        return False, f"Its second stage cannot be submitted: {error}"
    if done.stage == "interfaces":
        forget(controller, funnel)
    return bool(done.submitted), f"Its second stage is submitted: {len(done.submitted)} interfaces, {done.jobs} jobs."


def _kind(graph: Graph) -> ResultKind:
    return get_kind(next(iter(graph.items.values())).kind)


def submit_one(
    request: Any,
    project: QueueProject,
    library: Library,
    worker: str | None = None,
    dry_run: bool = False,
    on_wait: Callable[[str], None] = lambda message: None,
) -> Submission:
    """Put a single result into the queue, unless it is there or in the store.

    Parameters
    ----------
    request
        What to calculate.
    project, library, worker, dry_run, on_wait
        See `submit_screening`.

    Raises
    ------
    InputError
        For unknown names, unusable structures and an unknown worker.
    """
    chosen = project.worker(worker)
    graph = flow_kind_of(request.quantities).graph(request, library, here=False)
    return _submit(graph, "interfaces", request.level, project, chosen, dry_run, on_wait)


def _submit(
    screening: Graph,
    stage: str,
    level: str,
    project: QueueProject,
    worker: QueueWorker,
    dry_run: bool,
    on_wait: Callable[[str], None],
) -> Submission:
    done = Submission(project.name, worker.name, stage, pairs=len(screening.items), refused=list(screening.refused))
    controller = project.controller()
    try:
        with _alone(project, on_wait):
            flow = _missing_flow(screening, level, project, controller, done)
            if flow is None:
                return done
            for job, _ in flow.iterflow():
                resources = _resources(job, screening, project)
                done.jobs += 1
                done.limit_core_hours += resources.cores * resources.time / 3600.0
                job.config = replace(job.config, manager_config={"resources": worker.queue_resources(resources)})
                job.metadata["resources"] = resources.model_dump()
            if not dry_run:
                controller.add_flow(flow, worker=worker.name, allow_external_references=True)
                done.flow = flow.uuid
    finally:
        controller.close()
    return done


def _missing_flow(
    screening: Graph, level: str, project: QueueProject, controller: JobController, done: Submission
) -> Flow | None:
    """Wire the jobs of all interfaces that are neither stored nor queued, and count what is there."""
    store = project.store()
    stored = finished_results(store, screening.items)
    queued = queued_pairs(controller, screening.items) - stored
    done.stored, done.queued = len(stored), len(queued)
    missing = [key for key in screening.items if key not in stored | queued]
    done.left = max(0, len(missing) - MOST_AT_ONCE)
    wanted = screening.only(missing[:MOST_AT_ONCE])
    done.cost = cost_of(wanted, store, level)
    outputs: dict[str, PartOutputs] = {}
    flows: list[Flow] = []
    problems: dict[str, str] = {}
    for key, part in wanted.parts.items():
        state = part_state(store, part)
        if state.problem is not None:
            problems[key] = state.problem
        elif state.outputs is not None:
            outputs[key] = state.outputs
            done.references_found += 1
        else:
            jobs = part.jobs()
            for job in jobs:
                job.metadata |= {"reference": key, "label": part.name}
            outputs[key] = part.outputs(jobs)
            flows.append(Flow(jobs, output=jobs[-1].output, name=part.name))
    done.references = len(flows)
    for item in wanted.items.values():
        blamed = [problems[part] for part in item.parts.values() if part in problems]
        if blamed:
            done.refused.append((item.name, blamed[0]))
            continue
        flow = item.flow(outputs)
        for job, _ in flow.iterflow():
            job.metadata["label"] = item.name
        flows.append(flow)
        done.submitted.append(item.name)
    return Flow(flows, name="screening") if done.submitted else None


def _resources(job: Job, screening: Graph, project: QueueProject) -> Resources:
    """Look up what a job asks the queue for: by engine, level, kind and number of atoms of its cell."""
    maker = job.maker
    reference, interface = job.metadata.get("reference"), job.metadata.get("interface")
    atoms = len(screening.parts[reference].structure) if reference is not None else screening.items[interface].atoms
    if isinstance(maker, Engine):
        return project.resources.resources_for(maker.engine_name, maker.level, maker.kind, atoms)
    return project.resources.resources_for("iface-wf", "any", job.name, atoms)


@contextmanager
def _alone(project: QueueProject, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Claim the right to submit, waiting for another process that does: what it submits must be seen first."""
    deadline, told = time.monotonic() + PATIENCE, False
    while True:
        with working_on(project.store(), f"submission to {project.name}") as ours:
            if ours:
                yield
                return
        if time.monotonic() > deadline:
            raise CalculationError(f"Another process has been submitting to {project.name} for {PATIENCE:g} s.")
        if not told:
            on_wait(f"Another process is submitting to the project {project.name}: waiting for it.")
            told = True
        time.sleep(0.5)

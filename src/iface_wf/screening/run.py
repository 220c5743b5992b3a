"""Run a screening on this machine: nothing twice, no failure stops another interface, and it can be killed at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jobflow import Flow, JobStore

from iface_wf.documents.kinds import get_kind
from iface_wf.errors import CalculationError, InputError
from iface_wf.flows.events import Event
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.parts import Part, PartOutputs
from iface_wf.flows.run import run_flow
from iface_wf.library.library import Library
from iface_wf.screening.finished import finished_results
from iface_wf.screening.graph import build_screening
from iface_wf.screening.share import Share
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import part_state, ranked_keys
from iface_wf.screening.workers import Listener, Stage
from iface_wf.store.annotate import entitle
from iface_wf.store.job_store import require_writable


@dataclass
class Outcome:
    """How a screening ended.

    Attributes
    ----------
    finished
        Keys of the interfaces whose results are in the store, of the last stage.
    failed
        Name and cause of every interface without a result, those that could not be built among them.
    """

    finished: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


def run_screening(
    spec: ScreeningSpec,
    store: JobStore,
    library: Library,
    workdir: Path,
    on_event: Listener | None = None,
    retry: bool = False,
    share: Share | None = None,
) -> Outcome:
    """Calculate all interfaces of a spec that are not in the store.

    Several processes may run the same spec, or overlapping ones, on one store: each takes what no other one has.

    Parameters
    ----------
    spec
        What to calculate.
    store
        Where results are looked for and kept.
    library
        Where names are looked up.
    workdir
        Folder of the calculations.
    on_event
        Is told about every change.
    retry
        Also try what has failed `MAX_ATTEMPTS` times.
    share
        Only this share of the interfaces; parts that others need too are calculated once all the same.

    Returns
    -------
    Outcome
        What is there now and what failed.

    Raises
    ------
    InputError
        For unknown names, and when not a single interface can be built.
    CalculationError
        When the cheap engine of a funnel ranked no interface.
    OutageError
        When disk or server are away for longer than is waited for.
    """
    screening = share_of(spec, build_screening(spec, library), share)
    if spec.funnel is not None:
        ranking = build_screening(spec.cheap(), library)
        failed = _run(ranking, "ranking", store, workdir, on_event, retry).failed
        chosen = funnel_choice(spec, screening, ranking, store)
        if not chosen:
            cause = ": ".join(next(iter(failed.items()), ("no interface", "no trustworthy energy")))
            raise CalculationError(f"The funnel's engine {spec.funnel.engine} ranked no interface; {cause}")
        screening = screening.only(chosen)
    return _run(screening, "interfaces", store, workdir, on_event, retry)


def share_of(spec: ScreeningSpec, graph: Graph, share: Share | None) -> Graph:
    """Return the results of one share; all of them where there is none. InputError for a funnel, which ranks all together."""
    if share is None:
        return graph
    if spec.funnel is not None:
        raise InputError(
            "A funnel ranks all its interfaces together, so it has no parts: start the same command in each job instead, and "
            "they share the work."
        )
    return share.part(graph)


def funnel_choice(spec: ScreeningSpec, screening: Graph, ranking: Graph, store: JobStore) -> list[str]:
    """Choose the results that a funnel lets through, by what the store holds of its cheap stage.

    Parameters
    ----------
    spec
        Says how many.
    screening, ranking
        Both stages.
    store
        Where the results of the cheap stage are.

    Returns
    -------
    list of str
        At most ``keep`` keys of ``screening``, the most strongly bound first.
    """
    assert spec.funnel is not None
    same = {_digests(screening, item): key for key, item in screening.items.items()}
    kind = get_kind(next(iter(ranking.items.values())).kind)
    best = ranked_keys(store, kind, ranking.items)[: spec.funnel.keep]
    return [same[parts] for key in best if (parts := _digests(ranking, ranking.items[key])) in same]


def _digests(graph: Graph, item: Item) -> tuple[str, ...]:
    digests = item.about.get("provenance", {}).get("digests", {})
    return (*(graph.parts[key].digest for _, key in sorted(item.parts.items())), str(digests.get("interface", "")))


def _run(graph: Graph, stage: str, store: JobStore, workdir: Path, listener: Listener | None, retry: bool) -> Outcome:
    """Calculate the parts that unfinished results need, then these results."""
    outcome = Outcome(failed=dict(graph.refused))
    outputs: dict[str, PartOutputs] = {}
    problems: dict[str, str] = {}
    items = graph.items
    stored = finished_results(store, items)
    if len(stored) < len(items):
        require_writable(store)

    def part_known(part: Part) -> bool:
        state = part_state(store, part)
        if state.outputs is not None:
            outputs[part.key] = state.outputs
        if state.problem is not None:
            problems[part.key] = state.problem
        return state.outputs is not None

    def run_part(part: Part, tell: Callable[[Event], None]) -> None:
        jobs = part.jobs()
        run_flow(Flow(jobs, output=jobs[-1].output, name=part.name), store, workdir, tell)
        if not part_known(part):
            raise CalculationError(f"{part.name} was calculated but its result is not in the store.")

    def run_item(item: Item, tell: Callable[[Event], None]) -> None:
        run_flow(item.flow(outputs), store, workdir, tell)

    needed = graph.only(key for key in items if key not in stored).parts.values()
    parts = Stage("references", store, workdir, listener, retry)
    parts.run([part for part in needed if not part_known(part)], part_known, run_part)
    problems |= parts.failed

    results = Stage(stage, store, workdir, listener, retry, total=len(items))
    able = []
    for key, item in items.items():
        blamed = [problems[part] for part in item.parts.values() if part in problems]
        if key in stored:
            if title := item.about.get("provenance", {}).get("request", {}).get("title"):
                entitle(store, key, title)
            results.found(item)
        elif blamed:
            results.fail(item, blamed[0], "skipped")
        else:
            able.append(item)
    results.run(able, lambda item: bool(finished_results(store, {item.key: item})), run_item)
    outcome.finished = set(items) - set(results.failed)
    outcome.failed |= {items[key].name: cause for key, cause in results.failed.items()}
    return outcome

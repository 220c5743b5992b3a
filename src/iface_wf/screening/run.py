"""Run a screening on this machine: nothing twice, no failure stops another interface, and it can be killed at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jobflow import Flow, JobStore

from iface_wf.errors import CalculationError
from iface_wf.flows.binding import ReferenceOutputs
from iface_wf.flows.events import Event
from iface_wf.flows.run import run_flow
from iface_wf.library.library import Library
from iface_wf.screening.graph import Pair, Reference, Screening, build_screening, pair_flow
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import ranked_keys, reference_state, stored_pairs
from iface_wf.screening.workers import Listener, Stage


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
    """
    screening = build_screening(spec, library)
    if spec.funnel is not None:
        ranking = build_screening(spec.cheap(), library)
        failed = _run(ranking, "ranking", store, workdir, on_event, retry).failed
        chosen = funnel_choice(spec, screening, ranking, store)
        if not chosen:
            cause = ": ".join(next(iter(failed.items()), ("no interface", "no trustworthy energy")))
            raise CalculationError(f"The funnel's engine {spec.funnel.engine} ranked no interface; {cause}")
        screening = screening.only(chosen)
    return _run(screening, "interfaces", store, workdir, on_event, retry)


def funnel_choice(spec: ScreeningSpec, screening: Screening, ranking: Screening, store: JobStore) -> list[str]:
    """Choose the interfaces that a funnel lets through, by what the store holds of its cheap stage.

    Returns
    -------
    list of str
        At most ``keep`` keys of ``screening``, the most strongly bound first.
    """
    assert spec.funnel is not None
    same = {_parts(screening, pair): key for key, pair in screening.pairs.items()}
    best = ranked_keys(store, ranking.pairs)[: spec.funnel.keep]
    return [same[parts] for key in best if (parts := _parts(ranking, ranking.pairs[key])) in same]


def _parts(screening: Screening, pair: Pair) -> tuple[str, str]:
    return screening.references[pair.slab].digest, screening.references[pair.fragment].digest


def _run(
    screening: Screening, stage: str, store: JobStore, workdir: Path, listener: Listener | None, retry: bool
) -> Outcome:
    """Calculate the parts that unfinished interfaces need, then these interfaces."""
    outcome = Outcome(failed=dict(screening.refused))
    outputs: dict[str, ReferenceOutputs] = {}
    problems: dict[str, str] = {}
    pairs = screening.pairs
    stored = stored_pairs(store, pairs)

    def reference_known(reference: Reference) -> bool:
        state = reference_state(store, screening.maker, reference)
        if state.outputs is not None:
            outputs[reference.key] = state.outputs
        if state.problem is not None:
            problems[reference.key] = state.problem
        return state.outputs is not None

    def run_reference(reference: Reference, tell: Callable[[Event], None]) -> None:
        jobs = screening.maker.reference(reference.structure, reference.part)
        run_flow(Flow(jobs, output=jobs[-1].output, name=reference.name), store, workdir, tell)
        if not reference_known(reference):
            raise CalculationError(f"{reference.name} was calculated but its result is not in the store.")

    def run_pair(pair: Pair, tell: Callable[[Event], None]) -> None:
        flow = pair_flow(screening, pair, outputs[pair.slab], outputs[pair.fragment])
        run_flow(flow, store, workdir, tell)

    unfinished = [key for key in pairs if key not in stored]
    references = screening.only(unfinished).references.values()
    parts = Stage("references", store, listener, retry)
    parts.run([r for r in references if not reference_known(r)], reference_known, run_reference)
    problems |= parts.failed

    interfaces = Stage(stage, store, listener, retry, total=len(pairs))
    able = []
    for key, pair in pairs.items():
        blamed = [problems[part] for part in (pair.slab, pair.fragment) if part in problems]
        if key in stored:
            interfaces.found(pair)
        elif blamed:
            interfaces.fail(pair, blamed[0], "skipped")
        else:
            able.append(pair)
    interfaces.run(able, lambda pair: bool(stored_pairs(store, [pair.key])), run_pair)
    outcome.finished = set(pairs) - set(interfaces.failed)
    outcome.failed |= {pairs[key].name: cause for key, cause in interfaces.failed.items()}
    return outcome

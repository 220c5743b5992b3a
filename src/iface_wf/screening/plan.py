"""What a screening would calculate, counted exactly, and about how long it would take."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jobflow import JobStore, OutputReference

from iface_wf.engines.base import EngineMaker
from iface_wf.flows.binding import ReferenceOutputs
from iface_wf.library.library import Library
from iface_wf.screening.graph import Screening, build_screening
from iface_wf.screening.run import funnel_choice
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import (
    failures,
    ranked_keys,
    reference_state,
    started_calculations,
    stored_pairs,
)

#: Names of the counts: relaxations and single points of isolated parts and of interfaces, and A*, B* frozen in AB.
KINDS = ("references", "reference_statics", "complexes", "complex_statics", "frozen_statics")
#: Core-seconds of a calculation of 100 atoms, where the store holds no timing of its engine and kind.
RULE_OF_THUMB = {
    ("xtb", "relax"): 600.0,
    ("xtb", "static"): 15.0,
    ("mlip", "relax"): 60.0,
    ("mlip", "static"): 2.0,
    ("gpaw", "relax"): 200_000.0,
    ("gpaw", "static"): 5_000.0,
    ("vasp", "relax"): 100_000.0,
    ("vasp", "static"): 4_000.0,
}
#: How the cost of a calculation grows with the number of atoms in the range of interest.
EXPONENT = 2.5
_SAMPLE = 300


@dataclass
class Stage:
    """Counts of one stage.

    Attributes
    ----------
    name
        ``interfaces``, or ``ranking`` for the cheap stage of a funnel.
    engine, level
        What gives the energies.
    pairs, stored
        Interfaces, and how many of them are finished.
    counts, found
        Calculations by kind (`KINDS`): all, and those whose results are in the store. What the cheap stage of a funnel
        relaxes just as the other one would is counted there only.
    exact
        False for the second stage of a funnel whose ranking is not finished: then every count is the largest possible.
    core_hours
        Estimate for what is not in the store.
    basis
        What the estimate rests on.
    refused
        Name and cause of the interfaces that cannot be built, or failed too often.
    """

    name: str
    engine: str
    level: str
    pairs: int
    stored: int
    counts: dict[str, int]
    found: dict[str, int]
    exact: bool = True
    core_hours: float = 0.0
    basis: str = ""
    refused: list[tuple[str, str]] = field(default_factory=list)


def plan_screening(spec: ScreeningSpec, store: JobStore, library: Library) -> list[Stage]:
    """Count what `iface_wf.screening.run.run_screening` would do; nothing is calculated.

    Returns
    -------
    list of Stage
        One, or two for a funnel.

    Raises
    ------
    InputError
        For unknown names, and when not a single interface can be built.
    """
    screening = build_screening(spec, library)
    if spec.funnel is None:
        return [_stage("interfaces", spec, screening, store)]
    ranking = build_screening(spec.cheap(), library)
    first = _stage("ranking", spec.cheap(), ranking, store)
    relaxed = _relaxation(screening) == _relaxation(ranking)
    if first.stored == first.pairs and ranked_keys(store, ranking.pairs):
        chosen = funnel_choice(spec, screening, ranking, store)
        return [first, _stage("interfaces", spec, screening.only(chosen), store, relaxed)]
    return [first, _at_most(_stage("interfaces", spec, screening, store, relaxed), spec.funnel.keep)]


def _relaxation(screening: Screening) -> list[Any]:
    """Tell how a screening relaxes: where a funnel's two stages do it alike, the second one finds all of it."""
    reference = next(iter(screening.references.values()))
    maker = screening.maker.reference(reference.structure, reference.part)[0].maker
    assert isinstance(maker, EngineMaker)
    return [maker.engine_name, maker.request(reference.structure, [], None).settings]


def _at_most(stage: Stage, keep: int) -> Stage:
    """Cut a stage down to the largest possible numbers for so many interfaces, whichever they will be."""
    kept = min(keep, stage.pairs)
    per_pair = {kind: stage.counts[kind] // stage.pairs for kind in KINDS}
    for kind in KINDS:
        shared = stage.counts[kind] - per_pair[kind] * stage.pairs
        stage.counts[kind] = kept * per_pair[kind] + min(shared, 2 * kept)
        stage.found[kind] = min(stage.found[kind], stage.counts[kind])
    stage.core_hours *= kept / stage.pairs
    stage.stored = min(stage.stored, kept)
    stage.pairs, stage.exact = kept, False
    return stage


def _stage(
    name: str, spec: ScreeningSpec, screening: Screening, store: JobStore, relaxed_before: bool = False
) -> Stage:
    template = _calculations_of_a_pair(screening)
    if relaxed_before:
        template = {step: calculation for step, calculation in template.items() if step[0] != "relax"}
    n_pairs = len(screening.pairs)
    counts = dict.fromkeys(KINDS, 0)
    for kind, _ in template.values():
        counts[kind] += n_pairs
    found: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    missing: list[tuple[str, str, int]] = []  # engine, relax or static, atoms
    for reference in screening.references.values():
        jobs = screening.maker.reference(reference.structure, reference.part)
        for job, uuid in zip(jobs, reference_state(store, screening.maker, reference).uuids, strict=True):
            if relaxed_before and job.maker.kind == "relax":
                continue
            kind = "references" if job.maker.kind == "relax" else "reference_statics"
            counts[kind] += 1
            found[kind] += uuid is not None
            if uuid is None:
                missing.append((job.maker.engine_name, job.maker.kind, len(reference.structure)))
    stored = stored_pairs(store, screening.pairs)
    open_pairs = [key for key in screening.pairs if key not in stored]
    started = started_calculations(store, open_pairs)
    for key, pair in screening.pairs.items():
        atoms = pair.about["provenance"]["build"]["atoms"]["total"]
        for step, (kind, engine) in template.items():
            there = key in stored or step in started.get(key, ())
            found[kind] += there
            if not there:
                missing.append((engine, step[0], atoms))
    hours, basis = _estimate(missing, spec.level, store)
    given_up = [
        (screening.pairs[key].name, failure.cause)
        for key, failure in failures(store, open_pairs).items()
        if failure.final
    ]
    return Stage(
        name=name,
        engine=spec.engine,
        level=spec.level,
        pairs=n_pairs,
        stored=len(stored),
        counts=counts,
        found=dict(found),
        core_hours=hours,
        basis=basis,
        refused=[*screening.refused, *given_up],
    )


def _calculations_of_a_pair(screening: Screening) -> dict[tuple[str, str], tuple[str, str]]:
    """List what one interface costs, (relax or static, role) -> (name of the count, engine), from its own jobs."""
    nowhere = ReferenceOutputs(OutputReference("a"), OutputReference("b"))
    about = next(iter(screening.pairs.values())).about
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for job in screening.maker.pair(nowhere, nowhere, about):
        maker = job.maker
        if isinstance(maker, EngineMaker):
            found[maker.kind, maker.role] = (_name_of(maker), maker.engine_name)
    return found


def _name_of(maker: EngineMaker) -> str:
    if maker.role in ("A", "B"):  # a fragment's single point on the grid steps of an interface
        return "reference_statics"
    if maker.role != "AB":
        return "frozen_statics"
    return "complexes" if maker.kind == "relax" else "complex_statics"


def _estimate(missing: Iterable[tuple[str, str, int]], level: str, store: JobStore) -> tuple[float, str]:
    """Return core-hours, and in words where they come from."""
    seconds, sources = 0.0, set()
    measured: dict[tuple[str, str], tuple[float, int]] = {}
    for engine, kind, atoms in missing:
        if (engine, kind) not in measured:
            measured[engine, kind] = _timing(store, engine, kind, level)
        at_100, sample = measured[engine, kind]
        sources.add(f"{engine} {kind}: {f'median of {sample} stored timings' if sample else 'rule of thumb'}")
        seconds += at_100 * (atoms / 100.0) ** EXPONENT
    return seconds / 3600.0, "; ".join(sorted(sources))


def _timing(store: JobStore, engine: str, kind: str, level: str) -> tuple[float, int]:
    """Return core-seconds at 100 atoms, and from how many stored calculations; 0: from the rule of thumb."""
    criteria = {
        "output.document_type": "calculation",
        "output.engine": engine,
        "output.kind": kind,
        "output.level": level,
        "output.reused_from": None,
    }
    fields = ["output.n_atoms", "output.cpu_time"]
    entries = store.query(criteria, properties=fields, sort={"completed_at": -1}, limit=_SAMPLE, load=False)
    costs = [
        e["output"]["cpu_time"] / (e["output"]["n_atoms"] / 100.0) ** EXPONENT
        for e in entries
        if e["output"].get("cpu_time")
    ]
    if not costs:
        return RULE_OF_THUMB.get((engine, kind), 5_000.0), 0
    return statistics.median(costs), len(costs)


def totals(stages: list[Stage]) -> dict[str, Any]:
    """Add up the stages: ``counts`` and ``found`` by kind, ``pairs``, ``stored``, ``core_hours``."""
    added: dict[str, Any] = {"counts": defaultdict(int), "found": defaultdict(int)}
    for stage in stages:
        for kind in KINDS:
            added["counts"][kind] += stage.counts[kind]
            added["found"][kind] += stage.found[kind]
    added = {name: dict(values) for name, values in added.items()}
    return added | {
        "to_run": {kind: added["counts"][kind] - added["found"][kind] for kind in KINDS},
        "pairs": stages[-1].pairs,
        "stored": stages[-1].stored,
        "exact": all(stage.exact for stage in stages),
        "core_hours": sum(stage.core_hours for stage in stages),
    }

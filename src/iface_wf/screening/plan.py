"""What a screening would calculate, counted exactly, and about how long it would take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from jobflow import JobStore

from iface_wf.documents.kinds import get_kind
from iface_wf.documents.labels import WHOLE, B
from iface_wf.engines.vibrations import KIND as VIBRATIONS
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.parts import Part
from iface_wf.flows.search.jobs import Searching, searching
from iface_wf.library.library import Library
from iface_wf.screening.estimate import Estimate, Missing, Template, calculations_of, estimate, search_of
from iface_wf.screening.finished import finished_results
from iface_wf.screening.graph import build_screening
from iface_wf.screening.programs import absent
from iface_wf.screening.room import Room, room_of_slabs
from iface_wf.screening.run import funnel_choice, share_of
from iface_wf.screening.share import Share
from iface_wf.screening.sizes import Size, Sizes
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import (
    SEARCHED,
    failures,
    part_state,
    ranked_keys,
    started_calculations,
    stored_results,
)

#: Names of the counts: searches for the lowest conformer and for the placement, relaxations and single points of isolated parts
#: and of interfaces, relaxations of A and B from what they are in AB, A*, B* frozen in AB, and second derivatives for frequencies. Single points of references that
#: come out elsewhere from AB are not foreseen.
KINDS = (
    "conformer_searches",
    "references",
    "reference_statics",
    "placement_searches",
    "complexes",
    "reference_checks",
    "complex_statics",
    "frozen_statics",
    "frequencies",
)


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
        Searches and calculations by kind (`KINDS`): all, and those whose results are in the store. What the cheap stage of a
        funnel searches and relaxes just as the other one would is counted there only.
    exact
        False for the second stage of a funnel whose ranking is not finished: then every count is the largest possible.
    cost
        Estimate for what is not in the store.
    refused
        Name and cause of the interfaces that cannot be built, or failed too often.
    room
        For each slab, how far molecules on it are from their images, how dense they lie and what more room would cost.
    absent
        What of it cannot run on this machine, a sentence each.
    """

    name: str
    engine: str
    level: str
    pairs: int
    stored: int
    counts: dict[str, int]
    found: dict[str, int]
    exact: bool = True
    cost: Estimate = field(default_factory=Estimate)
    refused: list[tuple[str, str]] = field(default_factory=list)
    room: list[Room] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    @property
    def core_hours(self) -> float:
        """Core-hours of the estimate; of searches the most that they may take."""
        return self.cost.core_hours


def plan_screening(spec: ScreeningSpec, store: JobStore, library: Library, share: Share | None = None) -> list[Stage]:
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
    screening = share_of(spec, build_screening(spec, library, here=False), share)
    if spec.funnel is None:
        return [_stage("interfaces", spec, screening, store)]
    ranking = build_screening(spec.cheap(), library, here=False)
    first = _stage("ranking", spec.cheap(), ranking, store)
    relaxed = _relaxation(screening) == _relaxation(ranking)
    searched = relaxed and _search(screening) == _search(ranking)
    kind = get_kind(next(iter(ranking.items.values())).kind)
    if first.stored == first.pairs and ranked_keys(store, kind, ranking.items):
        chosen = funnel_choice(spec, screening, ranking, store)
        return [first, _stage("interfaces", spec, screening.only(chosen), store, relaxed, searched)]
    return [first, _at_most(_stage("interfaces", spec, screening, store, relaxed, searched), spec.funnel.keep)]


def _relaxation(graph: Graph) -> list[Any]:
    """Tell how a screening relaxes: where a funnel's two stages do it alike, the second one finds all of it."""
    part = next(iter(graph.parts.values()))
    return [part.relax.engine_name, part.relax.request(part.structure, [], None).settings]


def _search(graph: Graph) -> list[Any]:
    """Tell how a screening searches; where both stages of a funnel do it alike on the same parts, the second one finds it."""
    search = search_of(next(iter(graph.items.values())))
    return [] if search is None else [search.engine.engine_name, search.engine.defaults(), search.steps]


def _at_most(stage: Stage, keep: int) -> Stage:
    """Cut a stage down to the largest possible numbers for so many interfaces, whichever they will be."""
    kept = min(keep, stage.pairs)
    per_pair = {kind: stage.counts[kind] // stage.pairs for kind in KINDS}
    for kind in KINDS:
        shared = stage.counts[kind] - per_pair[kind] * stage.pairs
        stage.counts[kind] = kept * per_pair[kind] + min(shared, 2 * kept)
        stage.found[kind] = min(stage.found[kind], stage.counts[kind])
    stage.cost = stage.cost.scaled(kept / stage.pairs)
    stage.stored = min(stage.stored, kept)
    stage.pairs, stage.exact = kept, False
    return stage


def _stage(
    name: str,
    spec: ScreeningSpec,
    graph: Graph,
    store: JobStore,
    relaxed_before: bool = False,
    searched_before: bool = False,
) -> Stage:
    stored = finished_results(store, graph.items)
    counted = _Count(graph, store, stored, relaxed_before, searched_before)
    open_items = [key for key in graph.items if key not in stored]
    given_up = [
        (graph.items[key].name, failure.cause) for key, failure in failures(store, open_items).items() if failure.final
    ]
    return Stage(
        name=name,
        engine=spec.engine,
        level=spec.level,
        pairs=len(graph.items),
        stored=len(stored),
        counts=counted.counts,
        found=counted.found,
        cost=estimate(counted.missing, spec.level, store),
        refused=[*graph.refused, *given_up],
        room=room_of_slabs(graph, store, spec.level),
        absent=absent(graph),
    )


def cost_of(graph: Graph, store: JobStore, level: str) -> Estimate:
    """Estimate what a graph costs beyond what is stored, as for a screening.

    Parameters
    ----------
    graph
        Parts and results.
    store
        Where finished calculations and timings are looked for.
    level
        Of the results.
    """
    return estimate(_Count(graph, store, finished_results(store, graph.items)).missing, level, store)


class _Count:
    """Searches and calculations of a graph by kind (`KINDS`): all, those stored, and the rest for the estimate."""

    def __init__(
        self,
        graph: Graph,
        store: JobStore,
        stored: Collection[str],
        relaxed_before: bool = False,
        searched_before: bool = False,
    ) -> None:
        self.counts = dict.fromkeys(KINDS, 0)
        self.found = dict.fromkeys(KINDS, 0)
        self.missing: list[Missing] = []
        self._relaxed, self._searched, self._sizes = relaxed_before, searched_before, Sizes(graph)
        for key, part in graph.parts.items():
            self._part(part, self._sizes.parts[key], store)
        started = started_calculations(store, [key for key in graph.items if key not in stored])
        held = [item.holds for item in graph.items.values() if item.holds]
        self._elsewhere = {*graph.items, *stored_results(store, held)}
        templates: dict[str, tuple[Template, Searching | None]] = {}
        for key, item in graph.items.items():
            if item.kind not in templates:
                templates[item.kind] = calculations_of(item), search_of(item)
            self._item(item, *templates[item.kind], None if key in stored else started.get(key, ()))

    def _count(self, kind: str, there: bool, missing: Missing) -> None:
        self.counts[kind] += 1
        self.found[kind] += there
        if not there:
            self.missing.append(missing)

    def _part(self, part: Part, size: Size, store: JobStore) -> None:
        state = part_state(store, part)
        search = None if part.search is None or self._searched else searching(part.search.make(part.structure))
        if search is not None:
            self._count("conformer_searches", state.searched, Missing.search(search, size))
        makers = [maker for maker in (part.relax, part.static) if maker is not None]
        for maker, uuid in zip(makers, state.uuids, strict=True):
            if not (self._relaxed and maker.kind == "relax"):
                kind = "references" if maker.kind == "relax" else "reference_statics"
                self._count(kind, uuid is not None, Missing.of(maker, size))

    def _item(
        self, item: Item, template: Template, search: Searching | None, started: Collection[tuple[str, str]] | None
    ) -> None:
        """Count one result; ``started`` are its calculations that are stored, None: all of them."""
        if item.holds in self._elsewhere:  # all but the frequencies is counted there, or stored
            search, template = None, {step: each for step, each in template.items() if step[0] == VIBRATIONS}
        if search is not None and not self._searched:
            there = started is None or SEARCHED in started
            self._count("placement_searches", there, Missing.search(search, self._sizes.of(WHOLE, item)))
        for step, (kind, of_any_size) in template.items():
            if not (self._relaxed and step[0] == "relax"):
                there = started is None or step in started
                size = self._sizes.of(step[1], item)
                missing = of_any_size._replace(size=size)
                if step[0] == VIBRATIONS:
                    missing = missing.displacing(self._sizes.of(B.name, item))
                self._count(kind, there, missing)


def totals(stages: list[Stage]) -> dict[str, Any]:
    """Add up the stages: ``counts`` and ``found`` by kind, ``pairs``, ``stored``, and the estimate by its names."""
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
        **asdict(sum((stage.cost for stage in stages), Estimate())),
    }

"""Jobs that search: for the place and shape of a fragment on a slab, and for the lowest conformer of a molecule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jobflow import Job, JobConfig, job
from pymatgen.core import Structure

from iface_wf.builders.docking.search import Pose, dock
from iface_wf.builders.docking.shapes import Shapes
from iface_wf.builders.docking.together import Together
from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.placing.placements import place
from iface_wf.builders.placing.targets import Target
from iface_wf.engines.base import Engine
from iface_wf.flows.placements import RankedPlacements
from iface_wf.flows.search.budget import ALONE_VERSION, MOLECULE, Budget
from iface_wf.flows.search.find import Batch, Finder, seed_of
from iface_wf.flows.search.halving import LOOK, RUNGS
from iface_wf.flows.search.layers import search_layer
from iface_wf.flows.search.once import once
from iface_wf.flows.search.options import SearchOptions
from iface_wf.flows.search.record import Record
from iface_wf.flows.search.translations import TranslationSearch, search_translation

#: Starts that the docking force field relaxes for each placement; up to `MORE` times as many where they cost less than the engine's
#: steps: with four times as many the lowest pose of PEO x 2 on quartz is 0.15 eV lower for a seed that had found no good one.
STARTS, MORE = 32, 4
#: So many times as many as atoms of the fragment times atoms of the slab go into this; molecules of fewer atoms than `_FEW` have few poses.
_CHEAP, _FEW = 4000, 12
#: Of these the engine looks at so many for each placement, of which it relaxes the better half.
LOOKED_AT = 2
#: Shapes of a molecule that are placed.
CONFORMERS = 10
#: Candidates of a molecule alone in one batch, for each placement.
SHAPES = 3
#: Steps of basin hopping by the force field for each of the starts of a molecule alone.
HOPS = 10
#: What is told of a search of a molecule alone, beside its options.
_ALONE = {"alone": ALONE_VERSION}


@dataclass(frozen=True)
class ConformerSearch:
    """The search for the conformer that an isolated molecule is relaxed from, see `iface_wf.flows.parts.StartSearch`.

    Attributes
    ----------
    options
        How it is done.
    name
        Of its job.
    """

    options: SearchOptions
    name: str = "search B"

    def key(self, structure: Structure) -> str:
        """Return the content key of the search."""
        return self.options.key(structure, **_ALONE)

    def make(self, structure: Structure) -> Job:
        """Return the job."""
        made = search_conformer(structure, **self.options.arguments())
        made.name = self.name
        return made


def starts_of(placements: int, slab: Structure, fragment: Structure) -> int:
    """Return how many starts are docked for a batch of candidates."""
    times = _CHEAP // (len(slab) * len(fragment)) if len(fragment) >= _FEW else 1
    return STARTS * placements * min(MORE, max(1, times))


class _OnSlab:
    """Candidates of a fragment on a slab."""

    def __init__(
        self, slab: Structure, fragment: Structure, placements: int, seed: int, options: dict[str, Any]
    ) -> None:
        self.slab, self.fragment, self.options = slab, fragment, options
        self.placements, self.seed, self.size = placements, seed, len(slab)
        self.record: Record | None = None

    def batch(self, number: int, best: Structure | None) -> Batch:
        """See `iface_wf.flows.search.find.Source.batch`."""
        starts, seed = starts_of(self.placements, self.slab, self.fragment), seed_of(self.seed, number)
        memory = None if self.record is None else self.record.beside(f"docking-{number}")
        options = self.options | {"conformers": CONFORMERS, "best": best, "memory": memory}
        found = dock(self.slab, self.fragment, starts, seed, **options)
        return Batch(found.poses, starts, found.placed, seed)

    def kept(self, number: int) -> None:
        """See `iface_wf.flows.search.find.Source.kept`."""
        if self.record is not None:
            self.record.beside(f"docking-{number}").forget()


class _Alone:
    """Candidates of a molecule alone."""

    def __init__(self, fragment: Structure, count: int, seed: int) -> None:
        self.fragment, self.count, self.seed, self.size = fragment, count, seed, 0
        self.shapes = Shapes(fragment)

    def batch(self, number: int, best: Structure | None) -> Batch:
        """See `iface_wf.flows.search.find.Source.batch`."""
        seed = seed_of(self.seed, number)
        starts = 3 * self.count
        pool = self.shapes.pool(starts, seed, best, HOPS * starts)
        # half of them the lowest of the force field, the rest any: its order says little about the engine's
        rest = np.random.default_rng([seed, 3]).permutation(np.arange(self.count // 2, len(pool)))
        pool = [*pool[: self.count // 2], *(pool[i] for i in rest)]
        poses = [Pose(each, 0.0, "given" if i == 0 else "conformer", int(i > 0)) for i, each in enumerate(pool)]
        return Batch(poses, starts, len(pool) - 1, seed)

    def kept(self, number: int) -> None:
        """See `iface_wf.flows.search.find.Source.kept`."""


class _Together:
    """Candidates of molecules and ions in one open box, or of a single one."""

    def __init__(self, whole: Structure, count: int, seed: int, step: float) -> None:
        self.count, self.seed, self.size = count, seed, 0
        self.shapes = Together(whole, step)

    def batch(self, number: int, best: Structure | None) -> Batch:
        """See `iface_wf.flows.search.find.Source.batch`."""
        seed, starts = seed_of(self.seed, number), 3 * self.count
        pool = self.shapes.pool(starts, seed, best)
        # as for a molecule alone: the force field's order says little about the engine's
        rest = np.random.default_rng([seed, 3]).permutation(np.arange(min(self.count // 2, len(pool)), len(pool)))
        pool = [*pool[: self.count // 2], *(pool[i] for i in rest)]
        return Batch([Pose(each, 0.0, "together", 1) for each in pool], starts, len(pool), seed)

    def kept(self, number: int) -> None:
        """See `iface_wf.flows.search.find.Source.kept`."""


@dataclass(frozen=True)
class TogetherSearch:
    """The search for the lowest minimum of molecules in an open box, see `iface_wf.flows.parts.StartSearch`.

    Attributes
    ----------
    options
        How it is done; the charge is the engine's.
    keep
        Structures of how many distinct minima are kept.
    step
        Edges of the boxes are multiples of this, A.
    name
        Of its job.
    """

    options: SearchOptions
    keep: int = 1
    step: float = EDGE_STEP
    name: str = "search"

    def key(self, structure: Structure) -> str:
        """Return the content key of the search."""
        return self.options.key(structure, **_told(self.options.engine, self.keep, self.step))

    def make(self, structure: Structure) -> Job:
        """Return the job."""
        made = search_together(structure, keep=self.keep, step=self.step, **self.options.arguments())
        made.name = self.name
        return made


def _told(engine: Engine, keep: int, step: float) -> dict[str, Any]:
    return {"together": True, "charge": engine.charge, "keep": keep, "step": step}


def find_together(whole: Structure, options: SearchOptions, keep: int, step: float) -> RankedPlacements:
    """Search for the lowest minima of molecules in an open box; see `search_together`."""
    source = _Together(whole, SHAPES * options.placements, options.seed, step)
    if not options.searches or not source.shapes.flexible:
        one = source.shapes.pool(1, options.seed)[0].as_dict()
        return RankedPlacements(
            structure=one, placement=0, ranking=[{"placement": 0}], engine="none", isomers=[one] * keep
        )
    record = Record(options.record_key(whole, **_told(options.engine, 0, step)), whole)
    budget = Budget(MOLECULE * options.budget.steps, 2 * options.budget.patience)
    return Finder(source, options.engine, source.count, budget, record, options.seed, keep).run()


def find_on_slab(
    slab: Structure, fragment: Structure, options: SearchOptions, vacuum: float, clearance: float, target: Target | None
) -> RankedPlacements:
    """Search for the lowest minimum of a fragment on a slab; see `search_placement`."""
    placing: dict[str, Any] = {"vacuum": vacuum, "clearance": clearance, "target": target}
    if not options.searches:
        one = place(slab, fragment, 1, options.seed, **placing)[0]
        contact = one.properties["placement"]["contact"]
        return RankedPlacements(
            structure=one.as_dict(), placement=0, ranking=[{"placement": 0, "contact": contact}], engine="none"
        )
    source = _OnSlab(slab, fragment, options.placements, options.seed, placing)
    told = placing | {"target": target.model_dump() if target else None}
    record = Record(options.record_key(slab, fragment, **told), slab, fragment)
    source.record = record
    rungs, count = (LOOK, *RUNGS), LOOKED_AT * options.placements
    return Finder(source, options.engine, count, options.budget, record, options.seed, rungs=rungs).run()


def find_alone(fragment: Structure, options: SearchOptions) -> RankedPlacements:
    """Search for the lowest conformer of a molecule; see `search_conformer`."""
    source = _Alone(fragment, SHAPES * options.placements, options.seed)
    if not options.searches or not source.shapes.flexible:
        return RankedPlacements(structure=fragment.as_dict(), placement=0, ranking=[{"placement": 0}], engine="none")
    record = Record(options.record_key(fragment, **_ALONE), fragment)
    budget = Budget(MOLECULE * options.budget.steps, 2 * options.budget.patience)
    return Finder(source, options.engine, source.count, budget, record, options.seed).run()


class Searching(NamedTuple):
    """What a job may spend on a search.

    Attributes
    ----------
    engine
        The cheap engine.
    steps
        Steps of relaxation, all candidates together; a search that finds nothing better for long takes fewer.
    """

    engine: Engine
    steps: int


def searching(job: Job) -> Searching | None:
    """Say what a job of a flow searches with; None of any other job, and where there is nothing to search."""
    told = job.function_kwargs
    if job.function in (search_placement.original, search_layer.original):
        options = SearchOptions.of(told)
        return Searching(options.engine, options.steps) if options.searches else None
    if job.function is search_conformer.original:
        options = SearchOptions.of(told)
        flexible = options.searches and Shapes(job.function_args[0]).flexible
        return Searching(options.engine, MOLECULE * options.steps) if flexible else None
    if job.function is search_translation.original:
        return Searching(told["engine"], TranslationSearch(told["engine"], told["translations"]).energies)
    if job.function is search_together.original:
        options = SearchOptions.of(told)
        flexible = options.searches and Together(job.function_args[0]).flexible
        return Searching(options.engine, MOLECULE * options.steps) if flexible else None
    return None


@job(config=JobConfig(expose_store=True))
def search_placement(
    slab: Structure | dict[str, Any],
    fragment: Structure | dict[str, Any],
    engine: Engine,
    placements: int,
    seed: int,
    steps: int,
    patience: int,
    vacuum: float = 8.0,
    clearance: float = 0.85,
    target: Target | None = None,
) -> RankedPlacements:
    """Search for the lowest minimum of a fragment on a slab, or find it in the store.

    Parameters
    ----------
    slab, fragment
        The relaxed parts, labelled sites.
    engine
        The cheap engine: a maker, which `jobflow.Flow.update_maker_kwargs` finds among the arguments of a job.
    placements, seed, steps, patience
        See `SearchOptions`. With one placement the first one is taken, and nothing is calculated.
    vacuum
        Empty space above the topmost atom, A.
    clearance, target
        See `iface_wf.builders.placing.placements.place`.

    Returns
    -------
    RankedPlacements
        The best one's structure, and all others with their energies, lowest first.

    Raises
    ------
    CalculationError
        When the cheap engine can calculate none of the candidates.
    """
    slab, fragment = (Structure.from_dict(x) if isinstance(x, dict) else x for x in (slab, fragment))
    target = Target.model_validate(target) if isinstance(target, dict) else target
    options = SearchOptions(engine, placements, seed, steps, patience)
    told = {"vacuum": vacuum, "clearance": clearance, "target": target.model_dump() if target else None}
    key = options.key(slab, fragment, **told)
    return once(key, lambda: find_on_slab(slab, fragment, options, vacuum, clearance, target))


@job(config=JobConfig(expose_store=True))
def search_conformer(
    fragment: Structure | dict[str, Any], engine: Engine, placements: int, seed: int, steps: int, patience: int
) -> RankedPlacements:
    """Search for the lowest conformer of a molecule, or find it in the store; arguments and errors as of `search_placement`."""
    fragment = Structure.from_dict(fragment) if isinstance(fragment, dict) else fragment
    options = SearchOptions(engine, placements, seed, steps, patience)
    return once(ConformerSearch(options).key(fragment), lambda: find_alone(fragment, options))


@job(config=JobConfig(expose_store=True))
def search_together(
    structure: Structure | dict[str, Any],
    engine: Engine,
    placements: int,
    seed: int,
    steps: int,
    patience: int,
    keep: int = 1,
    step: float = EDGE_STEP,
) -> RankedPlacements:
    """Search for the lowest minima of molecules and ions in an open box, or find them in the store.

    Parameters
    ----------
    structure
        All of them, see `iface_wf.builders.molecules.assemblies.join`; how they stand there plays no part.
    engine, placements, seed, steps, patience
        As of `search_placement`; the engine carries the charge.
    keep
        Structures of how many distinct minima are kept.
    step
        Edges of the boxes are multiples of this, A.

    Returns
    -------
    RankedPlacements
        ``isomers`` holds ``keep`` structures, the lowest first.

    Raises
    ------
    CalculationError
        When the cheap engine can calculate none of the candidates.
    """
    structure = Structure.from_dict(structure) if isinstance(structure, dict) else structure
    options = SearchOptions(engine, placements, seed, steps, patience)
    key = TogetherSearch(options, keep, step).key(structure)
    return once(key, lambda: find_together(structure, options, keep, step))

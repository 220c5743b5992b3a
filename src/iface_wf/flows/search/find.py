"""The search itself, the same for a fragment on a slab and for a molecule alone: batch after batch of candidates."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from pymatgen.core import Structure

from iface_wf.builders.docking.search import Pose, descriptor, unlike
from iface_wf.documents.search import SearchSummary
from iface_wf.engines.base import Engine
from iface_wf.engines.progress import tell_progress
from iface_wf.engines.walks import Walk, Walkers
from iface_wf.errors import CalculationError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.flows.search import statistics
from iface_wf.flows.search.budget import Budget
from iface_wf.flows.search.halving import LOOK, RUNGS, Halving
from iface_wf.flows.search.record import Record

#: A candidate is better when it is lower by more than this, eV.
BETTER = 0.01
#: Candidates whose starts differ by less are the same.
_SAME_START = 0.05


@dataclass(frozen=True)
class Batch:
    """Candidates that were proposed together.

    Attributes
    ----------
    poses
        Lowest first.
    starts, independent
        How many starts they came from, and how many of these hung on no other.
    seed
        Of the draw.
    """

    poses: list[Pose]
    starts: int
    independent: int
    seed: int


class Source(Protocol):
    """Proposes candidates."""

    #: Sites of the slab, which come first.
    size: int

    def batch(self, number: int, best: Structure | None) -> Batch:
        """Propose candidates, knowing the best one so far; the same for the same number and the same best one."""
        ...

    def kept(self, number: int) -> None:
        """Hear that a batch is in the record: what led to it is needed no more."""
        ...


def seed_of(seed: int, number: int) -> int:
    """Return the seed of a batch; the first one has the search's own."""
    return seed if number == 0 else int(np.random.default_rng([seed, number]).integers(2**31))


@dataclass
class Finder:
    """One search.

    Attributes
    ----------
    source
        Where candidates come from.
    engine
        The cheap engine.
    per_batch
        Candidates that the engine looks at in each batch.
    budget
        What it may cost.
    record
        What has been done so far.
    seed
        Of the statistics.
    keep
        How many of the lowest distinct minima are kept as structures; 0: the best one only.
    rungs
        See `iface_wf.flows.search.halving.Halving`.
    """

    source: Source
    engine: Engine
    per_batch: int
    budget: Budget
    record: Record
    seed: int
    keep: int = 0
    rungs: Sequence[tuple[int, float, float]] = RUNGS
    _marks: list[Any] = field(default_factory=list)
    _poses: dict[str, Pose] = field(default_factory=dict)

    def run(self) -> RankedPlacements:
        """Search until no better minimum has come for long, or the budget is spent.

        Raises
        ------
        CalculationError
            When the engine can calculate no candidate.
        """
        walkers = Walkers(self.engine, self.engine.processes)
        halving = Halving(walkers, self.record, self.budget.steps, tell_progress, self.rungs)
        batches: list[Batch] = []
        stopped: Literal["patience", "budget", "exhausted"] = "budget"
        best, waited, docking = np.inf, 0, 0.0
        while halving.left >= halving.shortest:
            number = len(batches)
            started = time.process_time()
            tell_progress(f"batch {number + 1}: looking for candidates")
            batch = self._batch(number, self._lowest(halving))
            docking += time.process_time() - started
            batches.append(batch)
            fresh = self._fresh(batch, number)
            if not fresh:
                stopped = "exhausted"
                break
            halving.run(fresh)
            lowest = min(map(halving.last, halving.walks))
            waited = 0 if lowest < best - BETTER else waited + sum(map(_pursued, fresh.values()))
            best = min(best, lowest)
            if waited >= self.budget.patience:
                stopped = "patience"
                break
        if not np.isfinite(best):
            causes = [walk.stand.failed for walk in halving.walks.values() if walk.stand]
            raise CalculationError(
                f"{walkers.method} could calculate none of {len(halving.walks)} candidates: {causes[0] if causes else ''}"
            )
        return self._document(halving, batches, stopped, docking)

    def _lowest(self, halving: Halving) -> Structure | None:
        if not halving.walks:
            return None
        name = min(halving.walks, key=halving.last)
        return halving.walks[name].now if np.isfinite(halving.last(name)) else None

    def _batch(self, number: int, best: Structure | None) -> Batch:
        """Propose a batch, or find it in the record."""
        found = self.record.get(f"batch {number}")
        if found is None:
            batch = self.source.batch(number, best)
            kept = batch.poses[: 4 * self.per_batch]
            written = [{**pose._asdict(), "structure": pose.structure.as_dict()} for pose in kept]
            found = {"poses": written, "starts": batch.starts, "independent": batch.independent, "seed": batch.seed}
            # through JSON, so that a search that goes on after a kill sees the same numbers
            found = json.loads(json.dumps(found, default=_plain))
            self.record.put(f"batch {number}", found)
            self.source.kept(number)
        poses = [Pose(**each | {"structure": Structure.from_dict(each["structure"])}) for each in found["poses"]]
        return Batch(poses, found["starts"], found["independent"], found["seed"])

    def _fresh(self, batch: Batch, number: int) -> dict[str, Walk]:
        """Choose the lowest poses of a batch that are none of those tried before."""
        fresh: dict[str, Walk] = {}
        for pose in batch.poses:
            mark = descriptor(pose.structure, self.source.size)
            if len(fresh) == self.per_batch:
                break
            if any(unlike(mark, other) < _SAME_START for other in self._marks):
                continue
            self._marks.append(mark)
            name = f"{number}.{len(fresh)}"
            self._poses[name] = pose
            fresh[name] = Walk(pose.structure)
        return fresh

    def _document(
        self,
        halving: Halving,
        batches: list[Batch],
        stopped: Literal["patience", "budget", "exhausted"],
        docking: float,
    ) -> RankedPlacements:
        names = sorted(halving.energies, key=halving.last)
        arrived = {name for name in names if (stand := halving.walks[name].stand) is not None and stand.converged}
        ends = statistics.expected(halving.energies, arrived)
        marks = [descriptor(halving.walks[name].now, self.source.size) for name in names]
        same = [
            name
            for name, mark in zip(names, marks, strict=True)
            if abs(ends[name] - ends[names[0]]) < statistics.SAME_ENERGY
            and unlike(mark, marks[0]) < statistics.SAME_DESCRIPTOR
        ]
        failed = [name for name, walk in halving.walks.items() if walk.stand is not None and name not in ends]
        independent = sum(batch.independent for batch in batches)
        found = SearchSummary(
            engine=halving.walkers.method,
            seeds=[batch.seed for batch in batches],
            docked=sum(batch.starts for batch in batches),
            tried=sum(walk.stand is not None for walk in halving.walks.values()),
            relaxed=len(arrived),
            failed=sum(walk.stand is not None and walk.stand.energy is None for walk in halving.walks.values()),
            success_rate=sum(self._poses[name].hits for name in same) / independent if independent else None,
            steps=halving.steps,
            core_seconds=halving.seconds + docking,
            stopped=stopped,
            **statistics.summary([ends[name] for name in names], marks, self.seed),
        )
        return RankedPlacements(
            structure=halving.walks[names[0]].now.as_dict(),
            built=self._poses[names[0]].structure.as_dict(),
            placement=list(halving.walks).index(names[0]),
            ranking=[self._entry(halving, name, ends.get(name)) for name in [*names, *failed]],
            engine=f"{halving.walkers.method}, {found.steps} steps for {found.tried} candidates",
            search=found,
            isomers=self._isomers(halving, names, marks, ends) if self.keep else [],
        )

    def _isomers(
        self, halving: Halving, names: list[str], marks: list[Any], ends: dict[str, float]
    ) -> list[dict[str, Any]]:
        """Return the lowest distinct minima, those first that were relaxed furthest; the best one again where there are fewer.

        A fixed number, because the jobs that follow are wired before anybody knows how many minima there are.
        """
        distinct = statistics.minima([ends[name] for name in names], marks)
        chosen = [0, *(i for i in distinct if i != 0)][: self.keep]
        chosen += [0] * (self.keep - len(chosen))
        return [halving.walks[names[i]].now.as_dict() for i in chosen]

    def _entry(self, halving: Halving, name: str, end: float | None) -> dict[str, Any]:
        pose, stand = self._poses[name], halving.walks[name].stand
        assert stand is not None
        entry: dict[str, Any] = {
            "placement": list(halving.walks).index(name),
            "origin": pose.origin,
            "contact": pose.contact,
            "steps": stand.steps,
        }
        if stand.energy is None:
            return entry | {"failed": stand.failed}
        return entry | {"energy": stand.energy, "expected": end, "relaxed": stand.converged}


def _pursued(walk: Walk) -> bool:
    """Tell whether a candidate was more than looked at: one step finds nobody's minimum, and patience counts those that might have."""
    return walk.stand is not None and (walk.stand.steps > LOOK[0] or walk.stand.converged)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)

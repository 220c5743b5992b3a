"""Successive halving: all candidates go a few steps, the better part goes on.

After five steps the order of candidates says little (they end up to 0.7 eV from what it promises), after forty nearly all. So
each rung keeps what is within a window of the best as well as few enough, and the windows are as wide as the errors of the
order were found to be, see ``docs/search.md``. Jamieson and Talwalkar, arXiv:1502.07943.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from iface_wf.engines.walks import Stand, Walk, Walkers
from iface_wf.flows.search.record import Record

#: Steps of each rung, counted from the start; the share of the candidates that goes on from it, and how far above the best
#: one (eV) it may be.
RUNGS = ((6, 0.5, 0.6), (16, 0.5, 0.35), (40, 0.5, 0.15))
#: A rung before those, where candidates are many: one step tells which of the poses of a force field the engine sees as low at all.
LOOK = (1, 0.5, 1.0)
#: Steps of a stretch after the last rung, of which as many follow as are needed.
STRETCH = 40
#: Forces below which a candidate has arrived, eV/A; the relaxation that follows the search goes on from there.
ARRIVED = 0.08
#: Most steps of one candidate.
MOST = 240


@dataclass
class Halving:
    """Candidates of one search.

    Attributes
    ----------
    walkers
        The engine.
    record
        Where each stretch is noted, and found again after a kill.
    budget
        Steps that may be taken.
    tell
        Is told how the search goes, in words.
    rungs
        As `RUNGS`, which may have others before them.
    """

    walkers: Walkers
    record: Record
    budget: int
    tell: Callable[[str], None] = lambda words: None
    rungs: Sequence[tuple[int, float, float]] = RUNGS
    walks: dict[str, Walk] = field(default_factory=dict)
    energies: dict[str, dict[int, float]] = field(default_factory=dict)
    seconds: float = 0.0
    steps: int = 0

    @property
    def left(self) -> int:
        """Steps that may still be taken."""
        return self.budget - self.steps

    @property
    def shortest(self) -> int:
        """Fewest steps that are worth beginning a batch with."""
        return min(RUNGS[0][0], self.budget)

    def run(self, candidates: dict[str, Walk]) -> None:
        """Take candidates through all rungs, and the best of them to the end, as far as there are steps left."""
        self.walks |= candidates
        alive = list(candidates)
        done = 0
        for steps, share, window in self.rungs:
            self._advance(alive, steps - done, f"{steps} step{'s' * (steps > 1)}")
            alive = self._better(alive, share, window)
            done = steps
            if self.left <= 0 or not alive:
                return
        while alive and self.left > 0:
            going = [name for name in alive if not self._arrived(name)]
            if not going:
                return
            self._advance(going, STRETCH, "to the end")
            best = min(self.last(name) for name in alive)
            alive = [name for name in alive if self.last(name) < best + RUNGS[-1][2]]

    def last(self, name: str) -> float:
        """Return the energy that a candidate has reached, eV."""
        stand = self.walks[name].stand
        return np.inf if stand is None or stand.energy is None else stand.energy

    def _arrived(self, name: str) -> bool:
        stand = self.walks[name].stand
        return stand is not None and (stand.converged or stand.energy is None or stand.steps >= MOST)

    def _better(self, names: Sequence[str], share: float, window: float) -> list[str]:
        ranked = sorted((name for name in names if np.isfinite(self.last(name))), key=self.last)
        keep = max(1, round(share * len(ranked)))
        return [name for name in ranked[:keep] if self.last(name) < self.last(ranked[0]) + window]

    def _advance(self, names: Sequence[str], steps: int, what: str) -> None:
        """Take one stretch with each candidate, or find it in the record; the best go first when steps run short."""
        names = sorted((name for name in names if not self._arrived(name)), key=self.last)
        todo: list[str] = []
        stretches: list[int] = []
        for name in names:
            stand = self.walks[name].stand
            found = self.record.get(f"{name} {stand.steps if stand else 0} {steps}")
            if found is not None:
                self._note(name, Stand(**found), stand.steps if stand else 0)
            elif self.left - sum(stretches) > 0:
                todo.append(name)
                stretches.append(min(steps, self.left - sum(stretches)))
        before = {name: (s.steps if (s := self.walks[name].stand) else 0) for name in todo}
        finished = 0

        def tell(index: int, stand: Stand) -> None:
            nonlocal finished
            finished += 1
            name = todo[index]
            self.record.put(f"{name} {before[name]} {steps}", stand._asdict())
            self._note(name, stand, before[name])
            lowest = min(map(self.last, self.walks))
            self.tell(f"{what}: {finished} of {len(todo)} candidates, lowest {lowest:.3f} eV, {self.left} steps left")

        if todo:
            self.walkers.take([self.walks[name] for name in todo], stretches, ARRIVED, tell)

    def _note(self, name: str, stand: Stand, before: int) -> None:
        self.walks[name].stand = stand
        taken = stand.steps - before
        self.steps += taken
        self.seconds += stand.seconds
        if stand.energy is not None:
            self.energies.setdefault(name, {})[stand.steps] = stand.energy

"""Relaxations that go on step by step: several candidates side by side, each as far as it is worth."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from ase.calculators.calculator import CalculationFailed
from numpy.typing import NDArray
from pymatgen.core import Structure

from iface_wf.engines.ase_engine import IMPLAUSIBLE_FORCE, AseEngine, first_line
from iface_wf.engines.base import Engine
from iface_wf.engines.bodies import BodyLBFGS, bodies_of
from iface_wf.engines.cells import moved
from iface_wf.engines.registry import create, require_cheap
from iface_wf.errors import InputError

Vectors = NDArray[np.float64]


class Stand(NamedTuple):
    """How far a candidate has come.

    Attributes
    ----------
    steps
        Steps taken altogether.
    energy
        eV; None where it cannot be calculated.
    converged
        Whether the forces are below their limit.
    positions
        A, shape (atoms, 3).
    seconds
        Processor time of the last stretch, s.
    failed
        Why it cannot be calculated.
    """

    steps: int
    energy: float | None
    converged: bool
    positions: list[list[float]]
    seconds: float
    failed: str = ""


@dataclass
class Walk:
    """One candidate on its way.

    Attributes
    ----------
    structure
        Where it began.
    stand
        How far it has come; None before the first step.
    """

    structure: Structure
    stand: Stand | None = None
    _optimiser: BodyLBFGS | None = None

    @property
    def now(self) -> Structure:
        """The structure as it is now."""
        return self.structure if self.stand is None else moved(self.structure, self.stand.positions)


class Walkers:
    """A cheap engine that takes candidates along, several at a time where it keeps to one core.

    Parameters
    ----------
    engine
        A cheap engine.
    processes
        How many candidates at a time; 0: as many as there are cores.

    Raises
    ------
    InputError
        For an engine that is not cheap.
    """

    def __init__(self, engine: Engine | str, processes: int = 0) -> None:
        if isinstance(engine, str):
            engine = create(require_cheap(engine), level="fast")
        require_cheap(engine.engine_name)
        if not isinstance(engine, AseEngine):
            raise InputError(f"The engine {engine.engine_name!r} calls itself cheap, but is no calculator of ASE.")
        charge = {"charge": engine.charge} if engine.charge else {}
        self.engine, self.settings = engine, engine.defaults() | charge
        # a calculator that serves for many structures also takes several cores by itself
        self._shared = engine.calculator(self.settings) if engine.reusable else None
        self._at_once = 1 if engine.reusable else processes or len(os.sched_getaffinity(0))

    @property
    def method(self) -> str:
        """What relaxes, for example ``CHGNet 0.3.0-D3(BJ)``."""
        told = self.engine.method(self.settings)
        return f"{told.functional}-{told.dispersion}" if told.dispersion else told.functional

    def take(
        self, walks: Sequence[Walk], steps: Sequence[int], fmax: float, tell: Callable[[int, Stand], None]
    ) -> None:
        """Take each candidate further by at most so many steps.

        Parameters
        ----------
        walks
            Candidates.
        steps
            For each one: most steps.
        fmax
            Largest force at which it has arrived, eV/A.
        tell
            Is told the number of a candidate and its new stand, as soon as it is there.
        """
        with ThreadPoolExecutor(max(1, min(self._at_once, len(walks)))) as pool, self.engine.quiet():
            running = {
                pool.submit(self._further, walk, most, fmax): i
                for i, (walk, most) in enumerate(zip(walks, steps, strict=True))
            }
            for future, i in running.items():
                walks[i].stand = future.result()
                tell(i, walks[i].stand)  # type: ignore[arg-type]

    def _further(self, walk: Walk, steps: int, fmax: float) -> Stand:
        started = time.thread_time() if self._shared is None else time.process_time()

        def seconds() -> float:
            return (time.thread_time() if self._shared is None else time.process_time()) - started

        before = walk.stand.steps if walk.stand else 0
        if walk._optimiser is None:
            atoms = self.engine.atoms(walk.now)
            atoms.calc = self._shared or self.engine.calculator(self.settings)
            walk._optimiser = BodyLBFGS(atoms, bodies_of(walk.structure, atoms), logfile=None, maxstep=0.15)
        optimiser = walk._optimiser
        atoms, taken = optimiser.atoms, optimiser.nsteps
        try:
            arrived = bool(optimiser.run(fmax=fmax, steps=steps))
            energy = float(atoms.get_potential_energy())
            force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
            if force > IMPLAUSIBLE_FORCE:  # an energy that is thousands of eV too low would win
                raise CalculationFailed(f"{self.method}: forces of {force:.0f} eV/A, no state that exists")
        except (CalculationFailed, *self.engine.failures) as error:
            return Stand(before, None, False, walk.now.cart_coords.tolist(), seconds(), first_line(error))
        return Stand(before + optimiser.nsteps - taken, energy, arrived, atoms.positions.tolist(), seconds())


def as_json(stand: Stand) -> dict[str, Any]:
    """Return a stand as plain JSON."""
    return stand._asdict()

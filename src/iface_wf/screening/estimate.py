"""What calculations cost: by a law fitted to timings in the store, else by what their engines say; the same for all who ask."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jobflow import Flow, Job, JobStore, OutputReference
from numpy.typing import NDArray
from pymatgen.core import Composition

from iface_wf.engines import registry
from iface_wf.engines.base import Engine
from iface_wf.engines.profile import EngineProfile
from iface_wf.engines.vibrations import KIND, n_displacements
from iface_wf.flows.graph import Item
from iface_wf.flows.parts import PartOutputs
from iface_wf.flows.search.jobs import Searching, searching
from iface_wf.screening.scaling import Law, fit
from iface_wf.screening.sizes import Size, electrons_of

#: Core-seconds of a calculation of 100 atoms, where neither the store nor its engine knows anything better.
RULE_OF_THUMB = 5_000.0
#: Sizes are compared with this one: 100 atoms of an oxide or a polymer, in electrons and A^3.
REFERENCE = Size(100, 400.0, 2000.0)
#: Steps of a relaxation before any is stored, spread of their number (a factor), and how many relaxations that belief is worth.
RELAXATION_STEPS, STEPS_SPREAD, STEPS_WORTH = 100, math.log(2.0), 2.0
#: GB of 100 atoms where an engine says nothing.
LITTLE_MEMORY = 1.0
_SAMPLE = 300


class Missing(NamedTuple):
    """A calculation that is to be done.

    Attributes
    ----------
    engine
        How.
    kind
        ``relax``, ``static``, ``vibrations`` or ``search``.
    size
        How large it is.
    level
        Its own; None: that of what is asked for.
    steps
        Of a search, at most; of vibrations the displacements, each of which takes a single point.
    kpoint_length
        Its own, A; None: that of its level.
    """

    engine: str
    kind: str
    size: Size
    level: str | None = None
    steps: int = 1
    kpoint_length: float | None = None

    @classmethod
    def of(cls, maker: Engine, size: Size = REFERENCE) -> Missing:
        """Return what a maker's calculation takes."""
        length = maker.overrides.get("kpoint_length")
        return cls(maker.engine_name, str(maker.kind), size, maker.level, kpoint_length=length)

    @classmethod
    def search(cls, what: Searching, size: Size) -> Missing:
        """Return what a search may take."""
        return cls(what.engine.engine_name, "search", size, what.engine.level, what.steps)

    def displacing(self, molecule: Size) -> Missing:
        """Return what second derivatives take: of all atoms of a molecule, in a cell of this size."""
        return self._replace(steps=n_displacements(molecule.atoms))


#: What a result costs: (relax, static or vibrations, role) to the name of the count and the calculation, of any size.
Template = dict[tuple[str, str], tuple[str, Missing]]


@dataclass(frozen=True)
class Estimate:
    """What calculations will cost.

    Attributes
    ----------
    core_hours
        The median of what they may take; of searches the most.
    low, high
        Two of three times it is between these, core-hours.
    memory_gb
        Of the largest calculation, GB, as a queue is asked for it.
    disk_gb
        Of all their files and densities, GB.
    basis
        In words where the times come from.
    """

    core_hours: float = 0.0
    low: float = 0.0
    high: float = 0.0
    memory_gb: float = 0.0
    disk_gb: float = 0.0
    basis: str = ""

    @property
    def sentence(self) -> str:
        """The same for people."""
        if not self.basis:
            return "About 0 core-hours (nothing to run)."
        return (
            f"About {self.core_hours:.3g} core-hours, probably {self.low:.2g} to {self.high:.2g}; up to {self.memory_gb:.2g} GB of "
            f"memory, {self.disk_gb:.2g} GB of disk ({self.basis})."
        )

    def __add__(self, other: object) -> Estimate:
        """Add what is done one after the other."""
        if not isinstance(other, Estimate):
            return NotImplemented
        spread = math.hypot(self.high - self.core_hours, other.high - other.core_hours)
        below = math.hypot(self.core_hours - self.low, other.core_hours - other.low)
        hours = self.core_hours + other.core_hours
        sources = {part for each in (self, other) for part in each.basis.split("; ") if part}
        memory, disk = max(self.memory_gb, other.memory_gb), self.disk_gb + other.disk_gb
        return Estimate(hours, hours - below, hours + spread, memory, disk, "; ".join(sorted(sources)))

    def scaled(self, factor: float) -> Estimate:
        """Return what so much of the same costs."""
        core_hours, low, high = (factor * each for each in (self.core_hours, self.low, self.high))
        return Estimate(core_hours, low, high, self.memory_gb, factor * self.disk_gb, self.basis)


def calculations_of(item: Item) -> Template:
    """List what one result costs beside its parts, from its own jobs."""
    makers = [job.maker for job in jobs_of(item)]
    return {
        (str(maker.kind), maker.role): (_name_of(maker, item), Missing.of(maker))
        for maker in makers
        if isinstance(maker, Engine) and not (maker.kind == "static" and " from " in maker.role)
    }


def search_of(item: Item) -> Searching | None:
    """Say what one result's own search for the placement may take; None where nothing is searched."""
    return next((found for found in map(searching, jobs_of(item)) if found is not None), None)


def jobs_of(item: Item) -> list[Job]:
    """Return the jobs of one result, its parts apart; they cannot run."""
    nowhere = PartOutputs(OutputReference("a"), OutputReference("b"), OutputReference("c"))
    flow: Flow = item.flow(dict.fromkeys(item.parts.values(), nowhere))
    return [job for job, _ in flow.iterflow()]


def _name_of(maker: Engine, item: Item) -> str:
    if maker.kind == KIND:
        return "frequencies"
    if maker.role in item.parts:  # a part's single point on the grid steps of an interface
        return "reference_statics"
    if " from " in maker.role:
        return "reference_checks"
    if maker.role.rstrip("*") != maker.role or " in " in maker.role:
        return "frozen_statics"
    return "complexes" if maker.kind == "relax" else "complex_statics"


def estimate(missing: Iterable[Missing], level: str, store: JobStore) -> Estimate:
    """Estimate the cost of calculations by what like ones took.

    Parameters
    ----------
    missing
        The calculations, and searches with all steps that they may take.
    level
        Theirs, where they do not say their own.
    store
        Where timings are looked for.

    Returns
    -------
    Estimate
        Of all together. A law that is uncertain errs alike in all calculations of its engine, kind and level.
    """
    alike: dict[tuple[str, str, str, float | None], list[Missing]] = defaultdict(list)
    for each in missing:
        alike[each.engine, each.kind, each.level or level, each.kpoint_length].append(each)
    return sum((_of_kind(*asked, found, store) for asked, found in alike.items()), Estimate())


def _of_kind(
    engine: str, kind: str, level: str, length: float | None, missing: list[Missing], store: JobStore
) -> Estimate:
    """Estimate calculations of one engine, kind and level."""
    profile = registry.profile(engine)
    one = {"search": "relax", KIND: "static"}.get(kind, kind)
    known = _known(store, profile, one, level)
    length = length or _kpoint_length(profile, level)
    sizes = np.array([_relative(each.size, length) for each in missing])
    seconds, spreads, noises = np.empty((3, len(missing)))
    # a law for each size, because timings of like sizes count most; a quarter of a power of e is like enough
    cells, group = np.unique(np.round(4.0 * np.log(sizes)), axis=0, return_inverse=True)
    for number in range(len(cells)):
        mine = group.ravel() == number
        law = known.law(np.exp(cells[number] / 4.0))
        seconds[mine], spreads[mine], noises[mine] = law.seconds(sizes[mine]), law.spread(sizes[mine]), law.noise
    seconds *= (known.steps if kind == "relax" else 1.0) * np.array([each.steps for each in missing])
    hours = float(seconds.sum()) / 3600.0
    common = float(np.average(spreads, weights=seconds))
    single = np.hypot(noises, known.steps_spread if kind == "relax" else 0.0)
    spread = math.hypot(common, float(np.linalg.norm(single * seconds) / seconds.sum()))
    sample = len(known.seconds)
    source = f"{engine} {kind}: " + (f"law of {sample} stored timings" if sample else "rule of thumb")
    memory = max(_memory(profile, level, one, each.size.atoms) for each in missing)
    disk = sum(profile.disk.get(kind, 0.0) * each.size.volume for each in missing) / 1e6
    return Estimate(hours, hours / math.exp(spread), hours * math.exp(spread), memory, disk, source)


class _Known(NamedTuple):
    """What is known of the time of single points or of steps of relaxations, and of relaxations how many steps they take, with spread."""

    sizes: NDArray[np.float64]
    seconds: list[float]
    thumb: float
    growth: tuple[float, float]
    steps: float
    steps_spread: float

    def law(self, near: NDArray[np.float64] | None = None) -> Law:
        """Return the law for calculations of about one size."""
        about = None if near is None else (float(near[0]), float(near[1]))
        return fit(self.sizes, self.seconds, self.thumb, self.growth, about)


def _known(store: JobStore, profile: EngineProfile, kind: str, level: str) -> _Known:
    timed = [out for out in _timings(store, profile.name, kind, level) if kind == "static" or out.get("ionic_steps")]
    counts = [1 + out["ionic_steps"] if kind == "relax" else 1 for out in timed]
    steps = [math.log(RELAXATION_STEPS)] * (STEPS_WORTH > 0) + [math.log(count) for count in counts]
    weights = [STEPS_WORTH, *[1.0] * len(counts)]
    mean = float(np.average(steps, weights=weights))
    variance = (STEPS_WORTH * STEPS_SPREAD**2 + sum((x - mean) ** 2 for x in steps[1:])) / sum(weights)
    cost = profile.cost.get(f"{kind} {level}", profile.cost.get(kind, RULE_OF_THUMB))
    thumb = cost / (RELAXATION_STEPS if kind == "relax" else 1)
    sizes = np.array([_measured(out) for out in timed]).reshape(-1, 2)
    seconds = [out["cpu_time"] / count for out, count in zip(timed, counts, strict=True)]
    return _Known(sizes, seconds, thumb, profile.growth, math.exp(mean), math.sqrt(variance))


def _timings(store: JobStore, engine: str, kind: str, level: str) -> list[dict[str, Any]]:
    """Return what the store knows of the newest calculations that really ran."""
    criteria = {
        "output.document_type": "calculation",
        "output.engine": engine,
        "output.kind": kind,
        "output.level": level,
        "output.reused_from": None,
    }
    fields = ["formula", "n_atoms", "ghosts", "kpoints", "structure.lattice.volume", "cpu_time", "ionic_steps"]
    entries = store.query(
        criteria,
        properties=[f"output.{field}" for field in fields],
        sort={"completed_at": -1},
        limit=_SAMPLE,
        load=False,
    )
    return [out for out in (entry["output"] for entry in entries) if (out.get("cpu_time") or 0.0) > 0.0]


def _measured(out: Mapping[str, Any]) -> tuple[float, float]:
    """Return electrons and grid of a stored calculation, by those of the reference."""
    formula = Composition(out["formula"])  # reduced, but where there are ghosts
    sites = out["n_atoms"] + len(out.get("ghosts") or ())
    volume = (out.get("structure") or {}).get("lattice", {}).get("volume") or REFERENCE.volume * out[
        "n_atoms"
    ] / REFERENCE.atoms
    grid = volume * math.prod(out.get("kpoints") or (1,))
    return electrons_of(formula) * sites / formula.num_atoms / REFERENCE.electrons, grid / REFERENCE.volume


def _relative(size: Size, kpoint_length: float | None) -> tuple[float, float]:
    return size.electrons / REFERENCE.electrons, size.grid(kpoint_length) / REFERENCE.volume


def _kpoint_length(profile: EngineProfile, level: str) -> float | None:
    settings = profile.settings(level, {})
    return settings.get("kpoint_length")


def _memory(profile: EngineProfile, level: str, kind: str, atoms: float) -> float:
    """Return GB as a queue is asked for them."""
    fitting = (r for r in profile.resources if r.get("level", level) == level and r.get("kind", kind) == kind)
    memory = next(fitting, {}).get("memory_gb") or LITTLE_MEMORY
    return float(memory) * max(0.25, atoms / REFERENCE.atoms)

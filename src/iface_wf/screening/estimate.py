"""What calculations cost: by timings in the store, else by what their engines say."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

from jobflow import Flow, Job, JobStore, OutputReference

from iface_wf.engines import registry
from iface_wf.engines.base import Engine
from iface_wf.flows.graph import Item
from iface_wf.flows.parts import PartOutputs
from iface_wf.flows.search.jobs import Searching, searching

#: What a result costs: (relax or static, role) to (name of the count, engine).
Template = dict[tuple[str, str], tuple[str, str]]
#: Core-seconds of a calculation of 100 atoms, where neither the store nor its engine knows anything better.
RULE_OF_THUMB = 5_000.0
#: How the cost of a calculation grows with the number of atoms in the range of interest.
EXPONENT = 2.5
#: A relaxation takes so many steps, where no stored one tells what a step of a search costs.
RELAXATION_STEPS = 100
_SAMPLE = 300


class Missing(NamedTuple):
    """A calculation that is to be done.

    Attributes
    ----------
    engine
        How.
    kind
        ``relax``, ``static`` or ``search``.
    atoms
        How many.
    level
        Its own; None: that of what is asked for.
    steps
        Of a search, at most.
    """

    engine: str
    kind: str
    atoms: int
    level: str | None = None
    steps: int = 1

    @classmethod
    def search(cls, what: Searching, atoms: int) -> Missing:
        """Return what a search may take."""
        return cls(what.engine.engine_name, "search", atoms, what.engine.level, what.steps)


def calculations_of(item: Item) -> Template:
    """List what one result costs beside its parts, from its own jobs."""
    makers = [job.maker for job in _jobs_of(item)]
    return {
        (maker.kind, maker.role): (_name_of(maker, item), maker.engine_name)
        for maker in makers
        if isinstance(maker, Engine) and not (maker.kind == "static" and " from " in maker.role)
    }


def search_of(item: Item) -> Searching | None:
    """Say what one result's own search for the placement may take; None where nothing is searched."""
    return next((found for found in map(searching, _jobs_of(item)) if found is not None), None)


def _jobs_of(item: Item) -> list[Job]:
    nowhere = PartOutputs(OutputReference("a"), OutputReference("b"), OutputReference("c"))
    flow: Flow = item.flow(dict.fromkeys(item.parts.values(), nowhere))
    return [job for job, _ in flow.iterflow()]


def _name_of(maker: Engine, item: Item) -> str:
    if maker.role in item.parts:  # a part's single point on the grid steps of an interface
        return "reference_statics"
    if " from " in maker.role:
        return "reference_checks"
    if maker.role.rstrip("*") != maker.role or " in " in maker.role:
        return "frozen_statics"
    return "complexes" if maker.kind == "relax" else "complex_statics"


def estimate(missing: Iterable[Missing], level: str, store: JobStore) -> tuple[float, str]:
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
    tuple
        Core-hours, and in words where they come from.
    """
    seconds, sources = 0.0, set()
    measured: dict[tuple[str, str, str], tuple[float, int]] = {}
    for engine, kind, atoms, own, steps in missing:
        asked = engine, kind, own or level
        if asked not in measured:
            measured[asked] = _timing(store, *asked)
        at_100, sample = measured[asked]
        sources.add(f"{engine} {kind}: {f'median of {sample} stored timings' if sample else 'rule of thumb'}")
        seconds += steps * at_100 * (atoms / 100.0) ** EXPONENT
    return seconds / 3600.0, "; ".join(sorted(sources))


def _timing(store: JobStore, engine: str, kind: str, level: str) -> tuple[float, int]:
    """Return core-seconds at 100 atoms, of a search those of a step, and from how many stored calculations they are.

    Without any they are from the rule of thumb. A step of a search costs what one of a relaxation does.
    """
    search = kind == "search"
    criteria = {
        "output.document_type": "calculation",
        "output.engine": engine,
        "output.kind": "relax" if search else kind,
        "output.level": level,
        "output.reused_from": None,
    }
    fields = ["output.n_atoms", "output.cpu_time", "output.ionic_steps"]
    entries = store.query(criteria, properties=fields, sort={"completed_at": -1}, limit=_SAMPLE, load=False)
    costs = [
        out["cpu_time"] / (1 + out["ionic_steps"] if search else 1) / (out["n_atoms"] / 100.0) ** EXPONENT
        for out in (e["output"] for e in entries)
        if out.get("cpu_time") and (not search or out.get("ionic_steps"))
    ]
    if not costs and search:
        return registry.profile(engine).cost.get("relax", RULE_OF_THUMB) / RELAXATION_STEPS, 0
    if not costs:
        return registry.profile(engine).cost.get(kind, RULE_OF_THUMB), 0
    return statistics.median(costs), len(costs)

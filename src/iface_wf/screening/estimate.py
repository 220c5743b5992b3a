"""What calculations cost: by timings in the store, else by what their engines say."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from jobflow import JobStore, OutputReference

from iface_wf.engines import registry
from iface_wf.engines.base import Engine
from iface_wf.flows.graph import Item
from iface_wf.flows.parts import PartOutputs

#: A calculation that is to be done: engine, relax or static, atoms.
Missing = tuple[str, str, int]
#: What a result costs: (relax or static, role) to (name of the count, engine).
Template = dict[tuple[str, str], tuple[str, str]]
#: Core-seconds of a calculation of 100 atoms, where neither the store nor its engine knows anything better.
RULE_OF_THUMB = 5_000.0
#: How the cost of a calculation grows with the number of atoms in the range of interest.
EXPONENT = 2.5
_SAMPLE = 300


def calculations_of(item: Item) -> Template:
    """List what one result costs beside its parts, from its own jobs."""
    nowhere = PartOutputs(OutputReference("a"), OutputReference("b"), OutputReference("c"))
    makers = [job.maker for job, _ in item.flow(dict.fromkeys(item.parts.values(), nowhere)).iterflow()]
    return {
        (maker.kind, maker.role): (_name_of(maker, item), maker.engine_name)
        for maker in makers
        if isinstance(maker, Engine) and not (maker.kind == "static" and " from " in maker.role)
    }


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
        The calculations.
    level
        Theirs.
    store
        Where timings are looked for.

    Returns
    -------
    tuple
        Core-hours, and in words where they come from.
    """
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
        return registry.profile(engine).cost.get(kind, RULE_OF_THUMB), 0
    return statistics.median(costs), len(costs)

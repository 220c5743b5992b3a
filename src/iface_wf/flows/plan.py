"""What a flow would do, without doing it: for dry runs."""

from __future__ import annotations

from typing import Any

from jobflow import Flow, JobStore
from pymatgen.core import Structure

from iface_wf.engines.base import EngineMaker
from iface_wf.store.reuse import find_finished


def plan_flow(flow: Flow, store: JobStore) -> list[dict[str, Any]]:
    """List the calculations of a flow in the order in which they would run.

    Parameters
    ----------
    flow
        The flow.
    store
        Where finished results are looked for.

    Returns
    -------
    list of dict
        step, kind, engine, level, atoms (None where the structure comes from an earlier step), and found: True
        or False where the content key is known already, None where it depends on an earlier step.
    """
    steps: list[dict[str, Any]] = []
    for job, _ in flow.iterflow():
        maker = job.maker
        if not isinstance(maker, EngineMaker):
            continue
        step: dict[str, Any] = {
            "step": job.name,
            "kind": maker.kind,
            "engine": maker.engine_name,
            "level": maker.level,
            "atoms": None,
            "found": None,
        }
        structure = job.function_args[0] if job.function_args else job.function_kwargs.get("structure")
        if isinstance(structure, Structure):
            key = maker.request(structure, [], None).key()
            step |= {"atoms": len(structure), "found": find_finished(store, key, load=False) is not None}
        steps.append(step)
    return steps

"""How far the calculations of a result and the search for its placement converged, as its documents tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jobflow import JobStore

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.store.versions import document_in

STEPS_NOT_STORED = "Of some relaxations the steps in between are not stored: these are told by their end."


class Relaxed(NamedTuple):
    """Where a relaxation ended.

    Attributes
    ----------
    name
        Role and engine, for example ``AB (xtb)``.
    steps
        Ionic steps; None where it does not tell.
    force
        Largest force on a free atom at the end, eV/A; None where it does not tell.
    limit
        Largest force at which it is converged, eV/A; None where it does not tell.
    converged
        Whether it came to its end.
    step_energies, step_forces
        Energy (eV) and largest force (eV/A) at every step; empty where they are not stored.
    """

    name: str
    steps: int | None
    force: float | None
    limit: float | None
    converged: bool
    step_energies: Sequence[float] = ()
    step_forces: Sequence[float] = ()


class Cycles(NamedTuple):
    """How many cycles the charges of a single point took.

    Attributes
    ----------
    name
        Role and engine, for example ``A* (gpaw)``.
    taken
        Cycles until the end.
    most
        How many were allowed; None where it does not tell.
    converged
        Whether they were enough.
    """

    name: str
    taken: int
    most: int | None
    converged: bool


class Candidate(NamedTuple):
    """A candidate of the search for the placement.

    Attributes
    ----------
    number
        In the order in which they were proposed, from 1.
    energy
        Where it ended, or would have ended, above the lowest of all, eV; None where it could not be calculated.
    best
        The lowest energy so far on the same scale, eV; None before the first one that could be calculated.
    relaxed
        Whether it was relaxed until its forces had converged.
    chosen
        Whether it is the one that the result is of.
    """

    number: int
    energy: float | None
    best: float | None
    relaxed: bool
    chosen: bool = False


def relaxations_of(store: JobStore, document: Any) -> dict[str, CalculationDocument]:
    """Return the relaxations of a result that are in the store, by role, the newest where one was repeated.

    Parameters
    ----------
    store
        Connected job store.
    document
        The result; its ``provenance["relaxations"]`` names them.
    """
    told = document.provenance.get("relaxations")
    keys = {
        str(role): str(one["key"])
        for role, one in (told if isinstance(told, Mapping) else {}).items()
        if isinstance(one, Mapping) and one.get("key")
    }
    criteria = {"output.document_type": "calculation", "output.key": {"$in": sorted(set(keys.values()))}}
    entries = store.query(criteria, sort={"completed_at": 1}, load=False) if keys else ()
    by_key = {entry["output"]["key"]: document_in(entry, CalculationDocument) for entry in entries}
    return {role: by_key[key] for role, key in keys.items() if key in by_key}


def relaxed(relaxations: Mapping[str, CalculationDocument]) -> list[Relaxed]:
    """Return where relaxations ended, by role."""
    return [
        Relaxed(
            f"{role} ({each.engine})",
            each.ionic_steps,
            each.max_force,
            _force_limit(each.settings),
            each.converged,
            each.step_energies,
            each.step_forces,
        )
        for role, each in relaxations.items()
        if each.ionic_steps is not None or each.max_force is not None
    ]


def cycles(calculations: Mapping[str, CalculationDocument]) -> list[Cycles]:
    """Return the cycles of single points, by role; those whose engine tells none are left out."""
    return [
        Cycles(f"{role} ({each.engine})", each.scf_steps, _first(each.settings, int, "max_scf_steps", "NELM"), each.converged)
        for role, each in calculations.items()
        if each.scf_steps is not None and each.scf_steps > 0
    ]  # fmt: skip


def candidates(document: Any) -> list[Candidate]:
    """Return the candidates of a result's search in the order in which they were proposed; none where nothing was searched.

    Parameters
    ----------
    document
        The result; its ``placement_ranking`` has an entry for each candidate. Where one was given up early, the energy is
        that which it would have reached, see `iface_wf.documents.search.SearchSummary`.
    """
    ranking = [each for each in getattr(document, "placement_ranking", ()) if isinstance(each.get("placement"), int)]
    energies = {each["placement"]: _energy_of(each) for each in ranking}
    known = [energy for energy in energies.values() if energy is not None]
    if not known or len(ranking) < 2:
        return []
    lowest, best, found = min(known), None, []
    for entry in sorted(ranking, key=lambda each: each["placement"]):
        energy = energies[entry["placement"]]
        above = None if energy is None else energy - lowest
        best = above if best is None else best if above is None else min(best, above)
        chosen = entry["placement"] == document.placement
        found.append(Candidate(entry["placement"] + 1, above, best, bool(entry.get("relaxed")), chosen))
    return found


def _energy_of(entry: Mapping[str, Any]) -> float | None:
    value = entry.get("expected", entry.get("energy"))
    return float(value) if isinstance(value, int | float) else None


def _force_limit(settings: Mapping[str, Any]) -> float | None:
    limit: float | None = _first(settings, float, "fmax")
    ediffg: float | None = _first(settings, float, "EDIFFG")  # of VASP: below zero it is a force
    return -ediffg if limit is None and ediffg is not None and ediffg < 0 else limit


def _first(settings: Mapping[str, Any], kind: Callable[[Any], Any], *names: str) -> Any:
    values = (settings[name] for name in names if isinstance(settings.get(name), int | float))
    return next((kind(value) for value in values), None)

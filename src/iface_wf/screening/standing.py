"""How a screening stands that runs elsewhere, as its store tells it: what runs, what waits, what failed. Nothing is written."""

from __future__ import annotations

from typing import Literal, NamedTuple

from jobflow import JobStore

from iface_wf.flows.graph import Graph
from iface_wf.library.library import Library
from iface_wf.screening.finished import finished_results
from iface_wf.screening.graph import build_screening
from iface_wf.screening.run import funnel_choice
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import failures, part_state, started_calculations
from iface_wf.store.claims import claims_of

State = Literal["running", "failed", "waiting", "finished"]


class Stand(NamedTuple):
    """How a part or an interface stands.

    Attributes
    ----------
    name
        For people.
    part
        ``reference``, ``interface``, or ``ranking`` for an interface of the cheap engine of a funnel.
    state
        ``running``: a process is at it now; ``waiting``: nobody is yet.
    detail
        Who is at it and how many calculations of it are stored, or why it failed.
    """

    name: str
    part: str
    state: State
    detail: str = ""


class Screening:
    """A screening that is looked at; what has been seen to be finished is not asked for again.

    Parameters
    ----------
    spec
        What is calculated.
    library
        Where names are looked up.
    store
        Where results, failures and claims are.
    """

    def __init__(self, spec: ScreeningSpec, library: Library, store: JobStore) -> None:
        self._spec, self._store = spec, store
        self._whole = build_screening(spec, library, here=False)
        self._ranking = None if spec.funnel is None else build_screening(spec.cheap(), library, here=False)
        self._finished_parts: set[str] = set()

    def look(self) -> list[Stand]:
        """Return how everything stands; of a funnel its second stage only where the first one has chosen it."""
        if self._ranking is None:
            return self._stands(self._whole, "interface")
        first = self._stands(self._ranking, "ranking")
        if any(each.state in ("running", "waiting") for each in first):
            return first
        chosen = funnel_choice(self._spec, self._whole, self._ranking, self._store)
        second = self._stands(self._whole.only(chosen), "interface")
        told = {(each.name, each.part) for each in first}
        return [*first, *(each for each in second if (each.name, each.part) not in told)]

    def _stands(self, graph: Graph, part: str) -> list[Stand]:
        stored = finished_results(self._store, graph.items)
        needed = graph.only(key for key in graph.items if key not in stored).parts
        for key, each in needed.items():
            if key not in self._finished_parts and part_state(self._store, each).outputs is not None:
                self._finished_parts.add(key)
        keys = [*needed, *graph.items]
        claims = claims_of(self._store)
        held = {} if claims is None else claims.holders(keys)
        failed = failures(self._store, keys)
        begun = started_calculations(self._store, [key for key in graph.items if key not in stored])

        def stand(key: str, name: str, what: str, finished: bool, blame: str = "") -> Stand:
            if finished:
                return Stand(name, what, "finished")
            if key in held:
                done = len(begun.get(key, ()))
                told = f"; {done} calculation{'' if done == 1 else 's'} of it stored" if done else ""
                return Stand(name, what, "running", f"{held[key].owner}{told}")
            if key in failed:
                times = "" if failed[key].attempts == 1 else f" (tried {failed[key].attempts} times)"
                return Stand(name, what, "failed", f"{failed[key].cause}{times}")
            return Stand(name, what, "failed" if blame else "waiting", blame)

        parts = {key: stand(key, p.name, "reference", key in self._finished_parts) for key, p in needed.items()}
        found = list(parts.values())
        for key, item in graph.items.items():
            stopped = [parts[p].name for p in item.parts.values() if p in parts and parts[p].state == "failed"]
            blame = f"{stopped[0]} failed" if stopped else ""
            found.append(stand(key, item.name, part, key in stored, blame))
        return [*found, *(Stand(name, part, "failed", f"cannot be built: {cause}") for name, cause in graph.refused)]

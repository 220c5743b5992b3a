"""How a search is done, and under which key it is found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from pymatgen.core import Structure

from iface_wf.engines.base import Engine
from iface_wf.flows.search.budget import VERSION, Budget
from iface_wf.store.canonical import canonical_settings, structure_digest


@dataclass(frozen=True)
class SearchOptions:
    """How a search is done.

    Attributes
    ----------
    engine
        The cheap engine.
    placements
        Candidates of each batch that the engine looks at; with one nothing is searched.
    seed
        Seed of everything random.
    steps, patience
        See `iface_wf.flows.search.budget.Budget`.
    """

    engine: Engine
    placements: int
    seed: int
    steps: int
    patience: int

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Take the options from among the arguments of a job."""
        return cls(**{each.name: told[each.name] for each in fields(cls)})

    def arguments(self) -> dict[str, Any]:
        """Return them as arguments of a job."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def searches(self) -> bool:
        """Whether there is anything to search."""
        return self.budget.deciding(self.placements) is not None

    @property
    def budget(self) -> Budget:
        """What it may cost."""
        return Budget(self.steps, self.patience)

    def record_key(self, *parts: Structure, **options: Any) -> str:
        """Return what is searched, but for the budget: with a larger one a search goes on from what was done."""
        engine = self.engine
        told = {
            "version": VERSION,
            "parts": [structure_digest(part) for part in parts],
            "engine": [engine.engine_name, engine.profile.physical(engine.defaults())],
            "placements": self.placements,
            "seed": self.seed,
            "options": options,
        }
        return hashlib.sha256(json.dumps(canonical_settings(told), sort_keys=True).encode()).hexdigest()

    def key(self, *parts: Structure, **options: Any) -> str:
        """Return the content key of a search."""
        whole = f"search {self.record_key(*parts, **options)} {self.steps} {self.patience}"
        return hashlib.sha256(whole.encode()).hexdigest()

"""The graph of what is to be calculated: parts in isolation, each once, and the results that refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow

from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import Part, PartOutputs


@dataclass(frozen=True)
class Item:
    """One result that is wanted.

    Attributes
    ----------
    key
        Content key of the result; the same for a single one and for one of many with the same parts.
    name
        For people.
    kind
        Which kind of result, see `iface_wf.documents.kinds`.
    parts
        Keys of its parts in isolation, by role.
    atoms
        Atoms of its largest cell, for estimates.
    about
        What its document says about it.
    maker
        Makes its jobs.
    holds
        Key of another result that is calculated on the way and stored by itself; empty where there is none.
    """

    key: str
    name: str
    kind: str
    parts: dict[str, str]
    atoms: int
    about: dict[str, Any]
    maker: ResultMaker = field(repr=False)
    holds: str = ""

    def flow(self, outputs: Mapping[str, PartOutputs]) -> Flow:
        """Wire the jobs that follow those of its parts.

        Parameters
        ----------
        outputs
            Outputs of its parts, by their keys.

        Returns
        -------
        Flow
            Each job carries the key of the result, so that a half-finished one can be counted.
        """
        jobs = self.maker.combine({role: outputs[key] for role, key in self.parts.items()}, self.about)
        for job in jobs:
            job.metadata["interface"] = self.key
        return Flow(jobs, output=jobs[-1].output, name=self.name)


@dataclass
class Graph:
    """All that is to be known before anything is calculated.

    Attributes
    ----------
    parts, items
        By key, in the order in which they were asked for.
    refused
        Names of the results that cannot be had, and why.
    """

    parts: dict[str, Part] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, item: Item, parts: Iterable[Part]) -> None:
        """Add a result with its parts."""
        self.parts |= {part.key: part for part in parts if part.key not in self.parts}
        self.items[item.key] = item

    def merge(self, other: Graph) -> None:
        """Add all of another graph; parts that both have are calculated once."""
        self.parts |= {key: part for key, part in other.parts.items() if key not in self.parts}
        self.items |= other.items
        self.refused += other.refused

    def only(self, keys: Iterable[str]) -> Graph:
        """Return the same with some of the results, and the parts that they need."""
        items = {key: self.items[key] for key in keys}
        needed = {part for item in items.values() for part in item.parts.values()}
        return Graph({key: part for key, part in self.parts.items() if key in needed}, items, self.refused)

    def flow(self, name: str) -> Flow:
        """Wire the jobs of everything into one flow; with a single result the flow's output is that result."""
        jobs = {key: part.jobs() for key, part in self.parts.items()}
        outputs = {key: self.parts[key].outputs(of_part) for key, of_part in jobs.items()}
        flows = [Flow(of_part, output=of_part[-1].output, name=self.parts[key].name) for key, of_part in jobs.items()]
        results = [item.flow(outputs) for item in self.items.values()]
        output = results[0].output if len(results) == 1 else None
        return Flow([*flows, *results], output=output, name=name)

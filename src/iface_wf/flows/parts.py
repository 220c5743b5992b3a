"""Parts in isolation: what each one is, how it is calculated, and its keys, worked out once for whoever asks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from jobflow import Job, OutputReference
from pymatgen.core import Structure

from iface_wf.engines.base import Engine
from iface_wf.store.canonical import structure_digest


class PartOutputs(NamedTuple):
    """Where the outputs of a part in isolation are, in this flow or in the store.

    Attributes
    ----------
    relax, static
        Outputs of its relaxation and, unless the results do that themselves, of the single point on the relaxed geometry.
    search
        Output of the search for its lowest conformer, if there is one.
    """

    relax: OutputReference
    static: OutputReference | None = None
    search: OutputReference | None = None


class StartSearch(Protocol):
    """Looks for the geometry that a part is relaxed from; one job."""

    @property
    def name(self) -> str:
        """Name of its job."""
        ...

    def key(self, structure: Structure) -> str:
        """Return the content key of the search."""
        ...

    def make(self, structure: Structure) -> Job:
        """Return the job; its output has a ``structure``."""
        ...


@dataclass(frozen=True)
class Part:
    """A part in isolation, calculated once for all results that contain it.

    Attributes
    ----------
    name
        For people.
    role
        ``A``: a slab, ``B``: a fragment.
    structure
        As built, labelled sites.
    relax, static
        Makers of its relaxation and, unless the results do that themselves, of the single point after it.
    search
        Looks for the geometry to relax from; None: the part as built.
    """

    name: str
    role: str
    structure: Structure
    relax: Engine
    static: Engine | None = None
    search: StartSearch | None = None
    _found: dict[str, tuple[Structure, str | None]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def elements(self) -> frozenset[str]:
        """Symbols of the elements that it has."""
        return frozenset(element.symbol for element in self.structure.composition.elements)

    @cached_property
    def relax_key(self) -> str:
        """Content key of the relaxation of the part as built."""
        return self.relax.request(self.structure, [], None).key()

    @cached_property
    def search_key(self) -> str | None:
        """Content key of the search for the geometry to relax from."""
        return None if self.search is None else self.search.key(self.structure)

    @cached_property
    def digest(self) -> str:
        """Digest of the structure as built."""
        return structure_digest(self.structure)

    @cached_property
    def key(self) -> str:
        """What it is and how it is calculated: its relaxation's key, with those of the search before and the single point after.

        A search that finds the same is still another one, so it counts.
        """
        content: list[Any] = [str(self.relax_key)]
        if self.search_key is not None:
            content.append(self.search_key)
        if self.static is not None:
            settings = self.static.request(self.structure, [], None).settings
            content += [self.static.engine_name, self.static.level, settings]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def start(self, document: dict[str, Any], uuid: str) -> tuple[Structure, str]:
        """Return what a stored search found, and the key of the relaxation of it; worked out once for a job."""
        if uuid not in self._found:
            structure = Structure.from_dict(document["structure"])
            self._found[uuid] = structure, self.relax.request(structure, [], None).key()
        structure, key = self._found[uuid]
        assert key is not None
        return structure, key

    def relaxed(self, document: dict[str, Any], uuid: str) -> tuple[Structure, str | None]:
        """Return the relaxed structure of a stored relaxation, and the key of the single point on it.

        Parameters
        ----------
        document
            The stored output of the relaxation.
        uuid
            The job that holds it, for which this is worked out once.
        """
        if uuid not in self._found:
            structure = Structure.from_dict(document["structure"])
            key = None if self.static is None else self.static.request(structure, [], None).key()
            self._found[uuid] = structure, key
        return self._found[uuid]

    def jobs(self) -> list[Job]:
        """Return its jobs: the search, if there is one, the relaxation, and the single point on what comes out."""
        search = [] if self.search is None else [self.search.make(self.structure)]
        relax = self.relax.make(search[0].output.structure if search else self.structure)
        if self.static is None:
            return [*search, relax]
        return [*search, relax, self.static.make(relax.output.structure)]

    def outputs(self, jobs: list[Job]) -> PartOutputs:
        """Refer to the outputs of its jobs."""
        return self.outputs_of([job.output for job in jobs])

    def outputs_of(self, found: list[OutputReference]) -> PartOutputs:
        """Sort references to the outputs of its jobs, which come in the order of `jobs`."""
        search, rest = (None, found) if self.search is None else (found[0], found[1:])
        return PartOutputs(rest[0], rest[1] if len(rest) > 1 else None, search)

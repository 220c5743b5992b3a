"""Parts in isolation: what each one is, how it is calculated, and its keys, worked out once for whoever asks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

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
    """

    relax: OutputReference
    static: OutputReference | None

    @classmethod
    def of(cls, jobs: list[Job]) -> PartOutputs:
        """Refer to the outputs of the jobs of a part."""
        return cls(jobs[0].output, jobs[1].output if len(jobs) > 1 else None)


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
    """

    name: str
    role: str
    structure: Structure
    relax: Engine
    static: Engine | None = None
    _found: dict[str, tuple[Structure, str | None]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def relax_key(self) -> str:
        """Content key of its relaxation."""
        return self.relax.request(self.structure, [], None).key()

    @cached_property
    def digest(self) -> str:
        """Digest of the structure as built."""
        return structure_digest(self.structure)

    @cached_property
    def key(self) -> str:
        """What it is and how it is calculated: its relaxation's key, and the settings of the single point after it."""
        content: list[Any] = [str(self.relax_key)]
        if self.static is not None:
            settings = self.static.request(self.structure, [], None).settings
            content += [self.static.engine_name, self.static.level, settings]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

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
        """Return its jobs: the relaxation, and the single point on what comes out."""
        relax = self.relax.make(self.structure)
        if self.static is None:
            return [relax]
        return [relax, self.static.make(relax.output.structure)]

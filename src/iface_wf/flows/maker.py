"""What the makers of all kinds of results share: how parts in isolation are calculated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jobflow import Job, Maker
from pymatgen.core import Structure

from iface_wf.engines.base import Engine
from iface_wf.flows.parts import Part, PartOutputs, StartSearch


@dataclass
class ResultMaker(Maker, ABC):
    """Base of the makers that put parts in isolation together to a result.

    Parameters
    ----------
    engine
        Gives all energies, at its level.
    geometry_engine
        Relaxes the parts and what is made of them.
    name
        Prefix of the job names.
    """

    engine: Engine
    geometry_engine: Engine
    name: str = "result"

    @abstractmethod
    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the jobs that make a result of its parts; the last one collects.

        Parameters
        ----------
        outputs
            Where the outputs of the parts' jobs are, by role.
        about
            Names and provenance of the result, copied into its document; holds its ``key``.
        """

    def part(self, structure: Structure, role: str, name: str = "") -> Part:
        """Say how a part in isolation is calculated: relaxed, then a single point on what comes out.

        Parameters
        ----------
        structure
            The part as built, labelled sites.
        role
            ``A`` for a slab, ``B`` for a fragment.
        name
            For people.

        Raises
        ------
        InputError
            When a program or file that its calculations need is missing here: told now, not after the relaxation.
        """
        self.engine.check(structure)
        self.geometry_engine.check(structure)
        relax = self.relaxation(role)
        static = replace(self.engine, kind="static", role=role, name=f"static {role}")
        shared = static if self.single_point_of_part(role) else None
        return Part(name or role, role, structure, relax, shared, self.start_search(role))

    def start_search(self, role: str) -> StartSearch | None:
        """Return what looks for the geometry that an isolated part is relaxed from; None: as it was built."""
        return None

    def single_point_of_part(self, role: str) -> bool:
        """Whether the single point of an isolated part can be shared by all results that contain it."""
        return True

    def relaxation(self, role: str) -> Engine:
        """Return the maker of a relaxation."""
        return replace(self.geometry_engine, kind="relax", role=role, name=f"relax {role}")

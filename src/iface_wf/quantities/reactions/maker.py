"""The flow of a reaction: every piece relaxed by itself, a single point of each, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobflow import Job
from pymatgen.core import Structure

from iface_wf.engines.base import Engine
from iface_wf.engines.registry import DEFAULT_RANKING, create
from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import Part, PartOutputs
from iface_wf.flows.search.budget import LEVELS
from iface_wf.flows.search.jobs import ConformerSearch
from iface_wf.flows.search.options import SearchOptions
from iface_wf.quantities.reactions.collect import collect_reaction


@dataclass
class ReactionMaker(ResultMaker):
    """Flow of the energy of one reaction.

    Parameters
    ----------
    engine, geometry_engine, name
        See `iface_wf.flows.maker.ResultMaker`.
    slabs
        Roles of the pieces that are slabs; the others are molecules, whose lowest conformers are searched for.
    ranking_engine, placements, search, patience, seed
        Of the searches, see `iface_wf.flows.search.options.SearchOptions`.
    """

    name: str = "reaction"
    slabs: tuple[str, ...] = ()
    ranking_engine: Engine = field(default_factory=lambda: create(DEFAULT_RANKING))
    placements: int = 8
    search: int = LEVELS["fast"].steps
    patience: int = LEVELS["fast"].patience
    seed: int = 0

    @property
    def _options(self) -> SearchOptions:
        return SearchOptions(self.ranking_engine, self.placements, self.seed, self.search, self.patience)

    def part(self, structure: Structure, role: str, name: str = "") -> Part:
        """See `iface_wf.flows.maker.ResultMaker.part`."""
        if self.start_search(role) is not None:
            self.ranking_engine.check(structure)
        return super().part(structure, role, name)

    def start_search(self, role: str) -> ConformerSearch | None:
        """See `iface_wf.flows.maker.ResultMaker.start_search`: of molecules the lowest conformer is looked for."""
        wanted = role not in self.slabs and self._options.searches
        return ConformerSearch(self._options, f"search {role}") if wanted else None

    def single_point_of_part(self, role: str) -> bool:
        """Whether the single point can be shared: where energies are bound to grid steps, molecules follow those of the slab."""
        return role in self.slabs or not self.slabs or not self.engine.grid_bound

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the single points of molecules on the slab's grid, and the job that collects.

        Parameters
        ----------
        outputs
            Where the outputs of the pieces' jobs are, by role.
        about
            Copied into the document; holds its ``key`` and ``pieces``.
        """
        shared = {role: output.static for role, output in outputs.items() if output.static is not None}
        own: dict[str, Job] = {}
        for role, output in outputs.items():
            if role not in shared:
                like = shared[self.slabs[0]].settings
                own[role] = self.engine.static(output.relax.structure, like=like, role=role, name=f"static {role}")
        calculations = {role: own[role].output if role in own else shared[role] for role in outputs}
        collect = collect_reaction(
            calculations=calculations,
            relaxations={role: output.relax for role, output in outputs.items()},
            uuids={role: output.uuid for role, output in calculations.items()},
            searches={role: output.search for role, output in outputs.items() if output.search is not None},
            about=about,
        )
        collect.name = "collect"
        return [*own.values(), collect]

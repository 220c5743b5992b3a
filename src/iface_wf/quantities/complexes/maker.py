"""The flow of a complex in an open box: pieces and isomers relaxed, A* and B* frozen in the lowest one, all put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jobflow import Job, OutputReference, job
from pymatgen.core import Structure

from iface_wf.builders.edges import EDGE_STEP
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.engines.base import Engine
from iface_wf.engines.registry import DEFAULT_RANKING, create
from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import Part, PartOutputs
from iface_wf.flows.search.budget import LEVELS
from iface_wf.flows.search.jobs import TogetherSearch
from iface_wf.flows.search.options import SearchOptions
from iface_wf.quantities.binding.references import relaxed_again
from iface_wf.quantities.complexes.collect import collect_complex, lowest_of


@job
def lowest_isomer(calculations: list[CalculationDocument]) -> dict[str, Any]:
    """Return the structure of the lowest of several minima, that of the first one where none converged."""
    return dict(calculations[lowest_of(calculations)].structure)


@dataclass
class ComplexMaker(ResultMaker):
    """Flow that gives the energy by which two pieces are bound in an open box.

    Parameters
    ----------
    engine, geometry_engine, name
        See `iface_wf.flows.maker.ResultMaker`.
    components
        Labels of the pieces ``A`` and ``B`` in the complex.
    charges
        Of ``A``, ``B`` and ``AB``, e.
    ranking_engine, placements, search, patience, seed
        Of the searches, see `iface_wf.flows.search.options.SearchOptions`.
    isomers
        How many minima of the complex the engines relax and calculate.
    searched
        Whether the complex is searched for; else it is relaxed as it was built.
    step
        Edges of all boxes are multiples of this, A.
    """

    name: str = "complex"
    components: dict[str, list[str]] = field(default_factory=dict)
    charges: dict[str, float] = field(default_factory=dict)
    ranking_engine: Engine = field(default_factory=lambda: create(DEFAULT_RANKING))
    placements: int = 8
    search: int = LEVELS["fast"].steps
    patience: int = LEVELS["fast"].patience
    seed: int = 0
    isomers: int = 1
    searched: bool = True
    step: float = EDGE_STEP

    def part(self, structure: Structure, role: str, name: str = "") -> Part:
        """See `iface_wf.flows.maker.ResultMaker.part`: the part's engines carry its charge."""
        charged = self._charged(role)
        if self._options(role).searches:
            charged.ranking_engine.check(structure)
        return super(ComplexMaker, charged).part(structure, role, name)

    def _charged(self, role: str) -> ComplexMaker:
        charge = self.charges.get(role, 0.0)
        engines = {
            name: replace(getattr(self, name), charge=charge)
            for name in ("engine", "geometry_engine", "ranking_engine")
        }
        return replace(self, **engines)

    def _options(self, role: str) -> SearchOptions:
        engine = self._charged(role).ranking_engine
        return SearchOptions(engine, self.placements, self.seed, self.search, self.patience)

    def start_search(self, role: str) -> TogetherSearch | None:
        """See `iface_wf.flows.maker.ResultMaker.start_search`: of pieces one minimum is kept, of the complex several."""
        options = self._options(role)
        if not options.searches or (role == WHOLE and not self.searched):
            return None
        return TogetherSearch(options, self.isomers if role == WHOLE else 1, self.step, f"search {role}")

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the jobs of a complex whose pieces, and whose first isomer, are calculated elsewhere.

        Parameters
        ----------
        outputs
            Where the outputs of the parts' jobs are: ``A``, ``B`` and ``AB``.
        about
            Copied into the document; holds its ``key``, ``kind`` and the names of the pieces.
        """
        first = outputs[WHOLE]
        assert first.static is not None
        others = self._other_isomers(first)
        relaxed = [first.relax, *(relax.output for relax, _ in others)]
        statics = [first.static, *(static.output for _, static in others)]
        jobs: list[Job] = [each for pair in others for each in pair]
        chosen: OutputReference = first.relax.structure
        if others:
            choice = lowest_isomer(statics)
            choice.name = "choose isomer"
            jobs.append(choice)
            chosen = choice.output
        frozen = self._frozen(chosen)
        shared = {part.name: outputs[part.name].relax for part in PARTS}
        again = relaxed_again(
            lambda part: self._charged(part.name), shared, chosen, components=self.components, step=self.step
        )
        calculations = {part.name: outputs[part.name].static for part in PARTS}
        calculations |= {role: each.output for role, each in (frozen | again.statics).items()}
        collect = collect_complex(
            isomers=statics,
            isomer_relaxations=relaxed,
            calculations=calculations,
            relaxations=shared | again.relaxations,
            uuids={role: output.uuid for role, output in calculations.items() if output is not None},
            searches={role: output.search for role, output in outputs.items() if output.search is not None},
            about=about | {"components": self.components, "isomer_uuids": [each.uuid for each in statics]},
        )
        collect.name = "collect"
        return [*jobs, *frozen.values(), *again.jobs, collect]

    def _other_isomers(self, first: PartOutputs) -> list[tuple[Job, Job]]:
        """Relax and calculate the other minima that the search kept."""
        if first.search is None:
            return []
        charged = self._charged(WHOLE)
        found = []
        for number in range(1, self.isomers):
            relaxation = replace(charged.relaxation(WHOLE), name=f"relax {WHOLE}, isomer {number + 1}")
            relax = relaxation.make(first.search.isomers[number])
            static = charged.engine.static(
                relax.output.structure, role=WHOLE, name=f"static {WHOLE}, isomer {number + 1}"
            )
            found.append((relax, static))
        return found

    def _frozen(self, structure: OutputReference) -> dict[str, Job]:
        """Single points of both pieces as they are in the complex, in its box; with its functions where these are atom-centred."""
        jobs = {}
        for part, other in zip(PARTS, reversed(PARTS), strict=True):
            engine = self._charged(part.name).engine
            keep = self.components[part.name]
            jobs[part.frozen] = engine.static(structure, keep=keep, role=part.frozen, name=f"static {part.frozen}")
            if engine.counterpoise:
                ghosts = self.components[other.name]
                role = part.with_ghosts
                jobs[role] = engine.static(structure, keep=keep, as_ghosts=ghosts, role=role, name=f"static {role}")
        return jobs

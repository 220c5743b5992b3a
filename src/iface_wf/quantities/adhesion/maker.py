"""The flow of an adhesion: both slabs relaxed in one cell, the best translation, the interface, and both slabs as they are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobflow import Job, OutputReference
from pymatgen.core import Structure

from iface_wf.documents.labels import PARTNER, PARTS, SLAB, WHOLE
from iface_wf.engines.base import Engine
from iface_wf.engines.registry import create
from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import Part, PartOutputs
from iface_wf.flows.search.translations import search_translation
from iface_wf.quantities.adhesion.collect import collect_adhesion
from iface_wf.quantities.adhesion.request import RELAXES
from iface_wf.quantities.binding.references import relaxed_again

#: Labels of the two solids in the interface.
COMPONENTS = {"A": [SLAB], "B": [PARTNER]}


@dataclass
class AdhesionMaker(ResultMaker):
    """Flow that gives the work of adhesion of two solids in one cell.

    Parameters
    ----------
    engine, geometry_engine, name
        See `iface_wf.flows.maker.ResultMaker`.
    ranking_engine
        Compares the translations.
    translations
        Of the upper solid, in fractions of the in-plane vectors.
    """

    name: str = "adhesion"
    ranking_engine: Engine = field(default_factory=lambda: create(RELAXES))
    translations: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)])

    def part(self, structure: Structure, role: str, name: str = "") -> Part:
        """See `iface_wf.flows.maker.ResultMaker.part`."""
        self.ranking_engine.check(structure)
        return super().part(structure, role, name)

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the jobs that follow those of both slabs, see `iface_wf.flows.maker.ResultMaker.combine`."""
        placed = search_translation(
            outputs["A"].relax.structure,
            outputs["B"].relax.structure,
            engine=self.ranking_engine,
            translations=self.translations,
        )
        placed.name = f"search {WHOLE}"
        relax = self.relaxation(WHOLE).make(placed.output.structure)
        own = self._statics(relax.output.structure)
        shared = {part.name: outputs[part.name].relax for part in PARTS}
        again = relaxed_again(lambda part: self, shared, relax.output.structure, components=COMPONENTS)
        calculations = {part.name: outputs[part.name].static for part in PARTS}
        calculations |= {role: each.output for role, each in (own | again.statics).items()}
        collect = collect_adhesion(
            calculations=calculations,
            relaxations=shared | {WHOLE: relax.output} | again.relaxations,
            uuids={role: output.uuid for role, output in calculations.items() if output is not None},
            placed=placed.output,
            about=about,
        )
        collect.name = "collect"
        return [placed, relax, *own.values(), *again.jobs, collect]

    def _statics(self, interface: OutputReference) -> dict[str, Job]:
        """Single points of the interface and of both slabs as they are in it; with ghosts where functions are atom-centred."""
        whole = self.engine.static(interface, role=WHOLE, name=f"static {WHOLE}")
        like = whole.output.settings
        jobs = {WHOLE: whole}
        for part, other in zip(PARTS, reversed(PARTS), strict=True):
            keep, role = COMPONENTS[part.name], part.frozen
            jobs[role] = self.engine.static(interface, like=like, keep=keep, role=role, name=f"static {role}")
            if self.engine.counterpoise:
                role, ghosts = part.with_ghosts, COMPONENTS[other.name]
                jobs[role] = self.engine.static(
                    interface, like=like, keep=keep, as_ghosts=ghosts, role=role, name=f"static {role}"
                )
        return jobs

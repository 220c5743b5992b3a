"""The binding flow: relax A, B and AB, freeze A* and B* in AB, and put all terms into one document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from jobflow import Flow, Job, Maker, OutputReference
from pymatgen.core import Structure

from iface_wf.builders.placing.targets import Target
from iface_wf.documents.labels import PARTS
from iface_wf.engines.base import Engine
from iface_wf.engines.cheap import CheapEngine
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.flows.collect import collect_binding
from iface_wf.flows.placements import place_and_rank


class ReferenceOutputs(NamedTuple):
    """Where the outputs of a part in isolation are, in this flow or in the store.

    Attributes
    ----------
    relax, static
        Outputs of its relaxation and, unless the interfaces do that, of the single point on the relaxed geometry.
    """

    relax: OutputReference
    static: OutputReference | None

    @classmethod
    def of(cls, jobs: list[Job]) -> ReferenceOutputs:
        """Refer to the outputs of the jobs of a part."""
        return cls(jobs[0].output, jobs[1].output if len(jobs) > 1 else None)


@dataclass
class BindingEnergyMaker(Maker):
    """Flow that gives the binding energy of a fragment on a slab, with charges and difference density.

    binding = E(AB) - E(A) - E(B) with A and B relaxed in isolation; A* and B* are frozen as in AB, in AB's cell,
    on AB's grid and with AB's settings.

    Parameters
    ----------
    name
        Prefix of the job names.
    engine
        Gives all energies.
    geometry_engine, geometry_level
        Relaxes A, B and AB.
    ranking_engine
        Compares the placements.
    level
        ``fast``, ``moderate`` or ``precise``.
    placements, seed, vacuum, clearance, target
        See `iface_wf.builders.placing.placements.place`.
    """

    engine: Engine
    geometry_engine: Engine
    name: str = "binding"
    level: str = "fast"
    geometry_level: str = "fast"
    placements: int = 6
    seed: int = 0
    vacuum: float = 8.0
    clearance: float = 0.85
    target: Target | None = None
    ranking_engine: CheapEngine = field(default_factory=XtbEngine)
    frozen: bool = True
    densities: bool = True

    def make(self, slab: Structure, fragment: Structure, about: dict[str, Any]) -> Flow:
        """Wire the jobs.

        Parameters
        ----------
        slab, fragment
            The two parts as built, labelled sites.
        about
            Names and provenance of the interface, copied into the document; holds its ``key``.

        Returns
        -------
        Flow
            Its output is a BindingDocument.
        """
        jobs_a, jobs_b = self.reference(slab, "A"), self.reference(fragment, "B")
        pair = self.pair(ReferenceOutputs.of(jobs_a), ReferenceOutputs.of(jobs_b), about)
        return Flow([*jobs_a, *jobs_b, *pair], output=pair[-1].output, name=self.name)

    def reference(self, structure: Structure, part: Literal["A", "B"]) -> list[Job]:
        """Return the jobs of a part in isolation: its relaxation, and the single point on what comes out.

        Where energies are bound to grid steps, the single point of a fragment belongs to each interface instead.

        Parameters
        ----------
        structure
            The part as built, labelled sites.
        part
            ``A`` for a slab, ``B`` for a fragment.
        """
        self.engine.check(structure, self.level)  # missing programs or files are told now, not after the relaxation
        if self.placements > 1:
            self.ranking_engine.check(structure, "fast")
        relax = self._relax(structure, part)
        if part == "B" and self.engine.grid_bound(self.level):
            return [relax]
        return [relax, self.engine.static(relax.output.structure, self.level, role=part, name=f"static {part}")]

    def pair(self, slab: ReferenceOutputs, fragment: ReferenceOutputs, about: dict[str, Any]) -> list[Job]:
        """Return the jobs of an interface whose parts are calculated elsewhere; the last one collects.

        Parameters
        ----------
        slab, fragment
            Where the outputs of the parts' jobs are.
        about
            As in `make`.
        """
        placed = place_and_rank(
            slab.relax.structure,
            fragment.relax.structure,
            n=self.placements,
            seed=self.seed,
            vacuum=self.vacuum,
            clearance=self.clearance,
            target=self.target,
            engine=self.ranking_engine.name,
            overrides=self.ranking_engine.overrides,
        )
        placed.name = "place"
        relax_ab = self._relax(placed.output.structure, "AB")
        own = self._statics(relax_ab)
        if self.engine.grid_bound(self.level):
            # absolute energies on unlike grid steps differ by tenths of an eV: B gets a box on AB's steps
            like = own["AB"].output.settings
            static_b = self.engine.static(fragment.relax.structure, self.level, grid=like, role="B", name="static B")
            own = {"B": static_b} | own
        shared = {"A": slab.static, "B": fragment.static}
        statics = {role: output for role, output in shared.items() if output is not None}
        statics |= {role: job.output for role, job in own.items()}
        collect = collect_binding(
            calculations=statics,
            relaxations={"A": slab.relax, "B": fragment.relax, "AB": relax_ab.output},
            uuids={role: output.uuid for role, output in statics.items()},
            placements=placed.output,
            about=about,
        )
        collect.name = "collect"
        return [placed, relax_ab, *own.values(), collect]

    def _relax(self, structure: Any, role: str) -> Job:
        return self.geometry_engine.relax(structure, self.geometry_level, role=role, name=f"relax {role}")

    def _statics(self, relax_ab: Job) -> dict[str, Job]:
        """Single points on the relaxed interface; the ghost ones carry the densities where there are ghosts."""
        plain = list(self.engine.densities) if self.densities else []
        ghosts = self.engine.counterpoise(self.level)
        interface = relax_ab.output.structure
        ab = self.engine.static(interface, self.level, densities=plain, role="AB", name="static AB")
        like = ab.output.settings
        jobs = {"AB": ab}
        if not self.frozen:
            return jobs
        for part, other in zip(PARTS, reversed(PARTS), strict=True):
            jobs[part.frozen] = self.engine.static(
                interface,
                self.level,
                densities=[] if ghosts else plain,
                grid=like,
                keep=list(part.components),
                role=part.frozen,
                name=f"static {part.frozen}",
            )
            if ghosts:
                jobs[part.with_ghosts] = self.engine.static(
                    interface,
                    self.level,
                    densities=plain,
                    grid=like,
                    keep=list(part.components),
                    as_ghosts=list(other.components),
                    role=part.with_ghosts,
                    name=f"static {part.with_ghosts}",
                )
        return jobs

"""The binding flow: relax A, B and AB, freeze A* and B* in AB, and put all terms into one document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from iface_wf.build.targets import Target
from iface_wf.engines.base import Engine
from iface_wf.flows.collect import FRAGMENT_PARTS, SLAB_PARTS, collect_binding
from iface_wf.flows.placements import place_and_rank


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
    level
        ``fast``, ``moderate`` or ``precise``.
    n_placements, seed, vacuum, clearance, target
        See `iface_wf.build.placements.place`.
    """

    engine: Engine
    geometry_engine: Engine
    name: str = "binding"
    level: str = "fast"
    geometry_level: str = "fast"
    n_placements: int = 6
    seed: int = 0
    vacuum: float = 8.0
    clearance: float = 0.85
    target: Target | None = None

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
        if check := getattr(self.engine, "check", None):  # engines whose programs or files may be missing say so now
            for part in (slab, fragment):
                check(part, self.level)
        relax_a = self._relax(slab, "A")
        relax_b = self._relax(fragment, "B")
        placed = place_and_rank(
            relax_a.output.structure,
            relax_b.output.structure,
            n=self.n_placements,
            seed=self.seed,
            vacuum=self.vacuum,
            clearance=self.clearance,
            target=self.target,
        )
        placed.name = "place"
        relax_ab = self._relax(placed.output.structure, "AB")
        statics = self._statics(relax_a, relax_b, relax_ab)
        collect = collect_binding(
            calculations={role: job.output for role, job in statics.items()},
            relaxations={"A": relax_a.output, "B": relax_b.output, "AB": relax_ab.output},
            uuids={role: job.uuid for role, job in statics.items()},
            placements=placed.output,
            about=about,
        )
        collect.name = "collect"
        return Flow(
            [relax_a, relax_b, placed, relax_ab, *statics.values(), collect],
            output=collect.output,
            name=self.name,
        )

    def _relax(self, structure: Any, role: str) -> Job:
        return self.geometry_engine.relax(structure, self.geometry_level, role=role, name=f"relax {role}")

    def _statics(self, relax_a: Job, relax_b: Job, relax_ab: Job) -> dict[str, Job]:
        """Single points on the relaxed geometries; the ghost ones carry the densities where there are ghosts."""
        plain = list(self.engine.densities)
        ghosts = self.engine.counterpoise(self.level)
        interface = relax_ab.output.structure
        ab = self.engine.static(interface, self.level, densities=plain, role="AB", name="static AB")
        like = ab.output.settings
        jobs = {
            "A": self.engine.static(relax_a.output.structure, self.level, role="A", name="static A"),
            "B": self.engine.static(relax_b.output.structure, self.level, role="B", name="static B"),
            "AB": ab,
        }
        for letter, own, other in (("A", SLAB_PARTS, FRAGMENT_PARTS), ("B", FRAGMENT_PARTS, SLAB_PARTS)):
            jobs[f"{letter}*"] = self.engine.static(
                interface,
                self.level,
                densities=[] if ghosts else plain,
                grid=like,
                keep=own,
                role=f"{letter}*",
                name=f"static {letter}*",
            )
            if ghosts:
                role = f"{letter}* in AB basis"
                jobs[role] = self.engine.static(
                    interface,
                    self.level,
                    densities=plain,
                    grid=like,
                    keep=own,
                    as_ghosts=other,
                    role=role,
                    name=f"static {role}",
                )
        return jobs

"""The binding flow: relax A, B and AB, freeze A* and B* in AB, and put all terms into one document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job
from pymatgen.core import Structure

from iface_wf.builders.placing.targets import Target
from iface_wf.documents.labels import PARTS, WHOLE, A, B
from iface_wf.engines.base import Engine
from iface_wf.engines.registry import DEFAULT_RANKING, create
from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import Part, PartOutputs
from iface_wf.flows.placements import RankedPlacements
from iface_wf.flows.search.budget import LEVELS
from iface_wf.flows.search.jobs import ConformerSearch, search_placement
from iface_wf.flows.search.options import SearchOptions
from iface_wf.quantities.binding.collect import collect_binding
from iface_wf.quantities.binding.lateral import lateral_energy
from iface_wf.quantities.binding.references import relaxed_again

#: Who chose the placement of an interface that a file brought.
AS_IN_FILE = "none: the interface of a file"


@dataclass
class BindingEnergyMaker(ResultMaker):
    """Flow that gives the binding energy of a fragment on a slab, with charges and difference density.

    binding = E(AB) - E(A) - E(B) with A and B relaxed in isolation; A* and B* are frozen as in AB, in AB's cell,
    on AB's grid and with AB's settings.

    Parameters
    ----------
    engine, geometry_engine, name
        See `iface_wf.flows.maker.ResultMaker`.
    placements, seed, vacuum, clearance, target
        See `iface_wf.builders.placing.placements.place`.
    ranking_engine
        Compares the candidates of the searches: for the placement, and for the conformer of B alone; says too what the
        molecule feels of its own images.
    search, patience
        Steps of relaxation that the search for the placement may take, and after how many candidates that were no better it
        ends, see `iface_wf.flows.search.budget.Budget`.
    frozen
        Whether A* and B* are calculated too, for the interaction energy; with atom-centred functions they always are, for
        the counterpoise correction.
    densities
        Whether densities are kept, for charges and the difference density.
    interface
        Start of AB, labelled sites, instead of a search for the placement.
    conformers
        Whether the lowest conformer of B is searched for.

    Examples
    --------
    Water on lithium iodide by an ML potential; the flow runs on whatever runs flows of jobflow:

    >>> import iface_wf
    >>> from iface_wf.engines.mlip.engine import MlipEngine
    >>> built = iface_wf.build("LiI", molecule="O", thickness=3.0)
    >>> maker = BindingEnergyMaker(engine=MlipEngine(), geometry_engine=MlipEngine(level="moderate"), placements=1)
    >>> flow = maker.make(built.slab, built.fragment)
    >>> [job.name for job in flow.jobs if job.name.startswith("static")][:5]
    ['static A', 'static B', 'static AB', 'static A*', 'static B*']

    Makers take jobflow's updates, within others and in the jobs of a flow too:

    >>> maker = maker.update_kwargs({"level": "precise"}, class_filter=MlipEngine)
    >>> maker.geometry_engine.level
    'precise'
    >>> flow.update_maker_kwargs({"_set": {"overrides->fmax": 0.1}}, name_filter="relax", dict_mod=True)
    >>> flow.jobs[0].maker.defaults()["fmax"]  # eV/A
    0.1
    """

    name: str = "binding"
    placements: int = 6
    seed: int = 0
    vacuum: float = 8.0
    clearance: float = 0.85
    target: Target | None = None
    ranking_engine: Engine = field(default_factory=lambda: create(DEFAULT_RANKING))
    search: int = LEVELS["fast"].steps
    patience: int = LEVELS["fast"].patience
    frozen: bool = True
    densities: bool = True
    interface: Structure | None = None
    conformers: bool = True

    def make(self, slab: Structure, fragment: Structure, about: dict[str, Any] | None = None) -> Flow:
        """Wire the jobs.

        Parameters
        ----------
        slab, fragment
            The two parts as built, labelled sites.
        about
            Names and provenance of the interface, copied into the document; by default what the parts say of themselves.
            Without a ``key`` the document's follows from the keys of its calculations.

        Returns
        -------
        Flow
            Its output is a BindingDocument.
        """
        about = _names(slab, fragment) if about is None else about
        parts = {"A": self.part(slab, "A"), "B": self.part(fragment, "B")}
        jobs = {role: part.jobs() for role, part in parts.items()}
        own = self.combine({role: parts[role].outputs(of_part) for role, of_part in jobs.items()}, about)
        return Flow([*jobs["A"], *jobs["B"], *own], output=own[-1].output, name=self.name)

    def part(self, structure: Structure, role: str, name: str = "") -> Part:
        """See `iface_wf.flows.maker.ResultMaker.part`."""
        if self._options.searches:
            self.ranking_engine.check(structure)
        return super().part(structure, role, name)

    @property
    def _options(self) -> SearchOptions:
        return SearchOptions(self.ranking_engine, self.placements, self.seed, self.search, self.patience)

    def start_search(self, role: str) -> ConformerSearch | None:
        """See `iface_wf.flows.maker.ResultMaker.start_search`: the molecule's lowest conformer is looked for."""
        searched = role == B.name and self.conformers and self._options.searches
        return ConformerSearch(self._options) if searched else None

    def single_point_of_part(self, role: str) -> bool:
        """Whether the single point can be shared: where energies are bound to grid steps, that of B belongs to each AB."""
        return role == "A" or not self.engine.grid_bound

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the jobs of an interface whose parts are calculated elsewhere; the last one collects.

        Parameters
        ----------
        outputs
            Where the outputs of the parts' jobs are: ``A`` the slab, ``B`` the fragment.
        about
            As in `make`.
        """
        slab, fragment = outputs["A"], outputs["B"]
        search, placements = self._start(slab, fragment)
        relax_ab = self.relaxation(WHOLE).make(placements.structure)
        lateral = lateral_energy(relax_ab.output.structure, self.ranking_engine)
        lateral.name = "images"
        own = self._statics(relax_ab)
        shared = {A.name: slab.relax, B.name: fragment.relax}
        like = {B.name: own[WHOLE].output.settings} if self.engine.grid_bound else {}
        again = relaxed_again(lambda part: self, shared, relax_ab.output.structure, like)
        if self.engine.grid_bound:
            # absolute energies on unlike grid steps differ by tenths of an eV: B gets a box on AB's steps
            static_b = self.engine.static(
                fragment.relax.structure, like=like[B.name], role=B.name, name=f"static {B.name}"
            )
            own = {B.name: static_b} | own
        of_parts = {A.name: slab.static, B.name: fragment.static}
        statics = {role: output for role, output in of_parts.items() if output is not None}
        statics |= {role: job.output for role, job in (own | again.statics).items()}
        collect = collect_binding(
            calculations=statics,
            relaxations=shared | {WHOLE: relax_ab.output} | again.relaxations,
            uuids={role: output.uuid for role, output in statics.items()},
            placements=placements,
            about=about,
            conformers=fragment.search,
            lateral=lateral.output,
        )
        collect.name = "collect"
        return [*search, relax_ab, lateral, *own.values(), *again.jobs, collect]

    def _start(self, slab: PartOutputs, fragment: PartOutputs) -> tuple[list[Job], Any]:
        """Return the job that searches for the placement, if there is one, and the placements, or where they will be."""
        if self.interface is not None:
            whole = self.interface.as_dict()
            entry = {"placement": 0, "contact": self.interface.properties.get("placement", {}).get("contact")}
            return [], RankedPlacements(structure=whole, built=whole, placement=0, ranking=[entry], engine=AS_IN_FILE)
        placed = search_placement(
            slab.relax.structure,
            fragment.relax.structure,
            engine=self.ranking_engine,
            placements=self.placements,
            seed=self.seed,
            steps=self.search,
            patience=self.patience,
            vacuum=self.vacuum,
            clearance=self.clearance,
            target=self.target,
        )
        placed.name = f"search {WHOLE}"
        return [placed], placed.output

    def _statics(self, relax_ab: Job) -> dict[str, Job]:
        """Single points on the relaxed interface; the ghost ones carry the densities where there are ghosts."""
        plain = list(self.engine.profile.densities) if self.densities else []
        ghosts = self.engine.counterpoise
        interface = relax_ab.output.structure
        ab = self.engine.static(interface, densities=plain, role=WHOLE, name=f"static {WHOLE}")
        like = ab.output.settings
        jobs = {WHOLE: ab}
        if not (self.frozen or ghosts):  # with ghosts there is no binding energy without the frozen parts
            return jobs
        for part, other in zip(PARTS, reversed(PARTS), strict=True):
            jobs[part.frozen] = self.engine.static(
                interface,
                densities=[] if ghosts else plain,
                like=like,
                keep=list(part.components),
                role=part.frozen,
                name=f"static {part.frozen}",
            )
            if ghosts:
                jobs[part.with_ghosts] = self.engine.static(
                    interface,
                    densities=plain,
                    like=like,
                    keep=list(part.components),
                    as_ghosts=list(other.components),
                    role=part.with_ghosts,
                    name=f"static {part.with_ghosts}",
                )
        return jobs


def _names(slab: Structure, fragment: Structure) -> dict[str, Any]:
    """Name an interface as its parts, as they were built, name themselves."""
    told = fragment.properties
    return {
        "filler": slab.properties.get("filler", ""),
        "surface": slab.properties.get("surface", ""),
        "polymer": told.get("polymer") or (None if "salt" in told else told.get("formula")),
        "units": told.get("units"),
        "salt": told.get("salt"),
    }

"""A kind of result in one file, as a package of somebody else would bring it: the energy per area of a bare slab."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jobflow import Job, job
from matplotlib.figure import Figure
from pymatgen.core import Structure

from iface_wf.builders.solids.slabs import build_slab
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.documents.result import EnergyTerm, ResultDocument, method_of
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.kinds import FlowKind
from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import PartOutputs
from iface_wf.flows.request import Request

UNIT = "eV/A^2, total energy over the area of one face"


class SlabEnergyRequest(Request):
    """Energy per area of a bare slab."""

    filler: str
    surface: str | None = None
    thickness: float | None = None
    vacuum: float = 8.0
    seed: int = 0
    quantities: tuple[str, ...] = ("slab_energy",)

    @property
    def label(self) -> str:
        return f"{self.filler} alone"


class SlabEnergyDocument(ResultDocument):
    """Energy per area of a bare slab."""

    document_type: Literal["slab_energy"] = "slab_energy"
    slab_energy: float | None

    @property
    def number(self) -> float | None:
        return self.slab_energy


@job
def collect_slab_energy(slab: CalculationDocument, uuid: str, about: dict[str, Any]) -> SlabEnergyDocument:
    """Divide the energy by the area."""
    structure = Structure.from_dict(slab.structure)
    area = float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))
    term = EnergyTerm(
        role="A",
        energy=slab.energy,
        dispersion_energy=slab.dispersion_energy,
        key=slab.key,
        uuid=uuid,
        converged=slab.converged,
    )
    return SlabEnergyDocument(
        **about,
        **method_of(slab),
        formula=slab.formula,
        n_atoms=slab.n_atoms,
        area=area,
        slab_energy=None if slab.energy is None else slab.energy / area,
        terms=[term],
        structure=slab.structure,
        converged=slab.converged,
        flags=slab.flags,
    )


@dataclass
class SlabEnergyMaker(ResultMaker):
    """Flow of a bare slab's energy."""

    name: str = "slab energy"

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        static = outputs["A"].static
        collect = collect_slab_energy(static, static.uuid, about)
        collect.name = "collect"
        return [collect]


class SlabEnergyKind(FlowKind):
    """The kind, as it is registered."""

    name = "slab_energy"
    title = "Energies of bare slabs"
    quantities = ("slab_energy",)
    columns = (Column("slab_energy", "slab_energy", UNIT, digits=5, shown=True),)
    headline = "slab_energy"
    document = SlabEnergyDocument
    request = SlabEnergyRequest

    def graph(self, request, library, here=True):
        record = library.filler(request.filler)
        structure = build_slab(record, request.surface, request.thickness, (0.0, 0.0), request.vacuum, request.seed)
        engines = request.main_engine(record), request.geometry_engine(record)
        maker = SlabEnergyMaker(*(engine if here else engine.elsewhere() for engine in engines))
        slab = maker.part(structure, "A", record.name)
        about = {
            "key": request.content_key(self.name, {"A": slab.digest}, {}, record, elements=structure.symbol_set),
            "filler": record.name,
            "surface": str(structure.properties.get("surface", "")),
            "provenance": {"request": request.model_dump(mode="json")},
        }
        graph = Graph()
        item = Item(about["key"], request.label, self.name, {"A": slab.key}, len(structure), about, maker)
        graph.add(item, [slab])
        return graph

    def title_of(self, document):
        return f"{document.filler} {document.surface} alone"

    def summary(self, document):
        return [Row("slab energy", document.slab_energy, "eV/A^2", "total energy per area")]

    def figure(self, document, iso=None):
        figure = Figure()
        figure.subplots().bar([document.filler], [document.slab_energy or 0.0])
        return figure

    def sections(self, document):
        return [Section("Of the slab", ("what", "value"), [("atoms", document.n_atoms)])]


KIND = SlabEnergyKind()

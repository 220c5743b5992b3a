"""From a request to the slabs of all faces, the crystal, and water where faces are hydroxylated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core import Structure

from iface_wf.builders.molecules.fragments import from_smiles
from iface_wf.errors import InputError
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.parts import Part
from iface_wf.flows.request import KEY_VERSION
from iface_wf.library.library import Library
from iface_wf.library.records import FillerRecord
from iface_wf.quantities.surface.collect import BULK, WATER
from iface_wf.quantities.surface.faces import crystal_of, distinct_faces, miller_basis, slabs_of
from iface_wf.quantities.surface.maker import SurfacesMaker
from iface_wf.quantities.surface.request import SurfacesRequest

NAME = "surface"


def surfaces_graph(request: SurfacesRequest, library: Library, here: bool = True) -> Graph:
    """Build the slabs; see `iface_wf.flows.kinds.FlowKind.graph`."""
    record = _crystalline(request.filler, library)
    built = _Built.of(record, request)
    engines = request.main_engine(record), request.geometry_engine(record)
    maker = SurfacesMaker(*(engine if here else engine.elsewhere() for engine in engines), name=request.label)
    parts = {role: maker.part(structure, role, f"{record.name} {role}") for role, structure in built.parts.items()}
    elements = {element.symbol for structure in built.parts.values() for element in structure.composition.elements}
    digests = {role: part.digest for role, part in parts.items()}
    about = {
        "key": request.content_key(NAME, digests, {}, record, elements=elements),
        "filler": record.name,
        "lattice": miller_basis(record, request.seed).tolist(),
        "refused": built.refused,
        "slabs": {role: _told(structure) for role, structure in built.parts.items() if role not in (BULK, WATER)},
        "provenance": {"request": request.model_dump(mode="json"), "digests": digests, "key_version": KEY_VERSION},
    }
    graph = Graph()
    largest = max(map(len, built.parts.values()))
    keys = {role: part.key for role, part in parts.items()}
    every: list[Part] = list(parts.values())
    graph.add(Item(about["key"], request.label, NAME, keys, largest, about, maker), every)
    return graph


@dataclass
class _Built:
    """What is to be calculated, by role, and what could not be built."""

    parts: dict[str, Structure]
    refused: dict[str, str]

    @classmethod
    def of(cls, record: FillerRecord, request: SurfacesRequest) -> _Built:
        built = cls({BULK: crystal_of(record, request.seed)}, {})
        for face in distinct_faces(record, request.max_index, request.seed):
            slabs = slabs_of(record, face, request.terminations, request.thickness, request.vacuum, request.seed)
            for rank, slab in enumerate(slabs, start=1):
                role = f"({' '.join(map(str, face))})/{rank}"
                if isinstance(slab, InputError):
                    built.refused[role] = str(slab)
                elif len(slab) > request.max_atoms:
                    built.refused[role] = f"{len(slab)} atoms, more than {request.max_atoms}."
                else:
                    built.parts[role] = slab
        if len(built.parts) == 1:
            cause = next(iter(built.refused.values()), "it has no terminations.")
            raise InputError(f"No face of {record.name} can be built: {cause}")
        hydroxylated = any(s.properties["passivation"] != "none" for r, s in built.parts.items() if r != BULK)
        if hydroxylated:
            built.parts[WATER] = from_smiles("O")
        return built


def _crystalline(name: str, library: Library) -> FillerRecord:
    """Return the record of a filler that is a bare crystal; of anything else say what it is."""
    for kind in ("polymer", "salt"):
        if name.casefold() in (known.casefold() for known in library.names(kind)):
            raise InputError(f"{name} is a {kind}, which has no surfaces: name a filler, such as GdOOH.")
    record = library.filler(name)
    if record.ready_slab:
        raise InputError(f"{record.name} is a slab already: surface energies need a crystal to cut.")
    if record.graft is not None:
        raise InputError(f"{record.name} carries arms on its surface: ask for the surfaces of the bare crystal.")
    return record


def _told(slab: Structure) -> dict[str, Any]:
    """Return what a slab says of itself that its face's document needs."""
    names = ("miller", "termination", "symmetric", "polar", "passivation", "moved_ions")
    told = {name: slab.properties.get(name) for name in names}
    return told | {"area": float(np.linalg.norm(np.cross(*slab.lattice.matrix[:2])))}

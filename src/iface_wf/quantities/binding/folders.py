"""From VASP folders calculated by hand, ours or others', to the same BindingDocument as from a flow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobflow import Flow, job
from pymatgen.core import Structure

from iface_wf.builders.interface import build_interface
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import POLYMER, WHOLE, A, B
from iface_wf.engines.comparison import require_comparable
from iface_wf.engines.registry import DEFAULT_RANKING, create
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.engines.vasp.folders import (
    RELAXATIONS,
    STATICS,
    is_calculated,
    read_folder,
    read_foreign_folder,
    read_project,
    read_request,
    write_project,
    write_statics,
)
from iface_wf.errors import InputError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.library import Library
from iface_wf.quantities.binding.collect import collect_binding
from iface_wf.quantities.binding.graph import graph_of_built
from iface_wf.quantities.binding.lateral import lateral_energy
from iface_wf.quantities.binding.request import BindingRequest

#: Periodic directions of the calculations of a slab, a molecule and what is in the cell of the interface.
_PERIODIC = {A.name: 2, B.name: 0, WHOLE: 2, A.frozen: 2, B.frozen: 2}


@dataclass(frozen=True)
class ProjectState:
    """How far a project folder is.

    Attributes
    ----------
    waiting
        Folders that are still to be calculated.
    written
        Folders that were written just now, to be calculated next.
    flow
        Stores all calculations and the BindingDocument when run; None as long as folders are waiting.
    """

    waiting: list[Path] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    flow: Flow | None = None


@job(data=["blob"])
def keep_calculation(document: CalculationDocument) -> CalculationDocument:
    """Store a calculation that was made elsewhere."""
    return document


def write_binding(request: BindingRequest, library: Library, directory: Path) -> list[Path]:
    """Build the interface of a request and write the folders of its relaxations.

    Parameters
    ----------
    request
        With ``engine="vasp"``.
    library
        Where names are looked up.
    directory
        New or empty folder.

    Returns
    -------
    list of pathlib.Path
        The folders to be calculated; `collect_project` writes the single points afterwards.

    Raises
    ------
    InputError
        For unknown names, unusable structures, missing POTCARs or a folder that is not empty.
    """
    if request.several:
        raise InputError(
            "Inputs to be submitted by hand are written of one molecule on one face: 'copies', 'faces' and 'beside' mean nothing."
        )
    built = build_interface(request, library)
    (item,) = graph_of_built(request, built, library, here=False).items.values()
    about = dict(item.about)
    # not the result of the flow: VASP relaxes at every level, and a placement is not chosen among relaxed parts
    about["key"] = hashlib.sha256(f"{about['key']} by hand".encode()).hexdigest()
    engine = request.main_engine(library.filler(request.filler) if built.given is None else built.given.record)
    if not isinstance(engine, VaspEngine):
        raise InputError(f"Inputs are written for vasp only, not for {request.engine}.")
    structures = {A.name: built.slab, B.name: built.fragment, WHOLE: built.placements[0]}
    return write_project(directory, structures, request.level, about, engine.overrides)


def collect_project(directory: Path) -> ProjectState:
    """Take the next step of a project folder: write the single points, or put everything together.

    Parameters
    ----------
    directory
        Written by `iface_wf.engines.vasp.folders.write_project`.

    Returns
    -------
    ProjectState
        What to do next.

    Raises
    ------
    InputError
        When it is no project folder.
    CalculationError, MismatchError
        Naming the file that is damaged or does not belong there.
    """
    project = read_project(directory)
    waiting = [directory / name for name in RELAXATIONS.values() if not is_calculated(directory / name)]
    if waiting:
        return ProjectState(waiting=waiting)
    relaxations = {role: read_folder(directory / name) for role, name in RELAXATIONS.items()}
    if not any((directory / name).exists() for name in STATICS.values()):
        relaxed = {role: Structure.from_dict(document.structure) for role, document in relaxations.items()}
        return ProjectState(written=write_statics(directory, relaxed))
    waiting = [directory / name for name in STATICS.values() if not is_calculated(directory / name)]
    if waiting:
        return ProjectState(waiting=waiting)
    calculations = {role: read_folder(directory / name) for role, name in STATICS.items()}
    built = read_request(directory / RELAXATIONS[WHOLE]).structure
    return ProjectState(flow=folder_flow(calculations, relaxations, project["about"], built))


def collect_foreign(folders: Mapping[str, Path], about: Mapping[str, Any], component: str = POLYMER) -> Flow:
    """Put folders together that somebody else calculated.

    Parameters
    ----------
    folders
        By role: A (slab), B (molecule in its box), AB and, for interaction energy and densities, A* and B* in AB's cell.
    about
        filler, polymer and other names for the document.
    component
        Label of the molecule's atoms.

    Returns
    -------
    Flow
        Stores all calculations and the BindingDocument when run.

    Raises
    ------
    InputError
        When A, B or AB is missing.
    CalculationError, MismatchError
        Naming the file that is damaged, or what does not fit together.
    """
    missing = [role for role in (A.name, B.name, WHOLE) if role not in folders]
    if missing or set(folders) - set(STATICS):
        raise InputError(f"Name the folders of A, B and AB, and perhaps of A* and B*; missing: {', '.join(missing)}.")
    read = {
        role: read_foreign_folder(path, role, component=component, periodic=_PERIODIC[role])
        for role, path in folders.items()
        if role != WHOLE
    }
    slab = Structure.from_dict(read.get(A.frozen, read[A.name]).structure)
    read[WHOLE] = read_foreign_folder(folders[WHOLE], WHOLE, slab=slab, component=component)
    calculations = {role: read[role] for role in STATICS if role in read}
    require_comparable(calculations)
    return folder_flow(calculations, {}, about)


def folder_flow(
    calculations: Mapping[str, CalculationDocument],
    relaxations: Mapping[str, CalculationDocument],
    about: Mapping[str, Any],
    built: dict[str, Any] | None = None,
) -> Flow:
    """Wire jobs that store each calculation and combine them; ``built`` is the interface before its relaxation, if known."""
    kept = {role: keep_calculation(document) for role, document in calculations.items()}
    relaxed = {role: keep_calculation(document) for role, document in relaxations.items()}
    for prefix, jobs in (("static", kept), ("relax", relaxed)):
        for role, one in jobs.items():
            one.name = f"{prefix} {role}"
    placements = RankedPlacements(
        structure=(relaxations.get(WHOLE) or calculations[WHOLE]).structure,
        placement=0,
        built=built,
        engine="none: folders as given",
    )
    lateral = lateral_energy(kept[WHOLE].output.structure, create(DEFAULT_RANKING, level="fast"))
    lateral.name = "images"
    collect = collect_binding(
        calculations={role: one.output for role, one in kept.items()},
        relaxations={role: one.output for role, one in relaxed.items()},
        uuids={role: one.uuid for role, one in kept.items()},
        placements=placements,
        about=dict(about),
        lateral=lateral.output,
    )
    collect.name = "collect"
    return Flow([*kept.values(), *relaxed.values(), lateral, collect], output=collect.output, name="collect folders")

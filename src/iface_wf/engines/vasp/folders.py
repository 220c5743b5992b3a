"""VASP folders for people who submit by hand: written complete, and read back when they have been calculated.

A project folder holds ``iface-wf-project.json``, one folder per relaxation (relax-A, relax-B, relax-AB) and, once those
are finished, one per single point (static-A, ..., static-A-frozen, static-B-frozen). Each has all inputs and
``iface-wf.json``, which remembers order and labels of the atoms.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure

from iface_wf.analysis.vacuum import together, widest_gap
from iface_wf.builders.components import select
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, POLYMER, SLAB, WHOLE, A, B
from iface_wf.engines.parts import CHARGE_TOLERANCE, nearest_like
from iface_wf.engines.request import CalculationRequest
from iface_wf.engines.vasp.engine import VaspEngine, read_document
from iface_wf.engines.vasp.grids import find_file, is_written
from iface_wf.engines.vasp.installation import installation
from iface_wf.engines.vasp.outputs import read_run
from iface_wf.engines.vasp.run import REQUEST, write_inputs
from iface_wf.errors import InputError, MismatchError
from iface_wf.store.checksum import DamagedError, checked_text, sealed

PROJECT = "iface-wf-project.json"
RELAXATIONS = {A.name: "relax-A", B.name: "relax-B", WHOLE: "relax-AB"}
STATICS = {
    A.name: "static-A",
    B.name: "static-B",
    WHOLE: "static-AB",
    A.frozen: "static-A-frozen",
    B.frozen: "static-B-frozen",
}
LEVEL_OUTSIDE = "as calculated elsewhere"
#: An atom of the slab may have moved this far (A) between its own folder and that of the interface.
MATCH_DISTANCE = 2.0
#: Less empty space than this (A) is no vacuum between slabs.
LEAST_VACUUM = 6.0


def write_project(
    directory: Path,
    structures: Mapping[str, Structure],
    level: str,
    about: Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the relaxations of A, B and AB.

    Parameters
    ----------
    directory
        New or empty folder.
    structures
        By role: A (slab), B (fragment), AB (placed), labelled sites.
    level
        ``fast``, ``moderate`` or ``precise``.
    about
        Names and provenance of the interface, for the document.
    overrides
        Settings that replace those of the level.

    Returns
    -------
    list of pathlib.Path
        The folders to be calculated.

    Raises
    ------
    InputError
        When the folder is not empty, or a POTCAR is missing in the folder of POTCARs; without any such folder
        POTCAR.spec is written instead.
    """
    if directory.exists() and any(directory.iterdir()):
        raise InputError(f"The folder {directory} is not empty: name a new one for the inputs.")
    directory.mkdir(parents=True, exist_ok=True)
    folders = []
    for role, name in RELAXATIONS.items():
        engine = VaspEngine(kind="relax", level=level, overrides=dict(overrides or {}), role=role)
        folders.append(_write(directory / name, engine.request(structures[role], [])))
    project = {"level": level, "overrides": dict(overrides or {}), "about": dict(about)}
    (directory / PROJECT).write_text(sealed(json.dumps(project, indent=1)))
    return folders


def write_statics(directory: Path, relaxed: Mapping[str, Structure]) -> list[Path]:
    """Write the single points on the relaxed geometries; A* and B* with grid, smearing and dipole layer of AB.

    Parameters
    ----------
    directory
        The project folder.
    relaxed
        By role: A, B, AB.

    Returns
    -------
    list of pathlib.Path
        The folders to be calculated.
    """
    project = read_project(directory)
    densities = ["valence", "all_electron"]
    frozen = {part.frozen: select(relaxed[WHOLE], *part.components) for part in PARTS}
    requests: dict[str, CalculationRequest] = {}
    for role, structure in {**{role: relaxed[role] for role in (WHOLE, A.name, B.name)}, **frozen}.items():
        engine = VaspEngine(
            kind="static",
            level=project["level"],
            overrides=project["overrides"],
            role=role,
            densities=[] if role in (A.name, B.name) else densities,
        )
        settings = requests[WHOLE].settings if role in frozen else {}
        requests[role] = engine.request(structure, [], settings | settings.get("technical", {}))
    return [_write(directory / STATICS[role], request) for role, request in requests.items()]


def _write(folder: Path, request: CalculationRequest) -> Path:
    folder.mkdir()
    try:
        write_inputs(request, folder, installation(), without_potcars=True)
    except InputError:
        shutil.rmtree(folder)  # half of the inputs would look like all
        raise
    return folder


def read_project(directory: Path) -> dict[str, Any]:
    """Return what `write_project` noted: level, overrides and about.

    Raises
    ------
    InputError
        When the folder is no project folder, or its note is damaged.
    """
    path = directory / PROJECT
    if not path.is_file():
        raise InputError(f"{directory} has no {PROJECT}: it was not written by iface-wf build --write-inputs.")
    try:
        project: dict[str, Any] = json.loads(checked_text(path.read_bytes())[0])
        return {"level": project["level"], "overrides": project["overrides"], "about": project["about"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: {error}.") from error


def is_calculated(folder: Path) -> bool:
    """Whether VASP has left its two logs in a folder."""
    return all(find_file(folder, name) is not None for name in ("OUTCAR", "vasprun.xml"))


def read_folder(folder: Path) -> CalculationDocument:
    """Read a calculated folder that we wrote.

    Raises
    ------
    InputError
        When its note of the request is missing or damaged.
    CalculationError, MismatchError
        See `iface_wf.engines.vasp.engine.read_document`.
    """
    return read_document(folder, read_request(folder))


def read_request(folder: Path) -> CalculationRequest:
    """Read what a folder that we wrote is to calculate, where it started among it.

    Raises
    ------
    InputError
        When the note of it is missing or damaged.
    """
    path = folder / REQUEST
    if not path.is_file():
        raise InputError(f"{folder} has no {REQUEST}, so the order and labels of its atoms are unknown.")
    try:
        return CalculationRequest.model_validate_json(checked_text(path.read_bytes())[0])
    except ValidationError as error:
        raise InputError(f"{path} is damaged: {error.errors()[0]['msg']}.") from error
    except DamagedError as error:
        raise InputError(f"{path} is damaged: it {error}.") from error


def read_foreign_folder(
    folder: Path, role: str, slab: Structure | None = None, component: str = POLYMER, periodic: int | None = None
) -> CalculationDocument:
    """Read a folder that somebody else calculated.

    Parameters
    ----------
    folder
        With vasprun.xml and OUTCAR, and CHGCAR, AECCAR0, AECCAR2 where they were written.
    role
        A, B, AB, A* or B*.
    slab
        For AB: the slab alone (best A*, which is as in AB), whose atoms are found again in AB, labelled ``slab``; the
        others get ``component``.
    component
        Label of the fragment's atoms.
    periodic
        Number of periodic directions, from a on: by default 2 (a slab), for B 0 (a molecule).

    Returns
    -------
    CalculationDocument
        With the settings that the run used; its level says that it is not one of ours.

    Raises
    ------
    CalculationError, MismatchError
        See `iface_wf.engines.vasp.engine.read_document`.
    """
    run = read_run(folder)
    directions = periodic if periodic is not None else (0 if role == B.name else 2)
    structure = standing_together(run.initial, tuple(i < directions for i in range(3)))
    labels = [SLAB] * len(structure) if role in (A.name, A.frozen) else [component] * len(structure)
    if slab is not None:
        for index in matching_atoms(structure, slab):
            labels[index] = SLAB
    structure.add_site_property("component", labels)
    present = is_written(folder, "CHGCAR")
    cores = all(is_written(folder, name) for name in ("AECCAR0", "AECCAR2"))
    request = CalculationRequest(
        kind="relax" if run.is_relaxation else "static",
        engine="vasp",
        level=LEVEL_OUTSIDE,
        structure=structure.as_dict(),
        settings={**run.settings, "charge": round(sum(run.valences) - run.n_electrons, 4)},
        densities=["valence", *(["all_electron"] if cores else [])] if present else [],
        role=role,
    )
    document = read_document(folder, request)
    marks = [
        *_vacuum_marks(structure, directions),
        *_empty_marks(folder, bool(run.vasprun.parameters.get("LCHARG", True))),
        *_charge_marks(document.charge, directions, corrected=run.settings.get("IDIPOL") == 4),
    ]
    return document.model_copy(update={"flags": [*document.flags, *marks]})


def _charge_marks(charge: float, periodic: int, corrected: bool) -> list[str]:
    """Return a flag for a charge whose energy hangs on the cell: charges of parts may add up, these errors do not."""
    if abs(charge) < CHARGE_TOLERANCE:
        return []
    if periodic:
        return [f"charged_cell ({charge:+.3g} e in a periodic cell: its energy is that of a uniform background too)"]
    return [] if corrected else [f"charge_uncorrected ({charge:+.3g} e in a box without IDIPOL 4)"]


def _empty_marks(folder: Path, wanted: bool) -> list[str]:
    """Return a flag for densities that the run should have written and that are empty, as on a full disk."""
    names = [
        name for name in ("CHGCAR", "AECCAR0", "AECCAR2") if find_file(folder, name) and not is_written(folder, name)
    ]
    return [f"density_missing ({', '.join(names)}: empty)"] if wanted and names else []


def _vacuum_marks(structure: Structure, periodic: int) -> list[str]:
    """Return a flag for a slab whose vacuum lies along another axis than c: area, profiles and potentials are along c."""
    lattice = structure.lattice.matrix
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    a, b, c = (widest_gap(structure.frac_coords[:, i]) * heights[i] for i in range(3))
    if periodic != 2 or max(a, b) < LEAST_VACUUM or c >= LEAST_VACUUM:
        return []
    return [f"vacuum_along_{'a' if a > b else 'b'}: area, profiles and potential are taken along c"]


def standing_together(structure: Structure, periodic: tuple[bool, ...]) -> Structure:
    """Put atoms that a file has on both ends of the cell together, along the directions that are not periodic.

    Parameters
    ----------
    structure
        As in the file.
    periodic
        Which directions are periodic.

    Returns
    -------
    Structure
        The same atoms; some have fractional coordinates below 0. Selective dynamics are kept.
    """
    fractions = structure.frac_coords.copy()
    for axis in range(3):
        if not periodic[axis]:
            fractions[:, axis] = together(fractions[:, axis])
    kept = {name: values for name, values in structure.site_properties.items() if name == "selective_dynamics"}
    a, b, c = periodic
    return Structure(
        Lattice(structure.lattice.matrix, pbc=(a, b, c)), structure.species, fractions, site_properties=kept
    )


def matching_atoms(whole: Structure, part: Structure) -> list[int]:
    """Find the atoms of a slab again in an interface, by element and place.

    Parameters
    ----------
    whole, part
        Structures with the same in-plane cell.

    Returns
    -------
    list of int
        Indices into ``whole``, one for each atom of ``part``.

    Raises
    ------
    MismatchError
        When an atom of the part has no counterpart within 2 A.
    """
    wanted, found = (Counter(site.specie.symbol for site in s) for s in (part, whole))
    if wanted - found:
        raise MismatchError(f"{part.formula} is not a part of {whole.formula}.")
    shift = np.abs(whole.lattice.matrix[:2] - part.lattice.matrix[:2]).max()
    if shift > 1e-2:
        raise MismatchError(f"Slab and interface have unlike cells in the plane: a component differs by {shift:.2g} A.")
    indices, distance = nearest_like(whole, part)
    worst = float(distance.max())
    if worst > MATCH_DISTANCE:
        raise MismatchError(f"The slab is not found again in the interface: an atom is {worst:.1f} A from its place.")
    return indices

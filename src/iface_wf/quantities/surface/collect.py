"""Surface energies from total energies of slabs and of the crystal."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
from jobflow import job
from pymatgen.core import Composition, Structure

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.result import method_in_words, method_of, term_of
from iface_wf.engines.document import now, package_versions
from iface_wf.errors import MismatchError
from iface_wf.quantities.surface.document import JOULE, FaceDocument, SurfacesDocument
from iface_wf.quantities.surface.shape import shares

#: Roles of what slabs are compared with.
BULK, WATER = "bulk", "water"
#: Atoms within this of the outermost one belong to a face, A.
SKIN = 2.0
#: Energies beyond these, J/m^2, are of no surface: what is below has fallen apart, what is above has not been relaxed.
_PLAUSIBLE = (0.0, 10.0)


@job
def collect_surfaces(
    relaxed: dict[str, CalculationDocument], uuids: dict[str, str], about: dict[str, Any]
) -> SurfacesDocument:
    """Put the energies together; see `surfaces_document`."""
    return surfaces_document(relaxed, uuids, about)


def surfaces_document(
    relaxed: dict[str, CalculationDocument], uuids: dict[str, str], about: dict[str, Any]
) -> SurfacesDocument:
    """Put the energies of crystal and slabs together.

    Parameters
    ----------
    relaxed
        Relaxations by role: `BULK`, `WATER` where faces are hydroxylated, and the faces.
    uuids
        Jobs that hold them.
    about
        Names, key and provenance, what the slabs said when they were built (``slabs``), and the lattice.

    Returns
    -------
    SurfacesDocument
        Faces whose relaxation did not converge have no energy.
    """
    told = dict(about)
    slabs = told.pop("slabs")
    faces = [face_document(relaxed[role], relaxed, said) for role, said in slabs.items()]
    usable = sorted((face for face in faces if face.energy is not None), key=lambda face: face.energy or 0.0)
    first = relaxed[BULK]
    best = next((role for role, face in zip(slabs, faces, strict=True) if usable and face is usable[0]), BULK)
    flags = [f"{flag} ({role})" for role, document in relaxed.items() for flag in document.flags if role == BULK]
    flags += [f"face_without_energy ({face.name})" for face in faces if face.energy is None]
    provenance = told.pop("provenance", {})
    document = SurfacesDocument(
        **told,
        **method_of(first),
        surface_energy=usable[0].energy if usable else None,
        most_stable=usable[0].name if usable else "",
        surface=usable[0].name if usable else "",
        faces=faces,
        formula=first.formula,
        n_atoms=max(face.n_atoms for face in faces),
        area=usable[0].area if usable else faces[0].area,
        geometry_engine=method_in_words(first),
        terms=[term_of(role, document, uuids.get(role, "")) for role, document in relaxed.items()],
        structure=relaxed[best].structure,
        converged=first.converged and bool(usable),
        flags=flags,
        provenance=provenance
        | {"versions": package_versions() | first.versions, "iface_wf": metadata.version("iface-wf")},
        wall_time=sum(document.wall_time or 0.0 for document in relaxed.values()),
        completed_at=now(),
    )
    return document.model_copy(update={"wulff_shares": shares(document.lattice, document.lowest)})


def face_document(
    slab: CalculationDocument, relaxed: dict[str, CalculationDocument], told: dict[str, Any]
) -> FaceDocument:
    """Return the energy of one face with what it hangs on.

    Parameters
    ----------
    slab
        The relaxed slab.
    relaxed
        What it is compared with.
    told
        What the slab said when it was built.

    Raises
    ------
    MismatchError
        When the slab is not made of whole formula units and water.
    """
    structure = slab.atoms_structure
    bulk, water = relaxed[BULK], relaxed.get(WATER)
    units, waters = made_of(structure.composition, bulk.atoms_structure.composition)
    remarks = [] if told["symmetric"] else ["mean of two unlike faces"]
    if told.get("moved_ions"):
        remarks.append(f"{told['moved_ions']} ions moved against a dipole")
    energy = None
    if slab.converged and bulk.converged and slab.energy is not None and bulk.energy is not None:
        energy = slab.energy - units * bulk.energy
    if waters:
        remarks.append(f"against {waters:g} H2O as single molecules: hangs on the chemical potential of water")
        missing = water is None or water.energy is None
        energy = None if energy is None or missing or water is None else energy - waters * (water.energy or 0.0)
    value = None if energy is None else JOULE * energy / (2.0 * told["area"])
    if value is not None and not waters and not _PLAUSIBLE[0] <= value <= _PLAUSIBLE[1]:
        remarks.append("implausible")
    if not slab.converged:
        remarks.append("not converged")
    top, bottom = skins(structure)
    return FaceDocument(
        miller=tuple(told["miller"]),
        termination=told["termination"],
        top=top,
        bottom=bottom,
        energy=value,
        n_atoms=len(structure),
        area=told["area"],
        symmetric=bool(told["symmetric"]),
        moved_ions=int(told.get("moved_ions") or 0),
        remarks=remarks,
    )


def made_of(slab: Composition, crystal: Composition) -> tuple[float, float]:
    """Return of how many crystal cells and how many molecules of water a slab consists.

    Raises
    ------
    MismatchError
        When there is no such number.
    """
    elements = sorted({element.symbol for element in (*slab.elements, *crystal.elements)} | {"H", "O"})
    columns = np.array([[whole[x] for x in elements] for whole in (crystal, Composition("H2O"))], dtype=float).T
    counts = np.array([slab[x] for x in elements], dtype=float)
    found, *_ = np.linalg.lstsq(columns, counts, rcond=None)
    if np.abs(columns @ found - counts).max() > 1e-6:
        raise MismatchError(f"The slab {slab.formula} is no multiple of {crystal.reduced_formula} with water.")
    units, waters = (round(float(number), 9) + 0.0 for number in found)
    return units, waters


def skins(slab: Structure) -> tuple[str, str]:
    """Return the formulas of the outermost 2 A of both faces, the upper one first."""
    z = slab.cart_coords[:, 2]
    formulas = []
    for near in (z > z.max() - SKIN, z < z.min() + SKIN):
        symbols = [slab[int(i)].specie.symbol for i in np.flatnonzero(near)]
        formulas.append(Composition({x: symbols.count(x) for x in symbols}).alphabetical_formula.replace(" ", ""))
    return formulas[0], formulas[1]

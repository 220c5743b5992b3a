"""What the page of one result is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymatgen.core import Structure

from iface_wf.analysis.density import unpack
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import Row, get_kind, meaning_of
from iface_wf.documents.labels import SLAB_PARTS, WHOLE
from iface_wf.documents.result import ResultDocument
from iface_wf.reports.names import method_name
from iface_wf.reports.site.atoms import atom_data, charge_table, transfer_of_atoms
from iface_wf.reports.site.command import more_commands, run_command
from iface_wf.reports.site.models import CurveData, QuantityData, ResultData, TableData, VolumeData
from iface_wf.reports.site.volume import Thinned, levels_of, thinned, volume_data
from iface_wf.store.results import StoredResult


def density_of(document: ResultDocument) -> np.ndarray | None:
    """Return the charge-density difference of a result, e/A^3; None where it has none, or was not loaded."""
    difference = getattr(document, "density_difference", None)
    if difference is None or not isinstance(difference.density.blob, str):
        return None
    return unpack(difference.density)


def result_data(
    found: StoredResult,
    calculations: Mapping[str, CalculationDocument],
    density: tuple[VolumeData, Thinned] | None,
) -> ResultData:
    """Gather what the page of a result shows; pictures and files are added by whoever writes them.

    Parameters
    ----------
    found
        The result.
    calculations
        Those of its energies that are in the store, by role.
    density
        Of `difference_data`.
    """
    document: ResultDocument = found.document
    kind = get_kind(document.document_type)
    structure = document.structure
    sections = [TableData(title=s.title, headings=list(s.headings), rows=[list(r) for r in s.rows])
                for s in kind.sections(document)]  # fmt: skip
    return ResultData(
        title=kind.heading_of(document),
        method=method_name(document),
        key=document.key,
        trustworthy=document.trustworthy,
        flags=list(document.flags),
        quantities=_quantities(kind.summary(document)),
        tables=[*sections, _terms(document, kind.roles), _settings(found, calculations.get(WHOLE))],
        atoms=atom_data(structure) if structure.lattice.volume > 0 else None,
        volume=None if density is None else density[0],
        curves=[*_profiles(document, structure), *_potential(calculations.get(WHOLE), structure)],
        charges=_charges(document, structure, calculations),
        files=[],
        commands=[_commands(document)],
        provenance=json.dumps(document.provenance, indent=2, ensure_ascii=False, default=str),
    )


def difference_data(document: ResultDocument) -> tuple[VolumeData, Thinned] | None:
    """Return the charge-density difference of a result on few points, for the view and for a file; None without one.

    Parameters
    ----------
    document
        The result, its density loaded.
    """
    values = density_of(document)
    if values is None:
        return None
    structure = document.structure
    levels = levels_of(values)
    thin = thinned(values, np.asarray(structure.lattice.matrix), levels)
    return volume_data(thin, structure, values.shape, levels), thin


def _quantities(rows: Sequence[Row]) -> list[QuantityData]:
    """Give lines that are indented on a terminal the name of what they belong to."""
    found, parent = [], ""
    for row in rows:
        name = row.name.strip()
        parent, name = (parent, f"{parent}, {name}") if row.name.startswith(" ") else (name, name)
        value = QuantityData(name=name, value=row.value, unit=row.unit, meaning=row.meaning)
        found.append(value.model_copy(update={"uncertainty": row.uncertainty}))
    return found


def _terms(document: ResultDocument, roles: Mapping[str, str]) -> TableData:
    rows: list[list[Any]] = [
        [t.role, meaning_of(t.role, roles), t.energy, t.dispersion_energy, t.converged, ", ".join(t.flags), t.key[:10]]
        for t in document.terms
    ]
    headings = ["term", "what it is", "energy / eV", "dispersion / eV", "converged", "flags", "key"]
    return TableData(title="Energy terms", headings=headings, rows=rows)


def _settings(found: StoredResult, whole: CalculationDocument | None) -> TableData:
    document: ResultDocument = found.document
    versions = document.provenance.get("versions", {})
    rows: list[list[Any]] = [
        ["engine", f"{document.engine} {document.engine_version}"],
        ["level", document.level],
        ["functional", document.functional],
        ["dispersion", document.dispersion or "none"],
        ["basis", document.basis or "-"],
        ["k-points", " x ".join(map(str, document.kpoints))],
        ["grid", "-" if document.grid is None else " x ".join(map(str, document.grid))],
        ["energy", document.energy_type],
        ["geometry", document.geometry_engine],
        ["charge of the cell / e", document.charge],
        ["atoms", document.n_atoms],
        ["area / A^2", round(document.area, 4)],
        *([name, json.dumps(value, default=str)] for name, value in sorted((whole.settings if whole else {}).items())),
        ["versions", ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))],
        ["wall time / s", document.wall_time],
        ["key", document.key],
        ["job", found.uuid],
        ["completed", found.completed_at],
    ]
    return TableData(title="Settings", headings=["setting", "value"], rows=rows)


def _gap(structure: Structure) -> dict[str, float]:
    """Return the heights of the topmost filler atom and of the lowest atom of the molecule, A."""
    labels = structure.site_properties.get("component", [])
    heights = list(zip(structure.cart_coords[:, 2].tolist(), labels, strict=False))
    below = [z for z, label in heights if label in SLAB_PARTS]
    above = [z for z, label in heights if label not in SLAB_PARTS]
    return {"topmost filler atom": max(below), "lowest atom of the molecule": min(above)} if below and above else {}


def _profiles(document: ResultDocument, structure: Structure) -> list[CurveData]:
    difference = getattr(document, "density_difference", None)
    if difference is None:
        return []
    marks = _gap(structure)
    return [
        CurveData(title="Charge-density difference along z", label="Δρ(z) / e Å⁻¹", z=difference.z,
                  values=difference.delta_rho_z, filled=True, marks=marks),
        CurveData(title="Charge displaced to below each height", label="ΔQ(z) / e", z=difference.z,
                  values=difference.delta_q_z, marks=marks),
    ]  # fmt: skip


def _potential(whole: CalculationDocument | None, structure: Structure) -> list[CurveData]:
    if whole is None or whole.potential_z is None:
        return []
    values = whole.potential_z
    height = structure.volume / float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))
    z = np.linspace(0.0, height, len(values), endpoint=False).tolist()
    title = "Electrostatic potential energy of an electron, averaged over planes"
    return [CurveData(title=title, label="V(z) / eV", z=z, values=values, marks=_gap(structure))]


def _charges(
    document: ResultDocument, structure: Structure, calculations: Mapping[str, CalculationDocument]
) -> TableData | None:
    whole = calculations.get(WHOLE)
    if whole is None or not whole.charges:
        return None
    scheme = getattr(document, "charge_scheme", None) or next(iter(whole.charges))
    if scheme not in whole.charges:
        return None
    others = {
        other: (charges, transfer_of_atoms(calculations, other))
        for other, charges in whole.charges.items()
        if other != scheme
    }
    return charge_table(structure, whole.charges[scheme], transfer_of_atoms(calculations, scheme), others)


def _commands(document: ResultDocument) -> TableData:
    command, left = run_command(document)
    again = f"calculate it again (also, in YAML or Python: {', '.join(left)})" if left else "calculate it again"
    rows = [[again, command]] if command else []
    rows += [list(each) for each in more_commands(document, getattr(document, "density_difference", None) is not None)]
    return TableData(title="Commands", headings=["what", "command"], rows=rows)

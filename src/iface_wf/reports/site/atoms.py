"""Atoms of the interactive view, and their charges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ase.data import chemical_symbols
from pymatgen.core import Structure

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.charges import ChargesDocument
from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.reports.scene import scene_of
from iface_wf.reports.site.models import AtomData, TableData

CHARGE_HEADINGS = ("atom", "element", "component", "x / A", "y / A", "z / A", "charge / e", "transfer / e")


def atom_data(structure: Structure) -> AtomData:
    """Return the atoms of a structure as the pictures show them: molecules whole, in the middle of the cell.

    Parameters
    ----------
    structure
        Labelled sites or not.
    """
    scene = scene_of(structure)
    return AtomData(
        elements=[chemical_symbols[z] for z in scene.numbers],
        positions=[tuple(p) for p in scene.positions.round(5).tolist()],
        bonds=scene.sticks,
        in_cell=len(structure),
        cell=[tuple(v) for v in structure.lattice.matrix.tolist()],
        pbc=structure.lattice.pbc,
    )


def transfer_of_atoms(calculations: Mapping[str, CalculationDocument], scheme: str) -> list[float] | None:
    """Return by how much the charge of each atom differs between the interface and its frozen parts, e.

    Parameters
    ----------
    calculations
        By role: AB, and of each part the one with ghosts or the frozen one.
    scheme
        Of the charges.

    Returns
    -------
    list of float or None
        In the order of AB, positive = the atom lost electrons; None where charges are missing, or the atoms differ.
    """
    charges = {role: c.charges.get(scheme) for role, c in calculations.items()}
    whole = charges.get(WHOLE)
    if whole is None or whole.components is None:
        return None
    gathered: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for part in PARTS:
        found = charges.get(part.with_ghosts) or charges.get(part.frozen)
        if found is None or found.components is None:
            return None
        for label, element, charge in zip(found.components, found.species, found.net_charges, strict=True):
            gathered[label].append((element, charge))
    alone: dict[str, Iterator[tuple[str, float]]] = {label: iter(atoms) for label, atoms in gathered.items()}
    transfer = []
    for label, element, charge in zip(whole.components, whole.species, whole.net_charges, strict=True):
        before = next(alone.get(label, iter(())), ("", 0.0))
        if before[0] != element:
            return None
        transfer.append(charge - before[1])
    return transfer


def charge_table(
    structure: Structure,
    charges: ChargesDocument,
    transfer: list[float] | None,
    others: Mapping[str, tuple[ChargesDocument, list[float] | None]] = MappingProxyType({}),
) -> TableData | None:
    """Return the charges of the atoms of an interface; None where they are not those of its atoms.

    Parameters
    ----------
    structure
        The interface.
    charges
        Of its atoms.
    transfer
        See `transfer_of_atoms`.
    others
        Charges and transfer of the same atoms by further schemes.
    """
    elements = [site.specie.symbol for site in structure]
    if elements != list(charges.species):
        return None
    labels = structure.site_properties.get("component", [""] * len(structure))
    moved: list[float | None] = [None] * len(structure) if transfer is None else list(transfer)
    rows = [
        [i, element, str(label), *site.coords.round(4).tolist(), charge, change]
        for i, (element, label, site, charge, change) in enumerate(
            zip(elements, labels, structure, charges.net_charges, moved, strict=True), 1
        )
    ]
    headings, schemes = list(CHARGE_HEADINGS), [charges.scheme]
    for scheme, (other, change) in others.items():
        if list(other.species) != elements:
            continue
        schemes.append(scheme)
        headings += [f"charge / e ({scheme})", f"transfer / e ({scheme})"]
        changes: list[float | None] = [None] * len(structure) if change is None else list(change)
        for row, charge, lost in zip(rows, other.net_charges, changes, strict=True):
            row += [charge, lost]
    return TableData(title=f"Charges of the atoms ({', '.join(schemes)})", headings=headings, rows=rows)

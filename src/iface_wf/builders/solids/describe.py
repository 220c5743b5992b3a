"""What a slab is, in numbers: area, silanols, dipole and charge."""

from __future__ import annotations

from typing import Any

import numpy as np
from pymatgen.core import Structure

from iface_wf.builders.edges import area_of
from iface_wf.builders.solids.terminations import POLAR_TOLERANCE, dipole_of
from iface_wf.errors import InputError
from iface_wf.library.records import FillerRecord, Graft


def describe(record: FillerRecord, slab: Structure) -> dict[str, Any]:
    """Say what a slab is, as plain JSON: area in A^2, dipole in e/A, silanols per nm^2 and face, charge in e, metal or not.

    Raises
    ------
    InputError
        When the formal charges of the slab do not add up to 0.
    """
    charges = dict(record.oxidation_states)
    area = area_of(slab)
    hydrogens = [i for i, s in enumerate(slab.site_properties.get("silanol", [])) if s]
    middle = float(np.median(slab.cart_coords[:, 2]))
    top = sum(bool(slab[i].coords[2] > middle) for i in hydrogens)
    plain = slab.copy()
    for i in hydrogens:  # count a hydroxyl as one ion at its oxygen: its direction is no property of the cut
        oxygen = next(n for n in slab.get_neighbors(slab[i], 1.2) if n.specie.symbol == "O")
        plain.translate_sites([i], oxygen.coords - slab[i].coords, False, False)
    states = charges | ({"H": charges.get("H", 1.0)} if charges else {})
    charge = sum(states.get(site.specie.symbol, 0.0) for site in slab)
    if abs(charge) > 1e-6:
        raise InputError(f"The slab of {record.name} has the formal charge {charge:+g}, it must be neutral.")
    known = bool(charges) or len(slab.composition.elements) == 1
    dipole = dipole_of(plain, states) / area
    return {
        "filler": record.name,
        "formula": slab.composition.formula,
        "area": area,
        "silanol_density": {"top": 100.0 * top / area, "bottom": 100.0 * (len(hydrogens) - top) / area},
        "polar": abs(dipole) > POLAR_TOLERANCE if known else None,
        "dipole_per_area": dipole if known else None,
        "charge": 0,
        "metal": record.gap == 0 if record.gap is not None else all(x.is_metal for x in slab.composition.elements),
    }


def describe_graft(rule: Graft, slab: Structure, before: dict[str, Any]) -> dict[str, Any]:
    """Say what arms change; the charge stays 0, as both arms and what they replace are neutral.

    Parameters
    ----------
    rule
        The arms.
    slab
        The slab with them.
    before
        What `describe` said of the slab without them.
    """
    taken = 100.0 * rule.count / before["area"]
    silanols = before["silanol_density"]
    return {
        "formula": slab.composition.formula,
        "silanol_density": {"top": silanols["top"] - taken, "bottom": silanols["bottom"]},
        "graft": {"smiles": rule.smiles, "counter_ion": rule.counter_ion, "per_nm2": taken, "source": rule.source},
    }

"""Whether A and B are what AB is made of: atoms, charge, and for A* and B* the places of the atoms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from pymatgen.core import Structure

from iface_wf.analysis.grid import FloatArray
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.errors import MismatchError

#: Charges that must add up may miss by this, e: what counting electrons loses.
CHARGE_TOLERANCE = 1e-3
#: Atoms and cell of A* and B* must be those of AB within this, A ...
FROZEN_TOLERANCE = 1e-2
#: ... and are marked where they are farther off than files round, A.
ROUNDED = 1e-3


def require_parts(calculations: Mapping[str, CalculationDocument]) -> list[str]:
    """Refuse calculations whose energies cannot be subtracted because they are not of the parts of one whole.

    Parameters
    ----------
    calculations
        By role: AB, A, B, and what there is of A*, B* and the same with ghosts.

    Returns
    -------
    list of str
        Flags: parts that lie a little beside their places in AB.

    Raises
    ------
    MismatchError
        Naming what does not add up, or the atom that lies elsewhere.
    """
    whole = calculations[WHOLE]
    for roles in zip(*((part.name, part.frozen, part.with_ghosts) for part in PARTS), strict=True):
        if all(role in calculations for role in roles):
            _require_sum({role: calculations[role] for role in roles}, whole)
    flags = []
    for part in PARTS:
        if part.frozen in calculations and _atoms(calculations[part.frozen]) != _atoms(calculations[part.name]):
            raise MismatchError(
                f"{part.frozen} is {_formula(calculations[part.frozen])}, {part.name} is "
                f"{_formula(calculations[part.name])}: they must be the same atoms."
            )
        for role in (part.frozen, part.with_ghosts):
            if role in calculations and (away := _away(calculations[role], whole, role)) > ROUNDED:
                flags.append(f"frozen_part_moved ({role}: {away:.3f} A)")
    return flags


def _require_sum(parts: Mapping[str, CalculationDocument], whole: CalculationDocument) -> None:
    """Compare atoms and charge of two parts together with those of the whole."""
    found = sum((_atoms(part) for part in parts.values()), Counter[str]())
    names = " + ".join(parts)
    if found != _atoms(whole):
        written = " + ".join(_formula(part) for part in parts.values())
        raise MismatchError(f"{names} is not AB: {written} is not {_formula(whole)}.")
    charge = sum(part.charge for part in parts.values())
    if abs(charge - whole.charge) > CHARGE_TOLERANCE:
        raise MismatchError(
            f"{names} is not AB: their charges are {charge:+.3f} e together, that of AB is {whole.charge:+.3f} e "
            "(NELECT)."
        )


def _atoms(calculation: CalculationDocument) -> Counter[str]:
    return Counter(site.specie.symbol for site in _real(calculation))


def _formula(calculation: CalculationDocument) -> str:
    return str(_real(calculation).composition.formula).replace(" ", "")


def _real(calculation: CalculationDocument) -> Structure:
    """Return the structure without its ghosts."""
    if not calculation.ghosts:
        return calculation.atoms_structure
    structure = calculation.atoms_structure.copy()
    structure.remove_sites(calculation.ghosts)
    return structure


def _away(part: CalculationDocument, whole: CalculationDocument, role: str) -> float:
    """Return by how much cell or atoms of a part lie beside those of the whole, A; refuse what is not frozen."""
    one, other = _real(part), _real(whole)
    cell = float(np.abs(one.lattice.matrix - other.lattice.matrix).max())
    if cell > FROZEN_TOLERANCE:
        raise MismatchError(f"{role} is not in the cell of AB: a component differs by {cell:.2g} A.")
    _, distance = nearest_like(other, one)
    worst = int(np.argmax(distance))
    if distance[worst] > FROZEN_TOLERANCE:
        raise MismatchError(
            f"{role} is not as it is in AB: atom {worst + 1} ({one[worst].specie.symbol}) is {distance[worst]:.2g} A "
            "from its place there."
        )
    return max(cell, float(distance.max()))


def nearest_like(whole: Structure, part: Structure) -> tuple[list[int], FloatArray]:
    """Assign to each atom of a part an atom of the whole, of its element, all together as near as possible.

    Parameters
    ----------
    whole, part
        Structures; positions are compared in the periodic cell of the whole.

    Returns
    -------
    tuple
        Indices into ``whole``, and distances in A; infinite where an atom has no counterpart of its element.
    """
    wanted, found = (np.array([site.specie.symbol for site in s]) for s in (part, whole))
    chosen, distance = np.full(len(part), -1), np.full(len(part), np.inf)
    for symbol in sorted(set(wanted)):
        rows, columns = np.flatnonzero(wanted == symbol), np.flatnonzero(found == symbol)
        delta = part.cart_coords[rows][:, None] - whole.cart_coords[columns][None]
        fractions = delta @ np.linalg.inv(whole.lattice.matrix)
        near = np.linalg.norm((fractions - np.round(fractions)) @ whole.lattice.matrix, axis=-1)
        from scipy.optimize import linear_sum_assignment  # half a second, which most jobs do without

        a, b = linear_sum_assignment(near)
        chosen[rows[a]], distance[rows[a]] = columns[b], near[a, b]
    return [int(i) for i in chosen], distance

"""Cations at anions and at functional groups: salts, ionomers, and a molecule that holds Li+ or an ion pair."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from ase.units import Bohr, Hartree
from numpy.typing import NDArray
from pymatgen.core import Structure
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers
from rdkit.rdBase import BlockLogs

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.molecules.conformers import minimise
from iface_wf.builders.molecules.fragments import boxed, chemistry, mol_of, parse_smiles
from iface_wf.documents.labels import CATION
from iface_wf.errors import InputError

COULOMB = Hartree * Bohr
"""e^2 / (4 pi epsilon_0) in eV A."""

CATION_RADII = {"Li": 0.59, "Na": 0.99, "K": 1.37, "Mg": 0.57, "Zn": 0.60}
"""Ionic radii in A at four neighbours, 10.1107/S0567739476001551."""

DONOR_RADII = {"O": 1.38, "N": 1.46, "F": 1.31, "S": 1.84, "Cl": 1.81}
"""Radii in A of the atoms that bind a cation, at four neighbours; same source (S, Cl at six)."""

BYSTANDER = 2.2
"""Least distance of a cation from atoms that do not bind it, A."""

Vectors = NDArray[np.float64]


def anion_donors(mol: Chem.Mol) -> list[list[int]]:
    """List, for each negative charge, the atoms that share it and may bind a cation.

    A charged O, N, S or halogen shares its charge with the terminal O and N on its neighbours (sulfonate, imide,
    carboxylate); a charged P or B passes it to all its neighbours (PF6-, BF4-).
    """
    groups: list[list[int]] = []
    for atom in mol.GetAtoms():
        if atom.GetFormalCharge() >= 0 or any(n.GetFormalCharge() > 0 for n in atom.GetNeighbors()):
            continue
        if atom.GetSymbol() not in DONOR_RADII:
            donors = [n.GetIdx() for n in atom.GetNeighbors() if n.GetSymbol() in DONOR_RADII]
        else:
            second = (m for n in atom.GetNeighbors() for m in n.GetNeighbors())
            terminal = {m.GetIdx() for m in second if m.GetDegree() == 1 and m.GetSymbol() in ("O", "N", "S")}
            donors = sorted(terminal | {atom.GetIdx()})
        groups += [donors] * -atom.GetFormalCharge()
    return groups


def partial_charges(mol: Chem.Mol) -> Vectors:
    """Return partial charges in e, shape (atoms,): MMFF94's, or formal charges spread over the donors."""
    with BlockLogs():
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol)
    if properties is not None:
        return np.array([properties.GetMMFFPartialCharge(i) for i in range(mol.GetNumAtoms())], dtype=float)
    charges = np.array([max(atom.GetFormalCharge(), 0) for atom in mol.GetAtoms()], dtype=float)
    for donors in anion_donors(mol):
        charges[donors] -= 1.0 / len(donors)
    return charges


def cation_positions(
    xyz: Vectors, symbols: Sequence[str], charges: Vectors, donors: Sequence[int], cation: str
) -> list[tuple[float, Vectors]]:
    """Propose positions of a cation at one, two or three donors, the lowest electrostatic energy first.

    Parameters
    ----------
    xyz, symbols, charges
        Coordinates (A), elements and partial charges (e) of everything that is there already.
    donors
        Atoms that may bind; at least one of them does, at the sum of ionic radii.
    cation
        Element of the cation.

    Returns
    -------
    list of tuple
        (Coulomb energy of a charge +1 in eV, position in A), positions at least 0.5 A apart; may be empty.
    """
    reach = np.array([_reach(cation, s) for s in symbols])
    trials: list[Vectors] = []
    for count in (1, 2, 3):
        for chosen in combinations(donors, count):
            trials += _meeting_points(xyz[list(chosen)], reach[list(chosen)])
    if not trials:
        return []
    points = np.array(trials)
    distance = np.linalg.norm(points[:, None] - xyz[None], axis=-1)
    allowed = np.all(distance > reach - 0.05, axis=1)
    energy = COULOMB * np.sum(charges / distance, axis=1)
    found: list[tuple[float, Vectors]] = []
    marks: list[Vectors] = []
    names = np.array(list(symbols))
    for k in np.argsort(energy, kind="stable"):
        if not allowed[k] or any(np.linalg.norm(points[k] - other) < 0.5 for _, other in found):
            continue
        # Positions that see the same atoms at the same distances are equivalent, as the eight faces of PF6-.
        mark = np.concatenate([np.sort(distance[k, names == s]) for s in sorted(set(symbols))])
        if not any(np.allclose(mark, other, atol=0.05, rtol=0) for other in marks):
            marks.append(mark)
            found.append((float(energy[k]), points[k]))
    return found


def _reach(cation: str, symbol: str) -> float:
    if symbol in DONOR_RADII:
        return CATION_RADII[cation] + DONOR_RADII[symbol]
    return 1.8 if symbol == "H" else 3.0 if symbol in CATION_RADII else BYSTANDER


def _meeting_points(centres: Vectors, radii: Vectors) -> list[Vectors]:
    """Sample the points that lie on one, two or three spheres at once."""
    if len(centres) == 1:
        # Fibonacci sphere: even coverage without poles.
        k = np.arange(60) + 0.5
        z, turn = 1 - 2 * k / 60, np.pi * (1 + 5**0.5) * k
        ring = np.sqrt(1 - z**2)
        return list(centres[0] + radii[0] * np.column_stack([ring * np.cos(turn), ring * np.sin(turn), z]))
    axis = centres[1] - centres[0]
    span = float(np.linalg.norm(axis))
    axis /= span
    along = (span**2 + radii[0] ** 2 - radii[1] ** 2) / (2 * span)
    height = radii[0] ** 2 - along**2
    if height <= 0:
        return []
    middle, height = centres[0] + along * axis, float(np.sqrt(height))
    first = np.cross(axis, [1.0, 0.0, 0.0] if abs(axis[0]) < 0.9 else [0.0, 1.0, 0.0])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    if len(centres) == 2:
        angles = np.linspace(0, 2 * np.pi, 36, endpoint=False)
        return [middle + height * (np.cos(t) * first + np.sin(t) * second) for t in angles]
    # On that circle, |point - third|^2 = constant + amplitude cos(t - phase).
    offset = middle - centres[2]
    x, y = 2 * height * float(offset @ first), 2 * height * float(offset @ second)
    cosine = (radii[2] ** 2 - float(offset @ offset) - height**2) / max(float(np.hypot(x, y)), 1e-9)
    if abs(cosine) > 1:
        return []
    phase, swing = float(np.arctan2(y, x)), float(np.arccos(cosine))
    return [middle + height * (np.cos(t) * first + np.sin(t) * second) for t in (phase + swing, phase - swing)]


def with_cation(fragment: Structure, cation: str, donors: Sequence[int]) -> list[Structure]:
    """Put one cation at each proposed position of a fragment.

    Parameters
    ----------
    fragment
        A fragment that says its bonds; its atoms are not moved against each other.
    cation
        SMILES of a single-atom cation, for example ``[Li+]``.
    donors
        Sites that may bind it.

    Returns
    -------
    list of Structure
        The fragment with one more site labelled ``"salt_cation"``, lowest Coulomb energy first; empty where no position
        has room. Formula, charge, smiles and bonds are brought up to date; ``properties["cation_energy"]`` is the
        cation's Coulomb energy in the fragment's partial charges, eV.

    Raises
    ------
    InputError
        When the cation is no single atom with a known radius, or the fragment does not say its bonds.
    """
    ion = single_cation(cation)
    element = ion.GetAtomWithIdx(0).GetSymbol()
    symbols = symbols_of(fragment)
    mol = mol_of(fragment)
    joined = Chem.CombineMols(mol, ion)
    Chem.SanitizeMol(joined)
    details = {**fragment.properties, **chemistry(joined)}
    return [
        boxed(
            [*symbols, element],
            np.vstack([fragment.cart_coords, position]),
            [*fragment.site_properties["component"], CATION],
            details | {"cation_energy": round(energy, 6)},
        )
        for energy, position in cation_positions(fragment.cart_coords, symbols, partial_charges(mol), donors, element)
    ]


def single_cation(smiles: str) -> Chem.Mol:
    """Read the SMILES of a cation of one atom.

    Raises
    ------
    InputError
        When it is more than one atom, not positive, or of an element without an entry in ``CATION_RADII``.
    """
    mol = parse_smiles(smiles, "cation")
    atom = mol.GetAtomWithIdx(0)
    if mol.GetNumAtoms() != 1 or atom.GetFormalCharge() < 1 or atom.GetSymbol() not in CATION_RADII:
        raise InputError(
            f"The cation {smiles[:40]!r} must be one atom of {', '.join(CATION_RADII)} with its charge, as in '[Li+]'."
        )
    return mol


def neutralise(fragment: Structure, cation: str) -> Structure:
    """Put a cation at each negative charge of an ionomer, one after the other, and relax all by MMFF94.

    Parameters
    ----------
    fragment
        A fragment that says its bonds.
    cation
        SMILES of a single-atom cation.

    Raises
    ------
    InputError
        When the cation is no single atom with a known radius, or there is no room for it.
    """
    for donors in anion_donors(mol_of(fragment)):
        found = with_cation(fragment, cation, donors)
        if not found:
            raise InputError(f"There is no room for {cation} at {fragment.properties.get('formula', 'the fragment')}.")
        fragment = found[0]
    return relaxed(fragment)[1]


def relaxed(fragment: Structure) -> tuple[float, Structure]:
    """Relax a fragment with its ions by MMFF94; without parameters it stays, with its Coulomb energy as energy.

    Returns
    -------
    tuple
        (energy in eV, comparable between fragments of equal formula only; the fragment).
    """
    mol = mol_of(fragment)
    energy = minimise(mol)
    if energy is None:
        return float(fragment.properties.get("cation_energy", 0.0)), fragment
    xyz = np.asarray(mol.GetConformer().GetPositions(), dtype=float)
    labels = fragment.site_properties["component"]
    details = fragment.properties | {"pair_force_field": "MMFF94"}
    return energy, boxed(symbols_of(fragment), xyz, labels, details)

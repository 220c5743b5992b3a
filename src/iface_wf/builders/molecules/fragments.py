"""Isolated fragments as labelled structures in a box: conformers, SMILES and the user's own XYZ files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds
from rdkit.rdBase import BlockLogs

from iface_wf.builders.edges import EDGE_STEP, round_up
from iface_wf.builders.molecules.conformers import Conformers, embed, plain_smiles
from iface_wf.documents.labels import POLYMER
from iface_wf.errors import InputError
from iface_wf.library.poscar import fortran_number
from iface_wf.library.text import read_text

BOX_VACUUM = 6.0
"""Least empty space between a fragment and every wall of its box, A."""

MAX_XYZ = 600
"""Largest molecule read from an XYZ file, atoms."""

MAX_XYZ_BYTES = 1_000_000

MAX_SMILES = 5000
"""Longest SMILES or PSMILES accepted, characters."""

_ATOM = r"Cl|Br|[BCNOPSFI]"
_LIKE_FORMULA = re.compile(rf"(?:{_ATOM}){{2,4}}")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d*)+")

Vectors = NDArray[np.float64]


def parse_smiles(smiles: str, what: str = "SMILES") -> Chem.Mol:
    """Read a SMILES and say in one sentence what is wrong with it.

    Parameters
    ----------
    smiles
        The text.
    what
        How to call it in an error.

    Returns
    -------
    rdkit.Chem.Mol
        The sanitised molecule, hydrogens implicit.

    Raises
    ------
    InputError
        When the text is empty, too long, malformed, names an unknown element or breaks a valence.
    """
    text = smiles.strip()
    if not text or len(text) > MAX_SMILES:
        raise InputError(f"The {what} has {len(text)} characters, allowed are 1 to {MAX_SMILES}.")
    with BlockLogs():
        # Without sanitisation first, so that a wrong valence is told apart from wrong text.
        raw = Chem.MolFromSmiles(text, sanitize=False)
        if raw is None:
            raise _unreadable(text, what)
        mol = Chem.MolFromSmiles(text)
        if mol is None:
            raise InputError(f"The {what} {text[:80]!r} has an atom with an impossible valence or aromatic ring.")
    if mol.GetNumAtoms() == 0:
        raise InputError(f"The {what} {text[:80]!r} holds no atom.")
    return mol


def _unreadable(text: str, what: str) -> InputError:
    like_formula = _FORMULA.fullmatch(text) and any(letter.isdigit() for letter in text)
    formulas = " (A formula does not say how atoms are bound: H2O is 'O' as SMILES.)" if like_formula else ""
    return InputError(f"The {what} {text[:80]!r} cannot be read: brackets, rings or an element are wrong.{formulas}")


def require_meant(smiles: str) -> None:
    """Refuse a SMILES that reads as a formula or an abbreviation, before it builds another molecule than is meant.

    Parameters
    ----------
    smiles
        SMILES of the user. Letters of two to four different elements and nothing else (``CO``, ``PC``, ``NCO``) may be
        either; with a bond written out (``C-O``) they are a SMILES.

    Raises
    ------
    InputError
        With both readings.
    """
    text = smiles.strip()
    atoms = re.findall(_ATOM, text)
    if not _LIKE_FORMULA.fullmatch(text) or len(set(atoms)) < len(atoms):
        return
    built = formula([atom.GetSymbol() for atom in Chem.AddHs(parse_smiles(text)).GetAtoms()])
    raise InputError(
        f"{text!r} may be a formula, an abbreviation or a SMILES: if the SMILES of {built} is meant, write "
        f"{'-'.join(atoms)!r}; else give the SMILES of what is meant, an .xyz file, or a name (iface-wf library list molecule)."
    )


def boxed(
    symbols: Sequence[str],
    xyz: Vectors,
    labels: Sequence[str],
    properties: dict[str, Any],
    step: float = EDGE_STEP,
) -> Structure:
    """Put atoms into the middle of an orthorhombic, non-periodic box.

    Parameters
    ----------
    symbols
        Element of every atom.
    xyz
        Coordinates, A, shape (atoms, 3); translated, never rotated.
    labels
        ``component`` of every atom.
    properties
        Plain JSON data for ``Structure.properties``.
    step
        Every edge is a multiple of this, A.

    Returns
    -------
    Structure
        ``lattice.pbc`` is all False; every atom is at least ``BOX_VACUUM`` from every wall.
    """
    low, high = xyz.min(axis=0), xyz.max(axis=0)
    edges = [round_up(float(extent) + 2 * BOX_VACUUM, step) for extent in high - low]
    centred = xyz - (low + high) / 2 + np.array(edges) / 2
    return Structure(
        Lattice(np.diag(edges), pbc=(False, False, False)),
        list(symbols),
        centred,
        coords_are_cartesian=True,
        site_properties={"component": list(labels)},
        properties=properties,
    )


def from_conformers(
    conformers: Conformers, number: int = 0, label: str = POLYMER, properties: dict[str, Any] | None = None
) -> Structure:
    """Turn one conformer into a boxed structure with SMILES, formula, charge and energies as properties.

    Parameters
    ----------
    conformers
        The conformers.
    number
        Which one, 0 is the lowest in energy.
    label
        ``component`` of every atom.
    properties
        More provenance to keep.

    Returns
    -------
    Structure
        Centred in a non-periodic box, atoms in the order of the molecule.
    """
    mol = conformers.mol
    symbols = [atom.GetSymbol() for atom in mol.GetAtoms()]
    details = chemistry(mol) | {
        "conformer": number,
        "conformer_energies": [round(e, 6) for e in conformers.energies],
        "force_field": conformers.force_field,
    }
    return boxed(symbols, conformers.positions(number), [label] * len(symbols), details | (properties or {}))


def chemistry(mol: Chem.Mol) -> dict[str, Any]:
    """Describe a molecule as plain JSON: smiles, formula, charge (e), bonds and formal charges by site.

    ``bonds`` lists ``[site, site, order]`` of the Kekule structure and ``formal_charges`` lists ``[site, charge]``,
    so that `mol_of` can rebuild the molecule without guessing bonds from distances.
    """
    kekule = Chem.Mol(mol)
    Chem.Kekulize(kekule, clearAromaticFlags=True)
    return {
        "smiles": plain_smiles(mol),
        "formula": formula([atom.GetSymbol() for atom in mol.GetAtoms()]),
        "charge": Chem.GetFormalCharge(mol),
        "bonds": [
            [bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), int(bond.GetBondTypeAsDouble())]
            for bond in kekule.GetBonds()
        ],
        "formal_charges": [
            [atom.GetIdx(), atom.GetFormalCharge()] for atom in mol.GetAtoms() if atom.GetFormalCharge()
        ],
    }


def mol_of(fragment: Structure) -> Chem.Mol:
    """Rebuild the molecule of a fragment, atoms in the order of its sites, with its coordinates as a conformer.

    Raises
    ------
    InputError
        When the fragment does not say its bonds.
    """
    bonds = fragment.properties.get("bonds")
    if bonds is None:
        raise InputError("The fragment does not say its bonds: build it from SMILES, PSMILES or XYZ.")
    edit = Chem.RWMol()
    for site in fragment:
        atom = Chem.Atom(site.specie.symbol)
        atom.SetNoImplicit(True)
        edit.AddAtom(atom)
    for index, charge in fragment.properties.get("formal_charges", []):
        edit.GetAtomWithIdx(index).SetFormalCharge(charge)
    kinds = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
    for i, j, order in bonds:
        edit.AddBond(i, j, kinds[order])
    conformer = Chem.Conformer(len(fragment))
    conformer.SetPositions(np.array(fragment.cart_coords, dtype=float))
    edit.AddConformer(conformer)
    mol = edit.GetMol()
    with BlockLogs():
        Chem.SanitizeMol(mol)
        Chem.AssignStereochemistryFrom3D(mol)
    return mol


def group_sites(fragment: Structure, smarts: str) -> list[tuple[int, ...]]:
    """Find a functional group in a fragment.

    Parameters
    ----------
    fragment
        A fragment that says its bonds.
    smarts
        SMARTS of the group; its first atom is the one that touches or binds.

    Returns
    -------
    list of tuple
        Sites of every match, in the order of the SMARTS; each way round of a symmetric group is one match.

    Raises
    ------
    InputError
        When the SMARTS is malformed or matches nothing.
    """
    with BlockLogs():
        pattern = Chem.MolFromSmarts(smarts) if smarts and len(smarts) <= MAX_SMILES else None
    if pattern is None:
        raise InputError(f"The SMARTS {smarts[:80]!r} cannot be read.")
    found = mol_of(fragment).GetSubstructMatches(pattern, uniquify=False, maxMatches=10000)
    matches = [tuple(match) for match in found]
    if not matches:
        raise InputError(
            f"The SMARTS {smarts[:80]!r} matches nothing in {fragment.properties.get('smiles', 'the fragment')[:80]!r}."
        )
    return matches


def formula(symbols: Sequence[str]) -> str:
    """Write a formula in Hill order: C, H, then alphabetical; alphabetical throughout without carbon."""
    counts = {symbol: symbols.count(symbol) for symbol in sorted(set(symbols))}
    first = [s for s in ("C", "H") if s in counts] if "C" in counts else []
    order = first + [s for s in counts if s not in first]
    return "".join(f"{s}{counts[s] if counts[s] > 1 else ''}" for s in order)


def from_smiles(
    smiles: str,
    label: str = POLYMER,
    n_conformers: int = 10,
    seed: int = 0,
    conformer: int = 0,
) -> Structure:
    """Build a molecule from SMILES, for example a solvent probe or the user's own fragment.

    Parameters
    ----------
    smiles
        One connected molecule without open ends.
    label
        ``component`` of every atom.
    n_conformers, seed
        As in `iface_wf.builders.molecules.conformers.embed`.
    conformer
        Which conformer, 0 is the lowest in energy.

    Raises
    ------
    InputError
        When the SMILES is malformed, disconnected or has ``*`` ends.
    """
    mol = parse_smiles(smiles)
    if any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        raise InputError(f"The SMILES {smiles[:80]!r} has open ends (*): build it as a polymer with a number of units.")
    if len(Chem.GetMolFrags(mol)) != 1:
        raise InputError(f"The SMILES {smiles[:80]!r} has several unconnected parts: give one molecule.")
    return from_conformers(embed(Chem.AddHs(mol), n_conformers, seed), conformer, label, {"seed": seed})


def from_xyz(path: Path, charge: int = 0, label: str = POLYMER) -> Structure:
    """Read the user's own molecule from an XYZ file and box it as it stands.

    Parameters
    ----------
    path
        An XYZ file: number of atoms, comment, then ``symbol x y z`` in A.
    charge
        Total charge, e.
    label
        ``component`` of every atom.

    Raises
    ------
    InputError
        When the file is missing, malformed, names an unknown element or holds overlapping atoms.
    """
    lines = read_text(path, MAX_XYZ_BYTES).split("\n")
    try:
        count = int(lines[0])
        rows = [line.split()[:4] for line in lines[2 : 2 + max(0, count)] if line.strip()]
        symbols = [_symbol(row[0]) for row in rows]
        xyz = np.array([[_number(value) for value in row[1:]] for row in rows])
    except (ValueError, IndexError) as error:
        raise InputError(
            f"The XYZ file {path} is malformed: expected a count, a comment and 'symbol x y z' lines."
        ) from error
    if count > MAX_XYZ:
        raise InputError(f"The XYZ file {path} holds {count} atoms, at most {MAX_XYZ} are allowed.")
    if count < 1 or xyz.shape != (count, 3) or not np.all(np.isfinite(xyz)):
        raise InputError(f"The XYZ file {path} does not hold the {count} atoms that its first line announces.")
    if any(line.strip() for line in lines[2 + count :]):
        raise InputError(f"The XYZ file {path} holds more than its {count} atoms, give one structure.")
    unknown = sorted(set(symbols) - set(chemical_symbols[1:]))
    if unknown:
        raise InputError(f"The XYZ file {path} names unknown elements: {', '.join(unknown)[:80]}.")
    distance = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1) + 10.0 * np.eye(count)
    if distance.min() < 0.5:
        raise InputError(f"The XYZ file {path} holds two atoms only {distance.min():.2f} A apart.")
    mol = perceived(symbols, xyz, charge, f"the XYZ file {path}")
    return boxed(symbols, xyz, [label] * count, chemistry(mol) | {"charge": charge, "source": path.name})


def _symbol(text: str) -> str:
    """Give the element of a symbol in any case, of a label (C12) or of an atomic number."""
    if text.isdigit() and 0 < int(text) < len(chemical_symbols):
        return str(chemical_symbols[int(text)])
    name = text.rstrip("0123456789").capitalize()
    return {"D": "H"}.get(name, name)


def _number(text: str) -> float:
    value = fortran_number(text)
    return float(text) if value is None else value


def perceived(symbols: list[str], xyz: Vectors, charge: int, where: str) -> Chem.Mol:
    """Find bonds and orders from coordinates and total charge, 10.1002/bkcs.10334.

    Parameters
    ----------
    symbols, xyz
        Elements, and coordinates in A, shape (atoms, 3).
    charge
        Total charge, e.
    where
        What holds the atoms, for errors.

    Raises
    ------
    InputError
        When they are no molecule of that charge.
    """
    edit = Chem.RWMol()
    for symbol in symbols:
        edit.AddAtom(Chem.Atom(symbol))
    conformer = Chem.Conformer(len(symbols))
    conformer.SetPositions(np.array(xyz, dtype=float))
    edit.AddConformer(conformer)
    with BlockLogs():
        try:
            rdDetermineBonds.DetermineBonds(edit, charge=charge)
            Chem.SanitizeMol(edit)
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"The bonds in {where} cannot be told for a total charge of {charge:+d}: "
                "check the geometry and the charge, or give a SMILES."
            ) from error
    return edit.GetMol()

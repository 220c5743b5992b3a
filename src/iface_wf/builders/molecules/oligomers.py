"""Oligomers from repeat units: sequence, caps, tacticity, head-to-tail order, and a conformer in a box."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Literal, get_args

import numpy as np
from pymatgen.core import Structure
from rdkit import Chem
from rdkit.rdBase import BlockLogs

from iface_wf.builders.molecules.conformers import embed, extended
from iface_wf.builders.molecules.fragments import from_conformers, parse_smiles
from iface_wf.builders.molecules.ions import anion_donors, neutralise
from iface_wf.builders.molecules.stereo import (
    keep_double_bonds,
    open_centres,
    restore_double_bonds,
    settle_double_bonds,
    with_distinct_ends,
    written_centres,
)
from iface_wf.documents.labels import POLYMER
from iface_wf.errors import InputError
from iface_wf.library.records import Caps, PolymerRecord

MAX_UNITS = 200
"""Longest oligomer, repeat units."""

Tacticity = Literal["isotactic", "syndiotactic", "atactic"]
Conformation = Literal["lowest", "trans"]

_SHORT_CAPS = {"H": "[H]*", "CH3": "C*", "F": "F*", "CF3": "FC(F)(F)*", "OH": "O*"}


def parse_unit(psmiles: str) -> Chem.Mol:
    """Read a repeat unit: one connected part with two ``*`` ends, each bonded once and singly.

    Parameters
    ----------
    psmiles
        For example ``*CCO*``; the first ``*`` points to the head of the chain, the second to its tail.

    Raises
    ------
    InputError
        When the text is no SMILES, has not exactly two ends, or falls into parts.
    """
    return _open_ended(psmiles, 2, "repeat unit (PSMILES)")


def parse_cap(cap: str) -> Chem.Mol:
    """Read a capping group: SMILES with one ``*``, or one of H, CH3, F, CF3, OH.

    Raises
    ------
    InputError
        When the text is no SMILES or has not exactly one end.
    """
    return _open_ended(_SHORT_CAPS.get(cap.strip(), cap), 1, "cap")


def _open_ended(smiles: str, ends: int, what: str) -> Chem.Mol:
    mol = parse_smiles(smiles, what)
    stars = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if len(stars) != ends:
        raise InputError(f"The {what} {smiles[:80]!r} has {len(stars)} '*' ends, it must have {ends}.")
    if len(Chem.GetMolFrags(mol)) != 1:
        raise InputError(f"The {what} {smiles[:80]!r} has several unconnected parts, it must be one.")
    for star in stars:
        bonds = list(star.GetBonds())
        if len(bonds) != 1 or bonds[0].GetBondType() != Chem.BondType.SINGLE:
            raise InputError(f"Every '*' of the {what} {smiles[:80]!r} must have exactly one single bond.")
        if bonds[0].GetOtherAtom(star).GetAtomicNum() == 0:
            raise InputError(f"The {what} {smiles[:80]!r} holds no atom between its '*' ends.")
    return with_distinct_ends(smiles)


def expand_sequence(pattern: str, units: int | None = None) -> str:
    """Repeat or cut a sequence of letters to a number of units.

    Parameters
    ----------
    pattern
        Letters from head to tail; a lower-case letter is the unit turned round (head to head).
    units
        Number of repeat units, by default the length of ``pattern``.

    Raises
    ------
    InputError
        When the number is not between 1 and ``MAX_UNITS`` or the pattern is empty.
    """
    if not pattern or not pattern.isalpha():
        raise InputError(f"The sequence {pattern[:80]!r} must be one or more letters.")
    count = len(pattern) if units is None else units
    if not 1 <= count <= MAX_UNITS:
        raise InputError(f"An oligomer has 1 to {MAX_UNITS} repeat units, not {count}.")
    return (pattern * (count // len(pattern) + 1))[:count]


def oligomer_mol(
    units: Sequence[str],
    head: str = "H",
    tail: str = "H",
    tacticity: Tacticity = "atactic",
    seed: int = 0,
    turned: Sequence[bool] | None = None,
) -> Chem.Mol:
    """Join repeat units and caps to one molecule with explicit hydrogens and every stereocentre decided.

    Stereocentres and double bonds that the PSMILES writes (``@``, ``/``) are in every unit as they are written. Centres
    that it leaves open get one handedness, seen along the chain. Isotactic chains repeat it, syndiotactic chains mirror
    every second unit, atactic chains mirror units at random. Open double bonds become trans along the longest branches.

    Parameters
    ----------
    units
        PSMILES of every unit from head to tail.
    head, tail
        Caps, as for `parse_cap`.
    tacticity
        How the handedness follows along the chain.
    seed
        Seed of the atactic choice.
    turned
        Which units are turned round; by default none, the chain is head to tail.

    Returns
    -------
    rdkit.Chem.Mol
        The oligomer; no ``*`` is left.

    Raises
    ------
    InputError
        For bad units, caps, tacticity or lengths, and for a syndiotactic chain whose every centre is written.
    """
    if tacticity not in get_args(Tacticity):
        raise InputError(f"Tacticity {tacticity!r} is unknown: use {', '.join(get_args(Tacticity))}.")
    if not 1 <= len(units) <= MAX_UNITS:
        raise InputError(f"An oligomer has 1 to {MAX_UNITS} repeat units, not {len(units)}.")
    turns = [False] * len(units) if turned is None else list(turned)
    if len(turns) != len(units):
        raise InputError(f"'turned' has {len(turns)} entries for {len(units)} units, it must have one for each.")
    _check_written(units, tacticity)
    mirrored = _mirrored(len(units), tacticity, seed)
    parts = [_numbered(parse_cap(head), (1,))]
    for k, psmiles in enumerate(units):
        ends = (k + 2, k + 1) if turns[k] else (k + 1, k + 2)
        parts.append(_numbered(_with_handedness(parse_unit(psmiles), mirrored[k]), ends))
    parts.append(_numbered(parse_cap(tail), (len(units) + 1,)))
    written = [bond for number, part in enumerate(parts) for bond in keep_double_bonds(part, number)]
    with BlockLogs():
        joined = Chem.molzip(reduce(Chem.CombineMols, parts))
        Chem.SanitizeMol(joined)
        restore_double_bonds(joined, written)
        joined = Chem.RemoveHs(joined)
    _straighten(joined)
    settle_double_bonds(joined)
    return Chem.AddHs(joined)


def _check_written(units: Sequence[str], tacticity: Tacticity) -> None:
    """Refuse to call a chain syndiotactic whose centres are all written: they stay as they are."""
    kinds = [parse_unit(psmiles) for psmiles in dict.fromkeys(units)]
    if tacticity == "syndiotactic" and any(map(written_centres, kinds)) and not any(map(open_centres, kinds)):
        raise InputError(
            "The stereocentres of the repeat unit are written (@) and stay so in every unit: "
            "for a syndiotactic chain leave them open."
        )


def _mirrored(count: int, tacticity: Tacticity, seed: int) -> list[bool]:
    if tacticity == "isotactic":
        return [False] * count
    if tacticity == "syndiotactic":
        return [k % 2 == 1 for k in range(count)]
    return [bool(flip) for flip in np.random.default_rng(seed).integers(0, 2, count)]


def _numbered(mol: Chem.Mol, numbers: tuple[int, ...]) -> Chem.Mol:
    """Give the ``*`` ends numbers in the order of the text; ends of equal number are joined later."""
    stars = []
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)  # a number that the text gives to an atom means nothing here
        if atom.GetAtomicNum() == 0:
            stars.append(atom)
    for star, number in zip(stars, numbers, strict=True):
        star.SetIsotope(0)
        star.SetAtomMapNum(number)
    return mol


def _with_handedness(mol: Chem.Mol, mirror: bool) -> Chem.Mol:
    """Give open stereocentres one handedness by the order of their neighbours, or the other; leave written ones."""
    left, right = Chem.ChiralType.CHI_TETRAHEDRAL_CCW, Chem.ChiralType.CHI_TETRAHEDRAL_CW
    for centre in open_centres(mol):
        mol.GetAtomWithIdx(centre).SetChiralTag(right if mirror else left)
    return mol


def _straighten(mol: Chem.Mol) -> None:
    """Decide double bonds that the text leaves open: the longest branches lie opposite (trans)."""
    for info in Chem.FindPotentialStereo(mol):
        if info.type != Chem.StereoType.Bond_Double or info.specified != Chem.StereoSpecified.Unspecified:
            continue
        bond = mol.GetBondWithIdx(info.centeredOn)
        begin, end = bond.GetBeginAtom(), bond.GetEndAtom()
        if min(begin.GetDegree(), end.GetDegree()) < 2:
            continue  # an end with nothing but hydrogen, as HN=N-
        bond.SetStereoAtoms(_main_branch(mol, begin, end), _main_branch(mol, end, begin))
        bond.SetStereo(Chem.BondStereo.STEREOTRANS)


def _main_branch(mol: Chem.Mol, atom: Chem.Atom, other: Chem.Atom) -> int:
    """Return the neighbour of ``atom`` (not ``other``) that leads to the most atoms."""
    distance = Chem.GetDistanceMatrix(mol)

    def reach(neighbour: int) -> int:
        return int(np.sum(distance[neighbour] < distance[atom.GetIdx()]))

    choices: list[int] = [n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() != other.GetIdx()]
    return max(choices, key=lambda n: (reach(n), -n))


def _chain_mol(
    record: PolymerRecord,
    units: int | None = None,
    caps: Caps | None = None,
    sequence: str | None = None,
    tacticity: Tacticity = "atactic",
    seed: int = 0,
) -> Chem.Mol:
    """Join the chain of a library record, without counter-ions; parameters and errors of `build_oligomer`."""
    known = record.units or {"A": record.psmiles or ""}
    if sequence is not None and units is not None and units != len(sequence):
        raise InputError(
            f"Sequence {sequence[:40]!r} has {len(sequence)} units but {units} are asked for: give only one."
        )
    pattern = sequence or record.sequence or "A"
    count = units
    if units is None and sequence is None and record.sequence is None:
        count = record.default_units
    letters = expand_sequence(pattern, count)
    unknown = sorted(set(letters.upper()) - set(known))
    if unknown:
        raise InputError(
            f"The sequence uses {unknown[0]!r}; the units of {record.name} are {', '.join(sorted(known))}."
        )
    ends = caps or record.caps
    return oligomer_mol(
        [known[letter.upper()] for letter in letters],
        ends.head,
        ends.tail,
        tacticity,
        seed,
        [letter.islower() for letter in letters],
    )


def record_mol(record: PolymerRecord, units: int | None = None, **options: Any) -> Chem.Mol:
    """Join the oligomer of a library record with its counter-ions, without coordinates.

    Parameters
    ----------
    record
        The polymer.
    units
        Number of repeat units, by default the record's.
    **options
        ``caps``, ``sequence``, ``tacticity`` and ``seed`` of `build_oligomer`.

    Returns
    -------
    rdkit.Chem.Mol
        With explicit hydrogens.

    Raises
    ------
    InputError
        When units, caps or sequence are not allowed.
    """
    mol = _chain_mol(record, units, **options)
    for _ in anion_donors(mol) if record.counter_ion else ():
        mol = Chem.CombineMols(mol, parse_smiles(record.counter_ion or ""))
    Chem.SanitizeMol(mol)
    return mol


def build_oligomer(
    record: PolymerRecord,
    units: int | None = None,
    caps: Caps | None = None,
    seed: int = 0,
    n_conformers: int = 10,
    *,
    sequence: str | None = None,
    tacticity: Tacticity = "atactic",
    conformer: int = 0,
    conformation: Conformation | None = None,
) -> Structure:
    """Build one oligomer of a polymer in its lowest force-field conformer.

    Parameters
    ----------
    record
        The polymer.
    units
        Number of repeat units, by default the record's.
    caps
        Capping groups, by default the record's.
    seed
        Seed of conformers and of atactic order; equal seeds give equal structures.
    n_conformers
        Conformers to try.
    sequence
        Letters of the repeat units from head to tail instead of the record's; lower case turns a unit round.
    tacticity
        ``"atactic"`` (seeded), ``"isotactic"`` or ``"syndiotactic"``; it concerns centres that the units leave open.
    conformer
        Which conformer, 0 is the lowest in energy.
    conformation
        ``"lowest"``, or ``"trans"`` for the planar zigzag; by default the record's.

    Returns
    -------
    Structure
        Centred in an orthorhombic, non-periodic box with at least 6 A of vacuum on each side; every site has
        ``component`` ``"polymer"`` (a counter-ion ``"salt_cation"``); ``properties`` hold smiles, formula,
        charge (e), conformer energies (eV), force field, polymer, units, sequence, caps, tacticity and seed.

    Raises
    ------
    InputError
        When units, caps, sequence or conformer are not allowed, or no sound conformer exists.
    """
    mol = _chain_mol(record, units, caps, sequence, tacticity, seed)
    ends = caps or record.caps
    known = [parse_unit(psmiles) for psmiles in record.units.values() or [record.psmiles or ""]]
    written = any(map(written_centres, known)) and not any(map(open_centres, known))
    details = {
        "polymer": record.name,
        "units": units or (len(sequence) if sequence else record.default_units),
        "sequence": sequence or record.sequence,
        "caps": {"head": ends.head, "tail": ends.tail},
        "tacticity": "as written" if written else tacticity,
        "seed": seed,
        "functional_groups": dict(record.functional_groups),
    }
    shape = conformation or record.conformation
    if shape not in get_args(Conformation):
        raise InputError(f"Conformation {shape!r} is unknown: use {' or '.join(get_args(Conformation))}.")
    conformers = extended(mol, seed) if shape == "trans" else embed(mol, n_conformers, seed)
    chain = from_conformers(conformers, conformer, POLYMER, details | {"conformation": shape})
    return neutralise(chain, record.counter_ion) if record.counter_ion else chain

"""What a PSMILES writes of its stereochemistry, carried over the joints between units."""

from __future__ import annotations

from dataclasses import dataclass

from rdkit import Chem
from rdkit.rdBase import BlockLogs

_PART, _ATOM = "_iface_part", "_iface_atom"
_TRANS = (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOTRANS)
_CIS = (Chem.BondStereo.STEREOZ, Chem.BondStereo.STEREOCIS)


@dataclass(frozen=True)
class WrittenBond:
    """A double bond whose stereochemistry is written.

    Attributes
    ----------
    ends
        Its two atoms, as (part, index in the part).
    partners
        The neighbour of each end by which it is written; for an open end the part that will be joined there.
    trans
        Whether the partners lie opposite.
    """

    ends: tuple[tuple[int, int], tuple[int, int]]
    partners: tuple[tuple[int, int | None], tuple[int, int | None]]
    trans: bool


def open_centres(mol: Chem.Mol) -> list[int]:
    """List the atoms of a repeat unit whose handedness the text leaves open."""
    return _centres(mol, Chem.StereoSpecified.Unspecified)


def written_centres(mol: Chem.Mol) -> list[int]:
    """List the atoms of a repeat unit whose handedness is written."""
    return _centres(mol, Chem.StereoSpecified.Specified)


def _centres(mol: Chem.Mol, state: Chem.StereoSpecified) -> list[int]:
    return [
        int(info.centeredOn)
        for info in Chem.FindPotentialStereo(mol)
        if info.type == Chem.StereoType.Atom_Tetrahedral and info.specified == state
    ]


def with_distinct_ends(smiles: str) -> Chem.Mol:
    """Read a unit whose ``*`` ends differ (by isotope), as the parts of the chain that they lead to do.

    Between equal ends RDKit would drop what is written of a centre that has the same arms on both sides.
    """
    with BlockLogs():
        mol = Chem.MolFromSmiles(smiles.strip(), sanitize=False)
    for number, star in enumerate((a for a in mol.GetAtoms() if a.GetAtomicNum() == 0), start=1):
        star.SetIsotope(number)
    with BlockLogs():
        Chem.SanitizeMol(mol)
        mol = Chem.RemoveHs(mol)
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    return mol


def keep_double_bonds(part: Chem.Mol, number: int) -> list[WrittenBond]:
    """Take the written stereochemistry of double bonds off a part, whose open ends carry their numbers.

    Parameters
    ----------
    part
        A unit or cap; its atoms are marked so that they are found again in the joined molecule.
    number
        Its place in the chain; the open end of number n joins the parts n - 1 and n.

    Returns
    -------
    list of WrittenBond
        What to restore after the parts are joined.
    """
    found = []
    for atom in part.GetAtoms():
        atom.SetIntProp(_PART, number)
        atom.SetIntProp(_ATOM, atom.GetIdx())
    for bond in part.GetBonds():
        stereo = bond.GetStereo()
        if stereo in _TRANS or stereo in _CIS:
            first, second = (_partner(part.GetAtomWithIdx(i), number) for i in bond.GetStereoAtoms())
            ends = ((number, bond.GetBeginAtomIdx()), (number, bond.GetEndAtomIdx()))
            found.append(WrittenBond(ends, (first, second), stereo in _TRANS))
            bond.SetStereo(Chem.BondStereo.STEREONONE)
    for bond in part.GetBonds():
        bond.SetBondDir(Chem.BondDir.NONE)
    return found


def _partner(atom: Chem.Atom, number: int) -> tuple[int, int | None]:
    if atom.GetAtomicNum():
        return number, atom.GetIdx()
    joint = atom.GetAtomMapNum()
    return (joint - 1 if joint == number else joint), None


def restore_double_bonds(joined: Chem.Mol, written: list[WrittenBond]) -> None:
    """Write the stereochemistry of `keep_double_bonds` into the joined molecule.

    Where the partner became a hydrogen, the end's other neighbour stands for it on the other side; where there is none,
    the double bond has no stereochemistry any more.
    """
    index = {(a.GetIntProp(_PART), a.GetIntProp(_ATOM)): a.GetIdx() for a in joined.GetAtoms() if a.HasProp(_PART)}
    for entry in written:
        begin, end = (joined.GetAtomWithIdx(index[key]) for key in entry.ends)
        bond = joined.GetBondBetweenAtoms(begin.GetIdx(), end.GetIdx())
        first = _neighbour(begin, end, entry.partners[0])
        second = _neighbour(end, begin, entry.partners[1])
        if first is None or second is None:
            continue
        bond.SetStereoAtoms(first[0], second[0])
        trans = entry.trans ^ first[1] ^ second[1]
        bond.SetStereo(Chem.BondStereo.STEREOTRANS if trans else Chem.BondStereo.STEREOCIS)
    settle_double_bonds(joined)


def settle_double_bonds(mol: Chem.Mol) -> None:
    """Write cis and trans as directions of the bonds beside, without which RDKit drops them from conjugated chains."""
    Chem.SetDoubleBondNeighborDirections(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)


def _neighbour(atom: Chem.Atom, other: Chem.Atom, partner: tuple[int, int | None]) -> tuple[int, bool] | None:
    """Find the partner among the neighbours, or what stands in for a hydrogen and whether it lies on the other side."""
    beside = [n for n in atom.GetNeighbors() if n.GetIdx() != other.GetIdx()]
    part, number = partner
    for n in beside:
        if n.GetIntProp(_PART) == part and number in (None, n.GetIntProp(_ATOM)) and n.GetAtomicNum() > 1:
            return n.GetIdx(), False
    heavy = [n for n in beside if n.GetAtomicNum() > 1]
    return (heavy[0].GetIdx(), True) if heavy else None

"""An interface that a file brings: what of it is the slab, what lies on it, and each of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray
from pymatgen.core import Structure
from rdkit import Chem

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.edges import check_vacuum
from iface_wf.builders.molecules.fragments import boxed, chemistry, formula, perceived
from iface_wf.builders.placing.bodies import Body
from iface_wf.builders.placing.placements import assemble
from iface_wf.builders.solids.held import held
from iface_wf.builders.solids.ready import described, put_upright
from iface_wf.builders.split import Molecule, bonds_of, molecules_of, sites_of_molecule
from iface_wf.documents.labels import ANION, CATION, POLYMER
from iface_wf.errors import InputError
from iface_wf.library.crystals import MAX_BYTES, looks_like_slab, read_crystal
from iface_wf.library.extxyz import labels_of
from iface_wf.library.files import is_file
from iface_wf.library.library import Library, record_of_slab
from iface_wf.library.records import FillerRecord
from iface_wf.library.text import read_text

#: Charges of ions of one atom that may lie on a slab beside their anions, e.
_ION_CHARGES = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Zn": 2}
#: Other atoms that stand alone: halides and noble gases.
_ALONE = frozenset({"F", "Cl", "Br", "I", "He", "Ne", "Ar", "Kr", "Xe"})

Vectors = NDArray[np.float64]


class Given(NamedTuple):
    """An interface of a file, and what it is made of.

    Attributes
    ----------
    record
        The filler: that of the library that was named, else one for the atoms of the slab.
    slab, fragment
        Cut out of the interface, labelled sites; the slab in a cell of its own height, the fragment in a box.
    whole
        The interface as the file has it: the slab's sites first, then the fragment's.
    molecules
        How many molecules and ions lie on the slab.
    searched
        Whether the lowest conformer of the fragment can be searched for: it is one molecule, with cations or without.
    """

    record: FillerRecord
    slab: Structure
    fragment: Structure
    whole: Structure
    molecules: int
    searched: bool


def read_given(path: Path, split: str | None, filler: str, library: Library, vacuum: float) -> Given:
    """Read an interface and cut it into slab and molecule; no atom moves against another.

    Parameters
    ----------
    path
        CIF, POSCAR or extended XYZ file with an empty layer of 6 A or more.
    split
        Which atoms are the molecule, see `iface_wf.builders.split.sites_of_molecule`.
    filler
        What the slab is made of, a name of the library; empty: nobody knows but the file.
    library
        Where it is looked up.
    vacuum
        Empty space above the topmost atom of slab and interface, A.

    Raises
    ------
    InputError
        For an unusable file or split, for molecules that are bonded to the slab or to their own image, that lie below the
        slab, or that carry a charge together.
    """
    check_vacuum(vacuum)
    if not is_file(path):
        raise InputError(f"The interface {str(path)[:300]} is no file, or does not exist.")
    raw = read_crystal(path)
    if not looks_like_slab(raw):
        raise InputError(f"{path} is no interface on a slab: it has no empty layer of 6 A or more along a cell vector.")
    notes: list[str] = []
    upright = put_upright(raw, path.name, notes)
    chosen = sites_of_molecule(upright, split, labels_of(read_text(path, MAX_BYTES)), path.name)
    rest = sorted(set(range(len(upright))) - set(chosen))
    _require_no_bond(upright, set(chosen), path.name)
    below = Structure.from_sites([upright[i] for i in rest], to_unit_cell=False)
    record = _named(filler, below, path, library) if filler else record_of_slab(below, path)
    slab = described(record, below, vacuum, [*notes, *_about_held(upright, chosen)])
    fragment, xyz = _fragment(upright, chosen, path)
    xyz = xyz + [0.0, 0.0, float(slab.cart_coords[:, 2].min() - below.cart_coords[:, 2].min())]
    if xyz[:, 2].min() < slab.cart_coords[:, 2].min():
        raise InputError(
            f"In {path} an atom of the molecule lies below the slab, whose lower face is held: put it on the upper face."
        )
    contact = Body.seen_from(slab).contact(xyz, symbols_of(fragment))
    whole = assemble(slab, fragment, xyz, vacuum, {"mode": "given", "file": path.name, "contact": contact})
    parts = fragment.site_properties["component"]
    molecules = len(molecules_of(fragment))
    searched = molecules - parts.count(CATION) <= 1
    return Given(record, slab, fragment, whole, molecules, searched)


def _named(filler: str, slab: Structure, path: Path, library: Library) -> FillerRecord:
    """Look up what a slab is made of, and refuse what it cannot be."""
    record = library.filler(filler)
    wanted = {element.symbol for element in read_crystal(record.crystal_path).composition.element_composition}
    there = {element.symbol for element in slab.composition.elements}
    # hydroxyls may close any surface, and what is grafted is not in the crystal
    foreign = set() if record.graft is not None else there - wanted - {"H", "O"}
    if foreign or wanted - there:
        raise InputError(
            f"The slab of {path.name} has the elements {', '.join(sorted(there))}, {record.name} has {', '.join(sorted(wanted))}: "
            "leave the filler out, or choose another split."
        )
    return record


def _require_no_bond(whole: Structure, chosen: set[int], name: str) -> None:
    """Refuse a split through a bond: both sides would be radicals."""
    for i, j, _ in bonds_of(whole):
        if i in chosen and j not in chosen:
            symbols = symbols_of(whole)
            raise InputError(
                f"In {name} the atom {i} ({symbols[i]}) of the molecule is bonded to the atom {j} ({symbols[j]}) of the slab "
                "(counted from 0): the split must not cut a bond."
            )


def _about_held(whole: Structure, chosen: Sequence[int]) -> list[str]:
    """Say it where the file holds atoms of the molecule, which are free all the same."""
    return ["Atoms of the molecule that the file holds are free."] if held(whole)[list(chosen)].any() else []


def _fragment(whole: Structure, chosen: Sequence[int], path: Path) -> tuple[Structure, Vectors]:
    """Cut the molecules out, each whole, with bonds and charges; return them in a box, and their places in the interface (A)."""
    cut = Structure.from_sites([whole[i] for i in chosen], to_unit_cell=False)
    molecules = molecules_of(cut)
    symbols = symbols_of(cut)
    charges = _charges(molecules, symbols, path.name)
    together: Chem.Mol | None = None
    labels: list[str] = []
    pieces: list[Vectors] = []
    order: list[str] = []
    for each, charge in zip(molecules, charges, strict=True):
        names = [symbols[site] for site in each.sites]
        xyz = cut.cart_coords[list(each.sites)] + each.images @ cut.lattice.matrix
        if pieces:  # the image that is nearest to those before
            away = xyz.mean(axis=0) - np.vstack(pieces).mean(axis=0)
            turns = np.rint(cut.lattice.get_fractional_coords(away)) * np.array(cut.lattice.pbc)
            xyz = xyz - turns @ cut.lattice.matrix
        mol = _molecule(names, xyz, charge, path)
        together = mol if together is None else Chem.CombineMols(together, mol)
        labels += [CATION if charge > 0 else ANION if charge < 0 else POLYMER] * len(names)
        pieces.append(np.asarray(xyz))
        order += names
    assert together is not None
    Chem.SanitizeMol(together)
    every = np.vstack(pieces)
    told = chemistry(together) | {"charge": 0, "source": path.name}
    return boxed(order, every, labels, told), every


def _molecule(symbols: list[str], xyz: Vectors, charge: int, path: Path) -> Chem.Mol:
    if len(symbols) > 1:
        return perceived(symbols, xyz, charge, f"the molecule {formula(symbols)} of {path.name}")
    edit = Chem.RWMol()
    atom = Chem.Atom(symbols[0])
    atom.SetFormalCharge(charge)
    atom.SetNoImplicit(True)
    edit.AddAtom(atom)
    return edit.GetMol()


def _charges(molecules: Sequence[Molecule], symbols: Sequence[str], name: str) -> list[int]:
    """Tell the charge of each molecule, e: metals are ions, and what has an odd number of electrons is an anion."""
    charges: list[int] = []
    for each in molecules:
        names = [symbols[site] for site in each.sites]
        if each.endless:
            raise InputError(
                f"The molecule {formula(names)} of {name} is bonded to its own periodic image: it has no energy in isolation."
            )
        if len(names) == 1 and names[0] in _ION_CHARGES:
            charges.append(_ION_CHARGES[names[0]])
        elif len(names) == 1 and names[0] not in _ALONE:
            raise InputError(
                f"In {name} the split makes a single atom {names[0]} part of the molecule, without any bond: sites are counted from 0."
            )
        else:
            charges.append(-(sum(atomic_numbers[symbol] for symbol in names) % 2))
    if (total := sum(charges)) != 0:
        ions = ", ".join(
            f"{formula([symbols[site] for site in each.sites])} {charge:+d}"
            for each, charge in zip(molecules, charges, strict=True)
            if charge
        )
        raise InputError(
            f"What lies on the slab of {name} would carry a charge of {total:+d} e ({ions}), and a cell repeated in the plane must be "
            "neutral: choose ions of both signs, whole molecules, and no radicals."
        )
    return charges

"""Space groups of CIFs: their operations as written, or those of a Hall symbol, a name in any setting, a number."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pymatgen.symmetry
import spglib
from numpy.typing import NDArray
from pymatgen.core import Lattice, SymmOp
from pymatgen.symmetry.groups import SYMM_DATA, SpaceGroup

from iface_wf.library.cif_text import Block

_OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_symmetry_equiv_pos_as_xyz_")
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_NAMES = ("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m",
          "_space_group_name_h-m_full", "_symmetry_space_group_name_h_m", "_space_group_name_h_m_alt")  # fmt: skip
_NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number", "_space_group_number")
_SUFFIX = re.compile(r":([a-z0-9-]+)$|(rs|hs|hr|[hrsz])$")
_SUFFIXES = {"s": "1", "z": "2", "rs": "r", "hs": "h", "hr": "h"}
#: A choice of origin or axes in words.
_CHOICE = re.compile(r"[\s(,]*(?:origin\s*(?:choice)?\s*|cell choice\s*)([12])\s*\)?\s*$", re.IGNORECASE)
METRIC = 0.01
"""A cell has the shape of a setting when its operations keep every metric product within this share."""


@dataclass(frozen=True)
class Setting:
    """A space group in one setting: how it is called, its number (0 if unknown), and all its operations."""

    name: str
    number: int
    operations: tuple[SymmOp, ...]

    def keeps(self, lattice: Lattice) -> bool:
        """Whether the operations keep lengths and angles of a cell."""
        metric = lattice.matrix @ lattice.matrix.T
        scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
        rotations = np.array([op.rotation_matrix for op in self.operations])
        turned = np.einsum("nji,jk,nkl->nil", rotations, metric, rotations)
        return bool(np.all(np.abs(turned - metric) < METRIC * scale))


def written(block: Block, lattice: Lattice) -> Setting | None:
    """Give the operations that a block lists itself.

    Raises
    ------
    ValueError
        If one cannot be read, or they are no group that keeps the cell.
    """
    texts = block.column(*_OPERATIONS) or _of_magnetic(block)
    if not texts or all(text.strip() in ("?", ".") for text in texts):
        return None
    try:
        operations = tuple(SymmOp.from_xyz_str(text.strip("'\" ").lower()) for text in texts)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise ValueError(f"a symmetry operation cannot be read: {str(error)[:80]}") from error
    rotations = np.array([op.rotation_matrix for op in operations])
    if np.any(np.abs(rotations - np.rint(rotations)) > 1e-6) or np.any(np.abs(np.linalg.det(rotations)) < 0.5):
        raise ValueError("a symmetry operation cannot be read: it is no rotation")
    if not _is_group(rotations, np.array([op.translation_vector for op in operations])):
        raise ValueError("its symmetry operations are no group: some are missing")
    setting = Setting("its own operations", _number_of(operations, lattice), operations)
    if not setting.keeps(lattice):
        raise ValueError("its symmetry operations do not fit the lengths and angles of its cell")
    return setting


def _is_group(rotations: NDArray[np.float64], shifts: NDArray[np.float64]) -> bool:
    """Whether every two operations after each other are one of them; shifts are compared within 0.01, as files round."""
    turned = np.einsum("aij,bjk->abik", rotations, rotations).reshape(-1, 9)
    moved = (np.einsum("aij,bj->abi", rotations, shifts) + shifts[:, None]).reshape(-1, 3)
    known = rotations.reshape(-1, 9)
    for turn, move in zip(np.rint(turned), moved, strict=True):
        apart = shifts[np.all(np.rint(known) == turn, axis=1)] - move
        if not np.any(np.all(np.abs(apart - np.rint(apart)) < 0.01, axis=1)):
            return False
    return True


def _of_magnetic(block: Block) -> list[str]:
    """Give the operations of a magnetic group without their time reversal, joined with its centrings."""
    texts = block.column("_space_group_symop_magn_operation_xyz")
    shifts = block.column("_space_group_symop_magn_centering_xyz") or ["x,y,z,+1"]
    operations = [SymmOp.from_xyz_str(text.lower().rpartition(",")[0]) for text in texts]
    moves = [SymmOp.from_xyz_str(text.lower().rpartition(",")[0]) for text in shifts]
    return list(dict.fromkeys((move * operation).as_xyz_str() for move in moves for operation in operations))


def _number_of(operations: tuple[SymmOp, ...], lattice: Lattice) -> int:
    if len(operations) == 1:
        return 1
    rotations = np.rint([op.rotation_matrix for op in operations]).astype("intc")
    shifts = np.array([op.translation_vector for op in operations])
    try:
        found = spglib.get_spacegroup_type_from_symmetry(rotations, shifts, lattice=lattice.matrix)
    except spglib.SpglibError:
        return 0
    return 0 if found is None else int(found.number)


def named(block: Block, lattice: Lattice) -> tuple[str, list[Setting]]:
    """Give the settings that the names and the number of a space group allow in a cell of this shape.

    Parameters
    ----------
    block
        Of a CIF.
    lattice
        Its cell, which tells hexagonal from rhombohedral axes and the unique axis of a monoclinic group.

    Returns
    -------
    str
        What the block calls its group; empty if it does not name one.
    list of Setting
        All that fit, the usual one first; empty if the name is not known or fits not the cell.

    Raises
    ------
    ValueError
        If name and number are those of different groups.
    """
    number = _number(block)
    hall = block.value(*_HALL)
    said = block.value(*_NAMES)
    found = list(_by_hall(hall)) if hall else []
    if not found and said:
        found = list(_by_name(said))
    if not found and number and not said:
        found = list(_by_number(number))
    text = said or hall or (f"number {number}" if number else "")
    if number and found and all(setting.number != number for setting in found):
        raise ValueError(f"its space group is {text} (number {found[0].number}) by name, but {number} by number")
    if number:
        found = [setting for setting in found if setting.number == number]
    found = [setting for setting in found if setting.keeps(lattice)]
    if said and not hall and all(3 <= setting.number <= 15 for setting in found):
        found = found[:1]  # a short name of a monoclinic group means the axis b where the cell does not tell
    return text, found


def _number(block: Block) -> int:
    text = block.value(*_NUMBERS)
    if text is None:
        return 0
    number = int(text) if text.isdigit() else 0
    if not 1 <= number <= 230:
        raise ValueError(f"{text[:20]!r} is no number of a space group, these are 1 to 230")
    return number


def _by_hall(symbol: str) -> Iterator[Setting]:
    yield from map(_made, _tables()[1].get(_plain_hall(symbol), []))


def _by_name(symbol: str) -> Iterator[Setting]:
    name = _plain(_CHOICE.sub(r":\1", symbol))
    seen: set[frozenset[tuple[float, ...]]] = set()
    suffix = _SUFFIX.search(name)
    choice = ""
    if suffix:
        choice = suffix[1] or suffix[2]
        choice = _SUFFIXES.get(choice, choice)
    bare = _SUFFIX.sub("", name)
    entries = _tables()[0].get(bare, [])
    chosen = [e for e in entries if not choice or e.name.rpartition(":")[2].lower() == choice]
    if choice and not chosen and all(":" not in e.name for e in entries):
        chosen = entries  # a choice of axes where the group has one setting only
    known = [_made(entry) for entry in chosen]
    usual = _usual(symbol, known[0].number if known else 0)
    if usual is not None and (not known or any(_key(usual) == _key(s) for s in known)):
        known = [usual, *known]  # in the order of operations that sites have always been given in
    for setting in known:
        key = _key(setting)
        if key not in seen:
            seen.add(key)
            yield setting


def _by_number(number: int) -> Iterator[Setting]:
    usual = SpaceGroup.from_int_number(number)
    first = Setting(usual.symbol, number, tuple(usual.symmetry_ops))
    yield first
    entries = dict.fromkeys(e for found in _tables()[0].values() for e in found if e.number == number)
    yield from (s for s in map(_made, entries) if _key(s) != _key(first))


@cache
def _usual(symbol: str, number: int) -> Setting | None:
    """Give pymatgen's own setting of a name, else of a number (0: none)."""
    names = {re.sub(r"[\s_]", "", key): key for key in SYMM_DATA["space_group_encoding"]}
    key = names.get(re.sub(r"[\s_]", "", symbol))
    if key is None and not number:
        return None
    group = SpaceGroup(key) if key is not None else SpaceGroup.from_int_number(number)
    return Setting(key or group.symbol, int(group.int_number), tuple(group.symmetry_ops))


def _key(setting: Setting) -> frozenset[tuple[float, ...]]:
    def rounded(op: SymmOp) -> NDArray[np.float64]:
        return np.concatenate([op.rotation_matrix.ravel(), np.mod(np.round(op.translation_vector * 24) / 24, 1.0)])

    return frozenset(tuple(np.round(rounded(op), 3).tolist()) for op in setting.operations)


def _plain(name: str) -> str:
    return re.sub(r"[\s_()$'\"]", "", name).lower()


def _plain_hall(symbol: str) -> str:
    return re.sub(r"[\s_]", "", symbol.replace("''", '"').strip("'")).lower()


@dataclass(frozen=True)
class _Entry:
    """A setting of the tables whose operations are still text."""

    name: str
    number: int
    texts: tuple[str, ...]


@cache
def _made(entry: _Entry) -> Setting:
    return Setting(entry.name, entry.number, tuple(map(SymmOp.from_xyz_str, entry.texts)))


@cache
def _tables() -> tuple[dict[str, list[_Entry]], dict[str, list[_Entry]]]:
    """Give settings by plain name and by plain Hall symbol: about 750, those of spglib and more."""
    names: dict[str, list[_Entry]] = defaultdict(list)
    halls: dict[str, list[_Entry]] = defaultdict(list)
    rows = json.loads((Path(pymatgen.symmetry.__file__).parent / "symm_ops.json").read_text(encoding="utf-8"))
    for row in rows:
        entry = _Entry(row["universal_h_m"], row["number"], tuple(row["symops"]))
        halls[_plain_hall(row["hall"])].append(entry)
        if "(" not in row["universal_h_m"]:
            for name in _aliases(row["universal_h_m"].partition(":")[0], row["number"]):
                names[name].append(entry)
    for hall in range(1, 531):
        about = spglib.get_spacegroup_type(hall)
        for text in (about.international.rpartition("=")[2], about.international_full):
            if text is about.international_full and about.number < 16:
                continue
            for name in _aliases(text, about.number):
                names[name] += [e for e in halls.get(_plain_hall(about.hall_symbol), ()) if e not in names[name]]
    return names, halls


def _aliases(name: str, number: int) -> set[str]:
    """Give the spellings of a name: without the 1 of unused axes, with the old letters for ``e``, cubic without bar."""
    parts = name.replace("_", "").split()
    found = {"".join(parts)}
    if 3 <= number <= 15:
        found.add("".join(part for part in parts if part != "1"))
    if 16 <= number <= 74:
        found |= {f"{parts[0]}{''.join(parts[1:]).replace('e', letter)}" for letter in "abc"}
    if number >= 195:
        found |= {text.replace("-3", "3") for text in found}
    return {text.lower() for text in found}

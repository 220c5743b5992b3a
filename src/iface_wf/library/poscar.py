"""Read POSCAR files as VASP's Fortran reads them, or say which line it would stop at."""

from __future__ import annotations

import re
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdDqQ][+-]?\d+|(?<=[\d.])[+-]\d+(?![\d.]))?")
_REPEAT = re.compile(r"(\d+)\*(.+)")
_SYMBOL = re.compile(r"([A-Za-z]{1,2})(?![A-Za-z])")
_LOGICAL = re.compile(r"\.?([TtFf])")
_ISOTOPES = {"D", "T"}


def parse_poscar(text: str) -> Structure:
    """Read a POSCAR or CONTCAR: the cell, the sites in their own order, and which of them are held.

    Numbers may be written in every way that Fortran's free format knows (``1.d0``, ``3*0.0``, commas), one or three
    scale factors or a volume may be given, and what follows the positions (velocities of a run) is not read.

    Parameters
    ----------
    text
        The file's content.

    Returns
    -------
    Structure
        ``selective_dynamics`` on the sites where the file has it; ``properties["warnings"]`` names what was left out.

    Raises
    ------
    ValueError
        With the reason, if a line is not what VASP needs there or no line names the elements.
    """
    lines = text.split("\n")
    if len(lines) < 8:
        raise ValueError("it is too short for a POSCAR")
    matrix = np.array([_numbers(lines[i], 3, i) for i in range(2, 5)])
    scale = _scale(lines[1], matrix)
    names, counts, at = _species(lines)
    held = at < len(lines) and lines[at].strip()[:1] in ("s", "S")
    at += 1 if held else 0
    mode = lines[at].strip()[:1] if at < len(lines) else ""
    total = sum(counts)
    rows = lines[at + 1 : at + 1 + total]
    if len(rows) < total or not all(row.strip() for row in rows):
        found = next((k for k, row in enumerate(rows) if not row.strip()), len(rows))
        raise ValueError(f"its counts add up to {total} atoms, it holds the positions of {found}")
    after = _tokens(lines[at + 1 + total])[:3] if at + 1 + total < len(lines) else []
    if len(after) == 3 and all(fortran_number(token) is not None for token in after):
        raise ValueError(
            f"its counts add up to {total} atoms, but line {at + 2 + total} holds one more position "
            "(velocities begin after an empty line)"
        )
    xyz = np.array([_numbers(row, 3, at + 1 + k) for k, row in enumerate(rows)])
    cartesian = mode in ("c", "C", "k", "K")
    notes: list[str] = []
    symbols = _symbols(names, counts, rows, 6 if held else 3, notes)
    structure = Structure(Lattice(matrix * scale), symbols, xyz * scale if cartesian else xyz,
                          coords_are_cartesian=cartesian)  # fmt: skip
    if held:
        flags = [_flags(row, at + 1 + k) for k, row in enumerate(rows)]
        structure.add_site_property("selective_dynamics", flags)
    if any(re.search(r"[1-9*]", line) for line in lines[at + 1 + total :]):
        notes.append("What follows the positions in the file (velocities of a run) is not used.")
    if notes:
        structure.properties["warnings"] = notes
    return structure


def _tokens(line: str) -> list[str]:
    """Split a line as list-directed input does: blanks or commas between, ``n*value`` repeated, ``/`` and ``!`` end it."""
    body = re.split(r"[!#]|(?<![\w.])/", line, maxsplit=1)[0]
    found = []
    for token in body.replace(",", " ").split():
        many = _REPEAT.fullmatch(token)
        found += [many[2]] * min(int(many[1]), 9) if many else [token]
    return found


def _numbers(line: str, count: int, index: int) -> list[float]:
    """Read the first numbers of a line; columns that touch (``0.5-0.25``) are told apart by their signs."""
    tokens = _tokens(line)
    values = [fortran_number(token) for token in tokens[:count]]
    if len(tokens) < count or None in values:
        touching = _NUMBER.findall(line) if re.fullmatch(r"[\s\d.+-]*", line) else []
        values = [fortran_number(token) for token in touching[:count]] if len(touching) == count else [None]
    if None in values or len(values) < count:
        raise ValueError(f"line {index + 1} must hold {count} numbers, not {line.strip()[:40]!r}")
    return [float(value) for value in values if value is not None]


def fortran_number(token: str) -> float | None:
    """Read a number as Fortran writes it (``1.0D-3``, ``.5``, ``1.0-3``); None if it is none."""
    if not _NUMBER.fullmatch(token):
        return None
    plain = re.sub(r"[dDqQ]", "e", token)
    return float(re.sub(r"(?<=[\d.])([+-]\d+)$", r"e\1", plain))  # Fortran allows 1.0-3 for 1.0e-3


def _scale(line: str, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the factors of x, y and z; one negative number is the volume of the cell in A^3."""
    factors: list[float] = []
    for token in _tokens(line):
        value = fortran_number(token)
        if value is None:
            break
        factors.append(value)
    if len(factors) == 1 and factors[0] < 0:
        volume = abs(float(np.linalg.det(matrix)))
        factors = [(-factors[0] / volume) ** (1 / 3)] if volume > 1e-12 else []
    if len(factors) not in (1, 3) or min(factors) <= 0:
        raise ValueError(
            f"line 2 must hold one scale factor, three positive ones, or a volume, not {line.strip()[:40]!r}"
        )
    return np.array(factors * (3 // len(factors)))


def _species(lines: list[str]) -> tuple[list[str], list[int], int]:
    """Give names and counts of the blocks, and the line after them; both may go over several lines.

    Names are empty where the file has none, as VASP 4 wrote it.
    """
    names: list[str] = []
    at = 5
    while at < len(lines) and (tokens := lines[at].split("!")[0].split()) and not tokens[0].isdigit():
        names += tokens
        at += 1
        if at > 60:
            break
    counts: list[int] = []
    while at < len(lines) and (tokens := _tokens(lines[at])) and all(token.isdigit() for token in tokens):
        counts += [int(token) for token in tokens]
        at += 1
    names = [name for name in names if name != "/"]
    if not counts or sum(counts) == 0 or sum(counts) > 1_000_000:
        raise ValueError("it does not say how many atoms of each element it holds")
    if names and len(names) != len(counts):
        raise ValueError(f"it names {len(names)} elements and gives {len(counts)} counts")
    return names, counts, at


def _symbols(names: list[str], counts: list[int], rows: list[str], column: int, notes: list[str]) -> list[str]:
    """Give the element of every site: from the line above the counts, else from the ends of the positions' lines."""
    if names:
        each = list(chain.from_iterable([name] * n for name, n in zip(names, counts, strict=True)))
    else:
        ends = [re.sub(r"[!#]", " ", row).split()[column : column + 1] for row in rows]
        each = [end[0] if end else "" for end in ends]
        if not all(map(_element, each)):
            raise ValueError(
                "it names no elements: write them in a line above the counts, as VASP does since version 5"
            )
        blocks = np.split(np.array(each), np.cumsum(counts)[:-1])
        if any(len(set(block.tolist())) > 1 for block in blocks):
            raise ValueError("the elements behind its positions do not follow its counts")
    symbols = [_element(name) for name in each]
    for name, symbol in zip(each, symbols, strict=True):
        if symbol is None:
            raise ValueError(f"unknown element {name[:20]!r}")
    heavy = sorted({s for s in symbols if s in _ISOTOPES})
    if heavy:
        notes.append(f"{' and '.join(heavy)} was read as H: isotopes have the same electrons.")
    return ["H" if s in _ISOTOPES else str(s) for s in symbols]


def _element(name: str) -> str | None:
    """Give the element of a name such as ``Gd``, ``Gd_3`` or ``Mg_pv/f474ac0d``."""
    match = _SYMBOL.match(name) if not re.match(r"H\d?\.\d", name) else None  # H.5 is no whole hydrogen
    symbol = match[1].capitalize() if match else ""
    return symbol if symbol in _ISOTOPES or Element.is_valid_symbol(symbol) else None


def _flags(row: str, index: int) -> list[bool]:
    """Read whether a site may move along each vector; Fortran takes ``T``, ``.TRUE.`` and ``true`` alike."""
    found = [_LOGICAL.match(token) for token in _tokens(row)[3:6]]
    flags = [match[1] in "Tt" for match in found if match]
    if len(flags) != 3:
        raise ValueError(f"line {index + 1} must end in three T or F (selective dynamics), not {row.strip()[-30:]!r}")
    return flags

"""The rows of a CIF's sites: element, place and occupancy of each, or the reason why a row cannot be used."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice

from iface_wf.library.cif_symmetry import Setting
from iface_wf.library.cif_text import Block

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d*\)?)?")
_FRACTION = re.compile(r"([+-]?\d+)/(\d+)")
_SHARES = re.compile(r"(\d*\.\d+|\d+)\s*([A-Z][a-z]?)(?:\s*\+\s*(\d*\.\d+|\d+)\s*([A-Z][a-z]?))+")
_TYPE = re.compile(r"([A-Za-z]{1,2}?)(?:val|iva|va|v|[0-9+.-].*)?")
_WATER = re.compile(r"(?:wat|h2o|hoh|oh|ow)(?![a-z])", re.IGNORECASE)
_WATER_OXYGEN = re.compile(r"(?:wat|h2o|hoh|o[\W_]*\d*[\W_]*w)(?![a-z])", re.IGNORECASE)
_ISOTOPES = {"D": "H"}  # T is a tetrahedral site in zeolites, not tritium
HEAVIEST = 103
"""Elements beyond lawrencium are misread groups: ``NH4`` is no nihonium."""
FINEST, COARSEST = 1e-3, 0.05
"""Images of a site that lie nearer than the digits of its coordinates can tell are one atom; bounds in A."""


@dataclass(frozen=True)
class Row:
    """One row: label, element, fractional place, occupancy, and what the file says of its multiplicity (0: nothing)."""

    label: str
    element: str
    place: tuple[float, float, float]
    occupancy: float
    multiplicity: int = 0
    blur: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Half a unit of the last digit of each coordinate."""
    unwritten: tuple[bool, bool, bool] = (False, False, False)
    """Coordinates written as ``.``, which only a symmetry operation that fixes them makes a 0."""


def number(text: str) -> float:
    """Read a number of a CIF, with or without its standard uncertainty in brackets; ValueError if it is none."""
    match = _NUMBER.fullmatch(text.strip())
    if match:
        return float(match[1])
    fraction = _FRACTION.fullmatch(text.strip())
    if fraction and int(fraction[2]):
        return int(fraction[1]) / int(fraction[2])
    raise ValueError(f"{text[:30]!r} is no number")


def last_digit(text: str) -> float:
    """Give one unit of the last digit that a number of a CIF is written with."""
    mantissa, _, exponent = text.strip().partition("(")[0].lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def rows_of(block: Block, elements: set[str], notes: list[str]) -> list[Row]:
    """Read the rows of sites.

    Parameters
    ----------
    block
        Of a CIF.
    elements
        Elements of the file's own formula, which tell what a label such as ``CA1`` means; may be empty.
    notes
        Takes what was assumed, one sentence each.

    Returns
    -------
    list of Row
        Without dummy sites and sites of occupancy 0.

    Raises
    ------
    ValueError
        If a row names no element, has no place, or an occupancy that is none.
    """
    labels = block.column("_atom_site_label")
    types = block.column("_atom_site_type_symbol") or ["?"] * len(labels)
    labels = labels or types
    count = len(labels)
    places = [block.column(f"_atom_site_fract_{axis}") or ["?"] * count for axis in "xyz"]
    occupancies = block.column("_atom_site_occupancy") or ["1"] * count
    times = block.column("_atom_site_site_symmetry_multiplicity", "_atom_site_symmetry_multiplicity") or ["?"] * count
    flags = block.column("_atom_site_calc_flag") or ["?"] * count
    rows: list[Row] = []
    assumed: list[str] = []
    for k, label in enumerate(labels):
        if flags[k].lower() == "dum":
            notes.append(f"The site {label[:20]} is a dummy and was left out.")
            continue
        shares = _shares(types[k]) or _shares(label)
        occupancy, guessed = (1.0, False) if shares else _occupancy(occupancies[k], label)
        if guessed:
            assumed.append(label[:20])
        if occupancy == 0 and not shares:
            notes.append(f"The site {label[:20]} has the occupancy 0 and was left out.")
            continue
        coordinates = [_coordinate(column[k], axis) for column, axis in zip(places, "xyz", strict=True)]
        row = Row(
            label,
            "",
            (coordinates[0][0], coordinates[1][0], coordinates[2][0]),
            occupancy,
            int(times[k]) if times[k].isdigit() else 0,
            (coordinates[0][1], coordinates[1][1], coordinates[2][1]),
            (places[0][k] == ".", places[1][k] == ".", places[2][k] == "."),
        )
        if shares:
            rows += [replace(row, element=e, occupancy=o) for e, o in shares]
        else:
            rows.append(replace(row, element=_element(types[k], label, elements, notes)))
    if assumed:
        notes.append(f"The file does not give the occupancy of {', '.join(assumed[:6])}: taken as 1.")
    _say_isotopes(block, notes)
    water = [row.label for row in rows if row.element == "O" and _WATER_OXYGEN.match(row.label)]
    if water and not any(row.element == "H" for row in rows):
        notes.append(f"The site {water[0][:20]} looks like the oxygen of water, but the file places no hydrogen.")
    return rows


def _say_isotopes(block: Block, notes: list[str]) -> None:
    written = block.column("_atom_site_type_symbol") or block.column("_atom_site_label")
    found = sorted({name[0] for name in written if re.match(r"D(?![a-z])", name)})
    if found:
        notes.append(f"{found[0]} was read as H: isotopes have the same electrons.")


def _shares(symbol: str) -> list[tuple[str, float]]:
    """Read ``0.8Nb + 0.2Zr``, as some data bases write mixed sites."""
    if not _SHARES.fullmatch(symbol.strip()):
        return []
    return [(e, float(o)) for o, e in re.findall(r"(\d*\.\d+|\d+)\s*([A-Z][a-z]?)", symbol)]


def _occupancy(text: str, label: str) -> tuple[float, bool]:
    """Give an occupancy, and whether it was assumed."""
    if text.strip() in ("?", ".", ""):
        return 1.0, True
    try:
        value = number(text)
    except ValueError as error:
        raise ValueError(f"the occupancy of {label[:20]}, {error}") from error
    if not 0 <= value <= 1.05:
        raise ValueError(f"the occupancy of {label[:20]} is {value:g}, not between 0 and 1")
    return value, False


def _coordinate(text: str, axis: str) -> tuple[float, float]:
    """Give a coordinate and half a unit of its last digit."""
    text = text.strip()
    if text == ".":
        return 0.0, 0.0
    if text == "?":
        raise ValueError(f"a site has no coordinate along {axis}")
    try:
        value = number(text)
    except ValueError as error:
        raise ValueError(f"a coordinate along {axis}, {error}") from error
    digits = re.search(r"\.(\d+)", text)
    return value, 0.5 * 10.0 ** -len(digits[1]) if digits else 0.0


def _element(symbol: str, label: str, elements: set[str], notes: list[str]) -> str:
    """Tell the element of a row from its type symbol, or from its label where that is not known."""
    if symbol.strip() not in ("?", ".", ""):
        match = _TYPE.fullmatch(symbol.strip())
        found = match[1].capitalize() if match else ""
        if not _known(found):
            raise ValueError(f"unknown element {symbol[:20]!r}")
        return _ISOTOPES.get(found, found)
    if _WATER.match(label) and "H" not in elements:
        notes.append(
            f"The site {label[:20]} was read as O; it may stand for O with hydrogen that the file does not place."
        )
    letters = re.match(r"[A-Za-z]+", label)
    if not letters:
        raise ValueError(f"unknown element {label[:20]!r}")
    two, one = letters[0][:2].capitalize(), letters[0][:1].upper()
    choices = [name for name in (two, one) if _known(name)]
    if _WATER.match(label):
        choices = ["O"]
    if len(letters[0]) > 1 and letters[0][1].islower():  # Na1, Clx
        choices = [name for name in choices if name == two] or choices
    elif elements and len(choices) > 1:
        choices = [name for name in choices if name in elements] or choices
    if not choices:
        raise ValueError(f"unknown element {label[:20]!r}")
    if len(choices) > 1:
        notes.append(f"The label {label[:20]} was read as {choices[0]}, it could also mean {choices[1]}.")
    return _ISOTOPES.get(choices[0], choices[0])


def _known(name: str) -> bool:
    return name in _ISOTOPES or (name != "T" and Element.is_valid_symbol(name) and Element(name).Z <= HEAVIEST)


def on_their_sites(rows: list[Row], setting: Setting, lattice: Lattice) -> list[tuple[Row, int]]:
    """Put rows exactly onto the special positions that their rounded coordinates mean.

    Parameters
    ----------
    rows
        Rows of sites.
    setting
        The space group.
    lattice
        The cell.

    Returns
    -------
    list of tuple
        Each row at its place, and the number of its images in the cell.

    Raises
    ------
    ValueError
        If a coordinate is written as ``.`` where no operation holds it at 0.
    """
    rotations = np.array([op.rotation_matrix for op in setting.operations])
    shifts = np.array([op.translation_vector for op in setting.operations])
    found: list[tuple[Row, int]] = []
    for row in rows:
        place = np.array(row.place)
        blur = _blur(row, lattice)
        images = rotations @ place + shifts
        delta = images - place
        delta -= np.rint(delta)
        here = np.linalg.norm(delta @ lattice.matrix, axis=1) < blur
        _check_unwritten(row, rotations[here])
        if np.abs(delta[here]).max(initial=0.0) > 1e-5:
            place = place + delta[here].mean(axis=0)
        place = _joined(place, row, found, rotations, shifts, lattice)
        found.append((replace(row, place=(float(place[0]), float(place[1]), float(place[2]))),
                      round(len(rotations) / max(1, int(here.sum())))))  # fmt: skip
    return found


def _blur(row: Row, lattice: Lattice) -> float:
    """Give how far rounding may have moved a row (A): half the last digits, and what operations add to them."""
    return float(np.clip(2.5 * float(np.dot(row.blur, lattice.abc)), FINEST, COARSEST))


def _check_unwritten(row: Row, fixing: NDArray[np.float64]) -> None:
    """Accept ``.`` for 0 only where the operations that fix the site leave it no other value."""
    average = fixing.mean(axis=0)
    for k, unwritten in enumerate(row.unwritten):
        if unwritten and np.abs(average[k]).max() > 1e-6:
            raise ValueError(f"a site has no coordinate along {'xyz'[k]}")


def _joined(
    place: NDArray[np.float64],
    row: Row,
    before: list[tuple[Row, int]],
    rotations: NDArray[np.float64],
    shifts: NDArray[np.float64],
    lattice: Lattice,
) -> NDArray[np.float64]:
    """Give the place of an earlier row that shares the site, written with other digits, else the place itself."""
    if row.occupancy > 1 - 1e-3:
        return place
    images = rotations @ place + shifts
    for other, _ in before:
        if other.occupancy > 1 - 1e-3:
            continue
        delta = images - np.array(other.place)
        delta -= np.rint(delta)
        if np.linalg.norm(delta @ lattice.matrix, axis=1).min() < max(_blur(row, lattice), _blur(other, lattice)):
            return np.array(other.place)
    return place


def columns_alike(block: Block) -> None:
    """Refuse columns of the sites that differ in length; ValueError says which.

    Loops of one category may be split over several, but each must have all rows.
    """
    wanted = ("_atom_site_label", "_atom_site_type_symbol", "_atom_site_fract_x", "_atom_site_fract_y",
              "_atom_site_fract_z", "_atom_site_occupancy")  # fmt: skip
    lengths = [(tag, len(block.column(tag))) for tag in wanted if block.column(tag)]
    for (first, n), (second, m) in pairwise(lengths):
        if n != m:
            raise ValueError(f"it has {n} values of {first} and {m} of {second}")

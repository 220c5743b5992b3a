"""Read a crystal from a CIF and hold it against what the file says of itself: formula, Z, space group."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Lattice, Structure, SymmOp
from pymatgen.io.cif import CifBlock, CifParser

from iface_wf.errors import reasons
from iface_wf.library.cif_sites import Row, columns_alike, last_digit, number, on_their_sites, rows_of
from iface_wf.library.cif_symmetry import Setting, named, written
from iface_wf.library.cif_text import Block, parse_blocks
from iface_wf.library.overlap import overlap

TOLERANCE = 0.02
"""Share by which an element's amount may differ from the file's formula before it is said."""
WRONG = 0.25
"""Share from which on the file's formula is another compound and the file is refused, if its sites are partly occupied.

Refined occupancies differ from nominal formulas; where all sites are full, nothing may differ."""
WEIGHT = 0.02
"""Share by which weight or density may differ from what the file says before it is told."""
MAX_IMAGES = 4000
"""Most sites of a cell that are worked out; comparing them takes the square of the time."""
_EXACT = (60.0, 90.0, 120.0)
"""Angles in degrees that symmetry gives, however few digits they are written with."""
_FORMULA = re.compile(r"([A-Z][a-z]?)\s*(\d*\.?\d*)(?:\(\d+\))?")
_FACTS = (
    *("_chemical_formula_structural", "_chemical_formula_moiety", "_chemical_formula_analytical"),
    *("_exptl_crystal_density_diffrn", "_chemical_formula_weight"),
)
"""What a file without a sum formula may say of its atoms, compared by `_other_facts`."""
_MAGNETIC = ("_space_group_magn", "_atom_site_moment", "_space_group_symop_magn", "_magnetic_space_group")


def parse_cif(text: str) -> Structure:
    """Read the one crystal of a CIF.

    Parameters
    ----------
    text
        The file's content; blocks without sites (of a journal, of a pattern) are passed over.

    Returns
    -------
    Structure
        All sites of the file's own cell; ``properties["warnings"]`` names what was assumed.

    Raises
    ------
    ValueError
        With the reason, if it holds no crystal or more than one, a space group that is not known, or atoms that are
        not those of its own formula.
    """
    blocks = [block for block in parse_blocks(text) if _has_sites(block)]
    if len(blocks) != 1:
        raise ValueError(f"it holds {len(blocks)} structures, exactly one is needed")
    block = blocks[0]
    if any(tag.startswith(("_cell_modulation", "_cell_wave_vector")) for tag in (*block.values, *block.columns)):
        raise ValueError("its structure is modulated and has no cell")
    notes: list[str] = []
    columns_alike(block)
    lattice = _cell(block, notes)
    formula = _formula(block, notes)
    rows = rows_of(block, set(formula), notes)
    if not rows:
        raise ValueError("it holds no site")
    _check_hydrogen(block, rows, formula)
    best = _choose(block, lattice, rows, formula, notes)
    structure = best.structure
    if any(tag.startswith(_MAGNETIC) for tag in (*block.values, *block.columns)):
        structure = _with_moments(structure, text, notes)
    if notes:
        structure.properties["warnings"] = list(dict.fromkeys(notes))
    return structure


def _has_sites(block: Block) -> bool:
    tags = set(block.columns) | set(block.values) | block.broken
    return bool(tags & {"_atom_site_fract_x", "_atom_site_label", "_atom_site_type_symbol"})


def _cell(block: Block, notes: list[str]) -> Lattice:
    """Give the cell; angles that are not given are 90 degrees, as the format says."""
    lengths, angles = [], []
    for axis in "abc":
        text = block.value(f"_cell_length_{axis}")
        if text is None:
            raise ValueError(f"it does not give the length {axis} of its cell")
        lengths.append(number(text))
    for angle in ("alpha", "beta", "gamma"):
        text = block.value(f"_cell_angle_{angle}")
        angles.append(90.0 if text is None else number(text))
    if min(lengths) < 0.5 or not all(10 < angle < 170 for angle in angles):
        raise ValueError(
            f"cell lengths {lengths} A and angles {angles} degrees are not those of a crystal: almost flat"
        )
    lattice = Lattice.from_parameters(*lengths, *angles)
    said = block.value("_cell_volume")
    if said is not None and re.match(r"[\d.]+", said) and number(said) > 0:
        share = lattice.volume / number(said)
        if not 0.98 < share < 1.02:
            raise ValueError(
                f"its cell has the volume {lattice.volume:.1f} A^3 by its cell lengths and angles, but it says {number(said):.1f}"
            )
        if abs(lattice.volume - number(said)) > _rounding(block, lattice, said):
            notes.append(
                f"The file's cell lengths and angles give a volume of {lattice.volume:.8g} A^3, but it says {number(said):.8g}."
            )
    return lattice


def _rounding(block: Block, lattice: Lattice, said: str) -> float:
    """Tell how far the volume of a cell may be from the one that its file says (A^3), as its numbers are rounded."""
    parameters = list(lattice.parameters)
    allowed = 2 * last_digit(said)  # twice: some programs cut where others round
    for k, tag in enumerate(("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")):
        text = block.value(f"_cell_{tag}")
        if text is not None and parameters[k] not in _EXACT:
            other = [*parameters[:k], parameters[k] + last_digit(text), *parameters[k + 1 :]]
            allowed += abs(Lattice.from_parameters(*other).volume - lattice.volume)
    return allowed


def _formula(block: Block, notes: list[str]) -> dict[str, float]:
    """Give the file's own formula as amounts by element; empty if it has none."""
    text = block.value("_chemical_formula_sum")
    if text is None:
        if not any(block.value(tag) for tag in _FACTS):
            notes.append("The file gives no formula, so its atoms could not be compared with one.")
        return {}
    plain = re.sub(r"[\s,]+", " ", text.strip("'\" "))
    if _FORMULA.sub("", plain).strip():
        notes.append(f"The file's formula {text[:60]!r} could not be read, so its atoms were not compared with it.")
        return {}
    amounts: dict[str, float] = {}
    for symbol, amount in _FORMULA.findall(plain):
        name = "H" if symbol in ("D", "T") else symbol
        amounts[name] = amounts.get(name, 0.0) + float(amount or 1)
    return {name: amount for name, amount in amounts.items() if amount > 0}


def _check_hydrogen(block: Block, rows: list[Row], formula: dict[str, float]) -> None:
    """Refuse sites that stand for hydrogens without a place."""
    attached = block.column("_atom_site_attached_hydrogens")
    some = [value for value in attached if value not in ("?", ".", "0")]
    if some and not any(row.element == "H" for row in rows):
        raise ValueError("hydrogen is missing: some of its sites stand for attached hydrogens that have no place")
    if "H" in formula and not any(row.element == "H" for row in rows):
        raise ValueError(f"its formula {_text(formula)} has H, its sites have none: add them, or correct the formula")


@dataclass(frozen=True)
class _Reading:
    """The crystal in one setting, and what speaks against it."""

    setting: Setting
    structure: Structure
    objections: tuple[str, ...]
    mild: tuple[str, ...]


def _choose(block: Block, lattice: Lattice, rows: list[Row], formula: dict[str, float], notes: list[str]) -> _Reading:
    """Read the crystal with the operations that the file lists or means, and say what does not fit."""
    listed = written(block, lattice)
    name, known = named(block, lattice)
    settings = known
    if listed is not None:
        alike = not name or not known or any(setting.number == listed.number for setting in known)
        settings = [listed] if alike else [listed, *known]
        if name and not known and listed.number == 1 and _plainly_not_p1(name):
            raise ValueError(
                f"its space group {name[:40]!r} is not known or does not fit its cell, and it lists no operations"
            )
    elif name and not known:
        raise ValueError(f"its space group {name[:40]!r} is not known or does not fit its cell: list its operations")
    elif not settings:
        notes.append("The file names no space group: its sites are taken for all of the cell.")
        settings = [Setting("P 1", 1, (SymmOp.from_xyz_str("x,y,z"),))]
    readings, reasons = [], list[str]()
    for setting in settings:
        try:
            readings.append(_read(setting, block, lattice, rows, formula, notes))
        except ValueError as error:
            reasons.append(str(error))
    if not readings:
        raise ValueError(reasons[0])
    good = [reading for reading in readings if not reading.objections]
    if not good:
        raise ValueError(readings[0].objections[0])
    best = min(good, key=lambda reading: len(reading.mild))
    rivals = [r for r in good if len(r.mild) == len(best.mild) and not _same(r.structure, best.structure)]
    if rivals:
        others = " and ".join(dict.fromkeys(r.setting.name for r in (best, *rivals)))
        raise ValueError(f"its space group {name[:40]!r} may mean {others}, which give different crystals: say which")
    if listed is not None and len(settings) > 1:
        notes.append(f"The file's operations are not those of its space group {name[:40]}: {best.setting.name} was used, "
                     "which its formula agrees with.")  # fmt: skip
    notes += best.mild
    return best


def _plainly_not_p1(name: str) -> bool:
    return re.sub(r"[\s_:']", "", name).lower() not in ("p1", "p-1", "number1")


def _same(first: Structure, second: Structure) -> bool:
    """Whether two readings are one crystal, moved or mirrored at most: equal distances between all kinds of sites."""
    if len(first) != len(second) or first.composition != second.composition:
        return False
    if len(first) > 400:
        return False
    one, two = (np.sort(s.distance_matrix, axis=None) for s in (first, second))
    return bool(np.allclose(one, two, atol=0.02))


class _Parser(CifParser):
    """pymatgen's parser with the operations that were chosen."""

    operations: tuple[SymmOp, ...] = ()

    def get_symops(self, data: CifBlock) -> list[SymmOp]:
        """Give the operations of the chosen setting."""
        return list(self.operations)


def _read(
    setting: Setting, block: Block, lattice: Lattice, rows: list[Row], formula: dict[str, float], notes: list[str]
) -> _Reading:
    """Expand the rows by a setting's operations and compare the result with the file."""
    placed = on_their_sites(rows, setting, lattice)
    if sum(times for _, times in placed) > MAX_IMAGES:
        raise ValueError(f"it holds more than {MAX_IMAGES} sites in the cell")
    parser = _Parser.from_str(_clean(lattice, [row for row, _ in placed]), occupancy_tolerance=1.05, check_cif=False)
    parser.operations = setting.operations
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            structure = parser.parse_structures(primitive=False, check_occu=True, on_error="raise")[0]
        except ValueError as error:
            reason = str(error).splitlines()[-1]
            if "exceeded tolerance" in reason:
                reason = f"the occupancies of one of its sites add up to {float(reason.split()[1]):.2f}, more than 1"
            raise ValueError(reason) from error
    for warning in caught:
        said = str(warning.message).splitlines()[0]
        if "sum to > 1" in said:
            notes.append("Occupancies of a site add up to slightly more than 1 and were scaled to 1.")
        elif "rounded to ideal values" not in said and said not in notes:
            notes.append(said[:200])
    structure = _filled(structure)
    objections, mild = _compare(structure, block, formula)
    near = overlap(structure) if lattice.volume > len(structure) else None
    if near is not None:
        objections.append(near)
    wrong = [row.label for row, times in placed if row.multiplicity and row.multiplicity != times]
    if wrong:
        mild.append(f"The multiplicity of {wrong[0][:20]} in the file is not the one of its place.")
    return _Reading(setting, structure, tuple(objections), tuple(mild))


def _clean(lattice: Lattice, rows: list[Row]) -> str:
    """Write the rows as a plain CIF."""
    cell = [f"_cell_length_{axis} {length!r}" for axis, length in zip("abc", map(float, lattice.abc), strict=True)]
    angles = zip(("alpha", "beta", "gamma"), map(float, lattice.angles), strict=True)
    cell += [f"_cell_angle_{name} {angle!r}" for name, angle in angles]
    tags = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
    body = [
        f"{row.element}{k} {row.element} {row.place[0]!r} {row.place[1]!r} {row.place[2]!r} {row.occupancy!r}"
        for k, row in enumerate(rows)
    ]
    return "\n".join(["data_x", *cell, "loop_", *(f"_atom_site_{tag}" for tag in tags), *body, ""])


def _filled(structure: Structure) -> Structure:
    """Fill sites whose occupancies add up to 1 but for rounding."""
    changed = structure.copy()
    for k, site in enumerate(structure):
        total = site.species.num_atoms
        if 0 < abs(total - 1) < 2e-3:
            changed[k] = site.species / total
    return changed


def _compare(structure: Structure, block: Block, formula: dict[str, float]) -> tuple[list[str], list[str]]:
    """Compare atoms with formula and Z: reasons to refuse, and remarks."""
    if not formula:
        return [], _other_facts(structure, block)
    read = structure.composition.get_el_amt_dict()
    if set(read) != set(formula):
        missing, more = sorted(set(formula) - set(read)), sorted(set(read) - set(formula))
        said = f"{', '.join(missing)} has no site" if missing else f"{', '.join(more)} is not in it"
        return [f"its atoms are not those of its formula {_text(formula)}: {said}"], []
    ratios = {name: read[name] / formula[name] for name in read}
    middle = float(np.median(list(ratios.values())))
    name, ratio = max(ratios.items(), key=lambda item: abs(item[1] / middle - 1))
    off = abs(ratio / middle - 1)
    per = {element: amount / middle for element, amount in read.items()}
    text = f"its sites give {_text(per)}, its formula is {_text(formula)}"
    if off > (TOLERANCE if structure.is_ordered else WRONG):
        return [f"{text}: {name} differs by {100 * off:.0f} %"], []
    mild = [f"The file does not agree with itself: {text}."] if off > TOLERANCE else []
    z = re.fullmatch(r"(\d+)(?:\.0*)?", block.value("_cell_formula_units_z") or "")
    units = int(z[1]) if z else 0
    whole = abs(middle - 1) < TOLERANCE and units and all(amount % units == 0 for amount in formula.values())
    if units and not whole and abs(middle / units - 1) > TOLERANCE:  # some programs sum the formula over the cell
        return [f"its cell holds {middle:.3g} formula units by its sites, but Z is {units}"], []
    return [], mild


def _other_facts(structure: Structure, block: Block) -> list[str]:
    """Compare the atoms with what a file without a sum formula says elsewhere: other formulas, weight and density."""
    remarks = []
    read = {element.symbol for element in structure.composition.elements}
    for tag in _FACTS[:3]:
        said = block.value(tag)
        letters = re.findall(r"[A-Z][a-z]?", said or "")
        missing = [e for e in dict.fromkeys(letters) if Element.is_valid_symbol(e) and e not in read and e != "D"]
        if said and not re.search(r"[a-z]{2}", said) and missing:
            remarks.append(f"The file's formula is {said[:60]}, but no site is {' or '.join(missing)}.")
    mass = float(structure.composition.weight)  # g/mol in the cell
    for tag, of_cell, what in (
        ("_exptl_crystal_density_diffrn", structure.volume * 0.602214, "density (g/cm^3)"),
        ("_chemical_formula_weight", _whole(block.value("_cell_formula_units_z")), "weight of the formula (g/mol)"),
    ):
        try:
            said_number = number(block.value(tag) or "")
        except ValueError:
            continue
        if said_number > 0 and of_cell and abs(mass / of_cell / said_number - 1) > WEIGHT:
            remarks.append(f"The {what} is {mass / of_cell:.4g} by the file's sites, but it says {said_number:.4g}.")
    return remarks


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


def _text(amounts: dict[str, float]) -> str:
    return " ".join(f"{name}{amount:.4g}".removesuffix(" 1") for name, amount in amounts.items())


def _with_moments(structure: Structure, text: str, notes: list[str]) -> Structure:
    """Give the sites their magnetic moments (Bohr magnetons) where these are collinear and the cell is the same."""
    left = "The magnetic moments in the file are not used"
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            magnetic = CifParser.from_str(text).parse_structures(primitive=False, on_error="raise")[0]
        except (ValueError, KeyError, NotImplementedError, TypeError) as error:
            notes.append(f"{left}: {reasons(error)[-1][:100]}.")
            return structure
    vectors = np.array([np.asarray(m.global_moment) for m in magnetic.site_properties.get("magmom", [])])
    if len(vectors) != len(magnetic) or not vectors.any():
        return structure
    axis = vectors[int(np.argmax(np.linalg.norm(vectors, axis=1)))]
    axis = axis / np.linalg.norm(axis)
    if np.abs(vectors - np.outer(vectors @ axis, axis)).max() > 0.05:
        notes.append(f"{left}: they are not collinear.")
        return structure
    if magnetic.composition != structure.composition:
        notes.append(f"{left}: the magnetic cell holds other atoms.")
        return structure
    order = [int(np.argmin(magnetic.lattice.get_all_distances(site.frac_coords, magnetic.frac_coords)[0]))
             for site in structure]  # fmt: skip
    moments = (vectors @ axis)[order].round(6)
    structure.add_site_property("magmom", [float(moment) for moment in moments])
    return structure

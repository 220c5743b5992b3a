"""vasprun.xml read strictly: cut off, damaged or not of one piece is an error that names the file."""

from __future__ import annotations

import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from monty.io import zopen
from pymatgen.core import Structure
from pymatgen.io.vasp import Vasprun
from pymatgen.io.vasp.outputs import UnconvergedVASPWarning

from iface_wf.engines.vasp.choices import GRID_TAGS
from iface_wf.errors import CalculationError

#: Structures that one file repeats must agree within this (A).
REPEATED_TOLERANCE = 1e-5
_NEEDED = ("ENMAX", "NELECT", "NELM", "ISPIN", *GRID_TAGS)


@dataclass(frozen=True)
class AtomType:
    """One block of a POSCAR; an element may stand in several.

    Attributes
    ----------
    element
        Its element.
    atoms
        How many.
    valence
        Valence electrons of an atom in its POTCAR.
    title
        Title of its POTCAR, for example ``PAW_PBE Li_sv 10Sep2004``.
    """

    element: str
    atoms: int
    valence: float
    title: str

    @property
    def potcar(self) -> str:
        """Name of the POTCAR, for example ``Li_sv``."""
        return [*self.title.split(), self.element, self.element][1]


def read_vasprun(path: Path) -> tuple[Vasprun, list[AtomType]]:
    """Read a vasprun.xml to its end.

    Parameters
    ----------
    path
        The file, compressed or not. Bytes that are no letters in its encoding are no obstacle.

    Returns
    -------
    tuple
        pymatgen's object, its last step complete, and the blocks of the POSCAR.

    Raises
    ------
    CalculationError
        Naming the file and what is wrong with it.
    """
    try:
        vasprun, types = _parse(path)
        steps = vasprun.ionic_steps
        complete = bool(steps and steps[-1]["electronic_steps"]) and "e_fr_energy" in steps[-1]
        sites = {len(vasprun.atomic_symbols), *(len(step["structure"]) for step in steps)}
        forces = [len(step["forces"]) for step in steps if "forces" in step]
        symbols = [site.specie.symbol for site in vasprun.final_structure]
        needed = [vasprun.parameters[name] for name in _NEEDED]
    except Exception as error:  # the parser raises whatever a damaged file makes it stumble over
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CalculationError(f"{path} cannot be used: it is cut off or damaged ({reason}).") from error
    if not complete or not needed or len({*sites, *forces}) != 1 or symbols != list(vasprun.atomic_symbols):
        raise CalculationError(f"{path} cannot be used: its last step is not complete.")
    _check_numbers(path, vasprun)
    _check_repeated(path, vasprun)
    return vasprun, types


def _parse(path: Path) -> tuple[Vasprun, list[AtomType]]:
    """Parse a file, or a copy of it without what a title of the user made illegal.

    VASP writes SYSTEM as it is, ampersands and all, and says ISO-8859-1 whatever the bytes are.
    """
    try:
        return _parse_as_it_is(path)
    except SyntaxError:  # what parsers of XML raise
        with zopen(path, mode="rb") as handle:
            content = bytes(handle.read())
        plain = re.sub(rb'(<i type="string" name="SYSTEM">)[^\n]*(</i>)', rb"\1\2", content)
        plain = re.sub(rb"^<\?xml[^>]*\?>", b'<?xml version="1.0" encoding="ISO-8859-1"?>', plain)
        if plain == content:
            raise
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "vasprun.xml"
        copy.write_bytes(plain)
        return _parse_as_it_is(copy)


def _parse_as_it_is(path: Path) -> tuple[Vasprun, list[AtomType]]:
    with warnings.catch_warnings():
        # it counts electronic steps; whether a run converged is read from what VASP says
        warnings.simplefilter("ignore", UnconvergedVASPWarning)
        vasprun = Vasprun(str(path), parse_dos=False, parse_eigen=False, parse_potcar_file=False)
    return vasprun, atom_types(path, vasprun)


def atom_types(path: Path, vasprun: Vasprun) -> list[AtomType]:
    """Read the blocks of the POSCAR from ``atominfo``.

    Raises
    ------
    ValueError
        When the blocks are not those of the atoms.
    """
    rows = _type_rows(path)
    types: list[AtomType] = []
    start = 0
    for count, _, _, valence, title in rows:
        block = vasprun.atomic_symbols[start : start + int(count)]
        if len(set(block)) != 1 or len(block) != int(count):
            raise ValueError("its atoms are not those of its atom types")
        types.append(AtomType(str(block[0]), len(block), float(valence), title))
        start += len(block)
    if start != len(vasprun.atomic_symbols):
        raise ValueError("its atoms are not those of its atom types")
    return types


def _type_rows(path: Path) -> list[list[str]]:
    """Return the table of atom types: atoms, element, mass, valence, POTCAR."""
    with zopen(path, mode="rb") as handle:
        for _, element in ElementTree.iterparse(handle):  # noqa: S314 - the file that pymatgen parses too
            if element.tag == "atominfo":
                found = element.findall("array[@name='atomtypes']/set/rc")
                return [[(cell.text or "").strip() for cell in row.findall("c")] for row in found]
    raise ValueError("it lists no atoms")


def _check_numbers(path: Path, vasprun: Vasprun) -> None:
    last = vasprun.ionic_steps[-1]
    for what, values in (
        ("energies", [last["e_fr_energy"]]),
        ("forces", last.get("forces", [])),
        ("positions", vasprun.final_structure.frac_coords),
        ("cell", vasprun.final_structure.lattice.matrix),
    ):
        if not np.isfinite(np.asarray(values, dtype=float)).all():
            raise CalculationError(f"{path} is damaged: the {what} of its last step are no finite numbers.")


def _check_repeated(path: Path, vasprun: Vasprun) -> None:
    """Refuse a file whose first and last structures are not those that it repeats at its ends."""
    steps = vasprun.ionic_steps
    if vasprun.parameters.get("IBRION") == 0:  # molecular dynamics ends with the next positions
        return
    for what, one, other in (
        ("first", vasprun.initial_structure, steps[0]["structure"]),
        ("last", vasprun.final_structure, steps[-1]["structure"]),
    ):
        if distance(one, other) > REPEATED_TOLERANCE:
            raise CalculationError(f"{path} is damaged: it gives its {what} structure twice, and not alike.")


def distance(one: Structure, other: Structure) -> float:
    """Return by how much cells or positions of equal atoms differ, A; positions by minimum image."""
    moved = one.frac_coords - other.frac_coords
    moved -= np.round(moved)
    shift = np.abs(moved @ one.lattice.matrix).max()
    return float(max(shift, np.abs(one.lattice.matrix - other.lattice.matrix).max()))

"""CHGCAR, AECCAR0, AECCAR2 and LOCPOT, read strictly: a file that is cut, broken or of another cell is an error.

The files hold, after a POSCAR and the grid, the values with x running fastest: densities times the volume of the
cell, potentials in eV. Behind them follow the one-centre occupancies of every atom (CHGCAR only) and, with spin, a
second grid of the same form. Everything is counted through to the end, because lenient readers return what they found.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from monty.io import zopen
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar
from pymatgen.optimization.fast_parser import parse_n_doubles

from iface_wf.analysis.grid import FloatArray, Grid
from iface_wf.engines.parts import nearest_like
from iface_wf.engines.vasp.line_reader import LineReader, count
from iface_wf.errors import CalculationError, MismatchError

ELECTRON_TOLERANCE = 1e-3
"""A density must integrate to the number of electrons within this (e)."""

NEGATIVE_SHARE = 1e-3
"""More of all electrons may not be negative in AECCAR0 + AECCAR2; a little is, where a grid ends."""

CELL_TOLERANCE = 1e-4
"""Files print the cell with six decimals; no component may differ by more than this (A)."""

ATOM_TOLERANCE = 1e-3
"""Atoms of a file, which prints six decimals of fractions, must be where they were calculated within this (A)."""

NUCLEUS = 1.0
"""Nearer than this to a nucleus (A) fields may be as rough as the grid."""

STANDS_OUT, STANDS_OUT_NEAR = 5.0, 100.0
"""A value is a wrong digit when it differs from the mean of its neighbours by this many times what the eighth does."""

_BARE_EXPONENT = re.compile(r"(\d)([+-]\d{3})\b")  # Fortran drops the E of three-digit exponents


@dataclass(frozen=True)
class VolumetricFile:
    """What one file holds.

    Attributes
    ----------
    structure
        The atoms of its header, six decimals.
    values
        Values as written, shape (nx, ny, nz), spin summed.
    blocks
        Number of grids: 1, with spin 2, non-collinear 4.
    """

    structure: Structure
    values: FloatArray
    blocks: int


def find_file(directory: Path, name: str) -> Path | None:
    """Return a file of a run, compressed or not, None when there is none."""
    for ending in ("", ".gz", ".bz2", ".xz"):
        path = directory / f"{name}{ending}"
        if path.is_file():
            return path
    return None


def is_written(directory: Path, name: str) -> bool:
    """Whether a run has written a file: VASP makes some, CHGCAR among them, and leaves them empty where they are not wanted."""
    path = find_file(directory, name)
    if path is None:
        return False
    try:
        with zopen(path, mode="rb") as handle:
            return bool(handle.read(1))
    except (OSError, EOFError, zlib.error):  # damaged, which its reader says
        return True


def required_file(directory: Path, name: str) -> Path:
    """Return a file of a run that must be there; a CalculationError says which is missing where."""
    path = find_file(directory, name)
    if path is None:
        raise CalculationError(f"There is no {name} in {directory}.")
    return path


def read_volumetric(path: Path, occupancies: bool) -> VolumetricFile:
    """Read a CHGCAR-like file to its end.

    Parameters
    ----------
    path
        The file, compressed or not.
    occupancies
        Whether one-centre occupancies of every atom must follow each grid, as in every CHGCAR.

    Returns
    -------
    VolumetricFile
        The first grid (spin summed) and what else was there.

    Raises
    ------
    CalculationError
        Naming the file and what is wrong with it.
    """
    try:
        with zopen(path, mode="rb") as handle:
            return _read(LineReader(handle), occupancies)
    except Exception as error:  # the parser of the header stumbles in many ways
        raise CalculationError(f"{path} cannot be used: {error or type(error).__name__}.") from error


def _read(handle: LineReader, occupancies: bool) -> VolumetricFile:
    structure = _header(handle)
    dimensions = _line(handle, "the grid")
    shape = _shape(dimensions)
    values = _block(handle, int(np.prod(shape)), "the grid").reshape(shape, order="F")
    blocks, counted, lines = 1, 0, iter(handle.line, "")
    for line in lines:
        if line.startswith("augmentation occupancies"):
            counted += 1
            _occupancies(line, lines)
        elif line.split() == dimensions.split():
            _check_occupancies(counted, len(structure), occupancies)
            blocks, counted = blocks + 1, 0
            _block(handle, int(np.prod(shape)), f"grid {blocks}")
        elif line.strip():
            _numbers(line)  # the moments of the atoms, or the imaginary parts of the occupancies
        if not line.endswith("\n"):
            raise ValueError("it is cut off in the middle of its last line")
    _check_occupancies(counted, len(structure), occupancies)
    return VolumetricFile(structure, values, blocks)


def _header(handle: LineReader) -> Structure:
    lines = [_line(handle, "the header") for _ in range(7)]
    if lines[5].split() and not lines[5].split()[0].lstrip("-")[:1].isalpha():
        raise ValueError("its header does not name the elements (VASP 4)")
    count = sum(int(word) for word in lines[6].split())
    lines += [_line(handle, "the header") for _ in range(1 + count)]
    _line(handle, "the header")  # empty
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what a bare POSCAR leaves open
        return Poscar.from_str("".join(lines)).structure


def _line(handle: LineReader, what: str) -> str:
    line = handle.line()
    if not line.endswith("\n"):
        raise ValueError(f"it is cut off in {what}")
    return line


def _shape(line: str) -> tuple[int, int, int]:
    numbers = [int(word) for word in line.split()]
    if len(numbers) != 3 or min(numbers) < 1:
        raise ValueError(f"its grid reads {line.strip()!r}")
    return numbers[0], numbers[1], numbers[2]


def _block(handle: LineReader, size: int, what: str) -> FloatArray:
    """Read the lines of one grid, as many numbers to a line as its first has."""
    first = handle.line()
    width = len(first.split())
    if not width or not first.endswith("\n"):
        raise ValueError(f"it is cut off in {what}")
    start = _numbers(first)
    values = np.empty(max(size, len(start)) + 1)  # one more than wanted, to notice it
    values[: len(start)] = start
    found, lines = len(start), -(-size // width) - 1
    while lines:
        text, read = handle.whole_lines(lines)
        if not text:
            raise ValueError(f"it is cut off in {what}")
        lines -= read
        found += _fill(text, values[found:], read * width if lines else size - found)
    if found != size:
        raise ValueError(f"{what} has {found} of {size} values")
    return values[:size]


def _fill(text: bytes, values: FloatArray, expected: int) -> int:
    """Read the numbers of whole lines; return how many there are.

    The fast parser stops at what is no number, but takes a number whose exponent lacks its E for two.
    """
    if count(b"E", text) == expected < len(values):
        rest = BytesIO(text)
        found = parse_n_doubles(rest, values, expected + 1)
        if found == expected and not text[rest.tell() :].strip() and np.isfinite(values[:found]).all():
            return int(found)
    slow = _numbers(text.decode("latin-1"))
    room = min(len(slow), len(values))
    values[:room] = slow[:room]
    return len(slow)


def _numbers(text: str) -> FloatArray:
    if "*" in text:
        raise ValueError("it has stars where numbers do not fit their columns (known of AECCAR with ADDGRID)")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # numpy's way to say that it stopped half way
        try:
            values = np.fromstring(text, sep=" ")
        except (DeprecationWarning, ValueError):
            values = np.array(_BARE_EXPONENT.sub(r"\1E\2", text).split(), dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it has values that are no finite numbers")
    return np.asarray(values, dtype=np.float64)


def _occupancies(line: str, lines: Iterator[str]) -> None:
    match = re.fullmatch(r"augmentation occupancies(?: \(imaginary part\))?\s*(\d+)\s+(\d+)\s*\n", line)
    if match is None:
        raise ValueError(f"its line {line.strip()!r} is damaged")
    wanted, found = int(match[2]), 0
    while found < wanted:
        text = next(lines, "")
        if not text.endswith("\n"):
            raise ValueError("it is cut off in the one-centre occupancies")
        found += len(_numbers(text))
    if found != wanted:
        raise ValueError(f"atom {match[1]} has {found} of {wanted} one-centre occupancies")


def _check_occupancies(found: int, atoms: int, required: bool) -> None:
    if found % atoms or (required and not found):
        raise ValueError(f"it has the one-centre occupancies of {found} of {atoms} atoms")


def read_density(
    path: Path, structure: Structure, shape: tuple[int, int, int], occupancies: bool, least_blocks: int = 1
) -> Grid:
    """Read a density onto the cell of a calculation.

    Parameters
    ----------
    path
        CHGCAR, AECCAR0 or AECCAR2.
    structure
        The atoms as calculated, in any order; lattice and periodic directions are taken from it.
    shape
        Grid that the calculation used (NGXF, NGYF, NGZF).
    occupancies
        See `read_volumetric`.
    least_blocks
        Grids that must be there: with spin 2.

    Returns
    -------
    Grid
        Electrons per volume, e/A^3.

    Raises
    ------
    CalculationError
        The file is damaged.
    MismatchError
        It belongs to another grid, cell, geometry or set of atoms.
    """
    grid = read_potential(path, structure, shape, occupancies, least_blocks)
    return Grid(grid.values / grid.volume, grid.cell, grid.pbc)


def read_potential(
    path: Path, structure: Structure, shape: tuple[int, int, int], occupancies: bool = False, least_blocks: int = 1
) -> Grid:
    """Read values as written (LOCPOT: eV) onto the cell of a calculation; see `read_density`."""
    file = read_volumetric(path, occupancies)
    if file.blocks < least_blocks:
        raise CalculationError(f"{path} cannot be used: it has {file.blocks} of {least_blocks} grids.")
    if file.values.shape != tuple(shape):
        raise MismatchError(f"{path} has the grid {file.values.shape}, the calculation used {tuple(shape)}.")
    shift = float(np.abs(file.structure.lattice.matrix - structure.lattice.matrix).max())
    if shift > CELL_TOLERANCE:
        raise MismatchError(f"{path} has another cell than the calculation: a component differs by {shift:.2g} A.")
    if file.structure.composition.element_composition != structure.composition.element_composition:
        raise MismatchError(f"{path} is of {file.structure.formula}, the calculation of {structure.formula}.")
    away = float(nearest_like(structure, file.structure)[1].max())
    if away > ATOM_TOLERANCE:
        raise MismatchError(f"{path} is of another geometry than the calculation: an atom is {away:.2g} A away.")
    return Grid(file.values, structure.lattice.matrix, structure.lattice.pbc)


def check_electrons(path: Path, density: Grid, expected: float) -> None:
    """Refuse a density that does not hold the electrons of the calculation.

    Parameters
    ----------
    path
        Its file.
    density
        What was read from it, e/A^3.
    expected
        Electrons of the calculation, e.

    Raises
    ------
    CalculationError
        Naming the file and both numbers.
    """
    found = density.integral()
    if not abs(found - expected) < ELECTRON_TOLERANCE:
        raise CalculationError(f"{path} holds {found:.4f} electrons, the calculation has {expected:.4f}.")


def valence_density(
    directory: Path, structure: Structure, shape: tuple[int, int, int], n_electrons: float, spins: int
) -> Grid:
    """Read CHGCAR, checked by its number of electrons; errors as in `read_density` and `check_electrons`.

    Parameters
    ----------
    directory
        Folder of the run.
    structure
        In the order and cell of the run.
    shape
        Its fine grid.
    n_electrons
        Electrons treated, e.
    spins
        1, or 2 for a spin-polarised run.
    """
    path = required_file(directory, "CHGCAR")
    density = read_density(path, structure, shape, occupancies=True, least_blocks=spins)
    check_electrons(path, density, n_electrons)
    return density


def all_electron_density(directory: Path, structure: Structure, shape: tuple[int, int, int]) -> Grid:
    """Add AECCAR0 (core) and AECCAR2 (valence), whose basins a Bader analysis uses.

    Near the nuclei the grid is too coarse for their integral; it is the place of maxima and minima that counts.

    Raises
    ------
    CalculationError
        A file is missing, damaged, or holds more than 0.1 % of negative electrons.
    MismatchError
        See `read_density`.
    """
    parts = []
    for name in ("AECCAR0", "AECCAR2"):
        path = required_file(directory, name)
        parts.append(read_density(path, structure, shape, occupancies=False))
    total = Grid(parts[0].values + parts[1].values, parts[0].cell, parts[0].pbc)
    negative = -float(total.values[total.values < 0].sum()) * total.point_volume
    if negative > NEGATIVE_SHARE * total.integral():
        raise CalculationError(
            f"AECCAR0 and AECCAR2 in {directory} are broken: {negative:.2f} electrons are negative (known with ADDGRID)."
        )
    return total


def value_marks(name: str, grid: Grid, structure: Structure) -> list[str]:
    """Return a flag where one value stands out from its neighbours as no field does: a wrong digit, most likely.

    A smooth field curves in many neighbouring points alike, a wrong digit in one point and, by a sixth of it, in the six
    around it. Near nuclei, where a grid is too coarse for cores, only absurd values can be told.

    Parameters
    ----------
    name
        Of the file.
    grid
        Its values, in any unit.
    structure
        The atoms.
    """
    values = grid.values
    mean = sum(np.roll(values, step, axis) for axis in range(3) for step in (-1, 1)) / 6
    curved = np.abs(values - mean)
    far = _far_from_atoms(grid, structure)
    for region, ratio in ((curved[far], STANDS_OUT), (curved.ravel(), STANDS_OUT_NEAR)):
        if region.size < 100:
            continue
        top = np.partition(region, -8)[-8:]
        if top.max() > ratio * max(float(top.min()), 1e-12 * float(np.abs(values).max())):
            place = np.unravel_index(int(np.argmax(np.where(curved == top.max(), curved, -1.0))), values.shape)
            return [f"value_stands_out ({name}: point {tuple(int(n) + 1 for n in place)} of its grid)"]
    return []


def _far_from_atoms(grid: Grid, structure: Structure) -> NDArray[np.bool_]:
    """Return which points are farther than `NUCLEUS` from every atom, shape of the grid."""
    far = np.ones(grid.shape, dtype=bool)
    shape, steps = np.array(grid.shape), grid.steps
    reach = np.ceil(NUCLEUS * np.linalg.norm(np.linalg.inv(steps), axis=0)).astype(int) + 1
    box = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), axis=-1).reshape(-1, 3)
    for fractions in structure.frac_coords:
        centre = np.round(fractions * shape).astype(int)
        points = centre + box
        near = points[np.linalg.norm((points - fractions * shape) @ steps, axis=1) <= NUCLEUS]
        far[tuple((near % shape).T)] = False
    return far

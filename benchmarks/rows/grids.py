"""Densities that the rows about grids use: superposed Slater functions of a LiF slab with two water molecules above."""

from __future__ import annotations

import tempfile
from getpass import getuser
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

KEPT = Path(tempfile.gettempdir()) / f"iface-wf-benchmarks-{getuser()}"
SHELLS = {
    "Li": [(2.0, 10.0), (0.1, 2.5)],
    "F": [(2.0, 33.0), (7.9, 4.6)],
    "O": [(2.0, 29.0), (6.9, 4.3)],
    "H": [(0.55, 6.0)],
}
"""Electrons and exponent (1/A) of each shell."""
VALENCES = {"Li": 2.1, "F": 9.9, "O": 8.9, "H": 0.55}
REACH = 4.5


def slab() -> Structure:
    """144 atoms of LiF(001) in four layers, two H2O; 12.09 x 12.09 x 24.18 A, 55 % vacuum."""
    a = 4.03
    species, places = [], []
    for layer in range(4):
        for i in range(6):
            for j in range(6):
                species.append("Li" if (i + j + layer) % 2 == 0 else "F")
                places.append([i * a / 2, j * a / 2, 4.0 + layer * a / 2])
    for x, y in ((3.0, 3.0), (9.0, 9.0)):
        z = 4.0 + 3 * a / 2 + 2.5
        species += ["O", "H", "H"]
        places += [[x, y, z], [x + 0.76, y, z + 0.59], [x - 0.76, y, z + 0.59]]
    return Structure(Lattice.orthorhombic(3 * a, 3 * a, 6 * a), species, places, coords_are_cartesian=True)


def density(size: int) -> np.ndarray:
    """Return the density on 80 size x 80 size x 160 size points, e/A^3, with noise of 1e-6; made once and kept."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"density-{size}.npy"
    if path.exists():
        return np.load(path)
    structure = slab()
    shape = np.array([80, 80, 160]) * size
    steps = np.array(structure.lattice.abc) / shape
    rho = np.zeros(shape)
    for site in structure:
        centre = site.coords / steps
        index = [np.arange(int(c - REACH / d), int(c + REACH / d) + 2) for c, d in zip(centre, steps, strict=True)]
        x, y, z = ((i - c) * d for i, c, d in zip(index, centre, steps, strict=True))
        r = np.sqrt(x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2)
        for electrons, exponent in SHELLS[site.specie.symbol]:
            shell = np.exp(-exponent * r)
            shell *= electrons / (shell.sum() * steps.prod())
            rho[np.ix_(*(i % n for i, n in zip(index, shape, strict=True)))] += shell
    rho += 1e-6 * np.random.default_rng(0).normal(size=rho.shape)
    np.save(path, rho)
    return rho


def write_chgcar(path: Path, rho: np.ndarray) -> None:
    """Write a density as VASP does; made once and kept."""
    if path.exists():
        return
    structure = slab()
    values = (rho * structure.volume).reshape(-1, order="F")
    line = " %17.10E" * 5 + "\n"
    with path.open("w") as file:
        file.write(f"{Poscar(structure).get_str()}\n  {rho.shape[0]} {rho.shape[1]} {rho.shape[2]}\n")
        for first in range(0, values.size, 500_000):
            file.writelines(line % tuple(row) for row in values[first : first + 500_000].reshape(-1, 5).tolist())
        for number in range(len(structure)):
            file.write(f"augmentation occupancies {number + 1:3d}   1\n  0.0000000E+00\n")

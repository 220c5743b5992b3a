"""Other programs read back what was written."""

import numpy as np
import pytest
from ase.io import read
from ase.io.cube import read_cube
from ase.units import Bohr
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Chgcar, Poscar

from iface_wf.errors import InputError
from iface_wf.reports.files import write_density, write_structure
from tests.examples import CELL, difference, structure

ANGSTROM = 1e-4


@pytest.mark.parametrize(("fmt", "suffix"), [("cif", ".cif"), ("poscar", ".vasp")])
def test_structure_survives(tmp_path, fmt, suffix):
    path = tmp_path / f"x{suffix}"
    write_structure(structure(), path, fmt)
    again = Structure.from_file(path) if fmt == "cif" else Poscar.from_file(path).structure
    written, again = structure().get_sorted_structure(), again.get_sorted_structure()
    assert again.species == written.species
    assert again.lattice.abc == pytest.approx(written.lattice.abc, abs=ANGSTROM)
    steps = again.frac_coords - written.frac_coords
    assert (steps - np.rint(steps)) * CELL.diagonal() == pytest.approx(0, abs=ANGSTROM)


def test_xyz_keeps_cell_periodicity_and_labels(tmp_path):
    write_structure(structure(), tmp_path / "x.xyz", "xyz")
    atoms = read(tmp_path / "x.xyz")
    assert atoms.pbc.tolist() == [True, True, False]
    assert atoms.cell.lengths() == pytest.approx(CELL.diagonal())
    assert list(atoms.arrays["component"]) == ["slab"] * 4 + ["polymer"] * 2
    assert atoms.positions == pytest.approx(structure().cart_coords, abs=ANGSTROM)


def test_cube_holds_electrons_per_cubic_bohr_on_an_uneven_grid(tmp_path):
    write_density(difference(), structure(), tmp_path / "x.cube", "cube")
    with (tmp_path / "x.cube").open() as file:
        found = read_cube(file)
    # six significant digits are written
    assert found["data"] / Bohr**3 == pytest.approx(difference(), abs=1e-7)
    assert found["atoms"].cell.lengths() == pytest.approx(CELL.diagonal(), abs=1e-3)


@pytest.mark.slow
def test_chgcar_holds_density_times_volume(tmp_path):
    write_density(difference(), structure(), tmp_path / "CHGCAR", "chgcar")
    again = Chgcar.from_file(tmp_path / "CHGCAR")
    assert again.data["total"] / np.prod(CELL.diagonal()) == pytest.approx(difference(), abs=1e-7)
    assert [s.specie.symbol for s in again.structure] == ["Li", "Li", "H", "F", "F", "F"]
    assert again.structure.cart_coords == pytest.approx(structure().cart_coords[[0, 1, 5, 2, 3, 4]], abs=ANGSTROM)


def test_files_for_vasp_and_vesta_have_elements_in_blocks_and_one_order(tmp_path):
    """The atoms are interleaved, with labels, charges and a noble gas, which has no electronegativity."""
    atoms = Structure(
        Lattice.cubic(9.0),
        ["O2-", "Mg2+", "He", "O2-", "H+", "Ar", "Mg2+", "He"],
        [[i / 9, 0, 0] for i in range(8)],
        site_properties={"component": ["slab"] * 8},
    )
    write_structure(atoms, tmp_path / "x.vasp", "poscar")
    write_density(np.ones((4, 4, 4)), atoms, tmp_path / "CHGCAR", "chgcar")
    write_density(np.ones((4, 4, 4)), atoms, tmp_path / "x.cube", "cube")
    lines = (tmp_path / "x.vasp").read_text().splitlines()
    assert lines[5:7] == ["Mg H O Ar He", "2 1 2 1 2"]
    orders = [
        np.rint(9 * found.frac_coords[:, 0]).astype(int).tolist()
        for found in (Poscar.from_file(tmp_path / "x.vasp").structure, Chgcar.from_file(tmp_path / "CHGCAR").structure)
    ]
    cube = np.rint(read(tmp_path / "x.cube").positions[:, 0]).astype(int).tolist()
    assert orders == [[1, 6, 4, 0, 3, 5, 2, 7]] * 2
    assert cube == orders[0]


@pytest.mark.parametrize("fmt", ["cube", "chgcar"])
def test_an_oblique_grid_keeps_unit_and_orientation(tmp_path, fmt):
    """Unequal axes and a Gaussian off centre: a transposed or rescaled array cannot pass."""
    lattice = Lattice([[4.0, 0, 0], [-2.0, 2.0 * np.sqrt(3), 0], [0, 0, 9.0]], pbc=(True, True, False))
    atoms = Structure(lattice, ["O", "Li"], [[0.25, 0.5, 0.4], [0.1, 0.1, 0.1]])
    fractions = np.stack(np.meshgrid(*[np.arange(n) / n for n in (12, 14, 30)], indexing="ij"), axis=-1)
    apart = fractions - atoms.frac_coords[0]
    rho = 6.0 * np.exp(-2 * (((apart - np.rint(apart)) @ lattice.matrix) ** 2).sum(axis=-1))
    path = tmp_path / "density"
    write_density(rho, atoms, path, fmt)
    if fmt == "cube":
        with path.open() as file:
            found = read_cube(file)
        again, cell, symbols = found["data"] / Bohr**3, found["atoms"].cell.array, found["atoms"].symbols
        places = found["atoms"].get_scaled_positions()
    else:
        chgcar = Chgcar.from_file(path)
        again, cell = chgcar.data["total"] / lattice.volume, chgcar.structure.lattice.matrix
        symbols, places = [s.specie.symbol for s in chgcar.structure], chgcar.structure.frac_coords
    np.testing.assert_allclose(again, rho, atol=2e-5 * rho.max())  # digits of the text formats
    np.testing.assert_allclose(cell, lattice.matrix, atol=ANGSTROM)
    np.testing.assert_allclose(places[list(symbols).index("O")] % 1, [0.25, 0.5, 0.4], atol=1e-5)


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "x.cif"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        write_structure(structure(), path, "cif")
    with pytest.raises(InputError, match="exists already"):
        write_density(difference(), structure(), path, "chgcar")
    assert path.read_text() == "precious"


def test_unknown_format_and_missing_folder(tmp_path):
    with pytest.raises(InputError, match="cif"):
        write_structure(structure(), tmp_path / "x", "cfi")
    with pytest.raises(InputError, match="cube"):
        write_density(difference(), structure(), tmp_path / "x", "cif")
    with pytest.raises(InputError, match="cannot be written"):
        write_structure(structure(), tmp_path / "no" / "x.cif", "cif")

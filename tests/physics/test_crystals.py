"""The library's crystals are what nature says: density, space group, coordination, neutrality."""

from __future__ import annotations

import numpy as np
import pytest

from iface_wf.builders.solids.disorder import bulk
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal
from iface_wf.library.library import builtin_folder

SPACE_GROUPS = {
    "GdOOH": "P2_1/m",
    "I2": "Cmce",
    "LAGP": "R-3c",
    "LATP": "R-3c",
    "LLZO": "Ia-3d",
    "LLZTO": "Ia-3d",
    "LLZTO-half": "C2/c",  # ordered: the symmetry that the ordering leaves
    "Li": "Im-3m",
    "LiI": "Fm-3m",
    "SiO2-cristobalite": "P4_12_12",
    "SiO2-quartz": "P3_221",
}
DENSITIES = {  # g/cm^3 at room temperature: CRC Handbook; theoretical densities of the solid electrolytes
    "I2": 4.93,
    "LAGP": 3.42,
    "LATP": 2.93,
    "LLZO": 5.10,
    "LLZTO": 5.45,
    "Li": 0.534,
    "LiI": 4.08,
    "SiO2": 2.649,
    "SiO2-cristobalite": 2.33,
}


def distances(structure, centre, other, cutoff):
    """Sorted distances of the ``other`` atoms around each ``centre`` atom."""
    return [
        sorted(n.nn_distance for n in structure.get_neighbors(site, cutoff) if n.specie.symbol == other)
        for site in structure
        if site.specie.symbol == centre
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((builtin_folder() / "crystals").glob("*.cif")), ids=lambda p: p.stem)
def test_space_group_is_found_back_from_the_positions(path):
    assert read_crystal(path).get_space_group_info(symprec=0.01)[0] == SPACE_GROUPS[path.stem]


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSITIES)
def test_density_is_that_of_the_literature(name):
    record = Library().filler(name)
    assert record.density == pytest.approx(DENSITIES[name], rel=0.01)
    crystal = read_crystal(record.crystal_path)
    assert float(crystal.density) == pytest.approx(DENSITIES[name], rel=0.02)


@pytest.mark.slow
def test_every_filler_is_neutral():
    library = Library()
    for name in library.names("filler"):
        record = library.filler(name)
        crystal = read_crystal(record.crystal_path)
        charge = sum(record.oxidation_states[e.symbol] * n for e, n in crystal.composition.items())
        assert charge == pytest.approx(0, abs=1e-3), name  # occupancies in the files have nine digits


def test_quartz_and_cristobalite_are_networks_of_tetrahedra():
    for name in ("SiO2-quartz", "SiO2-cristobalite"):
        crystal = read_crystal(builtin_folder() / "crystals" / f"{name}.cif")
        for bonds in distances(crystal, "Si", "O", 2.0):
            assert len(bonds) == 4
            assert np.mean(bonds) == pytest.approx(1.61, abs=0.02)  # A, all silica polymorphs
        assert all(len(b) == 2 for b in distances(crystal, "O", "Si", 2.0))


def test_gadolinium_is_seven_coordinate():
    crystal = read_crystal(builtin_folder() / "crystals" / "GdOOH.cif")
    for bonds in distances(crystal, "Gd", "O", 3.0):
        assert bonds == pytest.approx([2.24, 2.315, 2.315, 2.315, 2.37, 2.55, 2.55], abs=0.01)  # A, as the file says
        # bond valences, Brese and O'Keeffe, 10.1107/S0108768190011041: 3.13 of the measured positions of YO(OH) in this cell
        assert sum(np.exp((2.065 - b) / 0.37) for b in bonds) == pytest.approx(3.0, abs=0.2)
    assert all(b == pytest.approx([0.97], abs=0.02) for b in distances(crystal, "H", "O", 1.3))


@pytest.mark.slow
def test_garnet_polyhedra():
    crystal = bulk(Library().filler("LLZTO"))
    for element in ("Zr", "Ta"):
        for bonds in distances(crystal, element, "O", 2.5):
            assert len(bonds) == 6
            assert bonds == pytest.approx([2.10] * 6, abs=0.02)
    for bonds in distances(crystal, "La", "O", 2.8):
        assert len(bonds) == 8
        assert bonds == pytest.approx([2.51] * 4 + [2.58] * 4, abs=0.02)
    assert min(min(b) for b in distances(crystal, "Li", "O", 2.6)) > 1.7


@pytest.mark.slow
@pytest.mark.parametrize(("name", "metal"), [("LAGP", "Ge"), ("LATP", "Ti")])
def test_nasicon_polyhedra(name, metal):
    crystal = bulk(Library().filler(name))
    for bonds in distances(crystal, "P", "O", 2.0):
        assert bonds == pytest.approx([1.53] * 4, abs=0.02)
    for element in (metal, "Al"):
        for bonds in distances(crystal, element, "O", 2.3):
            assert len(bonds) == 6
            assert bonds[0] > 1.8


def test_iodine_molecule_and_its_neighbours():
    crystal = read_crystal(builtin_folder() / "crystals" / "I2.cif")
    for bonds in distances(crystal, "I", "I", 4.0):
        assert bonds[0] == pytest.approx(2.72, abs=0.03)  # A, in the crystal
        assert bonds[1] == pytest.approx(3.50, abs=0.06)  # A, nearest molecule


@pytest.mark.slow
def test_iodine_swells_when_it_turns_into_lithium_iodide():
    iodide = read_crystal(builtin_folder() / "crystals" / "LiI.cif")
    iodine = read_crystal(builtin_folder() / "crystals" / "I2.cif")
    ratio = 2 * iodide.volume / 4 / (iodine.volume / 4)  # per I2: two of four LiI against one of four I2
    assert ratio == pytest.approx(1.26, abs=0.02)

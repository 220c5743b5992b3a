"""Outcome flags: each is raised by its own accident and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.checks import flags
from iface_wf.builders.components import indices
from iface_wf.builders.interface import InterfaceSpec, build_interface
from iface_wf.errors import MismatchError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def interface(tmp_path_factory) -> Structure:
    library = Library(tmp_path_factory.mktemp("own"))
    target = {"group": "F[P-]", "surface": "H-O-Si"}
    spec = InterfaceSpec(filler="SiO2", molecule="DMC", salt="LiPF6", target=target, placements=4)
    return build_interface(spec, library).placements[0]


def moved(structure: Structure, sites: list[int], by: list[float]) -> Structure:
    """Return a copy whose sites are shifted by a vector, A."""
    result = structure.copy()
    result.translate_sites(sites, by, frac_coords=False, to_unit_cell=False)
    return result


def of_element(structure: Structure, component: str, symbol: str) -> list[int]:
    return [i for i in indices(structure, component) if structure[i].specie.symbol == symbol]


def bonded_to(structure: Structure, site: int) -> int:
    return min(structure.get_neighbors(structure[site], 1.7), key=lambda n: n.nn_distance).index


def test_nothing_happened(interface: Structure) -> None:
    assert flags(interface, interface) == []


def test_small_vibrations_and_a_wrapped_cell_are_no_accident(interface: Structure) -> None:
    rng = np.random.default_rng(0)
    final = interface.copy()
    for i in range(len(final)):
        final.translate_sites(i, rng.normal(0, 0.03, 3), frac_coords=False, to_unit_cell=True)
    assert flags(interface, final) == []


def test_a_turning_silanol_is_no_accident(interface: Structure) -> None:
    hydrogen = max(of_element(interface, "slab", "H"), key=lambda i: -interface[i].z)  # on the lower, free face
    oxygen = interface[bonded_to(interface, hydrogen)]
    bond = interface[hydrogen].coords - oxygen.coords
    turned = moved(interface, [hydrogen], [-2 * bond[0], -2 * bond[1], 0.0])
    assert flags(interface, turned) == []


def test_desorbed(interface: Structure) -> None:
    everything = indices(interface, "polymer", "salt_anion", "salt_cation")
    assert flags(interface, moved(interface, everything, [0, 0, 4.0])) == ["desorbed"]


def test_one_part_that_leaves_is_desorbed(interface: Structure) -> None:
    far = moved(interface, indices(interface, "salt_anion"), [0, 0, 15.0])
    assert flags(interface, far) == ["desorbed", "ion_pair_split"]


def test_dissociated(interface: Structure) -> None:
    hydrogen = max(of_element(interface, "polymer", "H"), key=lambda i: interface[i].z)
    bond = interface[hydrogen].coords - interface[bonded_to(interface, hydrogen)].coords
    torn = moved(interface, [hydrogen], (0.8 * bond).tolist())
    assert flags(interface, torn) == ["dissociated"]


def test_lithium_leaving_its_anion_is_no_dissociation(interface: Structure) -> None:
    lithium = indices(interface, "salt_cation")[0]
    anion = np.mean([interface[i].coords for i in indices(interface, "salt_anion")], axis=0)
    away = interface[lithium].coords - anion
    shift = 0.6 * away / np.linalg.norm(away)
    assert "dissociated" not in flags(interface, moved(interface, [lithium], shift.tolist()))


def test_lithium_two_shells_away_has_left_its_anion(interface: Structure) -> None:
    lithium = indices(interface, "salt_cation")[0]
    anion = np.mean([interface[i].coords for i in indices(interface, "salt_anion")], axis=0)
    away = interface[lithium].coords - anion
    far = moved(interface, [lithium], (3.0 * away / np.linalg.norm(away)).tolist())
    assert "ion_pair_split" in flags(interface, far)
    assert "dissociated" not in flags(interface, far)


def test_a_stretched_bond_is_told_before_it_breaks(interface: Structure) -> None:
    fluorine = next(i for i in of_element(interface, "salt_anion", "F"))
    bond = interface[fluorine].coords - interface[bonded_to(interface, fluorine)].coords
    length = float(np.linalg.norm(bond))
    # P-F: covalent sum 1.64 A
    assert "stretched" in flags(interface, moved(interface, [fluorine], ((2.15 - length) / length * bond).tolist()))
    assert "stretched" not in flags(interface, moved(interface, [fluorine], (0.1 * bond).tolist()))


def garnet_like(up: float, which: str) -> Structure:
    """Return a small slab of oxide with lithium at its face, one kind of atom of which is lifted."""
    species = ["La", "La", "O", "O", "O", "Li"]
    xyz = np.array([[0, 0, 9.0], [4, 4, 8.0], [4, 0, 7.8], [0, 4, 8.4], [2.4, 4, 9.4], [2, 2, 9.0]], dtype=float)
    xyz[species.index(which), 2] += up
    lattice = Lattice(np.diag([8.0, 8.0, 30.0]), pbc=(True, True, False))
    labels = {"component": ["slab"] * len(species)}
    return Structure(lattice, species, xyz, coords_are_cartesian=True, site_properties=labels)


@pytest.mark.parametrize(
    ("which", "up", "found"),
    [
        ("Li", 0.9, []),  # it breathes
        ("Li", 2.5, ["ion_left_slab"]),
        ("La", 0.9, []),
        ("La", 1.2, ["slab_changed"]),
    ],
)
def test_what_comes_out_of_the_slab(which: str, up: float, found: list[str]) -> None:
    assert flags(garnet_like(0.0, which), garnet_like(up, which)) == found


def test_slab_changed(interface: Structure) -> None:
    silicon = of_element(interface, "slab", "Si")[0]
    assert "slab_changed" in flags(interface, moved(interface, [silicon], [1.6, 0.0, 0.0]))


def test_proton_transfer_is_seen_on_both_sides(interface: Structure) -> None:
    placement = interface.properties["placement"]
    hydrogen, partner = placement["aimed_pair"]
    oxygen = interface[len(indices(interface, "slab")) + partner]
    image = oxygen.distance_and_image(interface[hydrogen])[1]
    line = interface[hydrogen].coords + image @ interface.lattice.matrix - oxygen.coords
    transferred = moved(interface, [hydrogen], (0.97 * line / np.linalg.norm(line) - line).tolist())
    assert flags(interface, transferred) == ["dissociated", "slab_changed"]


def test_clash(interface: Structure) -> None:
    first = indices(interface, "polymer")[0]
    slab = of_element(interface, "slab", "Si")[0]
    shift = interface[slab].coords - interface[first].coords + [0.0, 0.0, 0.3]
    assert "clash" in flags(interface, moved(interface, [first], shift.tolist()))


def test_unlike_structures_are_refused(interface: Structure) -> None:
    fewer = interface.copy()
    fewer.remove_sites([0])
    with pytest.raises(MismatchError, match="differ in elements or components"):
        flags(interface, fewer)


def test_isolated_molecules_are_never_desorbed(interface: Structure) -> None:
    lone = interface.copy()
    lone.remove_sites(indices(interface, "slab"))
    assert flags(lone, lone) == []

"""Outcome flags: each is raised by its own accident and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.checks import flags
from iface_wf.builders.components import indices
from iface_wf.builders.interface import build_interface
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.errors import MismatchError
from iface_wf.library import Library
from iface_wf.store.settings import open_store
from tests.store.old.unpack import unpack_store


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


@pytest.mark.slow
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
    assert flags(interface, moved(interface, indices(interface, "salt_anion"), [0, 0, 15.0])) == [
        "desorbed",
        "ion_pair_separated",
    ]


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


def slab(species: list[str], positions: list[list[float]], pbc=(True, True, False), cell=(8.0, 8.0, 30.0)) -> Structure:
    return Structure(
        Lattice(np.diag(cell), pbc=pbc),
        species,
        positions,
        coords_are_cartesian=True,
        site_properties={"component": ["slab"] * len(species)},
    )


def oxide(metal: str, pbc=(True, True, False)) -> Structure:
    """Two layers of a rock salt with lithium in a place of the upper one: metal 0, 1, ..., lithium last."""
    spots = [(x, y, z) for z in (10.0, 12.1) for x in (0.0, 2.1, 4.2, 6.3) for y in (0.0, 2.1, 4.2, 6.3)]
    is_metal = [round((x + y + z - 10.0) / 2.1) % 2 == 0 for x, y, z in spots]
    species = [metal if m else "O" for m in is_metal]
    lithium = max(i for i, m in enumerate(is_metal) if m)
    species[lithium] = "Li"
    order = sorted(range(len(spots)), key=lambda i: i == lithium)
    return slab([species[i] for i in order], [list(spots[i]) for i in order], pbc, (8.4, 8.4, 30.0))


@pytest.mark.parametrize("out", [2.0, 3.0, 5.0])
def test_lithium_that_leaves_the_slab_is_seen(out: float) -> None:
    start = oxide("La")
    lithium = len(start) - 1
    assert flags(start, moved(start, [lithium], [0.0, 0.0, out])) == ["ion_left_slab"]
    below = start.copy()  # the same upside down
    below = slab(
        [s.symbol for s in start.species], [[x, y, 30.0 - z] for x, y, z in start.cart_coords], cell=(8.4, 8.4, 30.0)
    )
    assert flags(below, moved(below, [lithium], [0.0, 0.0, -out])) == ["ion_left_slab"]


def test_lithium_may_move_within_the_slab_and_on_its_surface() -> None:
    start = oxide("La")
    lithium = len(start) - 1
    for by in ([0.0, 0.0, 0.6], [0.8, 0.0, 0.4], [0.0, 0.0, -0.4]):
        assert flags(start, moved(start, [lithium], by)) == []


def test_lithium_in_a_periodic_cell_is_not_lost_by_wrapping() -> None:
    start = oxide("La", pbc=(True, True, True))
    lithium = len(start) - 1
    wrapped = start.copy()
    wrapped.translate_sites([lithium], [0, 0, 1.0], frac_coords=True, to_unit_cell=False)
    assert flags(start, wrapped) == []


def test_lithium_that_went_over_to_the_molecule_has_left_the_slab() -> None:
    start = oxide("La")
    lithium = len(start) - 1
    ether = start[lithium].coords + [0.0, 0.0, 5.0]
    start.append("O", ether, coords_are_cartesian=True, properties={"component": "polymer"})
    assert "ion_left_slab" in flags(start, moved(start, [lithium], [0.0, 0.0, 3.1]))


@pytest.mark.parametrize("metal", ["Gd", "Zr"])
def test_a_cation_that_is_lifted_is_seen(metal: str) -> None:
    start = oxide(metal)
    top = max((i for i, s in enumerate(start) if s.specie.symbol == metal), key=lambda i: start[i].z)
    assert flags(start, moved(start, [top], [0.0, 0.0, 1.2])) == ["slab_changed"]
    assert flags(start, moved(start, [top], [0.0, 0.0, 0.6])) == []  # a relaxation of the surface
    everything = list(range(len(start)))
    assert flags(start, moved(start, everything, [0.0, 0.0, 1.2])) == []  # the slab as a whole


def test_a_cation_that_leaves_a_wire_is_seen() -> None:
    start = oxide("Gd", pbc=(True, False, False))
    outer = max((i for i, s in enumerate(start) if s.specie.symbol == "Gd"), key=lambda i: start[i].y)
    assert "slab_changed" in flags(start, moved(start, [outer], [0.0, 1.2, 0.0]))


def test_a_stretched_bond_is_a_broken_one() -> None:
    fluoroform = Structure(
        Lattice(np.eye(3) * 20.0, pbc=(False, False, False)),
        ["C", "F", "F", "F", "H"],
        [[10, 10, 10], [11.24, 10, 10.46], [9.38, 11.07, 10.46], [9.38, 8.93, 10.46], [10, 10, 8.9]],
        coords_are_cartesian=True,
    )
    bond = fluoroform[1].coords - fluoroform[0].coords
    for length, expected in ((1.8, ["dissociated"]), (1.45, [])):
        shift = bond * (length / np.linalg.norm(bond) - 1.0)
        assert flags(fluoroform, moved(fluoroform, [1], shift.tolist())) == expected


def test_lithium_that_is_away_from_its_anion_is_marked(interface: Structure) -> None:
    lithium, anion = indices(interface, "salt_cation")[0], indices(interface, "salt_anion")
    away = interface[lithium].coords - np.mean([interface[i].coords for i in anion], axis=0)
    lone = interface.copy()
    lone.remove_sites(indices(interface, "slab", "polymer"))
    ion = indices(lone, "salt_cation")[0]
    nearest = min(lone[ion].distance(lone[i]) for i in indices(lone, "salt_anion"))
    for distance, expected in ((6.0, ["ion_pair_separated"]), (nearest + 0.5, [])):
        shift = away / np.linalg.norm(away) * (distance - nearest)
        assert flags(lone, moved(lone, [ion], shift.tolist())) == expected


def test_ordinary_relaxations_raise_no_flag(tmp_path) -> None:
    """Interfaces that xTB relaxed, of a store: from the placement to what came out of it."""
    with open_store(str(unpack_store(tmp_path))) as store:
        outputs = [(entry["metadata"].get("interface"), entry["output"]) for entry in store.query({})]
    placed = {key: output["structure"] for key, output in outputs if output.get("@class") == "RankedPlacements"}
    relaxed = {output["key"]: output["structure"] for _, output in outputs if output.get("document_type") == "binding"}
    both = sorted(set(placed) & set(relaxed))
    assert len(both) == 7
    assert [flags(Structure.from_dict(placed[key]), Structure.from_dict(relaxed[key])) for key in both] == [[]] * 7

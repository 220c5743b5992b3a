"""What went wrong without a word before: ions that leave, cations that are lifted, bonds that are stretched; and no false alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.checks import flags
from iface_wf.store.settings import open_store
from tests.store.old.unpack import unpack_store


def moved(structure: Structure, sites: list[int], by: list[float]) -> Structure:
    """Return a copy whose sites are shifted by a vector, A."""
    result = structure.copy()
    result.translate_sites(sites, by, frac_coords=False, to_unit_cell=False)
    return result


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


def test_a_stretched_bond_is_seen() -> None:
    fluoroform = Structure(
        Lattice(np.eye(3) * 20.0, pbc=(False, False, False)),
        ["C", "F", "F", "F", "H"],
        [[10, 10, 10], [11.24, 10, 10.46], [9.38, 11.07, 10.46], [9.38, 8.93, 10.46], [10, 10, 8.9]],
        coords_are_cartesian=True,
    )
    bond = fluoroform[1].coords - fluoroform[0].coords
    for length, expected in ((1.8, ["stretched"]), (2.2, ["dissociated"]), (1.45, [])):
        shift = bond * (length / np.linalg.norm(bond) - 1.0)
        assert flags(fluoroform, moved(fluoroform, [1], shift.tolist())) == expected


@pytest.mark.parametrize(("distance", "expected"), [(2.0, []), (2.5, []), (6.0, ["ion_pair_split"])])
def test_lithium_that_is_away_from_its_anion_is_marked(distance: float, expected: list[str]) -> None:
    """Lithium beside hexafluorophosphate, opposite to phosphorus of one fluorine."""
    bond = 1.62
    arms = bond * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]) + 15.0
    labels = ["salt_anion"] * 7 + ["salt_cation"]

    def pair(apart: float) -> Structure:
        positions = [[15.0] * 3, *arms.tolist(), [15.0 + bond + apart, 15.0, 15.0]]
        box = Lattice(np.eye(3) * 30.0, pbc=(False, False, False))
        return Structure(box, ["P", *["F"] * 6, "Li"], positions, coords_are_cartesian=True,
                         site_properties={"component": labels})  # fmt: skip

    assert flags(pair(1.9), pair(distance)) == expected


def test_ordinary_relaxations_raise_no_flag(tmp_path: Path) -> None:
    """Interfaces that xTB relaxed, of a store: from the placement to what came out of it."""
    with open_store(str(unpack_store(tmp_path))) as store:
        outputs = [(entry["metadata"].get("interface"), entry["output"]) for entry in store.query({})]
    placed = {key: output["structure"] for key, output in outputs if output.get("@class") == "RankedPlacements"}
    relaxed = {output["key"]: output["structure"] for _, output in outputs if output.get("document_type") == "binding"}
    both = sorted(set(placed) & set(relaxed))
    assert len(both) == 7
    assert [flags(Structure.from_dict(placed[key]), Structure.from_dict(relaxed[key])) for key in both] == [[]] * 7

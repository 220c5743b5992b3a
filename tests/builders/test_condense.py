"""Condensed quartz (001): silanols of real silica, bonds of silica, and what cannot be condensed is refused."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.solids.cell import BOTTOM_VACUUM
from iface_wf.builders.solids.condense import condense_silanols
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.springs import check_silica
from iface_wf.builders.solids.surfaces import CONTACT, closest_contact
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def silica():
    return Library().filler("SiO2")


@pytest.fixture(scope="module")
def full(silica):
    """Fully hydroxylated (001) in the default cell: Si12 H16 O32."""
    return build_slab(silica, silica.surfaces[0].model_copy(update={"condense": False}))


@pytest.fixture(scope="module")
def slab(silica):
    return build_slab(silica)


def bonds(structure):
    """Neighbours and bond vectors (A) of every site, from distances alone."""
    reach = {frozenset(("Si", "O")): 1.9, frozenset(("O", "H")): 1.2}
    return [
        [
            (n.specie.symbol, n.coords - site.coords)
            for n in structure.get_neighbors(site, 1.9)
            if n.nn_distance < reach.get(frozenset((site.specie.symbol, n.specie.symbol)), 0.0)
        ]
        for site in structure
    ]


def degrees(u, v):
    return math.degrees(math.acos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1.0, 1.0)))


def assert_silica(structure):
    for site, found in zip(structure, bonds(structure), strict=True):
        kinds = Counter(symbol for symbol, _ in found)
        vectors = [v for _, v in found]
        match site.specie.symbol:
            case "Si":
                assert kinds == {"O": 4}
                assert all(1.55 <= np.linalg.norm(v) <= 1.70 for v in vectors)
                assert all(95.0 <= degrees(u, v) <= 125.0 for u, v in combinations(vectors, 2))
            case "O":
                assert kinds in ({"Si": 2}, {"Si": 1, "H": 1})
                assert degrees(*vectors) > (120.0 if kinds["Si"] == 2 else 105.0)
            case "H":
                assert kinds == {"O": 1}
                assert np.linalg.norm(vectors[0]) == pytest.approx(0.965, abs=0.02)
                assert not any(n.specie.symbol == "H" for n in structure.get_neighbors(site, 1.6))
    assert closest_contact(structure)[0] > CONTACT


def test_the_default_surface_of_silica_is_condensed_quartz_001(slab, full):
    # Each of four geminal pairs, two per face, loses one water: the count by hand.
    assert full.composition.as_dict() == {"Si": 12, "H": 16, "O": 32}
    assert slab.composition.as_dict() == {"Si": 12, "H": 8, "O": 28}
    assert slab.properties["formula"] == "Si12 H8 O28"
    for face in ("top", "bottom"):
        assert slab.properties["silanol_density"][face] == pytest.approx(4 / 0.83615, rel=1e-3)
    assert slab.properties["passivation"] == "hydroxyl, geminal pairs condensed"
    assert not slab.properties["polar"]
    assert_silica(slab)


def test_a_condensed_slab_stands_at_its_place(slab, full):
    z = slab.cart_coords[:, 2]
    assert z.min() == pytest.approx(BOTTOM_VACUUM, abs=1e-6)
    assert math.remainder(slab.lattice.c, EDGE_STEP) == pytest.approx(0, abs=1e-6)
    assert slab.lattice.abc[:2] == pytest.approx(full.lattice.abc[:2], abs=1e-9)
    assert slab.properties["thickness"] == pytest.approx(
        np.ptp([s.coords[2] for s in slab if s.specie.symbol != "H"]), abs=1e-6
    )
    free = np.array(slab.site_properties["selective_dynamics"]).all(axis=1)
    assert 0 < (~free).sum() < len(slab) / 2
    assert z[~free].max() < z[free].min()


def test_the_faces_are_images_of_each_other(slab):
    # The slab turns over by a two-fold axis: heights of the heavy atoms mirror at the middle. The springs stop
    # at a small strain, not at zero, so the heights agree to some hundredths of an A.
    z = np.sort([site.coords[2] for site in slab if site.specie.symbol != "H"])
    assert z + z[::-1] == pytest.approx(np.full(len(z), z[0] + z[-1]), abs=0.1)


def test_a_cell_that_forbids_turning_over_says_so(silica, slab):
    # The rectangular cell has no two-fold axis along its sides, so its faces need not be images.
    assert slab.properties["symmetric"]
    assert not build_slab(silica, in_plane=(14.0, 9.8)).properties["symmetric"]


def test_building_twice_gives_the_same_slab(silica, slab):
    again = build_slab(silica)
    assert again.species == slab.species
    assert again.cart_coords == pytest.approx(slab.cart_coords, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("thickness", [4.0, 12.0])
@pytest.mark.parametrize("in_plane", [(9.8, 9.8), (14.0, 9.8), (14.7, 14.7), (19.6, 9.8)])
def test_larger_cells_and_thicker_slabs_are_silica_too(silica, thickness, in_plane):
    large = build_slab(silica, thickness=thickness, in_plane=in_plane)
    assert_silica(large)
    for face in ("top", "bottom"):
        assert 4.0 <= large.properties["silanol_density"][face] <= 6.0


@pytest.mark.parametrize("repeat", [(3, 2), (2, 3), (4, 2)])
def test_repeats_of_the_hexagonal_cell_with_odd_rows_find_their_pairs(silica, repeat):
    spec = silica.surfaces[0].model_copy(update={"condense": False})
    small = build_slab(silica, spec, in_plane=(4.9, 4.9))
    condensed = condense_silanols(small.make_supercell((*repeat, 1), in_place=False))
    assert_silica(condensed)
    silanols = condensed.composition["H"] / 2
    assert 4.0 <= silanols / (0.20904 * repeat[0] * repeat[1]) <= 6.0  # 0.20904 nm^2: 4.913^2 sin 120


def test_kept_sites_keep_order_and_properties(full):
    marked = full.copy()
    marked.add_site_property("mark", list(range(len(full))))
    condensed = condense_silanols(marked)
    marks = condensed.site_properties["mark"]
    assert marks == sorted(marks)
    assert [full[i].specie for i in marks] == condensed.species
    assert condensed.site_properties["component"] == ["slab"] * len(condensed)
    assert len(full) == len(marked)  # the argument is left alone


def test_a_slab_inside_the_range_is_not_touched(silica, full):
    single = build_slab(silica, "101")
    assert condense_silanols(single) == single
    assert condense_silanols(full, (4.0, 10.0)) == full


def test_a_cell_of_one_silicon_per_face_is_refused(silica):
    with pytest.raises(InputError, match="larger cell"):
        build_slab(silica, in_plane=(4.9, 4.9))


@pytest.mark.parametrize("limits", [(6.0, 4.0), (-1.0, 4.0), (4.0, math.nan), (5.0, 5.5)])
def test_ranges_that_make_no_sense_or_cannot_be_met_are_refused(full, limits):
    with pytest.raises(InputError) as caught:
        condense_silanols(full, limits)
    assert "\n" not in str(caught.value)


def test_only_silica_condenses(full):
    other = full.copy()
    other.replace(next(i for i, s in enumerate(other) if s.specie.symbol == "Si"), "Ti")
    with pytest.raises(InputError, match="Ti"):
        condense_silanols(other)


def test_a_geometry_that_is_not_silica_is_refused(slab):
    stretched = slab.copy()
    oxygen = next(i for i, s in enumerate(slab) if s.specie.symbol == "O")
    stretched.translate_sites([oxygen], [0.0, 0.0, 0.3], frac_coords=False)
    with pytest.raises(InputError, match="cannot be condensed"):
        check_silica(stretched)
    bare = Structure(Lattice.orthorhombic(9, 9, 20, pbc=(True, True, False)), ["Si"], [[0, 0, 0.5]])
    with pytest.raises(InputError, match="0 bonds"):
        check_silica(bare)

"""Several molecules on a slab, and which of its atoms are held."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk, surface
from ase.constraints import FixAtoms
from ase.io import write
from pymatgen.core import Structure

from iface_wf.api.structures import build
from iface_wf.builders.checks import flags
from iface_wf.builders.contact import symbols_of, vdw_radii
from iface_wf.builders.docking.layers import Layers
from iface_wf.builders.placing.layers import copies_of, over, turned_over
from iface_wf.builders.solids.held import held, hold_layers, layers_of
from iface_wf.errors import InputError


@pytest.fixture(scope="module")
def magnesia(tmp_path_factory):
    """A slab of four layers of MgO (001), 8.4 A wide, in a file that holds nothing."""
    slab = surface(bulk("MgO", "rocksalt", a=4.21, cubic=True), (0, 0, 1), 2, vacuum=8.0) * (2, 2, 1)
    slab.pbc = (True, True, False)
    path = tmp_path_factory.mktemp("slab") / "MgO.xyz"
    write(path, slab, format="extxyz")
    return path


@pytest.fixture(scope="module")
def wet(magnesia):
    """Three waters and one ion pair on each face."""
    return build(magnesia, molecule="water", copies=3, beside=["LiTFSI"], faces="both", placements=2)


def molecules(built, placement):
    """Return the coordinates of each molecule with those of all its images in the plane, A."""
    alone = copies_of([p.structure for p in built.pieces], [p.count for p in built.pieces])
    size, sizes = len(built.slab), [len(m) for m in alone]
    return np.split(placement.cart_coords[size:], np.cumsum(sizes * 2)[:-1])


@pytest.mark.slow
def test_nothing_overlaps_not_even_across_the_border(wet):
    for placement in wet.placements:
        radii = vdw_radii(symbols_of(placement))
        starts = np.repeat(np.arange(9), [len(wet.slab), *map(len, molecules(wet, placement))])
        distance = placement.lattice.get_all_distances(placement.frac_coords, placement.frac_coords)
        ratio = distance / (radii[:, None] + radii[None])
        assert ratio[starts[:, None] != starts[None]].min() > 0.85 - 1e-3


def test_both_faces_carry_the_same_and_the_slab_has_room_below(wet):
    z = wet.placements[0].cart_coords[:, 2]
    slab, above = (
        z[: len(wet.slab)],
        [xyz[:, 2].mean() > z[: len(wet.slab)].mean() for xyz in molecules(wet, wet.placements[0])],
    )
    assert above == [True] * 4 + [False] * 4
    assert z.min() >= 6.0
    assert wet.placements[0].lattice.c - z.max() >= 8.0 - 1e-6
    shift = wet.placements[0].properties["placement"]["substrate_shift"]
    assert np.allclose(slab, wet.slab.cart_coords[:, 2] + shift[2])


def test_the_middle_is_held_where_both_faces_are_covered(wet):
    z = wet.slab.cart_coords[:, 2]
    assert sorted(set(np.round(z[held(wet.slab)] - z.mean(), 2))) == [-1.05, 1.05]


def test_what_a_file_holds_stays_held_on_both_faces(magnesia, tmp_path):
    from ase.io import read

    atoms = read(magnesia)
    atoms.set_constraint(FixAtoms([atom.index for atom in atoms if atom.z < 9.0]))
    write(tmp_path / "mine.xyz", atoms, format="extxyz")
    slab = build(tmp_path / "mine.xyz", molecule="water", faces="both").slab
    z = slab.cart_coords[:, 2]
    assert set(np.round(z[held(slab)], 2)) == {6.0}


def test_names_say_units_complexes_and_files(magnesia, tmp_path):
    (tmp_path / "own.xyz").write_text("3\n\nO 0 0 0\nH 0.76 0 0.59\nH -0.76 0 0.59\n", encoding="utf-8")
    built = build(magnesia, "PEO", 2, beside=["2 EC", str(tmp_path / "own.xyz"), "EC"])
    assert built.report["on_each_face"] == {"PEO x 2": 1, "EC": 3, "own.xyz": 1}


def test_the_report_counts_by_face(wet):
    report = wet.report
    assert report["on_each_face"] == {"water": 3, "LiTFSI": 1}
    assert report["coverage"] == pytest.approx(4 / 0.0842**2 / 100.0, rel=1e-3)
    assert report["touch_the_slab"].endswith(" of 8 molecules")
    assert abs(report["charge"]) < 1e-9


def test_one_molecule_per_face_touches_its_face(magnesia):
    built = build(magnesia, molecule="water", faces="both")
    assert built.report["touch_the_slab"] == "2 of 2 molecules"


def test_coverages_share_the_slab_of_one_molecule(magnesia):
    one, four = (build(magnesia, molecule="water", copies=n).slab for n in (1, 4))
    assert np.allclose(one.lattice.matrix, four.lattice.matrix)
    assert np.array_equal(held(one), held(four))


def test_more_than_the_face_has_room_for_lie_on_each_other(magnesia):
    built = build(magnesia, molecule="water", copies=24, in_plane=(8.0, 8.0))
    touching = int(built.report["touch_the_slab"].split(" ")[0])
    assert 4 < touching < 24


def test_turning_over_twice_changes_nothing(wet):
    again = turned_over(turned_over(wet.slab))
    assert np.allclose(again.cart_coords, wet.slab.cart_coords)
    assert np.allclose(again.lattice.matrix, wet.slab.lattice.matrix)
    assert np.linalg.det(turned_over(wet.slab).lattice.matrix) > 0
    # distances across the border are those of before
    for one in (wet.slab, turned_over(wet.slab)):
        assert np.allclose(np.sort(one.distance_matrix, axis=None), np.sort(wet.slab.distance_matrix, axis=None))
    assert np.allclose(over(wet.slab, over(wet.slab, wet.slab.cart_coords)), wet.slab.cart_coords)


def test_the_search_goes_down_and_is_the_same_again(magnesia):
    built = build(magnesia, molecule="water", copies=2)
    layers = Layers(built.slab, [built.pieces[0].structure] * 2, 1, 8.0, 0.85, 2, 0)
    first, again = (layers.docked(6, 0) for _ in range(2))
    energies = [pose.energy for pose in first]
    assert energies == sorted(energies)
    assert energies == [pose.energy for pose in again]
    better = layers.docked(6, 1, first[0].structure)
    assert {pose.origin for pose in better} & {"put elsewhere", "turned", "best"}


def test_one_of_several_molecules_that_leaves_is_desorbed(magnesia):
    built = build(magnesia, molecule="water", copies=2)
    before = built.placements[0]
    after = before.copy()
    assert "desorbed" not in flags(before, after)
    for site in range(len(before) - 3, len(before)):
        after.translate_sites([site], [0, 0, 6.0], frac_coords=False, to_unit_cell=False)
    assert "desorbed" in flags(before, after)


@pytest.mark.parametrize(("count", "layers"), [(0, []), (1, [0]), (3, [0, 1, 2])])
def test_layers_are_held_from_below(magnesia, count, layers):
    slab = build(magnesia, held_layers=count).slab
    expected = np.concatenate([[], *(layers_of(slab)[i] for i in layers)])
    assert set(np.flatnonzero(held(slab))) == set(expected)


@pytest.mark.parametrize(("count", "middle"), [(4, False), (-1, False), (3, True), (1, True)])
def test_layers_that_cannot_be_held_are_refused(magnesia, count, middle):
    with pytest.raises(InputError, match="4 layers"):
        hold_layers(build(magnesia).slab, count, middle)


def test_held_atoms_of_a_file_count_where_they_are_not_the_usual_ones(magnesia, tmp_path):
    from ase.io import read

    from iface_wf.api.calculate import make_request
    from iface_wf.library import Library
    from iface_wf.quantities.binding.graph import single_graph

    def key(name, lowest, **options):
        atoms = read(magnesia)
        if lowest is not None:
            atoms.set_constraint(FixAtoms([a.index for a in atoms if a.z < lowest]))
        write(tmp_path / name, atoms, format="extxyz")
        asked = {"molecule": "water", "engine": "xtb", "placements": 1} | options
        return next(iter(single_graph(make_request(filler=str(tmp_path / name), **asked), Library(), here=False).items))

    usual = key("none.xyz", None)
    slab = Structure.from_sites(build(magnesia).slab)
    limit = {n: 8.0 + 2.105 * (n - 0.5) for n in (1, 2, 3)}
    held_by_default = len(set(np.round(slab.cart_coords[held(slab), 2], 1)))
    assert held_by_default == 2
    assert key("two.xyz", limit[2]) == usual  # the same atoms, whoever says so
    assert key("none.xyz", None, held_layers=2) == usual
    others = {key("one.xyz", limit[1]), key("three.xyz", limit[3]), usual}
    assert len(others) == 3
    assert key("none.xyz", None, held_layers=1) == key("one.xyz", limit[1])


def test_the_number_of_what_lies_beside_comes_first(magnesia):
    with pytest.raises(InputError, match="has the number first: '3 EC', not 'EC 3'"):
        build(magnesia, molecule="water", beside=["EC 3"])

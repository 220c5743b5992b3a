"""A user's own crystal or slab is built like a built-in one."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.builders.solids.cell import BOTTOM_VACUUM
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.spec import SlabSpec
from iface_wf.builders.substrate import build_substrate
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.library import builtin_folder

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
RECORD = """
name: rock salt
title: own
source: own
crystal: own.cif
oxidation_states: {Na: 1, Cl: -1}
surfaces: [{miller: [1, 1, 0], thickness: 5}]
"""


@pytest.fixture
def folder(tmp_path):
    SALT.to(str(tmp_path / "own.cif"), fmt="cif")
    (tmp_path / "own.yaml").write_text(RECORD, encoding="utf-8")
    return tmp_path


def test_cif_poscar_and_yaml_give_the_same_slab(folder):
    SALT.to(str(folder / "POSCAR"), fmt="poscar")
    slabs = [build_slab(Library().filler(folder / n), "110", thickness=5) for n in ("own.cif", "POSCAR", "own.yaml")]
    for slab in slabs:
        assert slab.composition.reduced_formula == "NaCl"
        assert slab.lattice == slabs[0].lattice
        assert not slab.properties["polar"]
        distances = [np.sort(s.distance_matrix, axis=None) for s in (slab, slabs[0])]
        assert distances[0] == pytest.approx(distances[1], abs=1e-4)


def test_oxidation_states_of_a_bare_crystal_are_guessed_and_said(folder):
    record = Library().filler(folder / "own.cif")
    assert dict(record.oxidation_states) == {"Na": 1, "Cl": -1}
    assert any("guessed" in w for w in record.warnings)
    assert build_slab(record, "111", polar="keep").properties["polar"]


def test_without_oxidation_states_polarity_is_not_judged(tmp_path):
    alloy = Structure(Lattice.cubic(3.0), ["Ti", "Ni"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    alloy.to(str(tmp_path / "alloy.cif"), fmt="cif")
    slab = build_slab(Library().filler(tmp_path / "alloy.cif"))
    assert slab.properties["polar"] is None
    assert slab.properties["dipole_per_area"] is None


@pytest.mark.parametrize("offset", [0.0, 9.0, 18.5])
def test_a_ready_slab_is_used_as_it_is(tmp_path, offset):
    lattice = Lattice.orthorhombic(5.64, 5.64, 20)
    heights = np.array([0.0, 0.0, 2.82, 2.82])
    places = [[0, 0], [2.82, 2.82], [2.82, 2.82], [0, 0]]
    cart = np.column_stack([places, np.mod(heights + offset, 20)])
    slab = Structure(lattice, ["Na", "Cl", "Na", "Cl"], cart, coords_are_cartesian=True)
    slab.to(str(tmp_path / "slab.vasp"), fmt="poscar")
    built = build_slab(Library().filler(tmp_path / "slab.vasp"), vacuum=10)
    z = np.sort(built.cart_coords[:, 2])
    assert z == pytest.approx([BOTTOM_VACUUM] * 2 + [BOTTOM_VACUUM + 2.82] * 2, abs=1e-5)
    assert built.lattice.abc[:2] == pytest.approx((5.64, 5.64))
    assert built.lattice.c - z.max() >= 10 - 1e-6
    assert built.lattice.pbc == (True, True, False)
    assert set(built.site_properties["component"]) == {"slab"}
    assert built.properties["surface"] == "as given"


def test_a_ready_slab_is_not_cut_otherwise(tmp_path):
    slab = Structure(Lattice.orthorhombic(8, 8, 20), ["Mg", "O"], [[0, 0, 0.5], [0.25, 0, 0.5]])
    path = str(tmp_path / "slab.vasp")
    slab.to(path, fmt="poscar")
    assert len(build_substrate(SlabSpec(filler=path), Library(), (1.0, 1.0))) == 2
    for other in ({"thickness": 30.0}, {"surface": (1, 1, 0)}):
        with pytest.raises(InputError, match="is a ready slab, used as it is"):
            build_substrate(SlabSpec(filler=path, **other), Library(), (1.0, 1.0))


def test_a_slab_whose_charges_do_not_cancel_is_refused(folder):
    (folder / "own.yaml").write_text(RECORD.replace("Na: 1", "Na: 2"), encoding="utf-8")
    with pytest.raises(InputError, match="add up to"):
        build_slab(Library().filler(folder / "own.yaml"))


@pytest.mark.slow
def test_builtin_and_own_copy_are_the_same(tmp_path):
    (tmp_path / "copy.cif").write_text((builtin_folder() / "crystals" / "LiI.cif").read_text(encoding="utf-8"))
    own = build_slab(Library().filler(tmp_path / "copy.cif"), thickness=8, in_plane=(8.4, 8.4))
    builtin = build_slab(Library().filler("LiI"))
    assert own.composition == builtin.composition
    assert own.cart_coords == pytest.approx(builtin.cart_coords, abs=1e-6)

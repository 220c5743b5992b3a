"""Arms on silica: bonded, neutral, with room, and told apart from the slab."""

from __future__ import annotations

import numpy as np
import pytest

from iface_wf.builders.components import select
from iface_wf.builders.solids.graft import graft
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.surfaces import CONTACT, closest_contact
from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.records import Graft, SurfaceSpec

ARM = {"smiles": "*[Si](O)(O)CCCS(=O)(=O)[O-]", "counter_ion": "[Li+]", "source": "10.1002/aenm.202303940"}


@pytest.fixture(scope="module")
def grafted():
    return build_slab(Library().filler("SiO2-SO3Li"))


@pytest.mark.slow
def test_the_arm_is_lithium_propylsulfonate_on_one_silanol(grafted):
    bare = build_slab(Library().filler("SiO2-cristobalite"))
    assert select(grafted, "graft").composition.formula == "Li1 Si1 H8 C3 S1 O5"  # the sixth O is the surface's
    assert len(select(grafted, "slab")) == len(bare) - 1
    assert grafted.site_properties["component"] == ["slab"] * (len(bare) - 1) + ["graft"] * 19
    top, bottom = grafted.properties["silanol_density"].values()
    per_cell = 100 / grafted.properties["area"]
    assert bottom - top == pytest.approx(per_cell, rel=1e-6)
    assert grafted.properties["graft"]["per_nm2"] == pytest.approx(per_cell, rel=1e-6)


def test_every_atom_keeps_its_valence(grafted):
    for site in grafted:
        near = grafted.get_neighbors(site, 1.95)
        counts = {e: sum(n.specie.symbol == e for n in near) for e in ("Si", "O", "C", "S")}
        hydrogen = sum(n.specie.symbol == "H" and n.nn_distance < 1.25 for n in near)
        match site.specie.symbol:
            case "Si":
                assert counts["O"] + counts["C"] == 4
            case "O":
                assert counts["Si"] + counts["S"] + hydrogen == (1 if counts["S"] else 2)
            case "C":
                assert counts["C"] + counts["S"] + counts["Si"] + hydrogen == 4
            case "S":
                assert counts["O"] == 3
            case "H":
                assert sum(n.nn_distance < 1.25 for n in near) == 1
    assert closest_contact(grafted)[0] > CONTACT


def test_lithium_sits_at_the_sulfonate(grafted):
    lithium = next(s for s in grafted if s.specie.symbol == "Li")
    oxygens = [n for n in grafted.get_neighbors(lithium, 2.5) if n.specie.symbol == "O"]
    assert min(n.nn_distance for n in oxygens) == pytest.approx(1.97, abs=0.1)
    for n in oxygens:
        assert any(m.specie.symbol == "S" for m in grafted.get_neighbors(grafted[n.index], 1.8))


def test_the_arm_stands_up_and_is_free_to_move(grafted):
    slab, arm = select(grafted, "slab"), select(grafted, "graft")
    assert arm.cart_coords[:, 2].max() > slab.cart_coords[:, 2].max() + 3
    assert np.array(arm.site_properties["selective_dynamics"]).all()
    assert grafted.lattice.c - grafted.cart_coords[:, 2].max() >= 8 - 1e-6
    assert grafted.properties["charge"] == 0


@pytest.mark.slow
def test_same_seed_same_arm():
    record = Library().filler("SiO2-SO3Li")
    assert build_slab(record, seed=3) == build_slab(record, seed=3)


def test_two_neutral_arms_on_a_larger_cell():
    record = (
        Library()
        .filler("SiO2-SO3Li")
        .model_copy(
            update={"graft": Graft(smiles="*[Si](C)(C)C", count=2, source="silylation with chlorotrimethylsilane")}
        )
    )
    slab = build_slab(record, in_plane=(9.8, 17.0))
    assert select(slab, "graft").composition.formula == "Si2 H18 C6"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counter_ion": None}, "counter ion must balance"),
        ({"smiles": "*[Si](C)(C)C"}, "counter ion must balance"),
        ({"count": 4, "smiles": "*[Si](c1ccccc1)(c1ccccc1)c1ccccc1", "counter_ion": None}, "no room"),
    ],
)
def test_impossible_arms_are_refused(change, message):
    record = Library().filler("SiO2-SO3Li").model_copy(update={"graft": Graft(**ARM | change)})
    with pytest.raises(InputError, match=message):
        build_slab(record)


def test_a_face_without_silanols_carries_no_arm():
    bare = build_slab(Library().filler("SiO2"), SurfaceSpec(miller=(1, 0, 1), thickness=4))
    with pytest.raises(InputError, match="silanols on the top face"):
        graft(bare, Graft(**ARM))

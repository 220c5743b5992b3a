"""Labels partition the sites; a selection keeps order, places, cell and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from iface_wf.builders.components import indices, label, select
from iface_wf.documents.labels import COMPONENTS
from iface_wf.errors import InputError


def structure(labels):
    lattice = Lattice(np.diag([5.0, 6.0, 30.0]), pbc=(True, True, False))
    made = Structure(lattice, ["H"] * len(labels), [[0.1, 0.2, 1.5 * k / len(labels)] for k in range(len(labels))])
    made.add_site_property("component", labels)
    made.properties = {"filler": "X"}
    return made


@given(st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=30))
def test_labels_partition_the_sites(labels):
    made = structure(labels)
    parts = [indices(made, name) for name in COMPONENTS]
    assert sorted(i for part in parts for i in part) == list(range(len(labels)))
    for name, part in zip(COMPONENTS, parts, strict=True):
        if part:
            chosen = select(made, name)
            assert np.allclose(chosen.cart_coords, made.cart_coords[part], atol=1e-9)
            assert chosen.lattice == made.lattice
            assert chosen.lattice.pbc == made.lattice.pbc
            assert chosen.properties == made.properties
    assert indices(made, *COMPONENTS) == list(range(len(labels)))


def test_what_is_not_there_is_an_error():
    made = structure(["slab"])
    with pytest.raises(InputError, match="polymer"):
        select(made, "polymer")
    with pytest.raises(InputError, match="did you mean slab"):
        indices(made, "slap")
    with pytest.raises(InputError, match="did you mean slab"):
        label(made, "slap")
    made.remove_site_property("component")
    with pytest.raises(InputError, match="component"):
        indices(made, "slab")


def test_label_leaves_the_original_alone():
    made = structure(["slab", "slab"])
    assert label(made, "graft", [1]).site_properties["component"] == ["slab", "graft"]
    assert made.site_properties["component"] == ["slab", "slab"]

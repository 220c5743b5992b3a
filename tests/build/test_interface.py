"""One interface from names."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from iface_wf.build.components import select
from iface_wf.build.interface import InterfaceSpec, build_interface
from iface_wf.errors import InputError
from iface_wf.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    return Library(tmp_path_factory.mktemp("own"))


def test_peo_on_silica(library: Library) -> None:
    spec = InterfaceSpec(filler="SiO2", polymer="PEO", units=2, n_placements=3)
    built = build_interface(spec, library)
    first = built.placements[0]
    np.testing.assert_allclose(select(first, "slab").cart_coords, built.slab.cart_coords, atol=1e-9)
    assert len(select(first, "polymer")) == 19
    assert built.report["charge"] == 0
    assert built.report["atoms"]["total"] == len(built.slab) + 19
    assert len(built.report["contacts"]) == len(built.placements)
    assert json.loads(json.dumps(built.report)) == built.report
    json.dumps(first.properties)


def test_atom_cap(library: Library) -> None:
    with pytest.raises(InputError, match="at most 50"):
        build_interface(InterfaceSpec(filler="SiO2", polymer="PEO", units=2, max_atoms=50), library)


def test_unknown_keys_and_empty_specs_are_refused() -> None:
    with pytest.raises(ValidationError, match="polimer"):
        InterfaceSpec(filler="SiO2", polimer="PEO")
    with pytest.raises(ValidationError, match="polymer, a salt"):
        InterfaceSpec(filler="SiO2")

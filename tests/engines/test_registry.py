"""Engines by name, and the variants of cheap ones."""

import pytest

from iface_wf.engines import registry
from iface_wf.errors import InputError
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.quantities.surface.request import SurfacesRequest


@pytest.mark.parametrize(
    ("name", "engine", "settings"),
    [
        ("mlip:7net-0", "mlip", {"model": "7net-0"}),
        ("xtb:GFN2-xTB", "xtb", {"method": "GFN2-xTB"}),
        ("mlip", "mlip", {}),
    ],
)
def test_a_variant_is_a_setting(name, engine, settings):
    assert registry.require_cheap(name) == name
    made = registry.create(name, level="fast", overrides={"fmax": 0.07})
    same = registry.create(engine, level="fast", overrides={"fmax": 0.07} | settings)
    assert made == same
    assert made.defaults() == same.defaults()
    assert made.defaults()["fmax"] == pytest.approx(0.07)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("xtb:GFN9", "must be 'GFN1-xTB', 'GFN2-xTB' or 'IPEA1-xTB'"),
        ("mlip:", "cannot be ''"),
        ("gpaw:x", "'gpaw' has no variants"),
        ("toyy:x", "Unknown cheap engine 'toyy'"),
        ("gpaw", "Unknown cheap engine 'gpaw'"),
    ],
)
def test_what_is_no_variant_is_one_sentence(name, text):
    with pytest.raises(InputError, match=text):
        BindingRequest(filler="SiO2", molecule="O", geometry=name)


def test_geometry_by_a_variant_counts_in_the_key_and_its_spelling_does_not():
    parts = {"A": "a", "B": "b"}
    keys = [
        BindingRequest(filler="SiO2", molecule="O", geometry=name).content_key("binding", parts, {})
        for name in ("mlip", "mlip:CHGNet", "mlip:7net-0", None)
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_a_variant_is_no_engine_of_its_own():
    with pytest.raises(InputError, match="Unknown engine 'mlip:7net-0'"):
        BindingRequest(filler="SiO2", molecule="O", engine="mlip:7net-0")
    with pytest.raises(InputError, match="Unknown engine 'mlip:7net-0'"):
        SurfacesRequest(filler="SiO2", engine="mlip:7net-0")

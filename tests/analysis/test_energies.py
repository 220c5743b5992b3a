"""Terms of a binding energy against hand-made numbers and against their definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iface_wf.analysis.energies import Energy, binding_terms, require_same_settings
from iface_wf.errors import MismatchError

ROLES = ("AB", "A", "B", "A*", "B*", "A* in AB basis", "B* in AB basis")
energy = st.builds(Energy, st.floats(-1e4, 1e4), st.floats(-10, 0))


def test_hand_computed_example():
    terms = binding_terms(
        {
            "AB": Energy(-110.0, -3.0),
            "A": Energy(-80.0, -1.5),
            "B": Energy(-29.0, -0.5),
            "A*": Energy(-79.9, -1.4),
            "B*": Energy(-28.8, -0.5),
            "A* in AB basis": Energy(-80.0, -1.4),
            "B* in AB basis": Energy(-28.95, -0.5),
        }
    )
    assert terms.binding_raw.total == pytest.approx(-1.0, abs=1e-10)
    assert terms.interaction_raw.total == pytest.approx(-1.3, abs=1e-10)
    assert terms.deformation["A"].total == pytest.approx(0.1, abs=1e-10)
    assert terms.deformation["B"].total == pytest.approx(0.2, abs=1e-10)
    assert terms.bsse == pytest.approx(0.25, abs=1e-10)
    assert terms.binding == pytest.approx(-0.75, abs=1e-10)
    assert terms.interaction == pytest.approx(-1.05, abs=1e-10)
    assert terms.binding_raw.dispersion == pytest.approx(-1.0, abs=1e-10)
    assert terms.interaction_raw.dispersion == pytest.approx(-1.1, abs=1e-10)


@given(st.lists(energy, min_size=7, max_size=7))
def test_binding_is_interaction_plus_deformations(energies):
    terms = binding_terms(dict(zip(ROLES, energies, strict=True)))
    deformation = sum(d.total for d in terms.deformation.values())
    assert terms.binding_raw.total == pytest.approx(terms.interaction_raw.total + deformation, abs=1e-8)
    assert terms.binding == pytest.approx(terms.interaction + deformation, abs=1e-8)
    dispersion = terms.interaction_raw.dispersion + sum(d.dispersion for d in terms.deformation.values())
    assert terms.binding_raw.dispersion == pytest.approx(dispersion, abs=1e-8)


def test_without_ghosts_there_is_no_counterpoise():
    terms = binding_terms({role: Energy(-1.0) for role in ROLES[:5]})
    assert terms.bsse is None
    assert (terms.binding, terms.interaction) == (terms.binding_raw.total, terms.interaction_raw.total)


def test_unlike_settings_are_named():
    settings = {"AB": {"grid": [40, 40, 80], "xc": "PBE"}, "A*": {"grid": [40, 40, 80], "xc": "PBE"}}
    require_same_settings(settings, ["grid", "xc"])
    settings["A*"]["grid"] = [40, 45, 80]
    with pytest.raises(MismatchError, match=r"grid of A\* is \[40, 45, 80\]"):
        require_same_settings(settings, ["grid", "xc"])

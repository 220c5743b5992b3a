"""Charge transfer between components, whatever scheme gave the charges."""

from collections.abc import Sequence
from typing import Literal

import pytest

from iface_wf.analysis.charges import charge_transfer, component_sums
from iface_wf.documents.charges import ChargesDocument
from iface_wf.errors import InputError


class Invented(ChargesDocument):
    """A second scheme, which needs nothing but its class."""

    scheme: Literal["invented"] = "invented"


def charges(labels: Sequence[str], net: Sequence[float], cls=Invented, **changes):
    species = ["Li" if label == "salt_cation" else "O" for label in labels]
    values = {
        "engine": "by hand", "engine_version": "1", "species": species, "components": list(labels),
        "net_charges": list(net), "component_charges": component_sums(labels, net),
    }  # fmt: skip
    return cls(**values | changes)


def test_a_polymer_with_an_ion_pair_also_moves_charge_within_itself():
    """Slab and polymer lose 0.1 and 0.05 e to the anion; the cation, which keeps its charge, moves nothing."""
    whole = charges(
        ["slab", "slab", "graft", "polymer", "salt_cation", "salt_anion"], [0.5, -0.4, 0.0, 0.05, 0.9, -1.05]
    )
    slab = charges(["slab", "slab", "graft"], [0.5, -0.5, 0.0])
    fragment = charges(["polymer", "salt_cation", "salt_anion"], [0.0, 0.9, -0.9])
    transfer = charge_transfer(whole, [slab, fragment])
    assert transfer == pytest.approx(
        {"slab": 0.1, "graft": 0.0, "polymer": 0.05, "salt_cation": 0.0, "salt_anion": -0.15}, abs=1e-12
    )
    assert sum(transfer.values()) == pytest.approx(0.0, abs=1e-12)


def test_labels_tell_whose_atoms_are_meant_not_their_order():
    whole = charges(["polymer", "slab"], [0.2, -0.2])
    assert charge_transfer(whole, [charges(["slab"], [0.0]), charges(["polymer"], [0.0])]) == pytest.approx(
        {"polymer": 0.2, "slab": -0.2}
    )


def test_what_is_no_pair_is_refused():
    whole, slab, polymer = (
        charges(["slab", "polymer"], [0.2, -0.2]),
        charges(["slab"], [0.0]),
        charges(["polymer"], [0.0]),
    )
    with pytest.raises(InputError, match="component label"):
        charge_transfer(whole, [slab, polymer.model_copy(update={"components": None})])
    with pytest.raises(InputError, match="bader, invented"):
        charge_transfer(whole, [slab, polymer.model_copy(update={"scheme": "bader"})])

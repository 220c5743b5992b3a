"""What is put together from finished calculations: sums of charges, and marks where they do not fit."""

import pytest

from iface_wf.builders.components import select
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.flows.placements import RankedPlacements
from iface_wf.quantities.binding.collect import binding_document
from tests.analysis.test_charges import charges
from tests.documents.test_charges import BADER
from tests.examples import structure
from tests.quantities.binding.small import ABOUT

BADER_OF = {"slab": [0.3, 0.5, -0.4, -0.5], "polymer": [-0.4, 0.5]}  # in AB: the polymer lost 0.1 e
ALONE = {"slab": [0.5, 0.5, -0.5, -0.5], "polymer": [-0.5, 0.5]}


def bader(net):
    from iface_wf.documents.bader import BaderDocument

    labels = [label for label, values in net.items() for _ in values]
    return charges(labels, [q for values in net.values() for q in values], BaderDocument, **BADER)


def calculation(role, atoms, net=None, **changes):
    values = {
        "key": role, "kind": "static", "role": role, "engine": "xtb", "engine_version": "1", "level": "fast",
        "functional": "PBE", "structure": atoms.as_dict(), "formula": "x", "n_atoms": len(atoms),
        "energy": -1.0 * len(atoms), "converged": True, "charges": {"bader": bader(net)} if net else {},
    }  # fmt: skip
    return CalculationDocument(**values | changes)


def collected(alone=None, relaxations=(), dispersions=None, **changes):
    """Collect an interface; ``dispersions``: dispersion energies by role."""
    whole = structure()
    alone = ALONE | (alone or {})
    calculations = {WHOLE: calculation(WHOLE, whole, BADER_OF, **changes)}
    for part, label in zip(PARTS, ("slab", "polymer"), strict=True):
        atoms = select(whole, *part.components)
        calculations[part.name] = calculation(part.name, atoms)
        calculations[part.frozen] = calculation(part.frozen, atoms)
        calculations[part.with_ghosts] = calculation(part.with_ghosts, atoms, {label: alone[label]})
    for role, energies in (dispersions or {}).items():
        calculations[role] = calculations[role].model_copy(update={"dispersion_energies": energies})
    ranked = RankedPlacements(structure=whole.as_dict(), placement=0, engine="none")
    return binding_document(calculations, dict(relaxations), {}, ranked, ABOUT)


def test_charges_are_summed_by_component_and_those_of_atoms_stay_with_the_densities():
    document = collected()
    assert document.charge_transfer == pytest.approx({"slab": -0.1, "polymer": 0.1}, abs=1e-12)
    assert document.charge_scheme == "bader"
    sums = document.charges["bader"]
    assert sums.component_charges["AB"] == pytest.approx({"slab": -0.1, "polymer": 0.1}, abs=1e-12)
    assert set(sums.component_charges) == {"AB", "A* in AB basis", "B* in AB basis"}
    assert sums.flags["AB"] == ["grid_too_coarse"]
    assert "net_charges" not in document.model_dump_json()


def test_charges_that_do_not_add_up_are_no_result_but_a_flag():
    document = collected(alone={"polymer": [-0.5, 0.9]})
    assert document.charge_transfer == {}
    assert document.charge_scheme is None
    assert [flag for flag in document.flags if flag.startswith("charge_transfer_failed: ")]
    assert document.binding_energy == pytest.approx(0.0)


def test_converged_tells_of_the_calculations_and_trustworthy_of_the_number():
    relaxed = calculation("AB", structure(), flags=["desorbed"])
    document = collected(relaxations={"AB": relaxed}.items())
    assert (document.converged, document.trustworthy) == (True, False)
    halted = calculation("AB", structure(), flags=["geometry_unconverged"], converged=False)
    document = collected(relaxations={"AB": halted}.items())
    assert (document.converged, document.trustworthy) == (False, False)


def test_dispersion_shares_are_told_by_every_model_that_all_calculations_have():
    energies = {"AB": -3.0, "A": -1.5, "B": -0.5, "A*": -1.4, "B*": -0.4}
    both = {role: {"D3(BJ)": energy, "D4": 0.5 * energy} for role, energy in energies.items()}
    document = collected(dispersions=both)
    assert document.dispersion_shares == pytest.approx({"D3(BJ)": -1.0, "D4": -0.5}, abs=1e-12)
    assert document.dispersion_interaction_shares == pytest.approx({"D3(BJ)": -1.2, "D4": -0.6}, abs=1e-12)
    one = collected(dispersions=both | {"A": {"D4": -0.75}})  # of a calculation of before, or without parameters
    assert set(one.dispersion_shares) == {"D4"}
    assert set(one.dispersion_interaction_shares) == {"D3(BJ)", "D4"}
    assert collected().dispersion_shares == {}

"""What is put together from finished calculations: sums of charges, and marks where they do not fit."""

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iface_wf.analysis.uncertainty import SEEDS_APART
from iface_wf.builders.components import select
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.hirshfeld import HirshfeldDocument
from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.documents.search import SearchSummary
from iface_wf.flows.placements import RankedPlacements
from iface_wf.quantities.binding import page
from iface_wf.quantities.binding.collect import binding_document
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.lateral import LateralDocument
from tests.analysis.test_charges import charges
from tests.documents.test_charges import BADER
from tests.examples import document as example
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


def collected(
    alone=None, relaxations=(), lateral=None, energies=MappingProxyType({}), dispersions=None, alter=dict, **changes
):
    """Collect an interface; ``energies``, ``dispersions``: total and dispersion energies by role."""
    whole = structure()
    alone = ALONE | (alone or {})
    calculations = {WHOLE: calculation(WHOLE, whole, BADER_OF, **changes)}
    for part, label in zip(PARTS, ("slab", "polymer"), strict=True):
        atoms = select(whole, *part.components)
        calculations[part.name] = calculation(part.name, atoms)
        calculations[part.frozen] = calculation(part.frozen, atoms)
        calculations[part.with_ghosts] = calculation(part.with_ghosts, atoms, {label: alone[label]})
    for role, shares in (dispersions or {}).items():
        calculations[role] = calculations[role].model_copy(update={"dispersion_energies": shares})
    ranked = RankedPlacements(structure=whole.as_dict(), placement=0, engine="none")
    for role, energy in energies.items():
        calculations[role] = calculations[role].model_copy(update={"energy": energy})
    return binding_document(alter(calculations), dict(relaxations), {}, ranked, ABOUT, lateral=lateral)


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


def hirshfeld_of(calculations):
    """Give the same calculations charges by Hirshfeld's partition, half as large as Bader's."""
    found = {}
    for role, each in calculations.items():
        if "bader" in each.charges:
            by_bader = each.charges["bader"]
            told = {
                "net_charges": [x / 2 for x in by_bader.net_charges],
                "component_charges": {name: x / 2 for name, x in by_bader.component_charges.items()},
            }
            fields = set(HirshfeldDocument.model_fields) & set(by_bader.model_dump()) - {"scheme", "flags"}
            kept = by_bader.model_dump(include=fields)
            scheme = HirshfeldDocument(**kept | told, free_atoms="test", far_electrons=0.0)
            each = each.model_copy(update={"charges": {**each.charges, "hirshfeld": scheme}})
        found[role] = each
    return found


def test_two_schemes_stand_side_by_side_and_bader_s_remains_the_first():
    document = collected(alter=hirshfeld_of)
    assert document.charge_transfers["bader"] == document.charge_transfer
    assert document.charge_transfers["hirshfeld"] == pytest.approx({"slab": -0.05, "polymer": 0.05}, abs=1e-12)
    (section,) = [each for each in page.sections(document) if each.title == "Charges of the components by scheme"]
    assert section.headings[:3] == ("component", "lost, e (bader)", "lost, e (hirshfeld)")
    assert section.rows[0][:3] == ("slab", pytest.approx(-0.1), pytest.approx(-0.05))
    assert [row.value for row in page.summary(document) if row.name == "  slab by hirshfeld"] == [pytest.approx(-0.05)]


def test_where_the_first_scheme_failed_no_other_takes_its_place():
    def without_bader(calculations):
        return {
            role: each.model_copy(
                update={
                    "charges": {name: found for name, found in each.charges.items() if name != "bader"},
                    "flags": ["bader_failed: electrons were lost"] if each.charges else [],
                }
            )
            for role, each in hirshfeld_of(calculations).items()
        }

    document = collected(alter=without_bader)
    assert (document.charge_transfer, document.charge_scheme) == ({}, None)
    assert list(document.charge_transfers) == ["hirshfeld"]


def lcao(role, atoms, energy, **changes):
    """A single point of GPAW in atom-centred functions."""
    settings = {"mode": "lcao", "basis": "dzp", "grid_steps": [[0.2, 0, 0], [0, 0.2, 0], [0, 0, 0.2]]}
    return calculation(role, atoms, energy=energy, engine="gpaw", basis="LCAO dzp", settings=settings, **changes)


def single_points(whole=None, **energies):
    whole = whole or structure()
    parts = {role: atoms for part in PARTS for atoms in [select(whole, *part.components)]
             for role in (part.name, part.frozen, part.with_ghosts)}  # fmt: skip
    every = {WHOLE: whole, **parts}
    return {role: lcao(role, every[role], energy) for role, energy in energies.items()}


ENERGIES = {"AB": -30.5, "A": -20.0, "B": -10.0, "A*": -19.97, "B*": -9.93}
GHOSTS = {"A* in AB basis": -20.01, "B* in AB basis": -9.99}
RANKED = RankedPlacements(structure=structure().as_dict(), placement=0, engine="none")


def test_the_headline_is_corrected_and_both_sums_are_exact():
    document = binding_document(single_points(**ENERGIES, **GHOSTS), {}, {}, RANKED, ABOUT)
    assert document.bsse_energy == pytest.approx(0.1, abs=1e-12)
    assert (document.binding_energy_raw, document.binding_energy) == pytest.approx((-0.5, -0.4), abs=1e-12)
    assert (document.interaction_energy_raw, document.interaction_energy) == pytest.approx((-0.6, -0.5), abs=1e-12)
    deformation = sum(document.deformation_energy.values())
    assert document.binding_energy == pytest.approx(document.interaction_energy + deformation, abs=1e-12)
    assert document.binding_energy_raw == pytest.approx(document.interaction_energy_raw + deformation, abs=1e-12)
    assert document.binding_energy_per_area == pytest.approx(document.binding_energy / document.area, abs=1e-12)
    assert document.number == document.binding_energy
    assert "uncorrected_basis" not in document.flags


@pytest.mark.parametrize("roles", [("AB", "A", "B"), tuple(ENERGIES)])
def test_jobs_of_before_that_cannot_be_corrected_say_so(roles):
    document = binding_document(single_points(**{r: ENERGIES[r] for r in roles}), {}, {}, RANKED, ABOUT)
    assert document.binding_energy == document.binding_energy_raw == pytest.approx(-0.5, abs=1e-12)
    assert "uncorrected_basis" in document.flags
    assert document.uncertainty_parts["basis"] > 0.25


def test_the_structure_is_compared_with_the_placement_as_built_and_parts_with_themselves():
    """What the steps of the ranking tore off is not hidden by them."""
    built, torn = structure(), structure()
    torn.translate_sites([5], [0, 0, 3.0], frac_coords=False)  # HF, as placed, has its bond; after ranking it has not
    relaxations = {"A": calculation("A", built, kind="relax", flags=["slab_changed"]),
                   "AB": calculation("AB", torn, kind="relax", flags=["clash"])}  # fmt: skip
    placements = RankedPlacements(structure=torn.as_dict(), placement=0, built=built.as_dict(), engine="none")
    document = binding_document(single_points(torn, **ENERGIES, **GHOSTS), relaxations, {}, placements, ABOUT)
    geometric = [flag for flag in document.flags if not flag.startswith(("deformation", "negative"))]
    assert geometric == ["slab_changed (relax A)", "clash (relax AB)", "dissociated"]
    assert not document.trustworthy
    placements = placements.model_copy(update={"built": None})  # of a job of before
    document = binding_document(single_points(torn, **ENERGIES, **GHOSTS), {}, {}, placements, ABOUT)
    assert document.flags == []


EXAMPLE = example()


@settings(deadline=None, max_examples=25)
@given(energies=st.lists(st.floats(-3, 1), min_size=2, max_size=6))
def test_the_uncertainty_is_never_below_the_spread_of_repeated_seeds(energies):
    spread = float(np.std(energies))
    stored = EXAMPLE
    search = SearchSummary(engine="GFN1-xTB", seeds=[0, 1], docked=9, tried=8, relaxed=2, distinct_minima=3, spread=spread,
                           steps=90, core_seconds=60.0, stopped="patience")  # fmt: skip
    known = {"search": search, "dispersion_shares": {"D3(BJ)": -0.3, "D4": -0.2}, "lateral_energy": -0.07}
    document = BindingDocument(
        **stored.model_dump(exclude={"trustworthy", "uncertainty", "uncertainty_parts", *known}), **known
    )
    assert document.uncertainty >= spread
    assert document.uncertainty >= stored.uncertainty
    of_seeds = SEEDS_APART * 2 / 7 * abs(document.binding_energy)  # three minima for eight tries
    parts = {"search": max(spread, of_seeds), "basis": 0.008, "dispersion": 0.05, "lateral": 0.07, "geometry": 0.25}
    assert document.uncertainty_parts == pytest.approx(parts)
    read = BindingDocument.model_validate_json(document.model_dump_json())  # stored, and made again from the same facts
    assert read.uncertainty == document.uncertainty


def test_two_ml_potentials_tell_the_spread_between_them():
    def by(functional, energies):
        whole = structure()
        atoms = {WHOLE: whole} | {part.name: select(whole, *part.components) for part in PARTS}
        return {
            role: calculation(role, atoms[role], energy=energy, engine="mlip", functional=functional,
                              basis="ML potential")
            for role, energy in energies.items()
        }  # fmt: skip

    one, other = {"AB": -30.5, "A": -20.0, "B": -10.0}, {"AB": -41.9, "A": -30.0, "B": -11.0}
    document = binding_document(by("CHGNet 0.3.0", one), by("7net-0", other), {}, RANKED, ABOUT)
    assert document.model_energies == pytest.approx({"CHGNet 0.3.0": -0.5, "7net-0": -0.9}, abs=1e-12)
    assert document.uncertainty_parts["model"] == pytest.approx(0.2, abs=1e-12)
    alone = binding_document(by("CHGNet 0.3.0", one), by("CHGNet 0.3.0", one), {}, RANKED, ABOUT)
    assert "model" not in alone.uncertainty_parts


def test_converged_tells_of_the_calculations_and_trustworthy_of_the_number():
    relaxed = calculation("AB", structure(), flags=["desorbed"])
    document = collected(relaxations={"AB": relaxed}.items())
    assert (document.converged, document.trustworthy) == (True, False)
    halted = calculation("AB", structure(), flags=["geometry_unconverged"], converged=False)
    document = collected(relaxations={"AB": halted}.items())
    assert (document.converged, document.trustworthy) == (False, False)


def test_what_the_images_give_is_stored_flagged_and_no_change_of_shape():
    lateral = LateralDocument(energy=-0.08, method="GFN1-xTB-D3(BJ)", flags=["crowded (-0.080 eV)"])
    # B* is 0.05 eV below B because its images attract it by 0.08: its shape costs 0.03
    document = collected(lateral=lateral, energies={"B": -2.0, "B*": -2.05})
    assert (document.lateral_energy, document.lateral_method) == (-0.08, "GFN1-xTB-D3(BJ)")
    assert document.image_distance > 0
    assert document.coverage == pytest.approx(100.0 / document.area)
    assert document.flags == ["crowded (-0.080 eV)"]
    assert document.trustworthy
    terms = document.interaction_energy + sum(document.deformation_energy.values())
    assert terms == pytest.approx(document.binding_energy, abs=1e-12)
    unexplained = collected(energies={"B": -2.0, "B*": -2.05})
    assert unexplained.flags == ["negative_deformation (B: -0.050 eV)"]
    assert unexplained.lateral_energy is None


def test_a_whole_above_its_parts_on_minima_of_another_method_is_flagged():
    elsewhere = {"AB": calculation("AB", structure(), engine="mlip")}
    above = {"AB": -1.0, "A": -1.5, "B": -0.5, "A*": -1.4, "B*": -0.4, "A* in AB basis": -1.4, "B* in AB basis": -0.4}
    document = collected(relaxations=elsewhere.items(), energies=above)
    assert document.binding_energy == pytest.approx(1.0)
    assert "unbound_at_cheap_geometry (+1.000 eV)" in document.flags
    assert document.uncertainty_parts["geometry"] == pytest.approx(1.0)
    assert not [flag for flag in collected(energies=above).flags if flag.startswith("unbound")]  # its own minimum
    bound = collected(relaxations=elsewhere.items(), energies=above | {"AB": -3.0})
    assert not [flag for flag in bound.flags if flag.startswith("unbound")]


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

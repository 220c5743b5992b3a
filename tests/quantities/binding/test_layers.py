"""Binding energies of several molecules: against each of them alone, with what they give each other told apart."""

from __future__ import annotations

import numpy as np
import pytest

import iface_wf
from iface_wf.builders.contact import gathered
from iface_wf.documents.labels import CATION
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.library import Library
from iface_wf.quantities.binding.lateral import lateral_document
from tests.tiny_library import write_library

QUICK = {"engine": "xtb", "placements": 1, "vacuum": 6.0, "overrides": {"fmax": 0.2}, "in_plane": (11.0, 10.0)}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(write_library(tmp_path_factory.mktemp("library")))


@pytest.fixture(scope="module")
def where(tmp_path_factory, library):
    folder = tmp_path_factory.mktemp("layer")
    return {"store": folder / "s.sqlite", "workdir": folder, "library": library}


@pytest.fixture(scope="module")
def layer(where):
    """Two methanes and a water on a layer of water."""
    return iface_wf.run(
        "water-layer", "methane", copies=2, beside=["water"], title="wet", **QUICK, **where,
    )  # fmt: skip


@pytest.mark.slow
def test_each_molecule_counts_with_its_own_energy(layer):
    energies = {term.role: term.energy for term in layer.terms}
    assert set(energies) >= {"A", "AB", "A*", "B*", "B1", "B2"}
    assert "B" not in energies
    assert layer.binding_energy == pytest.approx(
        energies["AB"] - energies["A"] - 2 * energies["B1"] - energies["B2"], abs=1e-9
    )
    assert layer.binding_energy_per_molecule == pytest.approx(layer.binding_energy / 3)
    total = layer.interaction_energy + sum(layer.deformation_energy.values())
    assert total == pytest.approx(layer.binding_energy, abs=1e-9)
    assert [(m.name, m.formula, m.count, m.role) for m in layer.molecules] == [
        ("methane", "CH4", 2, "B1"), ("water", "H2O", 1, "B2"),
    ]  # fmt: skip
    assert layer.polymer == "2 methane + 1 water"
    assert layer.coverage == pytest.approx(300.0 / layer.area)


@pytest.mark.slow
def test_the_molecules_share_their_calculations_with_those_alone(layer, where):
    steps = iface_wf.run(
        "water-layer", "methane", **QUICK, **{k: v for k, v in where.items() if k != "workdir"}, dry_run=True
    )
    found = {step["step"]: step["found"] for step in steps}
    assert found["relax A"]
    assert found["relax B"]


@pytest.mark.slow
def test_what_they_give_each_other_is_told(layer):
    engine = XtbEngine()
    labels = np.array(layer.structure.site_properties["component"])
    assert CATION not in labels
    # each beside the nearest of the others, across the border of the cell too
    molecules = gathered(layer.structure.cart_coords[labels != "slab"], layer.structure.lattice)
    energies = []
    for sites in (range(13), range(5), range(5, 10), range(10, 13)):
        piece = layer.structure.copy()
        keep = np.flatnonzero(labels != "slab")[list(sites)]
        piece.remove_sites([i for i in range(len(piece)) if i not in set(keep)])
        atoms = engine.atoms(piece)
        atoms.pbc = False
        atoms.positions = molecules[list(sites)]
        atoms.calc = engine.calculator(engine.defaults())
        energies.append(atoms.get_potential_energy())
    assert len(molecules) == 13
    assert layer.mutual_energy == pytest.approx(energies[0] - sum(energies[1:]), abs=1e-3)
    again = lateral_document(layer.structure, engine, [5, 5, 3])
    assert again.mutual_energy == pytest.approx(layer.mutual_energy, abs=1e-3)


@pytest.mark.slow
def test_title_and_molecules_are_told_where_results_are_shown(layer, where):
    table = iface_wf.results(store=where["store"])
    assert list(table["title"]) == ["wet"]
    assert list(table["polymer"]) == ["2 methane + 1 water"]
    from iface_wf.documents.kinds import get_kind

    assert get_kind("binding").heading_of(layer) == "wet: 2 methane + 1 water on water-layer (as given)"
    # a title is no part of what is calculated: the same, found, under another one
    again = iface_wf.run("water-layer", "methane", copies=2, beside="water", title="other", **QUICK, **where)
    assert (again.key, again.title) == (layer.key, "other")
    assert list(iface_wf.results(store=where["store"])["title"]) == ["other"]


@pytest.mark.slow
def test_what_lies_on_either_face_is_bound_as_on_one(where):
    asked = QUICK | {"placements": 2, "search": 15}
    both, one = (iface_wf.run("HF-layer", "methane", faces=faces, **asked, **where) for faces in ("both", "upper"))
    assert [each.count for each in both.molecules] == [2]
    labels = np.array(both.structure.site_properties["component"])
    z = both.structure.cart_coords[:, 2]
    assert (
        z[labels == "polymer"].min()
        < z[labels == "slab"].min()
        < z[labels == "slab"].max()
        < z[labels == "polymer"].max()
    )
    # methane on hydrogen fluoride: dispersion, which neither the other face nor neighbours 10 A away change
    assert both.binding_energy_per_molecule == pytest.approx(one.binding_energy, abs=0.02)
    assert both.binding_energy < one.binding_energy < 0
    # the slab that is relaxed from AB is back at its own height
    taken = both.provenance["references"]["A"]["energies"]
    assert taken["A from AB"] <= taken["A"] + 1e-3
    assert not {"desorbed", "clash", "slab_changed"} & {flag.split(" ")[0] for flag in both.flags}


@pytest.mark.slow
def test_functions_that_molecules_lend_each_other_are_corrected(layer, where):
    from iface_wf.documents.calculation import CalculationDocument
    from iface_wf.flows.placements import RankedPlacements
    from iface_wf.quantities.binding.layers import collect_layer
    from iface_wf.store.reuse import find_finished
    from iface_wf.store.settings import open_store

    store = open_store(str(where["store"]))
    found = {
        term.role: CalculationDocument.model_validate(find_finished(store, term.key, load=False)["output"])
        for term in layer.terms
    }
    lent = {"molecule 1*": 0.0, "molecule 1* in B* basis": -0.1, "molecule 2*": 0.0, "molecule 2* in B* basis": -0.2}
    between = {role: found["B*"].model_copy(update={"energy": energy}) for role, energy in lent.items()}
    whole = layer.structure.as_dict()
    start = RankedPlacements(structure=whole, placement=0, engine="none")
    told = [each.model_dump(include={"name", "formula", "count"}) for each in layer.molecules]
    calculations = found | {f"{role} from AB": found[role] for role in ("A", "B1", "B2")}
    document = collect_layer.original(
        calculations, {}, {}, start, {"molecules": told, "faces": 1, "provenance": {}}, [2, 1], between=between
    )
    assert document.binding_energy == pytest.approx(layer.binding_energy + 0.3)
    assert document.binding_energy_raw == pytest.approx(layer.binding_energy)
    assert document.interaction_energy == pytest.approx(layer.interaction_energy)
    total = document.interaction_energy + sum(document.deformation_energy.values())
    assert total == pytest.approx(document.binding_energy)
    # one that gave no energy leaves none
    between["molecule 2*"] = between["molecule 2*"].model_copy(
        update={"converged": False, "flags": ["scf_unconverged"]}
    )
    document = collect_layer.original(
        calculations, {}, {}, start, {"molecules": told, "faces": 1, "provenance": {}}, [2, 1], between=between
    )
    assert document.binding_energy is None
    assert not document.trustworthy
    assert "scf_unconverged (molecule 2*)" in document.flags


def test_a_screening_of_coverages_shares_one_slab_and_one_molecule(library, tmp_path):
    spec = {"fillers": ["water-layer"], "polymers": ["water"], "copies": [1, 2, 4], "engine": "xtb", "placements": 1}
    spec |= {"in_plane": [11.0, 10.0], "quantities": ["binding_energy"]}
    (stage,) = iface_wf.screen(spec, dry_run=True, store=tmp_path / "s.sqlite", library=library)
    assert stage.pairs == 3
    assert stage.refused == []
    assert (stage.counts["references"], stage.counts["complexes"]) == (2, 3)

"""Binding energies of several molecules: against each of them alone, with what they give each other told apart."""

from __future__ import annotations

import numpy as np
import pytest

import iface_wf
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
    molecules = layer.structure.cart_coords[labels != "slab"]
    energies = []
    for sites in (range(13), range(5), range(5, 10), range(10, 13)):
        piece = layer.structure.copy()
        keep = np.flatnonzero(labels != "slab")[list(sites)]
        piece.remove_sites([i for i in range(len(piece)) if i not in set(keep)])
        atoms = engine.atoms(piece)
        atoms.pbc = False
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


def test_a_screening_of_coverages_shares_one_slab_and_one_molecule(library, tmp_path):
    spec = {"fillers": ["water-layer"], "polymers": ["water"], "copies": [1, 2, 4], "engine": "xtb", "placements": 1}
    spec |= {"in_plane": [11.0, 10.0], "quantities": ["binding_energy"]}
    (stage,) = iface_wf.screen(spec, dry_run=True, store=tmp_path / "s.sqlite", library=library)
    assert stage.pairs == 3
    assert stage.refused == []
    assert (stage.counts["references"], stage.counts["complexes"]) == (2, 3)

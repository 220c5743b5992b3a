"""Keys of interface results say what was computed: all that decides it, and nothing else."""

import dataclasses

import pytest

from iface_wf.engines.gpaw import profile as gpaw_profile
from iface_wf.engines.profile import ENGINES
from iface_wf.flows.search.budget import budget_of
from iface_wf.library import Library
from iface_wf.quantities.binding.request import BindingRequest

#: Renewed when KEY_VERSION is raised, or a default is another method on purpose, and only then: these keys are in stores.
GOLDEN = {
    "f487772ea058e51e7e3ff25fc32264c67586174b5ce5c631ebc52613db95d368": {"units": 2},
    "f3c161f5e3bf55b32d3e4f9022bbf02343b3203464a478dfc3af783f5774ba41": {
        "level": "moderate", "quantities": ("interaction_energy",),
    },
    "4e24bf4aba78001de3d6967b2052a9f422ab31d29f5a2ddd14828ea500950612": {"engine": "xtb", "overrides": {"fmax": 0.1}},
}  # fmt: skip


def key(filler="SiO2", **options):
    return BindingRequest(filler=filler, **({"polymer": "PEO"} | options)).key("slab", "fragment")


@pytest.mark.parametrize("golden", GOLDEN)
def test_keys_of_what_is_stored_do_not_change(golden):
    assert key(**GOLDEN[golden]) == golden
    assert key(**GOLDEN[golden] | {"geometry": "mlip"}) != golden


@pytest.mark.parametrize(
    ("options", "needs_frozen_parts"),
    [
        ({}, True),  # LCAO: no binding energy without counterpoise correction
        ({"level": "precise"}, False),  # plane waves
        ({"overrides": {"mode": "pw", "cutoff": 400.0}}, False),
        ({"level": "precise", "overrides": {"mode": "lcao", "basis": "dzp", "cutoff": None}}, True),
        ({"engine": "vasp"}, False),
        ({"engine": "xtb"}, False),
    ],
)
def test_a_binding_energy_in_atom_centred_functions_needs_the_frozen_parts(options, needs_frozen_parts):
    """An uncorrected result of before has another key, so that nobody finds it instead of a corrected one."""
    asked = BindingRequest(filler="SiO2", polymer="PEO", quantities=("binding_energy",), **options)
    assert ("interaction_energy" in asked.quantities) == needs_frozen_parts
    same = key(quantities=("binding_energy",), **options) == key(quantities=("interaction_energy",), **options)
    assert same == needs_frozen_parts


@pytest.mark.parametrize(
    "same",
    [
        {"filler": "sio2"},  # spelling
        {"polymer": "*CCO*"},  # what was built counts, not its name
        {"max_atoms": 90},
        {"n_conformers": 99},
        {"salt_group": None},
        {"processes": 2},
        {"overrides": {"max_scf_steps": 400}},  # how a result is reached
        {"geometry": "xtb"},  # the default, written out
    ],
)
def test_what_decides_nothing_leaves_the_key_alone(same):
    assert key(**same) == key()


@pytest.mark.parametrize(
    "other",
    [
        {"level": "moderate"},
        {"engine": "xtb"},
        {"geometry": "mlip"},
        {"seed": 1},
        {"placements": 3},
        {"vacuum": 9.0},
        {"clearance": 0.9},
        {"quantities": ("interaction_energy",)},
        {"overrides": {"dispersion": "none"}},
        {"overrides": {"smearing": 0.1}},
    ],
)
def test_what_decides_the_result_changes_the_key(other):
    assert key(**other) != key()


def test_the_ranking_counts_only_where_there_is_one():
    assert key(placements=1, geometry="mlip", level="moderate") == key(placements=1, level="moderate")
    assert key(geometry="mlip", level="moderate") != key(level="moderate")


def test_the_budget_of_the_search_counts_where_there_is_a_search():
    assert key(search=300) != key() == key(search=budget_of("fast", None).steps)
    assert key(search=300, placements=1) == key(placements=1)
    assert key(search=0) != key()


def test_a_default_of_an_engine_is_part_of_the_key(monkeypatch):
    before = key()
    changed = dataclasses.replace(gpaw_profile.PROFILE, common={**gpaw_profile.PROFILE.common, "dispersion": "none"})
    monkeypatch.setitem(ENGINES._loaded, "gpaw", changed)
    monkeypatch.setattr("iface_wf.engines.gpaw.engine.GpawEngine.profile", changed)
    assert key() != before


def test_how_the_library_treats_a_filler_is_part_of_the_key():
    request = BindingRequest(filler="GdOOH", polymer="PEO")
    assert request.key("slab", "fragment", Library().filler("GdOOH")) != request.key("slab", "fragment")


def test_what_an_engine_says_of_the_elements_is_part_of_the_key():
    request = BindingRequest(filler="SiO2", polymer="PEO", engine="vasp")
    without, with_lithium = (request.key("slab", "fragment", elements=e) for e in ({"Si", "O"}, {"Si", "O", "Li"}))
    assert without != with_lithium  # Li_sv
    record = Library().filler("GdOOH")  # its moments count where its element is there
    gpaw = BindingRequest(filler="GdOOH", polymer="PEO")
    assert gpaw.key("a", "b", record, elements={"Gd"}) != gpaw.key("a", "b", elements={"Gd"})
    assert gpaw.key("a", "b", record, elements={"Si"}) == gpaw.key("a", "b", record, elements={"Si", "O"})

"""Keys of interface results say what was computed: all that decides it, and nothing else."""

import dataclasses

import pytest

from iface_wf.engines.gpaw import profile as gpaw_profile
from iface_wf.engines.profile import ENGINES
from iface_wf.library import Library
from iface_wf.quantities.binding.request import BindingRequest

#: Renewed when KEY_VERSION is raised, or a default is another method on purpose, and only then: these keys are in stores.
GOLDEN = {
    "ffbac3c75545ed49ecaabb25906ebafe9af19331e0931f1607388ec56ac4656f": {"units": 2},
    "9ec184b1280ee4739456432aa99437a337caedc7702ac2fca5e475d4e86ac5c5": {
        "level": "moderate", "quantities": ("binding_energy",),
    },
    "e6de5a9516b9a8e1101112f79db1995a26669c7cd61effd745f4fb6189af5dbd": {"engine": "xtb", "overrides": {"fmax": 0.1}},
}  # fmt: skip


def key(filler="SiO2", **options):
    return BindingRequest(filler=filler, **({"polymer": "PEO"} | options)).key("slab", "fragment")


@pytest.mark.parametrize("golden", GOLDEN)
def test_keys_of_what_is_stored_do_not_change(golden):
    assert key(**GOLDEN[golden]) == golden
    assert key(**GOLDEN[golden] | {"geometry": "mlip"}) != golden


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

"""How a screening stands that runs elsewhere: seen in its store, and without writing anything there."""

import pytest

from iface_wf.library import Library
from iface_wf.screening.spec_file import read_spec
from iface_wf.screening.standing import Screening, Stand
from iface_wf.screening.state import record_failure
from iface_wf.store.claims import Claim, claims_of
from iface_wf.store.settings import open_store
from tests.tiny_library import spec_text

LAYER, HYDROGEN_FLUORIDE = "water-layer", "HF-layer"


@pytest.fixture
def looking(tiny, tmp_path, job_store):
    """Return a function that makes what looks at two layers with methane."""

    def make(store=job_store, **more):
        path = tmp_path / "looked-at.yaml"
        path.write_text(spec_text([LAYER, HYDROGEN_FLUORIDE], ["methane"], **more), encoding="utf-8")
        return Screening(read_spec(path), Library(tiny), store)

    return make


def by_name(stands, part):
    return {each.name.split(" ")[0]: each for each in stands if each.part == part}


def test_before_anything_runs_all_of_it_waits(looking):
    stands = looking().look()
    assert {(each.part, each.state) for each in stands} == {("reference", "waiting"), ("interface", "waiting")}
    assert len(stands) == 5  # two layers, methane, two interfaces


def test_what_is_claimed_runs_and_what_failed_takes_its_interfaces_along(looking, job_store):
    screening = looking()
    (bad,) = [key for key, part in screening._whole.parts.items() if part.name.startswith(LAYER)]
    record_failure(job_store, bad, LAYER, "no energy")
    (running,) = [key for key, item in screening._whole.items.items() if item.name.startswith(HYDROGEN_FLUORIDE)]
    claims, claim = claims_of(job_store), Claim.of_this_process(running)
    assert claims.take(claim, 60.0, finished=False) is None
    stands = screening.look()
    assert by_name(stands, "reference")[LAYER].detail == "no energy"
    found = by_name(stands, "interface")
    assert found[LAYER].state == "failed"
    assert found[LAYER].detail == f"{by_name(stands, 'reference')[LAYER].name} failed"
    assert (found[HYDROGEN_FLUORIDE].state, found[HYDROGEN_FLUORIDE].detail) == ("running", claim.owner)
    record_failure(job_store, bad, LAYER, "no energy")
    assert by_name(screening.look(), "reference")[LAYER].detail == "no energy (tried 2 times)"
    claims.drop(claim)
    assert by_name(screening.look(), "interface")[HYDROGEN_FLUORIDE].state == "waiting"


@pytest.mark.slow
def test_what_is_calculated_is_finished_and_a_store_that_may_only_be_read_can_be_looked_at(looking, screen, tmp_path):
    path = tmp_path / "store.sqlite"
    screening = looking()
    screen(spec_text([HYDROGEN_FLUORIDE], ["methane"]))
    path.chmod(0o444)
    before = path.read_bytes()
    for each in (screening, looking(open_store(str(path), create=False))):
        stands = each.look()
        assert by_name(stands, "interface")[HYDROGEN_FLUORIDE].state == "finished"
        assert by_name(stands, "interface")[LAYER].state == "waiting"
        assert {s.state for s in stands if s.part == "reference" and "methane" in s.name} == {"finished"}
    assert path.read_bytes() == before


@pytest.mark.slow
def test_a_funnel_shows_its_second_stage_when_the_first_one_has_chosen(looking, screen):
    funnel = {"engine": "gpaw", "funnel": {"engine": "xtb", "level": "fast", "keep": 1}, "overrides": {}}
    screening = looking(**funnel)
    assert {each.part for each in screening.look()} == {"reference", "ranking"}
    screen(spec_text([LAYER, HYDROGEN_FLUORIDE], ["methane"], overrides={}, quantities=["binding_energy"]))
    stands = screening.look()
    assert [each.state for each in stands if each.part == "ranking"] == ["finished"] * 2
    (left,) = [each for each in stands if each.part == "interface"]
    assert left == Stand(left.name, "interface", "waiting")


def test_what_cannot_be_built_has_failed(looking):
    stands = looking(max_atoms=10).look()  # six and four atoms and methane's five
    found = by_name(stands, "interface")
    assert (found[LAYER].state, found[HYDROGEN_FLUORIDE].state) == ("failed", "waiting")
    assert found[LAYER].detail.startswith("cannot be built: ")

"""A screening in Python: a file, a mapping or a checked spec say the same, and are checked alike."""

import dataclasses

import pytest
import yaml

import iface_wf
from iface_wf.errors import InputError
from iface_wf.screening.spec import ScreeningSpec
from tests.tiny_library import spec_text, write_library

SPEC = yaml.safe_load(spec_text(["HF-layer"], ["water", "methane"], quantities=["binding_energy"]))


@pytest.fixture
def tiny(tmp_path):
    return iface_wf.Library(write_library(tmp_path / "library"))


@pytest.fixture
def where(tmp_path, tiny):
    return {"store": tmp_path / "store.sqlite", "library": tiny}


def test_file_mapping_and_spec_are_one(where, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    forms = path, str(path), SPEC, ScreeningSpec(**SPEC)
    plans = [[dataclasses.asdict(s) for s in iface_wf.screen(form, dry_run=True, **where)] for form in forms]
    assert plans[0] == plans[1] == plans[2] == plans[3]
    assert plans[0][0]["pairs"] == 2


@pytest.mark.slow
def test_it_runs_tells_and_is_found_by_run(where, tmp_path):
    told = []
    outcome = iface_wf.screen(SPEC, workdir=tmp_path / "runs", on_event=told.append, **where)
    assert (len(outcome.finished), outcome.failed) == (2, {})
    assert {event.stage for event in told} == {"references", "interfaces"}
    shown = {iface_wf.show(key, store=where["store"]).polymer for key in outcome.finished}
    assert shown == {"water", "methane"}
    options = {name: SPEC[name] for name in ("engine", "placements", "vacuum", "overrides", "quantities")}
    assert iface_wf.run("HF-layer", "water", **options, dry_run=True, **where) == []  # stored
    assert iface_wf.screen(SPEC, dry_run=True, **where)[0].stored == 2


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"fillers": ["HF-later"]}, "HF-layer"),
        ({"placments": 3}, "did you mean 'placements'"),
        ({"polymers": []}, "no interface"),
        ({"level": "fsat"}, "fast"),
    ],
)
def test_mistakes_in_a_mapping_are_named(where, change, text):
    with pytest.raises(InputError, match=text):
        iface_wf.screen(SPEC | change, **where)


def test_many_interfaces_need_a_yes(where):
    many = SPEC | {"polymers": ["*" + "C" * n + "*" for n in range(1, 202)], "fillers": [str(n) for n in range(50)]}
    with pytest.raises(InputError, match="10,050 interfaces"):
        iface_wf.screen(many, dry_run=True, **where)
    with pytest.raises(InputError, match="filler"):  # accepted, so that the names come next
        iface_wf.screen(many, dry_run=True, yes=True, **where)

"""The Python interface."""

import pytest

import iface_wf
from iface_wf import api
from iface_wf.errors import InputError
from iface_wf.store.results import StoredResult
from tests.examples import document, put


def test_results_of_a_file_or_an_open_store(job_store, tmp_path):
    put(job_store, document())
    for store in (job_store, tmp_path / "store.sqlite", str(tmp_path / "store.sqlite")):
        table = iface_wf.results(store, filler="LiF")
        assert table["binding_energy"].tolist() == pytest.approx([-0.5])
    assert iface_wf.results(job_store, filler="SiO2").empty


def test_run_passes_everything_on(job_store, tmp_path, monkeypatch):
    seen = {}

    def fake(request, store, library, workdir, force=False, on_event=None):
        seen.update(request=request, store=store, workdir=workdir, force=force)
        return StoredResult(document(), "uuid", "")

    monkeypatch.setattr(api, "run_request", fake)
    result = iface_wf.run(
        "SiO2", "PEO", 3, salt="LiTFSI", engine="xtb", level="moderate", store=job_store, workdir=tmp_path, force=True
    )
    assert result.binding_energy == pytest.approx(-0.5)
    request = seen["request"]
    assert (request.filler, request.polymer, request.units, request.salt) == ("SiO2", "PEO", 3, "LiTFSI")
    assert (request.engine, request.level) == ("xtb", "moderate")
    assert seen["store"] is job_store
    assert seen["workdir"] == tmp_path
    assert seen["force"]


@pytest.mark.parametrize(("options", "text"), [({"levle": "fast"}, "level"), ({"placements": 0}, "placements")])
def test_wrong_options_are_named(options, text):
    with pytest.raises(InputError, match=text):
        iface_wf.run("SiO2", "PEO", **options)


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = iface_wf.nonsense
    assert {"run", "results"} <= set(dir(iface_wf))

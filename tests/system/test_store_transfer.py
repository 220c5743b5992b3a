"""Copies between a file and a real MongoDB server, both ways, densities included."""

import os

import pytest

from iface_wf.api import transfer
from iface_wf.screening.single import plan_request, run_request
from iface_wf.store.check import check
from iface_wf.store.settings import open_store
from tests.examples import document, put
from tests.store.test_transfer import contents


@pytest.fixture
def address(mongod):
    return f"mongodb://{mongod.host}:{mongod.port}/transfer_{os.urandom(4).hex()}"


@pytest.mark.slow
def test_there_and_back_nothing_is_lost_and_nothing_is_calculated_again(address, tmp_path, monkeypatch):
    from iface_wf.api.calculate import make_request
    from iface_wf.library import Library
    from tests.tiny_library import write_library

    library = Library(write_library(tmp_path / "library"))
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(tmp_path / "library"))
    request = make_request(
        filler="HF-layer", polymer="water", engine="xtb", vacuum=6.0, placements=1, overrides={"fmax": 0.1}
    )
    with open_store(str(tmp_path / "a.sqlite")) as store:
        run_request(request, store, library, tmp_path / "runs")
        put(store, document(filler="LiF"))  # it has a density
    there = transfer.store_copy(tmp_path / "a.sqlite", address)
    back = transfer.store_copy(address, tmp_path / "b.sqlite")
    assert there.copied == back.copied
    assert there.densities == back.densities == 1
    assert contents(tmp_path / "a.sqlite") == contents(tmp_path / "b.sqlite")
    for place in (address, str(tmp_path / "b.sqlite")):
        with open_store(place) as store:
            assert check(store).good
    assert transfer.store_copy(tmp_path / "a.sqlite", address).copied == {}
    # one result with all that it rests on: who deletes the result collects it again without calculating
    transfer.store_copy(address, tmp_path / "c.sqlite", filler="HF-layer")
    with open_store(str(tmp_path / "c.sqlite")) as store:
        store.docs_store.remove_docs({"output.document_type": "binding"})
        steps = plan_request(request, store, library)
        assert [step["found"] for step in steps if step["step"] in ("relax A", "relax B", "static A")] == [True] * 3

"""A store on a MongoDB server is brought up to date as one in a file is."""

import uuid

import pytest

from iface_wf.documents.upgrade import SCHEMA_VERSION
from iface_wf.store.results import find_result, result_table
from iface_wf.store.settings import open_store
from tests.store.old.unpack import library_of_the_store, methods_of_the_store, unpack_store
from tests.store.test_migrate import bring_up_to_date


@pytest.fixture
def both(mongod, tmp_path, monkeypatch):
    """The old store in a file, and all of it on a server."""
    methods_of_the_store(monkeypatch)
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(library_of_the_store(tmp_path / "library")))
    address = f"mongodb://{mongod.host}:{mongod.port}/migrate_{uuid.uuid4().hex[:12]}"
    with open_store(str(unpack_store(tmp_path))) as file, open_store(address) as server:
        server.docs_store.update(list(file.docs_store.query({})), key=["uuid", "index"])
        server.additional_stores["data"].update(list(file.additional_stores["data"].query({})), key="blob_uuid")
        yield file, server


def contents(store):
    entries = store.docs_store.query({}, properties={"_id": 0})
    return {(entry["uuid"], entry["index"]): entry for entry in entries}


@pytest.mark.slow
def test_server_and_file_come_out_alike(both):
    file, server = both
    before = [result_table(store) for store in both]
    assert before[0].equals(before[1])
    assert before[1].attrs["older"] == len(before[1])
    reports = [bring_up_to_date(store) for store in both]
    assert reports[0] == reports[1]
    assert contents(server) == contents(file)
    assert len(contents(server)) == len({entry["uuid"] for entry in contents(server).values()})
    after = result_table(server)
    assert after.equals(result_table(file))
    assert (len(after), after.attrs["older"]) == (len(before[1]), 0)
    key = after[after["engine"] == "gpaw"]["key"].item()
    found = find_result(server, key, load=True).document
    assert found.schema_version == SCHEMA_VERSION
    assert isinstance(found.density_difference.density.blob, str)
    done = bring_up_to_date(server)
    assert (sum(done.upgraded.values()), sum(done.rekeyed.values())) == (0, 0)

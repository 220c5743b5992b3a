"""A database into which somebody else can write: its documents and jobs make us import and call nothing of theirs."""

import json
import os

import pytest
from bson import json_util
from jobflow import Job
from jobflow_remote.remote.data import get_remote_in_file, get_remote_store

from iface_wf.queues import execute
from iface_wf.store.login import LoginMongoStore
from iface_wf.store.settings import open_store

TRAPS = {
    "os.system": {"@module": "os", "@callable": "system", "@bound": None},
    "a module": {"@module": "trapped_module", "@callable": "trap", "@bound": None},
    "through a module": {"@module": "iface_wf.queues.daemon", "@callable": "subprocess.getoutput", "@bound": None},
    "no job": {"@module": "iface_wf.queues.daemon", "@callable": "keep_running", "@bound": None},
}


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    (tmp_path / "modules").mkdir()
    text = f"import pathlib\npathlib.Path({str(tmp_path / 'hacked')!r}).touch()\ndef trap(*args):\n    pass\n"
    (tmp_path / "modules" / "trapped_module.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    return tmp_path / "hacked"


def write_input(folder, change):
    """Write the input of a job as the runner does, changed."""
    job = json.loads(json_util.dumps(Job(print, function_args=(f"touch {folder.parent / 'hacked'}",)).as_dict()))
    job["function"] = TRAPS["os.system"]
    folder.mkdir()
    store = get_remote_store(open_store(str(folder / "x.sqlite")), folder, {"store": "orjson"})
    file = get_remote_in_file(change(job), store)
    (folder / execute.INPUT).write_bytes(file.read())


@pytest.mark.parametrize("function", TRAPS)
def test_a_job_of_somebody_else_is_not_run(trapped, tmp_path, function):
    write_input(tmp_path / "run", lambda job: job | {"function": TRAPS[function]})
    execute.main(tmp_path / "run")
    assert not trapped.exists()
    said = json.loads((tmp_path / "run" / execute.OUTPUT).read_text())
    assert said["response"] is None
    assert "could not be deserialized" in said["error"]


def test_an_object_in_the_arguments_is_not_made(trapped, tmp_path):
    argument = {"@module": "trapped_module", "@class": "Trap", "x": 1}
    ours = {"@module": "iface_wf.flows.placements", "@callable": "place_and_rank", "@bound": None}
    write_input(tmp_path / "run", lambda job: job | {"function": ours, "function_args": [argument]})
    execute.main(tmp_path / "run")
    assert not trapped.exists()
    assert json.loads((tmp_path / "run" / execute.OUTPUT).read_text())["response"] is None


def test_documents_on_a_server(trapped, mongod):
    address = f"mongodb://{mongod.host}:{mongod.port}/foreign_{os.urandom(4).hex()}"
    one = {"@module": "trapped_module", "@class": "Trap", "x": 1}
    with open_store(address) as store:
        store.update(
            {"uuid": "u", "index": 1, "output": {"a": dict(one), "blob": {"in": dict(one)}}}, save={"data": "blob"}
        )
        assert store.query_one({"uuid": "u"}, load=True)["output"] == {"a": {"x": 1}, "blob": {"in": {"x": 1}}}
        from jobflow import OutputReference

        assert OutputReference("u").resolve(store)["a"] == {"x": 1}
    queue = LoginMongoStore(address, "outputs")
    queue.connect()
    assert queue.query_one({"uuid": "u"})["output"]["a"] == {"x": 1}
    queue.close()
    assert not trapped.exists()

"""A server that wants a password: it gets it, and nothing else does."""

import os
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from bson import encode
from pymongo import MongoClient

from iface_wf.cli.main import main
from tests.system.queue_bench import QueueBench


@pytest.fixture
def address(mongod_with_login):
    server = mongod_with_login
    return f"mongodb://{server.user}@{server.host}:{server.port}/login_{os.urandom(4).hex()}?authSource=admin"


def traces(password):
    """Return all the ways in which a password could be written."""
    return {password.encode(), quote(password, safe="").encode(), password.replace("/", "\\/").encode()}


@pytest.mark.slow
def test_no_document_no_file_and_no_job_holds_the_password(
    slurm, mongod_with_login, address, tmp_path, monkeypatch, capfd
):
    password = mongod_with_login.password
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", password)
    spy = tmp_path / "environment"
    queue = QueueBench(tmp_path, address, monkeypatch, activate=spying(spy))
    queue.submit()
    queue.finish()
    queue.check_each_once()
    assert main(["status", "--project", "test", "--all"]) == 0

    forms = traces(password)
    said = "".join(capfd.readouterr()).encode()
    assert not any(form in said for form in forms)
    files = [path for path in [*tmp_path.rglob("*"), *slurm.parents[1].rglob("*")] if path.is_file()]
    assert len(files) > 30
    assert spy in files  # what the jobs saw
    for path in files:
        content = path.read_bytes()
        assert not any(form in content for form in forms), path
    with MongoClient(
        mongod_with_login.host, mongod_with_login.port, username=mongod_with_login.user, password=password
    ) as client:
        database = client[address.rpartition("/")[2].partition("?")[0]]
        for name in database.list_collection_names():
            for document in database[name].find():
                raw = encode(document)
                assert not any(form in raw for form in forms), name


def spying(path):
    """Return the line that readies a worker, and that also writes down its environment."""
    return f'export PATH="{Path(sys.executable).parent}:$PATH"; env >> {path}'


@pytest.mark.parametrize("password", ["wr0ng-secret", None])
def test_a_wrong_password_is_one_sentence_without_it(address, tmp_path, monkeypatch, capfd, password):
    if password is None:
        monkeypatch.delenv("IFACE_WF_MONGO_PASSWORD", raising=False)
    else:
        monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", password)
    monkeypatch.setattr("jobflow_remote.SETTINGS.projects_folder", str(tmp_path / "projects"))
    arguments = ["queue", "init", "--store", address, "--workdir", str(tmp_path), "--scheduler", "shell"]
    assert main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "alice" in err
    assert "wr0ng" not in err
    assert not (tmp_path / "projects").exists()


def test_a_password_in_the_address_is_refused(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("jobflow_remote.SETTINGS.projects_folder", str(tmp_path / "projects"))
    address = "mongodb://alice:wr0ng-secret@127.0.0.1:1/x"
    assert main(["queue", "init", "--store", address, "--workdir", "/tmp", "--scheduler", "shell"]) == 2
    err = capfd.readouterr().err
    assert "IFACE_WF_MONGO_PASSWORD" in err
    assert "wr0ng" not in err

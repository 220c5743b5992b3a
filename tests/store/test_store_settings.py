"""Opening a store: by default, by path, by address; every failure is one sentence."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from iface_wf.errors import InputError, NoticeWarning
from iface_wf.store.mongo import parse_address
from iface_wf.store.settings import StoreSettings, open_store

SECRET = "s3cret-word"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in ("IFACE_WF_STORE", "IFACE_WF_MONGO_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.chdir(tmp_path)


def put_and_get(uri):
    with open_store(uri) as store:
        store.update({"uuid": "a", "index": 1, "output": {"energy": 0.1 + 0.2, "blob": "B"}}, save={"data": "blob"})
    with open_store(uri) as store:
        assert store.query_one({"uuid": "a"}, load=True)["output"] == {"energy": 0.1 + 0.2, "blob": "B"}
        return Path(store.docs_store.path)


def test_without_settings_a_file_in_the_data_folder(tmp_path):
    assert put_and_get(None) == tmp_path / "share" / "iface-wf" / "store.sqlite"


def test_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("IFACE_WF_STORE", "here.sqlite")
    assert put_and_get(None) == tmp_path / "here.sqlite"


@pytest.mark.parametrize("form", ["x.sqlite", "sqlite:///x.sqlite", "{folder}/x.sqlite", "sqlite:///{folder}/x.sqlite"])
def test_by_path(tmp_path, form):
    assert put_and_get(form.format(folder=tmp_path)) == tmp_path / "x.sqlite"


def test_a_result_of_one_job_is_stored_once(tmp_path):
    with open_store("x.sqlite") as store, pytest.raises(sqlite3.IntegrityError):
        store.update([{"uuid": "a", "index": 1, "n": 1}, {"uuid": "a", "index": 1, "n": 2}], key="n")


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"the folder .*/missing does not exist"):
        open_store("missing/x.sqlite")
    with pytest.raises(InputError, match="is a folder; name a file"):
        open_store(str(tmp_path))


def test_no_database(tmp_path):
    (tmp_path / "x.sqlite").write_text("This is a text, and long enough to be taken for one. " * 30)
    with pytest.raises(InputError, match=r"x\.sqlite cannot be used: the file is not a database"):
        open_store("x.sqlite")
    assert (tmp_path / "x.sqlite").read_text().startswith("This is")


def test_the_database_of_another_program(tmp_path):
    connection = sqlite3.connect(tmp_path / "x.sqlite")
    connection.execute("CREATE TABLE customers (name TEXT)")
    connection.commit()
    with pytest.raises(InputError, match="database of another program"):
        open_store("x.sqlite")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("customers",)]
    connection.close()


@pytest.mark.parametrize(("scheme", "hint"), [("mongo", "mongodb"), ("sqlit", "sqlite")])
def test_unknown_scheme(scheme, hint):
    with pytest.raises(InputError, match=f"Unknown kind of store '{scheme}': did you mean {hint}"):
        open_store(f"{scheme}://user:{SECRET}@host/x")


@pytest.mark.slow
def test_a_server_that_is_not_there():
    start = time.monotonic()
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1 does not answer within 3 s") as caught:
        open_store(f"mongodb://me:{SECRET}@127.0.0.1:1/x")
    assert time.monotonic() - start < 5
    assert SECRET not in repr(caught.getrepr(chain=True, showlocals=False))


def test_the_address_is_taken_apart():
    address = parse_address(
        f"mongodb://me:{SECRET}%2F@h1:1,h2:2/db?replicaSet=rs&tlsCertificateKeyFilePassword={SECRET}"
    )
    assert address.uri == "mongodb://h1:1,h2:2/db?replicaSet=rs"
    assert address.options["password"] == f"{SECRET}/"
    assert address.options["tlsCertificateKeyFilePassword"] == SECRET
    assert (address.options["username"], address.options["authSource"]) == ("me", "db")
    assert SECRET not in repr(address)
    plain = parse_address("mongodb://me@h/?authSource=other&serverSelectionTimeoutMS=7", "from the environment")
    assert plain.options["password"] == "from the environment"
    assert (plain.database, plain.options.get("authSource")) == ("iface_wf", None)
    assert "serverSelectionTimeoutMS" not in plain.options


@pytest.mark.parametrize(
    "uri", [f"mongodb://me:{SECRET}/x@host", f"mongodb://me:{SECRET}#@host", "mongodb://", "mongodb://[::1/x"]
)
def test_a_broken_address_is_not_repeated(uri):
    with pytest.raises(InputError, match="MongoDB address") as caught:
        parse_address(uri)
    assert SECRET not in str(caught.value)


def test_the_password_setting_is_secret(monkeypatch):
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", SECRET)
    settings = StoreSettings()
    assert settings.mongo_password.get_secret_value() == SECRET
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    "uri", ["sqlite:", "sqlite:x", "sqlite:/x", "sqlite://", "sqlite://x", "SQLite://x/y", "sqlite:///"]
)
def test_an_address_of_a_file_has_three_slashes(tmp_path, uri):
    with pytest.raises(InputError, match="has three slashes and a file"):
        open_store(uri)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "uri",
    ["//u:{}@h/db", "/u:{}@h/db", "u:{}@h/db", "./u:{}@h", "no/u:{}@h/db", "sqlite://u:{}@h/db", "sqlite:///u:{}@h"],
)
def test_a_login_in_a_path_is_not_repeated(uri):
    for password in (SECRET, f"a/{SECRET}") if not uri.startswith(("./", "no/")) else (SECRET,):
        with pytest.raises(InputError, match="address") as caught:
            open_store(uri.format(password))
        assert SECRET not in str(caught.value)


def test_a_folder_may_be_named_like_a_login(tmp_path):
    (tmp_path / "run:1@node").mkdir()
    assert put_and_get(f"{tmp_path}/run:1@node/x.sqlite").exists()


def test_an_option_of_another_driver_is_one_notice():
    with pytest.warns(NoticeWarning, match=r"not know 'gssapiServiceX': this has no effect") as told:
        address = parse_address("mongodb://h/db?gssapiServiceX=1&retryWrites=true")
    assert (len(told), address.uri) == (1, "mongodb://h/db?retryWrites=true")
    with pytest.raises(InputError, match="option 'W' twice"):
        parse_address("mongodb://h/db?w=1&W=2")

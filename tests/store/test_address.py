"""MongoDB addresses: what they say counts, as pymongo reads it, and nothing secret in them is ever shown."""

import json
import sys
from unittest import mock

import pymongo.uri_parser
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.store.address import parse_address
from iface_wf.store.mongo import Blobs, Documents
from iface_wf.store.settings import open_store

SECRET = "s3cret-word"


def srv(txt):
    """Let every look-up of mongodb+srv find one server and these options."""

    class Answer:
        def __init__(self, *args, **options):
            pass

        def get_hosts(self):
            return [("cluster0-shard-00-00.abcde.mongodb.net", 27017)]

        def get_options(self):
            return txt

    return mock.patch.object(pymongo.uri_parser, "_SrvResolver", Answer)


def options_of(uri, **more):
    client = MongoClient(uri, connect=False, **more)
    found = client.options
    client.close()
    return found


def as_pymongo(uri, password, txt=""):
    """Return what pymongo makes of an address with a password in it, and what it makes of our reading of the same."""
    user = uri.partition("://")[2].partition("@")[0]
    with srv(txt):
        ours = parse_address(uri, password)
        return options_of(uri.replace(f"{user}@", f"{user}:{password}@")), options_of(ours.uri, **ours.options)


@pytest.mark.parametrize(
    "txt", ["authSource=admin&replicaSet=atlas-x-shard-0", "authSource=admin", "", "replicaSet=rs"]
)
@pytest.mark.parametrize(
    "address",
    [
        "mongodb+srv://alice@cluster0.abcde.mongodb.net/iface_wf?retryWrites=true&w=majority",
        "mongodb+srv://alice@cluster0.abcde.mongodb.net/?retryWrites=true&w=majority&appName=Cluster0",
        "mongodb+srv://alice@cluster0.abcde.mongodb.net",
        "mongodb+srv://alice@cluster0.abcde.mongodb.net/iface_wf?authSource=people",
        "mongodb+srv://alice@cluster0.abcde.mongodb.net/iface_wf?retryWrites=true;w=majority",
        "mongodb://alice@host/iface_wf",
        "mongodb://alice@host",
        "mongodb://alice@host/?authSource=people",
        "mongodb://alice@host/db?authMechanism=PLAIN&tls=true",
        "mongodb://alice@host/?authMechanism=PLAIN&tls=true",
        "mongodb://alice@h1:1,h2:2/db?replicaSet=rs&tls=true&readPreference=nearest&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=dc:ny",
        "mongodb://alice@[::1]:27017/db?ssl=true",
    ],
)
def test_accounts_and_encryption_are_those_that_pymongo_finds(address, txt):
    theirs, ours = as_pymongo(address, "pw", txt)
    assert ours.pool_options._credentials == theirs.pool_options._credentials
    assert (ours.pool_options._ssl_context is None) == (theirs.pool_options._ssl_context is None)
    assert ours.replica_set_name == theirs.replica_set_name
    assert ours.write_concern == theirs.write_concern
    assert ours.read_preference == theirs.read_preference


@pytest.mark.parametrize(
    "options", ["tls=true;authSource=admin", "authSource=admin;tls=true", "tls=true&authSource=admin", "tLs=true"]
)
def test_encryption_is_on_however_the_options_are_separated(options):
    address = parse_address(f"mongodb://alice@host/db?{options}", "pw")
    assert options_of(address.uri, **address.options).pool_options._ssl_context is not None


@pytest.mark.parametrize(
    "options",
    [
        "tls=yes",  # pymongo would leave these out with a warning, and connect without encryption
        "tls=True ",
        "tsl=true",
        "tlss=true",
        "tls=true&authSource=admin;w=1",
        "tls",
        "tls=",
        "tls=true&&w=1",
        "tlsCAFile=/no/such/file.pem&tls=true",
        "serverSelectionTimeoutMS=soon",
    ],
)
def test_an_option_that_would_do_nothing_is_refused(options):
    with pytest.raises(InputError, match="MongoDB address"):
        parse_address(f"mongodb://alice@host/db?{options}", "pw")


def test_a_client_certificate_needs_no_password_and_no_database_of_accounts():
    address = parse_address("mongodb://host/db?tls=true&authMechanism=MONGODB-X509", "pw")
    assert "password" not in address.options
    named = parse_address("mongodb://CN=alice@host/db?tls=true&authMechanism=MONGODB-X509", "pw")
    found = options_of(named.uri, **named.options).pool_options._credentials
    assert (found.source, found.password) == ("$external", None)


@pytest.mark.slow
@pytest.mark.parametrize("password", ["pa/ss", "pa?ss", "pa#ss", "pa:ss", "pa@ss", "pa/s?s#x", "pa%ss", "p a"])
def test_a_password_as_it_is_read_or_refused_and_never_shown(password, capfd):
    address = f"mongodb://alice:{password}{SECRET}@127.0.0.1:1/db"
    assert main(["results", "--store", address]) == 2
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    assert password not in said
    if set(password) & set("/?#"):
        with pytest.raises(InputError, match="percent-encoded"):
            parse_address(address)
    else:
        assert parse_address(address).options["password"] == password + SECRET


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [
        f"mongodb:/alice:{SECRET}@127.0.0.1:1/db",
        f"mongodb:alice:{SECRET}@127.0.0.1:1/db",
        f"alice:{SECRET}@127.0.0.1:1/db",
        f"alice:{SECRET}/x@127.0.0.1:1/db",
        f"alice:{SECRET}@host://x",
        f"mongodb://alice:{SECRET}",
        f"mongodb://alice:{SECRET}@",
        f"mongodb://alice:{SECRET}/db",
        f"mongodb://alice:{SECRET}@host:port/db",
        f"mongodb://alice:{SECRET}@host:99999/db",
        f"mongodb://alice:{SECRET}@[::1/db",
        f"mongodb://alice:{SECRET}\n@host/db",
        f"mongodb+srv://alice:{SECRET}@127.0.0.1:1/db",
        f"mongodb+srv://alice:{SECRET}@nowhere.invalid/db",
        f"mongodb://alice@127.0.0.1:1/?tlsCertificateKeyFilePassword={SECRET}&tlsCertificateKeyFile=/no/file",
        f"mongodb://alice@127.0.0.1:1/?tlsCertificateKeyFilePassword={SECRET}",
        f"mongodb://alice@127.0.0.1:1/?proxyHost=x&proxyPassword={SECRET}",
        f"mongodb://alice:x@127.0.0.1:1/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:{SECRET}",
        f"mongodb://alice@127.0.0.1:1/?authMechanismProperties=AWS_SESSION_TOKEN%3A{SECRET}",
        f"mongodb://alice:{SECRET}@127.0.0.1:1/a b",
    ],
)
@pytest.mark.parametrize("command", ["results", "queue init", "dry run"])
def test_no_address_shows_its_secret(address, command, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("jobflow_remote.SETTINGS.projects_folder", str(tmp_path / "projects"))
    init = ["queue", "init", "--store", address, "--workdir", str(tmp_path), "--scheduler", "shell"]
    arguments = {"results": ["results", "--store", address], "queue init": init, "dry run": [*init, "--dry-run"]}
    assert main(arguments[command]) == 2
    out, err = capfd.readouterr()
    assert SECRET not in out + err
    assert err.count("\n") == 1, err
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("address", "variable"),
    [
        (f"mongodb://alice:{SECRET}@127.0.0.1:1/x", "IFACE_WF_MONGO_PASSWORD"),
        (f"mongodb://a@127.0.0.1:1/?tlsCertificateKeyFilePassword={SECRET}", "IFACE_WF_MONGO_TLS_KEY_PASSWORD"),
        (f"mongodb://a@127.0.0.1:1/?authMechanismProperties=AWS_SESSION_TOKEN:{SECRET}", "AWS_SESSION_TOKEN"),
    ],
)
def test_a_queue_takes_secrets_from_the_environment(address, variable, tmp_path, capfd):
    assert main(["queue", "init", "--store", address, "--workdir", str(tmp_path), "--scheduler", "shell"]) == 2
    assert variable in capfd.readouterr().err


def test_secrets_of_options_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("IFACE_WF_MONGO_TLS_KEY_PASSWORD", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    found = parse_address(f"mongodb://alice@host/?tlsCertificateKeyFile={key}")
    assert found.options["tlsCertificateKeyFilePassword"] == SECRET
    assert found.secrets == ()
    cloud = parse_address("mongodb://id@host/?authMechanism=MONGODB-AWS", "key")
    credentials = options_of(cloud.uri, **cloud.options).pool_options._credentials
    assert credentials.mechanism_properties.aws_session_token == SECRET
    assert SECRET not in cloud.uri + repr(cloud) + cloud.shown
    monkeypatch.delenv("IFACE_WF_MONGO_TLS_KEY_PASSWORD")
    with pytest.raises(InputError, match="IFACE_WF_MONGO_TLS_KEY_PASSWORD"):
        parse_address(f"mongodb://alice@host/?tlsCertificateKeyFile={key}")


def test_a_store_describes_itself_without_its_login():
    address = parse_address(f"mongodb://alice:{SECRET}@127.0.0.1:1/db?tls=true")
    for kind in (Documents, Blobs):
        store = kind(collection_name="outputs", database="db", uri=address.uri, mongoclient_kwargs=address.options)
        assert SECRET not in json.dumps(store.as_dict()) + store.name + repr(store) + str(store)
        assert "127.0.0.1:1" in store.name


def test_unforeseen_errors_and_their_tracebacks_are_scrubbed(monkeypatch, capfd):
    def fail(*_args, **_options):
        raise PyMongoError(f"mongodb://alice:{SECRET}@host cannot be resolved")

    monkeypatch.setattr("iface_wf.cli.output.plain_table", fail)
    monkeypatch.setattr("iface_wf.cli.library.plain_table", fail)
    assert main(["library"]) == 1
    assert SECRET not in capfd.readouterr().err
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(PyMongoError):
        main(["--debug", "library"])
    sys.excepthook(PyMongoError, PyMongoError(f"mongodb://alice:{SECRET}@host"), None)
    said = capfd.readouterr().err
    assert "PyMongoError" in said
    assert SECRET not in said


def test_time_limits_of_an_address_count_in_a_queue(tmp_path):
    from iface_wf.store.login import LoginMongoStore

    given = LoginMongoStore("mongodb://alice@host/db?serverSelectionTimeoutMS=7000", "jobs")
    assert "serverSelectionTimeoutMS" not in given.mongoclient_kwargs
    assert LoginMongoStore("mongodb://alice@host/db", "jobs").mongoclient_kwargs["serverSelectionTimeoutMS"] == 20_000


def test_a_file_whose_name_looks_like_an_address_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_store("plain.sqlite"):
        pass
    (tmp_path / "plain.sqlite").rename(tmp_path / "me:x@y.sqlite")
    with open_store("me:x@y.sqlite") as store:
        assert store.count() == 0


@pytest.mark.parametrize(
    "command", [["results"], ["queue", "init", "--workdir", "/w", "--scheduler", "shell", "--dry-run"]]
)
@pytest.mark.parametrize("address", [f"mongodb://:{SECRET}@host/db", f"mongodb://:{SECRET}@h1:1,h2:2"])
def test_a_password_without_a_user_is_refused(command, address, capfd):
    """It was taken for a part of the host's name, and stood in the project's file."""
    assert main([*command, "--store", address]) == 2
    said = "".join(capfd.readouterr())
    assert "no user name" in said
    assert SECRET not in said

"""A server that wants encryption, a login and, where asked for, a certificate: with certificates made here."""

import os
import subprocess
from typing import NamedTuple
from urllib.parse import quote

import pytest
from pymongo import MongoClient

from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.store.settings import open_store
from tests.system.conftest import PASSWORD, USER, running_mongod

KEY_PASSWORD = "k&y/p;ss w?rd#"


class Certificates(NamedTuple):
    """Files with an authority, the server's key and a client's key, which is locked; and an authority that signed none."""

    authority: str
    server: str
    client: str
    other: str


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def signed(folder, name, extensions, *locked):
    """Make a key and a certificate for it, in one file."""
    key, request, certificate = (folder / f"{name}.{ending}" for ending in ("key", "csr", "crt"))
    (folder / f"{name}.ext").write_text(extensions)
    subject = f"/O=tests/OU={name}/CN={name}"
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", subject)
    if locked:
        openssl("pkcs8", "-topk8", "-in", key, "-out", f"{key}.locked", "-passout", f"pass:{locked[0]}")
        key = folder / f"{key.name}.locked"
    openssl(
        "x509", "-req", "-in", request, "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial",
        "-days", 2, "-out", certificate, "-extfile", folder / f"{name}.ext",
    )  # fmt: skip
    both = folder / f"{name}.pem"
    both.write_text(key.read_text() + certificate.read_text())
    return str(both)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={name} of the tests",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt",
        )  # fmt: skip
    server = signed(folder, "server", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    client = signed(folder, "client", "extendedKeyUsage=clientAuth\n", KEY_PASSWORD)
    return Certificates(str(folder / "ca.crt"), server, client, str(folder / "other.crt"))


@pytest.fixture(scope="module")
def server(certificates, tmp_path_factory):
    """A mongod with TLS and authentication; clients may show a certificate."""
    folder = tmp_path_factory.mktemp("mongod-tls")
    with running_mongod(folder) as plain, MongoClient(plain.host, plain.port) as client:
        client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"])
        subject = "CN=client,OU=client,O=tests"
        client["$external"].command("createUser", subject, roles=[{"role": "readWrite", "db": "iface_wf"}])
    tls = ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", certificates.server, "--tlsCAFile"]
    tls += [certificates.authority, "--tlsAllowConnectionsWithoutCertificates", "--auth"]
    let_in = {"tls": "true", "tlsCAFile": certificates.authority}
    with running_mongod(folder, *tls, client=let_in) as running:
        yield running


@pytest.fixture
def address(server, certificates):
    """Return a function that writes an address with some options."""

    def write(*options, separator="&", login=f"{USER}@", path="/iface_wf"):
        given = ["tls=true", f"tlsCAFile={quote(certificates.authority, safe='')}", *options]
        return f"mongodb://{login}{server.host}:{server.port}{path}?{separator.join(given)}"

    return write


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", PASSWORD)


def works(uri):
    uuid = os.urandom(6).hex()
    with open_store(uri) as store:
        store.update({"uuid": uuid, "index": 1, "output": {"x": 1.5, "blob": "B" * 100}}, save={"data": "blob"})
    with open_store(uri) as store:
        return store.query_one({"uuid": uuid}, load=True)["output"] == {"x": 1.5, "blob": "B" * 100}


@pytest.mark.slow
@pytest.mark.parametrize("separator", ["&", ";"])
def test_encryption_and_login(address, password, separator):
    assert works(address("authSource=admin", separator=separator))
    assert works(address("authSource=admin", "retryWrites=true", "w=majority", separator=separator))


@pytest.mark.parametrize("separator", ["&", ";"])
def test_an_address_as_hosted_servers_give_it(server, certificates, password, separator, monkeypatch):
    """The look-up by name gives the server and the database of its accounts; encryption goes without saying."""

    class Answer:
        def __init__(self, *args, **options):
            pass

        def get_hosts(self):
            return [(server.host, server.port)]

        def get_options(self):
            return "authSource=admin"

    monkeypatch.setattr("pymongo.uri_parser._SrvResolver", Answer)
    options = ["retryWrites=true", f"tlsCAFile={quote(certificates.authority, safe='')}", "w=majority"]
    assert works(f"mongodb+srv://{USER}@cluster0.abcde.mongodb.net/iface_wf?{separator.join(options)}")
    assert works(f"mongodb+srv://{USER}@cluster0.abcde.mongodb.net/?{separator.join(options)}")


def test_a_password_in_the_address(address):
    assert works(address("authSource=admin", login=f"{USER}:{quote(PASSWORD, safe='')}@"))


def test_a_client_certificate_with_a_locked_key(address, certificates, monkeypatch, capfd):
    options = (f"tlsCertificateKeyFile={quote(certificates.client, safe='')}", "authMechanism=MONGODB-X509")
    uri = address(*options, login="")
    with pytest.raises(InputError, match="IFACE_WF_MONGO_TLS_KEY_PASSWORD"):
        open_store(uri)
    monkeypatch.setenv("IFACE_WF_MONGO_TLS_KEY_PASSWORD", KEY_PASSWORD)
    assert works(uri)
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", PASSWORD)  # of no use here, and no hindrance
    assert works(uri)
    monkeypatch.delenv("IFACE_WF_MONGO_TLS_KEY_PASSWORD")
    inside = f"tlsCertificateKeyFilePassword={quote(KEY_PASSWORD, safe='')}"
    assert works(address(*options, inside, login=""))
    for wrong in ("wr0ng-secret", f"{KEY_PASSWORD}x"):
        monkeypatch.setenv("IFACE_WF_MONGO_TLS_KEY_PASSWORD", wrong)
        assert main(["results", "--store", uri]) == 2
        out, err = capfd.readouterr()
        assert err.count("\n") == 1
        assert wrong not in out + err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("tls=true", "tls=false"), "encrypted"),  # the server hangs up
        (("ca.crt", "other.crt"), "tlsCAFile"),
        (("127.0.0.1", "127.0.0.2"), "does not answer"),
        (("authSource=admin", "authSource=people"), "refuses the user 'alice'"),
    ],
)
def test_what_is_wrong_is_one_sentence(address, password, capfd, change, said):
    uri = address("authSource=admin").replace(*change)
    if change[0] == "tls=true":  # without encryption a file for it makes no sense
        uri = uri.partition("&tlsCAFile")[0]
    assert main(["results", "--store", uri]) == 2
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert said in err
    assert PASSWORD not in err


@pytest.mark.slow
def test_encryption_where_the_server_speaks_none(mongod, capfd):
    assert main(["results", "--store", f"mongodb://{mongod.host}:{mongod.port}/x?tls=true"]) == 2
    assert "tls=true only where it speaks TLS" in capfd.readouterr().err


def test_a_queue_is_set_up_and_looked_at(address, certificates, server, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("jobflow_remote.SETTINGS.projects_folder", str(tmp_path / "projects"))
    key = f"tlsCertificateKeyFile={quote(certificates.client, safe='')}"
    uri = address(key, "authSource=admin", path=f"/tls_{os.urandom(4).hex()}")
    init = ["queue", "init", "--store", uri, "--workdir", str(tmp_path / "work"), "--scheduler", "shell"]
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", PASSWORD)
    assert main(init) == 2
    assert "IFACE_WF_MONGO_TLS_KEY_PASSWORD" in capfd.readouterr().err
    monkeypatch.setenv("IFACE_WF_MONGO_TLS_KEY_PASSWORD", KEY_PASSWORD)
    assert main(init) == 0
    assert main(["status"]) == 0
    for path in tmp_path.rglob("*"):
        content = b"" if path.is_dir() else path.read_bytes()
        for secret in (PASSWORD, KEY_PASSWORD):
            assert secret.encode() not in content
            assert quote(secret, safe="").encode() not in content

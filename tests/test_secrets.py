"""Passwords stay in this process: not in programs that it starts, not in texts."""

import json
import os
import threading

import pytest

from iface_wf import secrets
from iface_wf.cli.main import main
from iface_wf.secrets import scrub

PASSWORD = "pa/ss w?rd#1@x:"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IFACE_WF_MONGO_PASSWORD", "x"),
        ("IFACE_WF_MONGO_TLS_KEY_PASSWORD", "x"),
        ("PGPASSWORD", "x"),
        ("MYSQL_PWD", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_SESSION_TOKEN", "x"),
        ("GITHUB_TOKEN", "x"),
        ("OPENAI_API_KEY", "x"),
        ("AZURE_STORAGE_CONNECTION_STRING", "x"),
        ("SENTRY_DSN", "x"),
        ("http_proxy", "http://me:secret@proxy:3128"),
        ("IFACE_WF_STORE", "mongodb://alice:secret@host/db"),
        ("WHEREVER", "mongodb://host/?tlsCertificateKeyFilePassword=secret"),
    ],
)
def test_what_holds_a_secret(name, value):
    assert secrets.is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PWD", "/home/me"),
        ("OLDPWD", "/home/me"),
        ("PATH", "/bin"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("KEYBOARD", "de"),
        ("COMPASS", "n"),
        ("SLURM_JWT", "a ticket that srun needs"),
        ("PMI_SHARED_SECRET", "a ticket that Cray's MPI needs"),
        ("OMP_NUM_THREADS", "1"),
        ("IFACE_WF_STORE", "mongodb://alice@host:27017/db"),
        ("IFACE_WF_VASP_COMMAND", "srun vasp_std"),
        ("http_proxy", "http://proxy:3128"),
    ],
)
def test_what_programs_need_is_left_to_them(name, value):
    assert not secrets.is_secret(name, value)


def test_secrets_are_away_and_come_back(monkeypatch):
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", PASSWORD)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    with secrets.away(secrets.is_own):
        assert "IFACE_WF_MONGO_PASSWORD" not in os.environ
        assert os.environ["AWS_SESSION_TOKEN"] == "token"
        assert secrets.value_of("IFACE_WF_MONGO_PASSWORD") == PASSWORD
        with secrets.away():
            assert "AWS_SESSION_TOKEN" not in os.environ
        assert "IFACE_WF_MONGO_PASSWORD" not in os.environ
    assert os.environ["IFACE_WF_MONGO_PASSWORD"] == PASSWORD
    assert os.environ["AWS_SESSION_TOKEN"] == "token"


def test_two_threads_keep_secrets_away_until_the_last_has_ended(monkeypatch):
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", PASSWORD)
    entered, leave = threading.Event(), threading.Event()

    def work():
        with secrets.away():
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=work)
    with secrets.away():
        other.start()
        entered.wait(10)
    assert "IFACE_WF_MONGO_PASSWORD" not in os.environ
    leave.set()
    other.join()
    assert os.environ["IFACE_WF_MONGO_PASSWORD"] == PASSWORD


@pytest.mark.parametrize(
    "text",
    [
        f"cannot use {PASSWORD}",
        "mongodb://alice:pa%2Fss%20w%3Frd%231%40x%3A@host",
        "as JSON: pa\\/ss w?rd#1@x:",
        "mongodb://alice:other/pa?ss#w@rd@host:27017/db is broken",
        "mongodb+srv://alice:pass@cluster0.abcde.mongodb.net",
        "mongodb:/alice:pass@host",
        "MongoDB://alice:pass@host",
        "proxy http://me:pass@host:3128 fails",
        "alice:pass/word@host/db cannot be read",
        "tls=true&tlsCertificateKeyFilePassword=pass&x=1",
        "proxyPassword=pass;tls=true",
        "authMechanismProperties=AWS_SESSION_TOKEN:pass,SERVICE_NAME:x",
    ],
)
def test_texts_are_scrubbed(monkeypatch, text):
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", PASSWORD)
    found = secrets.scrub(text)
    assert "***" in found
    assert "pass" not in found.replace("Password", "").replace("proxyPassword", "")
    assert "pa/ss" not in found
    assert "w?rd" not in found


@pytest.mark.parametrize(
    "text",
    [
        "write mongodb://user@host:27017/database.",
        "the folder /home/me/a@b:c does not exist",
        "runner alice@node1:4711 since 2026-11-26 02:10",
        "/scratch/a:b/c@d",
        "leave the password out of the address and export it as IFACE_WF_MONGO_PASSWORD",
        "wrong name or password: try again",
        "mongodb://alice@db.example.org:27017/screening?tls=true",
    ],
)
def test_harmless_texts_stay(text):
    assert secrets.scrub(text) == text


@pytest.mark.parametrize(
    "password", ["pl41n", "p@ss/w?rd#1", "a:b;c,d&e=f", "quote'\"x", "back\\slash", "<tag>", "100%sure"]
)
def test_a_table_written_out_shows_no_password(password):
    for text in (
        repr({"host": "h", "password": password}),
        json.dumps({"tlsCertificateKeyFilePassword": password, "a": 1}),
    ):
        assert json.dumps(password)[1:-1] not in scrub(text)
        assert repr(password)[1:-1] not in scrub(text)


def test_the_doctor_shows_no_password_of_an_address_of_another_kind(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = "sqlite://me@127.0.0.1:1,127.0.0.1:2/db?tlsCertificateKeyFilePassword=s3cret-word"
    for more in ([], ["--json"]):
        assert main(["doctor", "--store", address, *more]) == 1
        assert "s3cret" not in "".join(capfd.readouterr())

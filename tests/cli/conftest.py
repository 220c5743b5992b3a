"""Run the command line in this process; only the tests of its speed start it anew."""

from typing import NamedTuple

import pytest

from iface_wf.cli.main import main
from tests.examples import document, put

KEY = "abc0" + "1" * 60


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capfd, monkeypatch):
    """Return a function that runs `iface-wf` with arguments."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        capfd.readouterr()
        code = main([str(a) for a in arguments])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(cli):
    """Return a function that runs `iface-wf` and insists on one sentence, exit code 2 and no traceback."""

    def run(*arguments):
        ran = cli(*arguments)
        assert ran.code == 2, ran
        assert ran.out == ""
        assert len(ran.err.strip().splitlines()) == 1, ran.err
        assert ran.err.startswith("iface-wf: ")
        assert "Traceback" not in ran.err
        return ran.err

    return run


@pytest.fixture
def filled_store(job_store, tmp_path):
    """Return the path of a store with one result, whose key begins with abc0."""
    put(job_store, document(KEY))
    return tmp_path / "store.sqlite"

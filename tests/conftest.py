"""What every test needs: one thread, no user's data or configuration, MPI that works in containers."""

import os
import tempfile
from collections import Counter

# Before NumPy and GPAW are imported: the tests measure physics, not how many cores a machine has.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# Open MPI refuses root and wants one free core per process; containers of continuous integration have neither.
os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
os.environ.setdefault("OMPI_MCA_rmaps_base_oversubscribe", "1")
# jobflow-remote reads this when it is imported; a user's projects are none of the tests' business.
os.environ["JFREMOTE_PROJECTS_FOLDER"] = f"{tempfile.gettempdir()}/no-projects-{os.getpid()}"

import pytest


def pytest_collection_modifyitems(items):
    """Let files with the most slow tests begin first, those with servers before all: else one worker ends long after the others."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: ("system" not in item.path.parts, -slow[item.path], str(item.path)))


@pytest.fixture(autouse=True)
def _isolated_from_the_user(monkeypatch, tmp_path_factory):
    """Let no test see or change the store, the library and the settings of the person who runs it."""
    home = tmp_path_factory.getbasetemp() / "home"
    for name, folder in (("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")):
        path = home / folder
        path.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv(name, str(path))
    for name in ("IFACE_WF_STORE", "IFACE_WF_MONGO_PASSWORD", "IFACE_WF_LIBRARY", "IFACE_WF_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def job_store(tmp_path):
    """Return an empty embedded store in a folder of its own."""
    from iface_wf.store.settings import open_store

    store = open_store(str(tmp_path / "store.sqlite"))
    yield store
    store.close()


@pytest.fixture(scope="module")
def browser():
    """Return a real browser."""
    from tests.chromium import chromium

    with chromium() as opened:
        yield opened

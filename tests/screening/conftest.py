"""A tiny library, its calculation log, and a function that screens."""

import pytest

from iface_wf.library import Library
from iface_wf.screening.run import run_screening
from iface_wf.screening.spec_file import read_spec
from tests.tiny_library import write_library


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Return the folder of a tiny library that is in use, with a log of all calculations."""
    folder = write_library(tmp_path / "library")
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(folder))
    monkeypatch.setenv("IFACE_WF_CALC_LOG", str(tmp_path / "calculations.jsonl"))
    return folder


@pytest.fixture
def screen(tiny, tmp_path, job_store):
    """Return a function that screens a spec's text and gives the outcome and the events."""

    def run(text, **options):
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        events = []
        spec = read_spec(path)
        outcome = run_screening(spec, job_store, Library(tiny), tmp_path / "runs", events.append, **options)
        return outcome, events

    return run

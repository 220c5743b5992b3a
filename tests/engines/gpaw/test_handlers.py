"""Runs that end without a result: those out of time go on and on, those that die do not."""

import json

from iface_wf.engines.gpaw.files import RESULT
from iface_wf.engines.gpaw.handlers import MAX_KILLS, InterruptedHandler


def test_slices_of_time_are_progress_and_deaths_are_not(tmp_path):
    handler = InterruptedHandler()
    (tmp_path / RESULT).write_text(json.dumps({"out_of_time": True}))
    for _ in range(20):
        assert handler.check(str(tmp_path))
        assert handler.correct(str(tmp_path))["errors"] == ["out of time"]
    (tmp_path / RESULT).unlink()
    for _ in range(MAX_KILLS):
        assert handler.check(str(tmp_path))
        assert handler.correct(str(tmp_path))["errors"] == ["killed"]
    assert not handler.check(str(tmp_path))
    (tmp_path / RESULT).write_text(json.dumps({"scf_converged": True}))
    assert not handler.check(str(tmp_path))

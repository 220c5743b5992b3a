from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import part
print(part.twice(21.0), len(part.twice.stats.cache_hits), type(part.twice._cache).__name__)
"""
PART = """
from iface_wf.kernels import kernel

@kernel
def twice(x):
    return 2 * x
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_kernels_are_kept_and_work_where_nothing_can_be_written(tmp_path):
    """Kept beside the source, else in the user's cache, else compiled for this process alone; root may write anywhere but to /proc."""
    (tmp_path / "part.py").write_text(PART)
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}

    def run(**changes):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
        done = subprocess.run(command, env=environment | changes, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert run() == ["42.0", "0", "FunctionCache"]
    assert run() == ["42.0", "1", "FunctionCache"]
    assert list(tmp_path.glob("__pycache__/part.twice-*.nbi"))
    for kept in tmp_path.glob("__pycache__/*"):
        kept.unlink()
    (tmp_path / "__pycache__").rmdir()
    (tmp_path / "__pycache__").write_text("a file, so that no folder can be made")
    cache = tmp_path / "cache"
    assert run(XDG_CACHE_HOME=str(cache)) == ["42.0", "0", "FunctionCache"]
    assert run(XDG_CACHE_HOME=str(cache)) == ["42.0", "1", "FunctionCache"]
    assert list(cache.rglob("part.twice-*.nbi"))
    assert run(XDG_CACHE_HOME="/proc/none", HOME="/proc/none") == ["42.0", "0", "NullCache"]

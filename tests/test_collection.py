"""Every file with tests is collected: a folder's name once kept a quarter of them out, unseen."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow  # imports every test file once more
def test_every_test_file_is_collected():
    written = {
        path.relative_to(ROOT).as_posix()
        for pattern in ("test_*.py", "*_test.py")
        for path in (ROOT / "tests").rglob(pattern)
    }
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    collected = {line.partition("::")[0] for line in found.stdout.splitlines() if "::" in line}
    assert written - collected == set(), found.stdout[-2000:]

"""Every example script runs as its first lines say."""

import subprocess
import sys
from pathlib import Path

import pytest
from pymatgen.core import Structure

EXAMPLES = Path(__file__).resolve().parents[2] / "workflows"


@pytest.mark.slow
def test_interphase(tmp_path):
    command = [sys.executable, str(EXAMPLES / "interphase.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Li [0, 0, 1]: strains -4.4%" in done.stdout
    assert Structure.from_file(tmp_path / "LiI_Li.vasp").composition["I"] == 20
    assert len(Structure.from_file(tmp_path / "GdOOH_wire.vasp")) == 16

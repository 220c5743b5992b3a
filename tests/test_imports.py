"""Imports point in one direction, and nothing reaches for what it must not know."""

import subprocess
import sys
from pathlib import Path

from importlinter.cli import lint_imports
from importlinter.configuration import configure

ROOT = Path(__file__).parents[1]


def test_contracts_of_the_import_graph(capsys):
    """The layers and forbidden imports are written down in pyproject.toml."""
    configure()
    failed = lint_imports(no_cache=True, config_filename=str(ROOT / "pyproject.toml"))
    report = capsys.readouterr().out
    assert failed == 0, report
    assert "0 broken" in report
    assert "One direction KEPT" in report


def test_ranks_of_mpi_import_no_workflow_library():
    """Every rank of GPAW starts this module; libraries of workflows would take seconds and gigabytes of each."""
    code = "import sys, iface_wf.engines.gpaw.run; print(sorted({'jobflow', 'custodian', 'maggma', 'atomate2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Imports point in one direction, and nothing reaches for what it must not know."""

import ast
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_benchmarks_import_what_there_is(script):
    """Nobody runs them every day: a name that moved would be missed when a table is to be made again."""
    imports = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.ImportFrom)]
    ours = [
        (node.module, alias.name)
        for node in imports
        if (node.module or "").startswith("iface_wf")
        for alias in node.names
    ]
    assert ours, "a benchmark that uses nothing of this program"
    for module, name in ours:
        found = hasattr(import_module(module), name) or find_spec(f"{module}.{name}")
        assert found, f"{module} has no {name}"

"""Imports point in one direction, and nothing reaches for what it must not know."""

import ast
import os
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


@pytest.mark.slow
def test_ranks_of_mpi_import_no_workflow_library():
    """Every rank of GPAW starts this module; libraries of workflows would take seconds and gigabytes of each."""
    code = "import sys, iface_wf.engines.gpaw.run; print(sorted({'jobflow', 'custodian', 'maggma', 'atomate2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("given", "then"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_sleep_while_they_wait_unless_the_user_says_otherwise(given, then):
    code = "import iface_wf, os; print(os.environ['OMP_WAIT_POLICY'])"
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment = inherited | ({} if given is None else {"OMP_WAIT_POLICY": given})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == then


#: Benchmarks that use this program from Python; others call its commands.
IN_PYTHON = [
    path
    for path in sorted((ROOT / "benchmarks").glob("*.py"))
    if "import iface_wf" in (text := path.read_text()) or "from iface_wf" in text
]


@pytest.mark.parametrize("script", IN_PYTHON, ids=lambda path: path.stem)
def test_benchmarks_import_what_there_is(script):
    """Nobody runs them every day: a name that moved would be missed when a table is to be made again."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("iface_wf"):
            found += [(node.module or "", alias.name) for alias in node.names]
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names if alias.name.startswith("iface_wf")]
    for module, name in found:
        there = import_module(module)
        assert not name or hasattr(there, name) or find_spec(f"{module}.{name}"), f"{module} has no {name}"


@pytest.mark.slow
def test_collecting_a_result_imports_no_plots_and_no_optimisers():
    """Every job of a queue starts a Python of its own: what few of them need is imported where it is used."""
    code = (
        "import sys, iface_wf.quantities.binding.collect;"
        "print(sorted({'matplotlib', 'scipy.optimize', 'scipy.spatial', 'ase.optimize', 'ase.spacegroup'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Imports point in one direction, and nothing reaches for what it must not know."""

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

"""What nobody uses does not stay: each public function and class is used in the program, or told to users."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "iface_wf"

#: Used by nothing yet, and why it is there.
EXPECTED = {
    "all_stacks": "adhesion of two solids: which pair of terminations",
    "macroscopic_average": "steps of the potential at an interface of two solids",
}


def definitions(tree: ast.Module) -> list[ast.FunctionDef | ast.ClassDef]:
    return [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]


@pytest.fixture(scope="module")
def trees():
    return {path: ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}


@pytest.fixture(scope="module")
def users(trees):
    """Who reads a name: definitions, each by its own name, and None for what stands outside of them."""
    found = defaultdict(set)
    for tree in trees.values():
        for statement in tree.body:
            owner = getattr(statement, "name", None)
            for node in ast.walk(statement):  # to import a name is not yet to use it
                if isinstance(node, ast.Name | ast.Attribute):
                    found[node.id if isinstance(node, ast.Name) else node.attr].add(owner)
    return found


@pytest.fixture(scope="module")
def told():
    """Every word of the documentation and of the examples."""
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "workflows").glob("*.py")]
    return set(re.findall(r"\w+", " ".join(path.read_text() for path in texts)))


@pytest.mark.slow
@pytest.mark.parametrize("room", ["analysis", "builders", "library", "queues", "report", "store"])
def test_nothing_lives_through_its_tests_alone(room, trees, users, told):
    for path, tree in trees.items():
        if path.is_relative_to(SOURCE / room):
            names = {found.name for found in definitions(tree)}
            unused = {name for name in names if not users[name] - {name}}  # a function that calls itself is as dead
            assert unused - told - set(EXPECTED) == set(), path.name


def test_what_is_expected_is_there_and_not_used_yet(trees, users):
    defined = {found.name for tree in trees.values() for found in definitions(tree)}
    assert set(EXPECTED) <= defined
    assert [name for name in EXPECTED if users[name] - set(EXPECTED)] == [], "take what is used by now off the list"

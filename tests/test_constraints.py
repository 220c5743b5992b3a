"""The pinned versions are those of what the project asks for."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = {
    canonicalize_name(line.split("==")[0]): line.split("==")[1].strip()
    for line in (ROOT / "constraints.txt").read_text().splitlines()
}
EXTRAS = PROJECT["optional-dependencies"]
ASKED = [
    *PROJECT["dependencies"],
    *EXTRAS["gpaw"],
    *EXTRAS["queue"],
    *EXTRAS["mlip"],
    *EXTRAS["sevennet"],
    *EXTRAS["dev"],
]


@pytest.mark.parametrize("text", ASKED, ids=lambda text: Requirement(text).name)
def test_every_requirement_is_pinned_to_a_version_that_fulfils_it(text):
    asked = Requirement(text)
    version = PINNED.get(canonicalize_name(asked.name))
    assert version is not None, f"{asked.name} is not in constraints.txt; run scripts/freeze.sh"
    assert asked.specifier.contains(version)

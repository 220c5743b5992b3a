"""Folders of others, calculated once."""

import pytest

from tests.engines.vasp.foreign import BOX, CELL, HF, SLAB, calculate, ordered, shifted, stand_in


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Calculate, once for each name."""
    root = tmp_path_factory.mktemp("foreign")
    program = stand_in(root)

    def calculated(name, *arguments, **options):
        folder = root / name
        return folder if folder.exists() else calculate(program, folder, *arguments, **options)

    return calculated


@pytest.fixture(scope="session")
def slab(run):
    return run("slab", CELL, SLAB)


@pytest.fixture(scope="session")
def molecule(run):
    return run("molecule", BOX, shifted(HF, (2.4, 2.4, -5.9)))


@pytest.fixture(scope="session")
def whole(run):
    return run("whole", CELL, ordered(SLAB + HF, "Li", "H", "F"))


@pytest.fixture(scope="session")
def frozen(run):
    folders = {"a_frozen": run("A*", CELL, SLAB, densities=True), "b_frozen": run("B*", CELL, HF, densities=True)}
    return folders | {"ab": run("dense", CELL, ordered(SLAB + HF, "Li", "H", "F"), densities=True)}

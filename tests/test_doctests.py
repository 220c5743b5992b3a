"""Every example in a docstring runs as it is printed, in an empty folder with a store of its own."""

import doctest
import importlib
import os
from pathlib import Path
from uuid import UUID

import pytest

from iface_wf.store.settings import open_store
from tests.examples import document, put

SOURCE = Path(__file__).parents[1] / "src"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def modules():
    """Name the modules with examples."""
    paths = [p for p in sorted((SOURCE / "iface_wf").rglob("*.py")) if ">>> " in p.read_text(encoding="utf-8")]
    return [".".join(p.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for p in paths]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return the file of a store that the examples share: they calculate the same, so it is calculated once."""
    path = tmp_path_factory.mktemp("doctest") / "store.sqlite"
    with open_store(str(path)) as made:  # some examples only read
        for number, method in enumerate(({"engine": "gpaw"}, {"engine": "xtb", "functional": "GFN1-xTB"})):
            put(made, document(f"{number}" * 64, filler="SiO2", **method), uuid=str(UUID(int=number + 1)))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", modules())
def test_examples(name, store, tmp_path, monkeypatch):
    monkeypatch.setenv("IFACE_WF_STORE", os.fspath(store))
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    assert Path(module.__file__).is_relative_to(SOURCE)
    failed, tried = doctest.testmod(module, optionflags=OPTIONS)
    assert tried > 0
    assert failed == 0

"""The Python in the documentation runs as it is printed; what GPAW or VASP would take long for is a canned result."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from iface_wf.api import calculate
from iface_wf.store.results import StoredResult
from iface_wf.store.settings import open_store
from tests.examples import document, put

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: Run by a test of its own, with files of a user.
ELSEWHERE = {"docs/jobs.md"}
#: Orders and ranks a cell of 190 atoms twenty times.
SLOW = {"docs/structures.md"}


def blocks(path):
    return BLOCK.findall(path.read_text(encoding="utf-8"))


def pages():
    return [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name, p in PAGES.items()
        if blocks(p) and name not in ELSEWHERE
    ]


@pytest.fixture
def canned_dft(monkeypatch):
    real = calculate.run_request

    def run(request, store, *others, **options):
        if request.engine not in ("gpaw", "vasp"):
            return real(request, store, *others, **options)
        result, uuid = document("d" * 64), "11111111-1111-1111-1111-111111111111"
        put(store, result, uuid)
        return StoredResult(result, uuid, "")

    monkeypatch.setattr(calculate, "run_request", run)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages())
def test_blocks_run_one_after_the_other(page, canned_dft, tmp_path, monkeypatch):
    monkeypatch.setenv("IFACE_WF_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.chdir(tmp_path)
    open_store(None).close()  # as after a first run: who only reads makes none
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # classes of a page know where they are from
    for number, block in enumerate(blocks(PAGES[page]), start=1):
        exec(compile(block, f"{page}, block {number}", "exec"), vars(module))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    path = PAGES[page]
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert "://" in target or (path.parent / target).exists(), target


def test_every_option_of_run_is_in_its_page():
    from iface_wf.cli.request import OPTIONS

    text = PAGES["docs/run.md"].read_text(encoding="utf-8")
    missing = [name for name in OPTIONS if f"`--{name.replace('_', '-')}`" not in text]
    assert missing == []


def test_every_key_of_a_screening_is_in_its_page():
    from iface_wf.screening.spec import FillerChoice, Funnel, PolymerChoice, ScreeningSpec

    text = PAGES["docs/screening.md"].read_text(encoding="utf-8")
    assert [name for name in ScreeningSpec.model_fields if f"`{name}`" not in text] == []
    inner = {name for model in (FillerChoice, PolymerChoice, Funnel) for name in model.model_fields}
    assert [name for name in sorted(inner) if not re.search(rf"`{{[^}}]*\b{name}\b", text)] == []

"""Results in a real notebook: numbers, the view to turn, densities when they are asked for, and a bar while it runs."""

import re
from html import unescape

import nbformat
import pytest
from nbclient import NotebookClient

from iface_wf.api import notebook
from iface_wf.flows.events import Event
from tests.examples import document, put
from tests.tiny_library import spec_text, write_library

CELLS = (
    "import iface_wf\nstore = 'store.sqlite'",
    "doc = iface_wf.run('HF-layer', 'methane', engine='xtb', placements=1, vacuum=6.0, overrides={'fmax': 0.1}, store=store)\ndoc",
    "print(type(doc.structure).__name__, doc.structure.composition.reduced_formula, doc.structure.site_properties['component'][0])",
    "iface_wf.screen('spec.yaml', store=store).failed",
    "iface_wf.show('abc0', store=store)",
    "print(type(iface_wf.show('abc0', store=store).density_difference.density.blob).__name__)\n"
    "iface_wf.show('abc0', densities=True, store=store)",
)


def html_of(cell):
    return "\n".join(out["data"]["text/html"] for out in cell["outputs"] if "text/html" in out.get("data", {}))


def framed(cell):
    return unescape(re.search(r'srcdoc="([^"]*)"', html_of(cell))[1])


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return the cells of a notebook that has been run by a kernel of its own, and their folder."""
    from iface_wf.store.settings import open_store

    folder = tmp_path_factory.mktemp("notebook")
    with open_store(str(folder / "store.sqlite")) as store:
        put(store, document("abc0" + "1" * 60, filler="<b>LiF"))
    (folder / "spec.yaml").write_text(spec_text(["HF-layer"], ["methane"]), encoding="utf-8")
    library = write_library(folder / "library")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    book.cells.insert(0, nbformat.v4.new_code_cell(f"import os\nos.environ['IFACE_WF_LIBRARY'] = {str(library)!r}"))
    NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return book.cells[1:], folder


@pytest.mark.slow
def test_a_result_shows_its_numbers_and_its_structure(executed):
    cells, _ = executed
    shown = html_of(cells[1])
    assert "binding energy" in shown
    assert "negative = bound" in shown
    assert "<script" not in re.sub(r'srcdoc="[^"]*"', "", shown)
    assert "src=" not in re.sub(r'srcdoc="[^"]*"', "", shown)
    assert "showStructure();" in framed(cells[1])
    assert cells[2]["outputs"][0]["text"].split() == ["Structure", "H6CF2", "slab"]


@pytest.mark.slow
def test_a_bar_follows_a_run_and_a_screening(executed):
    cells, _ = executed
    for cell, words in ((cells[1], "collect finished"), (cells[3], "interfaces: 1 of 1")):
        bars = [out for out in cell["outputs"] if "<progress" in out.get("data", {}).get("text/html", "")]
        assert len(bars) == 1  # one bar that was changed, not a line for each step
        told = bars[0]["data"]["text/html"]
        assert words in told
        most, value = (int(each) for each in re.search(r'max="(\d+)" value="(\d+)"', told).groups())
        assert 0 < value == most
    assert cells[3]["outputs"][-1]["data"]["text/plain"] == "{}"


@pytest.mark.slow
def test_densities_stay_in_the_store_until_they_are_asked_for(executed):
    cells, _ = executed
    assert "<code>iface_wf.show('abc0111111', densities=True)</code>" in html_of(cells[4])
    assert '"volume": null' in framed(cells[4])
    assert cells[5]["outputs"][0]["text"].strip() == "dict"  # where it lies
    assert '"levels": [' in framed(cells[5])
    assert "<b>LiF" not in html_of(cells[4])


@pytest.mark.slow
def test_the_view_of_a_notebook_turns_without_network(executed, browser, tmp_path):
    cells, _ = executed
    page_file = tmp_path / "page.html"
    page_file.write_text(f"<!doctype html><meta charset='utf-8'>{html_of(cells[5])}", encoding="utf-8")
    context = browser.new_context(viewport={"width": 800, "height": 900})
    page, problems, asked = context.new_page(), [], []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("body[data-ready]").wait_for()
    frame.locator("#viewer[data-triangles]").wait_for()
    before = frame.locator("#viewer").screenshot()
    frame.get_by_role("button", name="Along c").click()
    page.wait_for_timeout(200)
    assert frame.locator("#viewer").screenshot() != before
    assert frame.locator("body").evaluate("body => body.scrollWidth <= body.clientWidth")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
    assert problems == []
    context.close()


def test_outside_of_a_notebook_nobody_is_told_unless_asked(capsys):
    assert notebook.in_notebook() is False
    assert notebook.step_listener(None) is None
    assert notebook.screening_listener(None) is None
    assert notebook.step_listener(print) is print


def test_text_in_the_bar_is_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda what, **_: shown.append(what.data))
    told = Event(step="<script>", index=1, total=2, state="failed", seconds=1.0, detail='"\n<b>')
    notebook.NotebookProgress().tell_step(told)
    assert "1 of 2, &lt;script&gt; failed: &quot; &lt;b&gt;" in shown[0]

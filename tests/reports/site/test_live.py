"""The live pages in a real browser while a real screening runs in another process."""

import os
import re
import subprocess
import sys
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from iface_wf.api.serve import Pages, ReportServer
from iface_wf.store.results import result_table
from iface_wf.store.settings import open_store
from tests.chromium import READY
from tests.tiny_library import LAYERS, spec_text, write_library

pytestmark = pytest.mark.slow

PROGRAM = "import sys; from iface_wf.cli.main import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def screening(tmp_path, monkeypatch):
    """Return the file of three tiny interfaces, and one that cannot be built, and the command that calculates them."""
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(write_library(tmp_path / "library")))
    spec, store = tmp_path / "three.yaml", tmp_path / "live.sqlite"
    text = spec_text(polymers=["methanol"], molecules=["CCCCO"], max_atoms=13)
    spec.write_text(text, encoding="utf-8")
    open_store(str(store)).close()
    command = [sys.executable, "-c", PROGRAM, "screen", spec.name, "--store", str(store)]
    return spec, store, command


def test_a_running_screening_is_seen_and_its_table_grows(browser, screening, tmp_path):
    spec, store, command = screening
    pages = Pages(str(store), {}, spec)
    with ReportServer(pages) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running = None
        try:
            page = browser.new_context(viewport={"width": 1000, "height": 700}).new_page()
            problems = []
            page.on("console", lambda message: problems.append(message.text) if message.type != "log" else None)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(server.url)
            page.wait_for_selector(READY)
            page.evaluate("window.same = true; window.seen = []")
            page.evaluate(
                """new MutationObserver(() => window.seen.push(document.querySelector("#states").innerText))
                .observe(document.querySelector("#states"), {childList: true})"""
            )
            states = page.locator("#states")
            assert "Screening three.yaml" in states.inner_text()
            assert "Nobody is at work on it: start iface-wf screen." in states.inner_text()
            assert page.locator("#table tbody tr").count() == 0
            running = subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)  # fmt: skip
            page.locator("#table tbody tr").nth(len(LAYERS) - 1).wait_for(timeout=120_000)
            assert running.wait(60) == 1  # one of them cannot be had
            expect(page.locator("#states [role=status]")).to_have_text(re.compile("3 finished$"), timeout=20_000)
            seen = page.evaluate("window.seen")
            assert any("running" in each and os.uname().nodename in each for each in seen)
            failed = page.locator("#states tr[data-state=failed]")
            assert failed.count() == 3
            assert "cannot be built" in failed.first.inner_text()
            assert page.evaluate("window.same") is True
            numbers = page.locator("#table td[data-label='binding energy']").evaluate_all(
                "cells => cells.map(cell => Number(cell.dataset.value))"
            )
            with open_store(str(store)) as stored:
                assert numbers == sorted(result_table(stored)["binding_energy"])
            for width in (1000, 400):
                page.set_viewport_size({"width": width, "height": 700})
                page.wait_for_timeout(200)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
            for _ in ("light", "dark"):
                found = Axe().run(page, options={"preload": False}).response["violations"]
                assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
                page.click("#theme")
            page.screenshot(path=tmp_path / "live.png")
            assert problems == []
            page.context.close()
        finally:
            if running is not None:
                running.kill()
                running.wait()
            server.shutdown()
            thread.join()
    pages.close()

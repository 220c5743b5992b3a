"""Debian's Chromium, driven by Playwright."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

#: Software rendering: no machine that tests needs a graphics card.
OPTIONS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
#: What pages have when all of them is there.
READY = "body[data-ready]"


@contextmanager
def chromium():
    """Yield a browser."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "no Chromium: scripts/setup.sh test installs it"
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=OPTIONS)
        yield opened
        opened.close()

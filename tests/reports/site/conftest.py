"""A real browser."""

import pytest


@pytest.fixture(scope="module")
def browser():
    from tests.reports.site.chromium import chromium

    with chromium() as opened:
        yield opened

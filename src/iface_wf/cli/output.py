"""How commands speak: results on stdout, everything else on stderr.

Names, flags and paths come from files and stores, perhaps of other people: what would steer a terminal is shown as text,
and addresses without their passwords.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iface_wf.cli.terminal import steers, visible, without_logins
from iface_wf.secrets import scrub

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: Seconds between two lines of progress.
PAUSE = 5.0


def print_json(data: Any) -> None:
    """Print data as JSON on stdout; NaN becomes null, because JSON knows no NaN."""
    print(json_text(data, not (sys.stdout.encoding or "").lower().startswith("utf")))


def json_text(data: Any, ascii_only: bool = False) -> str:
    """Return data as JSON, see `print_json`."""
    text = json.dumps(_plain(data), indent=2, ensure_ascii=ascii_only, allow_nan=False)
    if not text.isprintable():  # it has line breaks at least
        text = "".join(c if c == "\n" or not steers(c) else json.dumps(c)[1:-1] for c in text)
    return text


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(k): _plain(v) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(v) for v in data]
    if isinstance(data, (Path, str)):
        return without_logins(str(data))
    if isinstance(data, float) and (data != data or data in (float("inf"), float("-inf"))):
        return None
    return data


def stdout() -> Console:
    """Return the console for results; names are printed as they are, never read as markup."""
    # Into a file or another program, rows stay whole lines.
    width = None if sys.stdout.isatty() else 240
    console: Console = _console_class()(markup=False, highlight=False, width=width)
    return console


def stderr() -> Console:
    """Return the console for progress and remarks."""
    console: Console = _console_class()(stderr=True, markup=False, highlight=False)
    return console


@cache
def _console_class() -> Any:
    from rich.console import Console

    class PlainConsole(Console):
        """A console for which every string is text and nothing else."""

        def render_str(self, text: str, **options: Any) -> Text:
            """Turn a string into text."""
            return super().render_str(visible(without_logins(text)), **options)

    return PlainConsole


def plain_text(text: str) -> Text:
    """Return one line for a place where rich would read markup in a string."""
    from rich.text import Text

    return Text(visible(without_logins(text), keep=""))


def say(text: str) -> None:
    """Print a remark on stderr."""
    print(visible(scrub(text)), file=sys.stderr)


def plain_table(
    *headings: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = (), title: str | None = None
) -> Table:
    """Return an empty table; the columns named in ``right`` are aligned to the right, these and ``whole`` ones never wrapped."""
    from rich import box

    table: Table = _table_class()(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False
    )
    for heading in headings:
        aligned = heading in right
        table.add_column(
            heading, justify="right" if aligned else "left", no_wrap=aligned or heading in whole, overflow="fold"
        )
    return table


@cache
def _table_class() -> Any:
    from rich.table import Table

    class PlainTable(Table):
        """A table whose cells cannot break out of their row."""

        def add_row(self, *cells: Any, **options: Any) -> None:
            """Add a row."""
            super().add_row(*(_cell(cell) if isinstance(cell, str) else cell for cell in cells), **options)

    return PlainTable


def _cell(text: str) -> str:
    return visible(without_logins(text), keep="")


def number(value: float | None, digits: int = 3, uncertainty: float | None = None) -> str:
    """Return a signed number with fixed digits, and with its uncertainty where that is known; a dash when there is none."""
    if value is None or value != value:
        return "-"
    known = uncertainty is not None and uncertainty == uncertainty
    return f"{value:+.{digits}f}" + (f" +- {uncertainty:.{digits}f}" if known else "")


def with_estimate(data: dict[str, Any]) -> dict[str, Any]:
    """Return data for JSON with the names of their estimate (``cost``) beside the others."""
    return {**data["cost"], **{name: value for name, value in data.items() if name != "cost"}}


def progress_of(what: str) -> Callable[[int, int], None]:
    """Return what tells now and then how many of something have been looked at."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > PAUSE:
            last = time.monotonic()
            say(f"{done} of {total or 'unknown'} {what}")

    return tell

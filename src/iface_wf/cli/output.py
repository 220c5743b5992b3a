"""How commands speak: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_json(data: Any) -> None:
    """Print data as JSON on stdout; NaN becomes null, because JSON knows no NaN."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(_plain(data), indent=2, ensure_ascii=ascii_only, allow_nan=False))


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(k): _plain(v) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(v) for v in data]
    if isinstance(data, Path):
        return str(data)
    if isinstance(data, float) and (data != data or data in (float("inf"), float("-inf"))):
        return None
    return data


def stdout() -> Console:
    """Return the console for results; names are printed as they are, never read as markup."""
    from rich.console import Console

    # Into a file or another program, rows stay whole lines.
    width = None if sys.stdout.isatty() else 240
    return Console(markup=False, highlight=False, width=width)


def stderr() -> Console:
    """Return the console for progress and remarks."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False)


def say(text: str) -> None:
    """Print a remark on stderr."""
    print(text, file=sys.stderr)


def plain_table(*headings: str, right: tuple[str, ...] = (), title: str | None = None) -> Table:
    """Return an empty table; the columns named in ``right`` are aligned to the right and never wrapped."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for heading in headings:
        aligned = heading in right
        table.add_column(heading, justify="right" if aligned else "left", no_wrap=aligned, overflow="fold")
    return table


def number(value: float | None, digits: int = 3) -> str:
    """Return a signed number with fixed digits, or a dash when there is none."""
    return "-" if value is None or value != value else f"{value:+.{digits}f}"

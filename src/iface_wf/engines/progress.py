"""How far a long step is, told from within a calculation or a search to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

#: File of a job's working folder that says how far a long step is.
PROGRESS = "progress.txt"
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("progress", default=None)


@contextmanager
def progress_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Let a listener hear how far the step is that runs inside."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def progress_listener() -> Callable[[str], None]:
    """Return what hears how far the present step is; to be asked for before a thread begins, which would not know it."""
    return _listener.get() or _to_file


def tell_progress(words: str) -> None:
    """Tell how far a long step is: its listener, or a file in its working folder, as for a job of a queue."""
    progress_listener()(words)


def _to_file(words: str) -> None:
    Path(PROGRESS).write_text(words, encoding="utf-8")

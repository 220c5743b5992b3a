"""What is told about a running flow, for progress on a terminal or in a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["started", "running", "finished", "found", "failed", "skipped", "waiting"]
#: File of a job's working folder that says how far a long step is.
PROGRESS = "progress.txt"
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("progress", default=None)


@dataclass(frozen=True)
class Event:
    """One change of state of one step.

    Attributes
    ----------
    step
        Name of the step, for example ``static A*``.
    index, total
        Its place among the steps of the flow, from 1.
    state
        ``found`` means that the store held the result and nothing was run; ``running``, that a long step tells how far it is;
        ``waiting``, that something is away for a while.
    seconds
        Duration of a finished step, s.
    detail
        What went wrong, which corrections were made, how far a long step is, or what is waited for.
    """

    step: str
    index: int
    total: int
    state: State
    seconds: float = 0.0
    detail: str = ""


@contextmanager
def progress_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Let a listener hear how far the step is that runs inside."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell_progress(words: str) -> None:
    """Tell how far a long step is: its listener, or a file in its working folder, as for a job of a queue."""
    listener = _listener.get()
    if listener is not None:
        listener(words)
    else:
        Path(PROGRESS).write_text(words, encoding="utf-8")

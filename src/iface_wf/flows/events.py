"""What is told about a running flow, for progress on a terminal or in a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["started", "running", "finished", "found", "failed", "skipped", "waiting"]


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

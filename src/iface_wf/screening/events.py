"""What is told about a running screening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from iface_wf.flows.events import Event

ScreeningState = Literal["started", "step", "finished", "found", "failed", "skipped", "waiting"]


@dataclass(frozen=True)
class ScreeningEvent:
    """One change of state in a screening.

    Attributes
    ----------
    stage
        ``references``, ``interfaces`` or, in a funnel, ``ranking`` for the interfaces of its cheap engine.
    name
        Which part or interface.
    state
        ``found``: was in the store; ``skipped``: not tried because a part failed, now or before; ``waiting``: all
        that is left is being calculated by other processes, or ``detail`` says what is away for a while; ``step``: see ``step``.
    done, total, failed
        Parts or interfaces of this stage that are finished or failed, all of them, and those that failed.
    seconds
        How long it took, s.
    seconds_left
        Estimate for the stage from what this process has calculated so far; None before the first one.
    detail
        Cause of a failure, or what is waited for.
    step
        One step inside an interface or a part.
    """

    stage: str
    name: str
    state: ScreeningState
    done: int
    total: int
    failed: int
    seconds: float = 0.0
    seconds_left: float | None = None
    detail: str = ""
    step: Event | None = None

"""Progress of `iface_wf.run` and `iface_wf.screen` in a notebook: one bar that follows, without anything to install for it."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from typing import Any

from iface_wf.flows.events import Event
from iface_wf.screening.events import ScreeningEvent


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, whose output can be changed after it was written."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


class NotebookProgress:
    """A bar for the events of a run or of a screening; nothing is shown before the first one."""

    def __init__(self) -> None:
        self._place: Any = None

    def tell_step(self, event: Event) -> None:
        """Show an event of a run."""
        done = event.index - (event.state in ("started", "running", "waiting"))
        detail = f": {event.detail}" if event.detail else ""
        self._show(done, event.total, f"{event.index} of {event.total}, {event.step} {event.state}{detail}")

    def tell_screening(self, event: ScreeningEvent) -> None:
        """Show an event of a screening."""
        if event.state == "found" and event.done < event.total:  # thousands of them are one change
            return
        step = "" if event.step is None else f", {event.step.step}"
        detail = f": {event.detail}" if event.detail else ""
        left = "" if event.seconds_left is None else f", about {event.seconds_left / 60:.0f} min left"
        failed = f", {event.failed} failed" if event.failed else ""
        words = f"{event.stage}: {event.done} of {event.total}{failed}{left}; {event.name}{step} {event.state}{detail}"
        self._show(event.done, event.total, words)

    def _show(self, done: int, total: int, words: str) -> None:
        from IPython.display import HTML, display

        text = html.escape(" ".join(words.split())[:300])
        shown = HTML(
            f'<progress max="{max(total, 1)}" value="{done}" aria-label="progress"></progress> <bdi>{text}</bdi>'
        )
        if self._place is None:
            self._place = display(shown, display_id=True)
        else:
            self._place.update(shown)


def step_listener(given: Callable[[Event], None] | None) -> Callable[[Event], None] | None:
    """Return who is told about the steps of a run: whom the caller names, else in a notebook a bar."""
    return given if given is not None or not in_notebook() else NotebookProgress().tell_step


def screening_listener(given: Callable[[ScreeningEvent], None] | None) -> Callable[[ScreeningEvent], None] | None:
    """Return who is told about a screening: whom the caller names, else in a notebook a bar."""
    return given if given is not None or not in_notebook() else NotebookProgress().tell_screening

"""Progress of a screening on stderr: one line per part and interface, and on a terminal a line that counts."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from iface_wf.cli.output import plain_text, stderr

if TYPE_CHECKING:
    from iface_wf.screening.events import ScreeningEvent


class ScreeningProgress:
    """Context manager whose `tell` takes the events of a screening."""

    def __init__(self) -> None:
        self._console = stderr()
        self._status: Any = None
        self._found: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
        for stage, count in self._found.items():
            self._console.print(f"{stage}: {count} found in the store")

    def tell(self, event: ScreeningEvent) -> None:
        """Show one event."""
        self._count(event)
        if event.state == "found":  # thousands of them are one line at the end
            self._found[event.stage] = self._found.get(event.stage, 0) + 1
        elif event.state == "finished":
            self._line(event, f"done {event.seconds:10.1f} s")
        elif event.state == "waiting" and event.detail:
            self._line(event, f"waits  {event.detail}")
        elif event.step is not None and event.step.state == "waiting":
            self._line(event, f"waits  {event.step.detail}")
        elif event.state in ("failed", "skipped"):
            self._line(event, f"{event.state.upper()}  {event.detail}")

    def _line(self, event: ScreeningEvent, text: str) -> None:
        place = f"[{event.done:>{len(str(event.total))}}/{event.total}]"
        self._console.print(plain_text(f"{event.stage} {place} {event.name:<36} {text}"), soft_wrap=True)

    def _count(self, event: ScreeningEvent) -> None:
        if not self._console.is_terminal:
            return
        doing = event.name
        if event.step is not None:
            doing += f", {event.step.step} ({event.step.index} of {event.step.total})"
            if event.step.state == "running":
                doing += f": {event.step.detail}"
        elif event.state == "waiting":
            doing = "waiting for other processes"
        left = "" if event.seconds_left is None else f", about {_duration(event.seconds_left)} left"
        text = plain_text(f"{event.stage}: {event.done} of {event.total}, {event.failed} failed{left}; {doing}")
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

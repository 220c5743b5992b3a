"""Progress of a flow on stderr: one line per finished step, and a running clock on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from iface_wf.cli.output import plain_text, stderr

if TYPE_CHECKING:
    from iface_wf.flows.events import Event

_MARKS = {"finished": "done", "found": "found", "failed": "FAILED", "skipped": "skipped", "waiting": "waits"}


class Progress:
    """Context manager whose `tell` takes the events of a flow."""

    def __init__(self) -> None:
        self._console = stderr()
        self._status: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def tell(self, event: Event) -> None:
        """Show one event."""
        place = f"[{event.index:>{len(str(event.total))}}/{event.total}]"
        if event.state == "running":
            if self._status is not None:
                self._status.update(plain_text(f"{place} {event.step} {event.seconds:.0f} s: {event.detail}"))
            return
        if event.state == "started":
            self._clear()
            if event.index == 1:
                self._console.print(
                    "A, B: filler and molecule, or two solids; AB: both together; *: frozen as in AB; L, R: sides of a reaction",
                    style="dim",
                )
            self.wait(f"{place} {event.step} ...")
            return
        self._clear()
        detail = f"  {event.detail}" if event.detail else ""
        mark = _MARKS.get(event.state, event.state)
        line = plain_text(f"{place} {event.step:<24} {mark:<7} {event.seconds:8.1f} s{detail}")
        self._console.print(line, soft_wrap=True)

    def wait(self, words: str) -> None:
        """Show on a terminal what is being done now."""
        if self._status is not None:
            self._status.update(plain_text(words))
        elif self._console.is_terminal:
            self._status = self._console.status(plain_text(words))
            self._status.start()

    def _clear(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

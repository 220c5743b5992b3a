"""Work through many parts or interfaces: each once, whoever else is at it, and whatever fails."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from jobflow import JobStore

from iface_wf.errors import CalculationError, InputError
from iface_wf.flows.events import Event
from iface_wf.flows.patience import patiently
from iface_wf.screening.events import ScreeningEvent, ScreeningState
from iface_wf.screening.state import Failure, failures, forget_failure, record_failure
from iface_wf.store.reuse import working_on

Listener = Callable[[ScreeningEvent], None]
#: Seconds between two looks at what other processes are calculating.
POLL = 1.0


class Work(Protocol):
    """A part or an interface."""

    @property
    def key(self) -> str:
        """What it is."""
        ...

    @property
    def name(self) -> str:
        """For people."""
        ...


W = TypeVar("W", bound=Work)


class Stage:
    """Parts or interfaces that are worked through, with their numbers.

    Parameters
    ----------
    name
        For the listener.
    store
        Where claims and failures are kept.
    workdir
        Folder of the calculations.
    listener
        Is told about every change.
    retry
        Also try what has failed too often.
    total
        How many there are, if more than are given to `run`.
    """

    def __init__(
        self,
        name: str,
        store: JobStore,
        workdir: Path,
        listener: Listener | None,
        retry: bool,
        total: int | None = None,
    ) -> None:
        self.name, self.store, self.workdir, self.retry, self.total = name, store, workdir, retry, total
        self.failed: dict[str, str] = {}
        self._listener = listener or (lambda event: None)
        self._done = 0
        self._left = 0
        self._durations: list[float] = []

    def found(self, item: Work) -> None:
        """Count one whose result is in the store."""
        self._done += 1
        self._tell(item, "found")

    def fail(self, item: Work, cause: str, state: ScreeningState) -> None:
        """Count one that gives no result."""
        self._done += 1
        self.failed[item.key] = cause
        self._tell(item, state, detail=cause)

    def run(
        self,
        items: Sequence[W],
        known: Callable[[W], bool],
        work: Callable[[W, Callable[[Event], None]], None],
    ) -> None:
        """Do what is left to do, and wait for what other processes do.

        Parameters
        ----------
        items
            What is not in the store.
        known
            Whether it has come into the store meanwhile.
        work
            Calculates one, and tells its steps.
        """
        self.total = len(items) if self.total is None else self.total
        waiting = deque(items)
        passed_over = 0
        while waiting:
            item = waiting.popleft()
            self._left = len(waiting)
            turn = partial(self._turn, item, known, work)
            if patiently(turn, self.store, self.workdir, partial(self._wait, item)):
                passed_over = 0
                continue
            waiting.append(item)
            passed_over += 1
            if passed_over >= len(waiting):
                self._tell(item, "waiting")
                time.sleep(POLL)
                passed_over = 0

    def _turn(self, item: W, known: Callable[[W], bool], work: Callable[[W, Callable[[Event], None]], None]) -> bool:
        """Settle one, unless another process is at it."""
        with working_on(self.store, item.key) as ours:
            if ours:
                self._settle(item, known, work)
            return ours

    def _wait(self, item: Work, cause: str) -> None:
        self._tell(item, "waiting", detail=cause)

    def _settle(self, item: W, known: Callable[[W], bool], work: Callable[[W, Callable[[Event], None]], None]) -> None:
        if known(item):
            self.found(item)
            return
        before = failures(self.store, [item.key]).get(item.key)
        if before is not None and before.final and not self.retry:
            self.fail(item, f"{before.cause} (tried {before.attempts} times; --retry tries again)", "skipped")
            return
        self._work_on(item, work, before)

    def _work_on(self, item: W, work: Callable[[W, Callable[[Event], None]], None], before: Failure | None) -> None:
        started = time.monotonic()
        self._tell(item, "started")
        try:
            work(item, lambda step: self._tell(item, "step", step=step))
        except (CalculationError, InputError) as error:
            cause = " ".join(str(error).split())
            record_failure(self.store, item.key, item.name, cause)
            self.fail(item, cause, "failed")
            return
        if before is not None:
            forget_failure(self.store, item.key)
        self._done += 1
        self._durations.append(time.monotonic() - started)
        self._tell(item, "finished", seconds=self._durations[-1])

    def _tell(
        self, item: Work, state: ScreeningState, seconds: float = 0.0, detail: str = "", step: Event | None = None
    ) -> None:
        mean = sum(self._durations) / len(self._durations) if self._durations else None
        left = None if mean is None else mean * (self._left + (state in ("started", "step")))
        self._listener(
            ScreeningEvent(
                stage=self.name,
                name=item.name,
                state=state,
                done=self._done,
                total=self.total or 0,
                failed=len(self.failed),
                seconds=seconds,
                seconds_left=left,
                detail=detail,
                step=step,
            )
        )

"""What runs, waits and failed, for the live pages: of a screening on this machine, or of a queue. Only looked at."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from jobflow import JobStore

from iface_wf.api.screening import checked_spec
from iface_wf.errors import IfaceError
from iface_wf.library import Library
from iface_wf.outages import outage_of
from iface_wf.reports.site.models import StateData, StatesData
from iface_wf.screening.standing import Screening
from iface_wf.secrets import scrub

if TYPE_CHECKING:
    from iface_wf.queues.monitor import Item

#: Rows of the page; what needs a person or goes on comes first.
MOST = 200
_ORDER = ("failed", "running", "queued", "ready", "cancelled", "waiting", "finished")


class States(Protocol):
    """Says how something stands; one thread alone asks it.

    Attributes
    ----------
    title
        What the states are of.
    """

    title: str

    def look(self) -> StatesData:
        """Return how it stands now."""
        ...


class ScreeningStates:
    """States of a screening that `iface-wf screen` works through, in whatever process.

    Parameters
    ----------
    spec
        Its file.
    store
        Where its results come to, open.
    queued
        Whether a queue works on it, which no process of this machine shows.

    Raises
    ------
    InputError
        For a file that is wrong, and unknown names.
    """

    def __init__(self, spec: Path, store: JobStore, queued: bool = False) -> None:
        library = Library()
        self.title = f"Screening {spec.name}"
        self._queued = queued
        self._screening = Screening(checked_spec(spec, library, yes=True), library, store)

    def look(self) -> StatesData:
        """See `States.look`."""
        rows = [
            StateData(name=each.name, part=each.part, state=each.state, detail=scrub(each.detail))
            for each in self._screening.look()
        ]
        left = {row.state for row in rows}
        idle = "waiting" in left and "running" not in left and not self._queued
        return states_data(self.title, rows, "Nobody is at work on it: start iface-wf screen." if idle else "")


class QueueStates:
    """States of a queue's project, as `iface-wf status` tells them.

    Parameters
    ----------
    project
        Its name; None: the only one, or ``iface-wf``.

    Raises
    ------
    InputError
        When there is no such project, or its server does not answer.
    """

    def __init__(self, project: str | None) -> None:
        from iface_wf.queues import project as projects

        self._project = projects.load(project)
        self._controller = self._project.controller()
        self.title = f"Queue {self._project.name}"

    @property
    def store(self) -> JobStore:
        """Where the results of the queue come to."""
        return self._project.store()

    def look(self) -> StatesData:
        """See `States.look`."""
        from iface_wf.queues.daemon import living_runner
        from iface_wf.queues.monitor import status

        now = dt.datetime.now(dt.UTC)
        rows = [_of_item(item, now) for item in status(self._controller, now).items]
        idle = living_runner(self._project) is None
        remark = "No runner is at work: nothing moves until one is started with iface-wf queue start." if idle else ""
        return states_data(self.title, rows, remark)


def _of_item(item: Item, now: dt.datetime) -> StateData:
    since = now - dt.timedelta(seconds=item.age)
    where = f"{item.worker}{f', queue number {item.queue_id}' if item.queue_id else ''}"
    doing = f"{item.step} ({item.done} of {item.total} steps finished)"
    told = [doing, where, item.cause] if item.state != "waiting" else [item.cause]
    return StateData(
        name=item.name,
        part=item.part,
        state=item.state,
        detail=scrub("; ".join(filter(None, told))),
        since=f"{since:%Y-%m-%d %H:%M}",
    )


def states_data(title: str, rows: Sequence[StateData], remark: str) -> StatesData:
    """Return states for the page: all counted, those that are not finished listed, the worst first.

    Parameters
    ----------
    title
        What they are of.
    rows
        All.
    remark
        What is to be known besides.
    """
    counts = Counter(row.state for row in rows)
    shown = sorted((row for row in rows if row.state != "finished"), key=lambda row: _ORDER.index(row.state))
    return StatesData(
        title=title,
        counts={state: counts[state] for state in _ORDER if counts[state]},
        rows=shown[:MOST],
        hidden=max(0, len(shown) - MOST),
        remark=remark,
    )


def looked(states: States) -> StatesData:
    """Return how something stands, or why that cannot be told now: the table of results is shown all the same."""
    try:
        return states.look()
    except Exception as error:
        reason = passing(error)
        if reason is None:
            raise
        return StatesData(title=states.title, counts={}, rows=[], remark=f"This cannot be told now: {reason}")


def passing(error: Exception) -> str | None:
    """Say in words what is away, full or wrong outside of this program; None for an error of its own."""
    outage = outage_of(error)
    if outage is not None:
        return str(outage)
    return scrub(str(error)) if isinstance(error, IfaceError | OSError) else None

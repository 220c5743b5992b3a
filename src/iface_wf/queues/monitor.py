"""What a queue holds: parts and interfaces with their state, step, queue number, age and cause of failure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jobflow_remote.jobs.jobcontroller import JobController

from iface_wf.engines.progress import PROGRESS
from iface_wf.queues.diagnosis import trouble

State = Literal["finished", "running", "queued", "ready", "waiting", "failed", "cancelled"]

#: jobflow-remote's states of a job, as what they mean for a user.
STATES: dict[str, State] = {
    "COMPLETED": "finished",
    "RUNNING": "running",
    "BATCH_RUNNING": "running",
    "RUN_FINISHED": "running",
    "DOWNLOADED": "running",
    "SUBMITTED": "queued",
    "BATCH_SUBMITTED": "queued",
    "UPLOADED": "ready",
    "CHECKED_OUT": "ready",
    "READY": "ready",
    "WAITING": "waiting",
    "FAILED": "failed",
    "REMOTE_ERROR": "failed",
    "PAUSED": "cancelled",
    "STOPPED": "cancelled",
    "USER_STOPPED": "cancelled",
}
#: States from which a job goes on by itself.
ACTIVE: tuple[State, ...] = ("running", "queued", "ready")
#: Which state of its jobs is the state of an interface: the first of these that one of them has.
_ORDER: tuple[State, ...] = ("failed", "cancelled", "running", "queued", "ready", "waiting", "finished")

_FIELDS = (
    "uuid",
    "db_id",
    "state",
    "worker",
    "created_on",
    "updated_on",
    "start_time",
    "error",
    "lock_id",
    "lock_time",
    "run_dir",
    "resources",
    "remote",
    "parents",
    "job.name",
    "job.hosts",
    "job.metadata",
)


@dataclass
class Item:
    """A part or an interface in the queue.

    Attributes
    ----------
    key
        Its content key.
    name
        For people, for example ``SiO2 (101) + PEO x 4``.
    part
        ``interface`` or ``reference``.
    flow
        Uuid of the submission.
    state
        The worst state of its jobs.
    step
        The step that this is about.
    done, total
        Finished steps, and all of them.
    queue_id
        Number in the scheduler.
    worker
        Where.
    db_id
        jobflow-remote's number of the step.
    age
        Seconds in this state.
    cause
        Why it failed, or what keeps it, one sentence; of a long step how far it is.
    """

    key: str
    name: str
    part: str
    flow: str
    state: State
    step: str
    done: int
    total: int
    queue_id: str | None = None
    worker: str = ""
    db_id: str = ""
    age: float = 0.0
    cause: str = ""


@dataclass
class Status:
    """Everything in the queue.

    Attributes
    ----------
    items
        Parts and interfaces, in the order of their submission.
    interfaces, jobs
        How many there are in each state.
    """

    items: list[Item] = field(default_factory=list)
    interfaces: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)


def jobs_of(controller: JobController, criteria: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Read what is needed of the jobs of this program, without their inputs and outputs."""
    query = {"job.metadata.label": {"$exists": True}} | (criteria or {})
    return list(controller.jobs.find(query, dict.fromkeys(_FIELDS, 1)))


def status(controller: JobController, now: dt.datetime | None = None) -> Status:
    """Summarise the queue.

    Parameters
    ----------
    controller
        Of the project.
    now
        For the ages; default: the current time.
    """
    now = now or dt.datetime.now(dt.UTC)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    numbers: Counter[str] = Counter()
    for entry in jobs_of(controller):
        metadata = entry["job"]["metadata"]
        key = metadata.get("interface") or metadata.get("reference")
        groups.setdefault((entry["job"]["hosts"][-1], str(key)), []).append(entry)
        numbers[STATES[entry["state"]]] += 1
    items = [_item(flow, key, entries, now) for (flow, key), entries in groups.items()]
    _blame_parts(items, groups)
    interfaces: Counter[str] = Counter(item.state for item in items if item.part == "interface")
    return Status(items, dict(interfaces), dict(numbers))


def _item(flow: str, key: str, entries: list[dict[str, Any]], now: dt.datetime) -> Item:
    by_state: dict[State, list[dict[str, Any]]] = {}
    for entry in entries:
        by_state.setdefault(STATES[entry["state"]], []).append(entry)
    state = next(state for state in _ORDER if state in by_state)
    entry = by_state[state][-1 if state == "finished" else 0]
    metadata = entry["job"]["metadata"]
    changed = (entry.get("start_time") if state == "running" else None) or entry["updated_on"]
    if changed.tzinfo is None:
        changed = changed.replace(tzinfo=dt.UTC)
    return Item(
        key=key,
        name=metadata["label"],
        part="interface" if "interface" in metadata else "reference",
        flow=flow,
        state=state,
        step=entry["job"]["name"],
        done=len(by_state.get("finished", [])),
        total=len(entries),
        queue_id=(entry.get("remote") or {}).get("process_id"),
        worker=entry["worker"],
        db_id=str(entry["db_id"]),
        age=max(0.0, (now - changed).total_seconds()),
        cause=next(filter(None, map(trouble, [entry, *entries])), "")
        or (_progress(entry) if state == "running" else ""),
    )


def _progress(entry: dict[str, Any]) -> str:
    """Return how far a long step says that it is, where its working folder is seen from here."""
    try:
        return (Path(entry.get("run_dir") or "") / PROGRESS).read_text(encoding="utf-8")[:200]
    except (OSError, UnicodeDecodeError):  # most steps say nothing, and workers may have another file system
        return ""


def _blame_parts(items: list[Item], groups: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    """Tell of interfaces that wait for a part that failed or was cancelled."""
    stopped: dict[str, str] = {}
    for item in items:
        if item.part == "reference" and item.state in ("failed", "cancelled"):
            words = f"{item.name} ({item.step}) {'failed' if item.state == 'failed' else 'is cancelled'}."
            stopped |= {entry["uuid"]: words for entry in groups[item.flow, item.key]}
    for item in items:
        if item.state == "waiting" and not item.cause:
            parents = (parent for entry in groups[item.flow, item.key] for parent in entry.get("parents") or [])
            item.cause = next((stopped[parent] for parent in parents if parent in stopped), "")


def queued_pairs(controller: JobController, keys: Iterable[str]) -> set[str]:
    """Say which interfaces are in the queue and may still come to a result: none of their steps failed for good.

    An interface with a failed step counts as queued too: `recover` takes care of it; a cancelled one does not.
    """
    states: dict[str, set[str]] = {}
    fields = {"job.metadata.interface": 1, "state": 1}
    wanted = set(keys)
    for entry in controller.jobs.find({"job.metadata.interface": {"$exists": True}}, fields):
        states.setdefault(entry["job"]["metadata"]["interface"], set()).add(STATES[entry["state"]])
    return {key for key, found in states.items() if key in wanted and found - {"finished"} and "cancelled" not in found}

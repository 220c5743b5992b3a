"""One verb for everything that goes wrong in a queue: look at each job that does not go on, and do what helps.

What the queue's own tools offer does not: a retry of a job in REMOTE_ERROR can hang for ever and is refused for FAILED
ones, and locks of a killed runner are never released by themselves. So a job is always run anew, which costs no second
calculation: its results are on the worker's shelf (`iface_wf.engines.shelf`), its checkpoints too.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jobflow_remote.jobs.jobcontroller import JobController
from jobflow_remote.utils.db import FlowLockedError, JobLockedError

from iface_wf.queues.diagnosis import DELETED, Diagnosis, diagnose
from iface_wf.queues.execute import INPUT
from iface_wf.queues.monitor import jobs_of
from iface_wf.queues.project import QueueProject
from iface_wf.queues.resources import Resources
from iface_wf.store.fields import value_at

#: So often a job is run anew by itself, for reasons that a further attempt may mend.
MAX_ATTEMPTS = 5
#: ... and so often when it ran out of wall time, since every allocation brings it on by a piece.
MAX_SLICES = 20
#: Seconds between a job's failure and its next attempt, by the number of attempts before: a full disk takes time.
RESTS = (0.0, 60.0, 300.0, 900.0, 3600.0)
#: A lock that the same holder has for so long, s, while no runner lives, is left over from a killed one.
LOCK_SECONDS = 2.0

Verb = Literal["unlock", "rerun", "submit", "wait", "leave"]


class Action(NamedTuple):
    """What is to be done about one job.

    Attributes
    ----------
    verb
        ``unlock``: remove a killed runner's lock; ``rerun``; ``submit``: the second stage of a funnel; ``wait``: it
        will be run anew, later; ``leave``: needs a person.
    db_id, name, step
        Which job: jobflow-remote's number, interface or part, step.
    reason
        What happened and what is done about it.
    resources
        What the job asks for from now on, where that changes.
    deleted
        Whether its files were deleted while it was in the queue.
    """

    verb: Verb
    db_id: str
    name: str
    step: str
    reason: str
    resources: Resources | None = None
    deleted: bool = False


def decide(
    entry: dict[str, Any], project: QueueProject, everything: bool = False, patient: bool = False
) -> Action | None:
    """Decide what to do about a job.

    Parameters
    ----------
    entry
        Document of jobflow-remote's queue, see `iface_wf.queues.monitor.jobs_of`.
    project
        Knows the limits of its resources.
    everything
        Also run anew what failed by its own calculation, or too often.
    patient
        Wait longer from attempt to attempt, as the runner does by itself.

    Returns
    -------
    Action or None
        None for a job that did not fail.
    """
    if entry["state"] not in ("FAILED", "REMOTE_ERROR"):
        return None
    found = diagnose(entry)
    if found.kind == "lost" and _files_are_gone(entry, project):
        found = DELETED
    metadata = entry["job"]["metadata"]
    attempts = int(metadata.get("recoveries", 0))
    verb, reason, resources = _remedy(found, entry, project, everything)
    out_of_time = found.kind == "time limit"
    if verb == "rerun" and not everything:
        if attempts >= (MAX_SLICES if out_of_time else MAX_ATTEMPTS):
            reason = f"{found.cause} It has been run anew {attempts} times (--all does it once more)."
            verb, resources = "leave", None
        elif patient and not out_of_time and (rest := _rest(entry, attempts)) > 0:
            verb, reason = "wait", f"{found.cause} It is run anew in {rest:.0f} s."
    name, step, deleted = metadata["label"], entry["job"]["name"], found.kind == "deleted"
    return Action(verb, str(entry["db_id"]), name, step, reason, resources, deleted)


def _files_are_gone(entry: dict[str, Any], project: QueueProject) -> bool:
    """Whether the folder of a job, which is kept until it is run anew, is not there; seen on this machine only."""
    if not entry.get("run_dir"):
        return False
    worker = project.config.workers.get(entry["worker"])
    return worker is not None and worker.type == "local" and not (Path(entry["run_dir"]) / INPUT).exists()


def _rest(entry: dict[str, Any], attempts: int) -> float:
    """Return the seconds until a job's next attempt."""
    failed: dt.datetime = entry["updated_on"]
    age = dt.datetime.now(dt.UTC) - (failed if failed.tzinfo else failed.replace(tzinfo=dt.UTC))
    return RESTS[min(attempts, len(RESTS) - 1)] - age.total_seconds()


def _remedy(
    found: Diagnosis, entry: dict[str, Any], project: QueueProject, everything: bool
) -> tuple[Verb, str, Resources | None]:
    if found.kind == "calculation":
        if everything:
            return "rerun", f"{found.cause}. It is run anew as asked.", None
        return "leave", f"{found.cause}. Running it anew would fail again (--all tries it).", None
    if found.kind in ("time limit", "memory"):
        now = Resources.model_validate(entry["job"]["metadata"]["resources"])
        more = project.resources.raised(now, "time" if found.kind == "time limit" else "memory")
        if more is not None:
            what = f"{more.time / 3600:.3g} h" if found.kind == "time limit" else f"{more.memory_mb} MB"
            return "rerun", f"{found.cause} It goes on from its checkpoint with {what}.", more
        if found.kind == "time limit":
            # every allocation brings it on by a piece, so going on under the same limit is no waste
            return (
                "rerun",
                f"{found.cause} It goes on from its checkpoint, under the same limit: the cap is reached.",
                None,
            )
        if not everything:
            return (
                "leave",
                f"{found.cause} More than the cap of the project is not asked for: raise max_memory_mb.",
                None,
            )
    return "rerun", f"{found.cause} It is run anew.", None


def plan(
    controller: JobController, project: QueueProject, everything: bool = False, patient: bool = False
) -> list[Action]:
    """List what `recover` would do about failed jobs; locks are looked at by `leftover_locks`.

    Parameters
    ----------
    controller, project
        Of the queue.
    everything, patient
        As for `decide`.

    Returns
    -------
    list of Action
        One for each failed job.
    """
    failed = jobs_of(controller, {"state": {"$in": ["FAILED", "REMOTE_ERROR"]}})
    return [action for entry in failed if (action := decide(entry, project, everything, patient)) is not None]


def recover(
    controller: JobController,
    project: QueueProject,
    everything: bool = False,
    on_action: Callable[[Action], None] = lambda action: None,
    patient: bool = False,
) -> list[Action]:
    """Do what helps each failed job.

    Parameters
    ----------
    controller, project
        Of the queue.
    everything, patient
        As for `decide`.
    on_action
        Is told about each action when it is done.

    Returns
    -------
    list of Action
        What was done, and what is left to a person.
    """
    done = []
    for action in plan(controller, project, everything, patient):
        if action.verb == "rerun":
            try:
                _rerun(controller, project, action)
            except (JobLockedError, FlowLockedError):
                continue  # somebody is at it; the next pass sees it again
            except ValueError as error:  # jobflow-remote refuses, for example because a later step was cancelled
                action = action._replace(verb="leave", reason=f"{action.reason} But: {error}")
        on_action(action)
        done.append(action)
    return done


def _rerun(controller: JobController, project: QueueProject, action: Action) -> None:
    """Run a job anew, with other resources if the action has some."""
    this = {"db_id": action.db_id}
    before = controller.jobs.find_one(this, {"worker": 1, "resources": 1, "job.metadata": 1})
    update: dict[str, Any] = {"$inc": {"job.metadata.recoveries": 1}}
    if action.deleted:
        update["$inc"]["job.metadata.deleted"] = 1  # the result says so
    if action.resources is not None:
        asked = project.worker(before["worker"]).stored_resources(action.resources)
        update["$set"] = {"resources": asked, "job.metadata.resources": action.resources.model_dump()}
    # before the state: a runner may take the job the moment it is ready
    controller.jobs.update_one(this, update)
    try:
        # its files go; calculations and their checkpoints lie on the shelf, which is another folder
        controller.rerun_job(db_id=action.db_id, wait=10, delete_files=True)
    except (JobLockedError, FlowLockedError, ValueError):
        # nothing was run anew, so it is no attempt, and the next one does not ask for more once again
        controller.jobs.update_one(this, _taken_back(before, [*update["$inc"], *update.get("$set", {})]))
        raise
    # jobflow-remote sets all later steps to wait for it, those of cancelled interfaces too
    cancelled = {"job.metadata.cancelled": True, "state": {"$in": ["WAITING", "READY"]}}
    controller.jobs.update_many(cancelled, {"$set": {"state": "PAUSED"}})


def _taken_back(before: dict[str, Any], changed: Iterable[str]) -> dict[str, Any]:
    """Return the update that gives fields what they had; no others, which somebody may have changed meanwhile."""
    update: dict[str, Any] = {}
    for field in changed:
        value = value_at(before, field)
        update.setdefault("$unset" if value is None else "$set", {})[field] = value
    return update


def leftover_locks(controller: JobController) -> list[dict[str, Any]]:
    """Find locks that nobody releases: those that the same holder still has after some seconds.

    Only for whoever knows that no runner is working.
    """
    before = locks(controller)
    if not before:
        return []
    time.sleep(LOCK_SECONDS)
    return unchanged(before, locks(controller))


def unchanged(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the locks that the same holders have had at both times."""
    return [entry for entry in now if any(_same_lock(entry, other) for other in before)]


def locks(controller: JobController) -> list[dict[str, Any]]:
    """List all locks on jobs and flows."""
    fields = {"lock_id": 1, "lock_time": 1, "db_id": 1, "uuid": 1, "job.name": 1, "job.metadata": 1, "state": 1}
    query = {"lock_id": {"$ne": None}}
    found: list[dict[str, Any]] = []
    for collection in (controller.jobs, controller.flows):
        found += [entry | {"of": collection.name} for entry in collection.find(query, fields)]
    return found


def _same_lock(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(name) == other.get(name) for name in ("_id", "of", "lock_id", "lock_time"))


def describe_locks(locks: Iterable[dict[str, Any]]) -> list[Action]:
    """Say what `unlock` would do."""
    return [_unlocking(entry) for entry in locks]


def _unlocking(entry: dict[str, Any]) -> Action:
    job = entry.get("job") or {}
    name = (job.get("metadata") or {}).get("label", "a submission")
    reason = "A runner was killed while it held the lock."
    return Action("unlock", str(entry.get("db_id", "")), name, job.get("name", ""), reason)


def unlock(controller: JobController, locks: Iterable[dict[str, Any]]) -> list[Action]:
    """Remove locks found by `leftover_locks`, unless they have changed hands meanwhile."""
    done = []
    for entry in locks:
        collection = controller.jobs if entry["of"] == controller.jobs.name else controller.flows
        free = {"$set": {"lock_id": None, "lock_time": None}}
        if collection.update_one({"_id": entry["_id"], "lock_id": entry["lock_id"]}, free).modified_count:
            done.append(_unlocking(entry))
    return done


def cancel(controller: JobController, keys: Iterable[str] | None = None) -> int:
    """Take interfaces out of the queue; running jobs are stopped in the scheduler.

    Parameters
    ----------
    controller
        Of the queue.
    keys
        Content keys of interfaces; None cancels everything, isolated parts too.

    Returns
    -------
    int
        Number of jobs that were cancelled. Results that are stored, and calculations on the shelf, stay.
    """
    criteria: dict[str, Any] = {} if keys is None else {"job.metadata.interface": {"$in": list(keys)}}
    now = dt.datetime.now(dt.UTC)
    count, flows = 0, set()

    def set_state(before: list[str], after: str) -> None:
        nonlocal count
        query = criteria | {"state": {"$in": before}, "job.metadata.label": {"$exists": True}, "lock_id": None}
        flows.update(controller.jobs.distinct("job.hosts", query))
        change = {"$set": {"state": after, "updated_on": now, "job.metadata.cancelled": True}}
        count += controller.jobs.update_many(query, change).modified_count

    # those that wait first: stopping a running one must not set them free
    set_state(["WAITING", "READY"], "PAUSED")
    active = ["CHECKED_OUT", "UPLOADED", "SUBMITTED", "RUNNING", "RUN_FINISHED", "DOWNLOADED"]
    for entry in jobs_of(controller, criteria | {"state": {"$in": [*active, "BATCH_SUBMITTED", "BATCH_RUNNING"]}}):
        try:
            controller.stop_job(db_id=str(entry["db_id"]), wait=10)
        except ValueError:
            continue  # it has finished meanwhile
        count += 1
    set_state(["FAILED", "REMOTE_ERROR"], "USER_STOPPED")
    for flow in flows:
        if controller.flows.count_documents({"uuid": flow, "lock_id": None}):
            controller.update_flow_state(flow_uuid=flow)
    return count

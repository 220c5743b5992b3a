"""Funnels in a queue: when the cheap stage is over, the runner submits the second one by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from jobflow_remote.jobs.jobcontroller import JobController

from iface_wf.errors import validate
from iface_wf.queues.monitor import ACTIVE, STATES, jobs_of
from iface_wf.queues.project import QueueProject
from iface_wf.queues.recover import decide
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.state import stored_results

COLLECTION = "funnels"


class Waiting(NamedTuple):
    """A funnel whose second stage has not been submitted.

    Attributes
    ----------
    identity
        In the database.
    spec, worker
        What to submit, and where.
    ranking
        Keys of the interfaces of the cheap stage.
    """

    identity: str
    spec: ScreeningSpec
    worker: str
    ranking: list[str]

    @property
    def name(self) -> str:
        """For people."""
        return f"funnel of {len(self.ranking)} interfaces"


def remember(controller: JobController, spec: ScreeningSpec, worker: str, ranking: Iterable[str]) -> None:
    """Write down that the second stage of a spec is to be submitted when its first one is over.

    Parameters
    ----------
    controller
        Of the queue, in whose database it is kept.
    spec
        The screening; the same spec for the same worker is kept once.
    worker
        Where the second stage is to run.
    ranking
        Keys of the interfaces of the first stage.
    """
    content = spec.model_dump(mode="json")
    identity = hashlib.sha256(json.dumps([content, worker], sort_keys=True).encode()).hexdigest()
    entry = {"_id": identity, "spec": content, "worker": worker, "ranking": list(ranking)}
    controller.db[COLLECTION].replace_one({"_id": identity}, entry, upsert=True)


def waiting(controller: JobController) -> list[Waiting]:
    """List the funnels whose second stage has not been submitted."""
    return [
        Waiting(
            entry["_id"],
            validate(entry["spec"], ScreeningSpec, "A funnel in the queue"),
            entry["worker"],
            entry["ranking"],
        )
        for entry in controller.db[COLLECTION].find()
    ]


def forget(controller: JobController, funnel: Waiting) -> None:
    """Forget a funnel whose second stage has been submitted, or cannot be."""
    controller.db[COLLECTION].delete_one({"_id": funnel.identity})


def ranked(controller: JobController, project: QueueProject, ranking: Iterable[str]) -> bool:
    """Whether the cheap stage is over: each of its interfaces is stored, or will not come to a result by itself.

    Parameters
    ----------
    controller, project
        Of the queue.
    ranking
        Keys of the interfaces of the cheap stage.
    """
    keys = list(ranking)
    left = sorted(set(keys) - stored_results(project.store(), keys))
    if not left:
        return True
    queued = jobs_of(controller, {"job.metadata.interface": {"$in": left}})
    if {entry["job"]["metadata"]["interface"] for entry in queued} != set(left):
        return False
    submissions = sorted({entry["job"]["hosts"][-1] for entry in queued})
    return not any(_goes_on(entry, project) for entry in jobs_of(controller, {"job.hosts": {"$in": submissions}}))


def _goes_on(entry: dict[str, Any], project: QueueProject) -> bool:
    action = decide(entry, project, patient=True)
    return STATES[entry["state"]] in ACTIVE or (action is not None and action.verb in ("rerun", "wait"))

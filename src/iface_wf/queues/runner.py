"""The runner: moves jobs through the queue, recovers what goes wrong, and outlives the failures of server and scheduler.

It drives the steps of jobflow-remote's runner in one process, because jobflow-remote's own loop has three properties that
lose time or work: it rests for two minutes after each failed step, does not release the locks of a runner that was killed,
and never looks again at jobs that ran out of wall time.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager
from types import FrameType
from typing import Any

from jobflow_remote.jobs.runner import Runner
from jobflow_remote.jobs.state import JobState
from pymongo.errors import PyMongoError

from iface_wf.errors import CalculationError
from iface_wf.foreign import known_jobs_only
from iface_wf.queues import funnels
from iface_wf.queues.monitor import ACTIVE, STATES, Status, status
from iface_wf.queues.project import QueueProject
from iface_wf.queues.recover import Action, locks, recover, unchanged, unlock
from iface_wf.queues.submit import submit_second_stage
from iface_wf.secrets import is_secret, take
from iface_wf.store.reuse import working_on

#: Seconds between two looks at failed jobs.
RECOVERY_SECONDS = 15.0
#: Seconds between two looks at locks; the same lock at two looks is left over from a runner that was killed.
LOCK_SECONDS = 10.0
#: Seconds between two rounds when nothing happens.
POLL = 0.25
#: Longest rest after failures, s; it doubles from one second on.
LONGEST_REST = 30.0
#: A runner that has not renewed its claim for so long, s, on another machine, is dead.
STALE = 120.0

_STATES = [s.value for s in (JobState.CHECKED_OUT, JobState.RUN_FINISHED, JobState.DOWNLOADED, JobState.UPLOADED)]
_log = logging.getLogger(__name__)


def run(
    project: QueueProject,
    until_done: bool = False,
    on_status: Callable[[Status], None] = lambda found: None,
    on_action: Callable[[Action], None] = lambda action: None,
    recovery: bool = True,
) -> Status:
    """Work on the queue until stopped by a signal.

    Parameters
    ----------
    project
        The queue.
    until_done
        Also end when nothing is left that could go on by itself.
    on_status
        Is told the state of the queue about once a second.
    on_action
        Is told what was recovered.
    recovery
        Run failed jobs anew where that helps.

    Returns
    -------
    Status
        The state of the queue at the end.

    Raises
    ------
    CalculationError
        When another runner is at work on this project.
    """
    # the scheduler hands the environment on to the jobs, which need no database; pymongo itself reads Amazon's variables
    needed = "AWS_" if "MONGODB-AWS" in project.address.upper() else None
    take(lambda name, value: is_secret(name, value) and not (needed and name.startswith(needed)))
    with working_on(project.store(), project.runner_claim, stale=STALE) as ours:
        if not ours:
            raise CalculationError(f"Another runner is at work on the project {project.name}; one is enough.")
        with known_jobs_only(), _stopping() as stopped:
            return _Loop(project, until_done, on_status, on_action, recovery).run(stopped)


@contextmanager
def _stopping() -> Any:
    """Turn SIGTERM and SIGINT into a flag, so that no step is left half done."""
    flags: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        flags.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield flags
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Loop:
    """The rounds of one runner."""

    def __init__(
        self,
        project: QueueProject,
        until_done: bool,
        on_status: Callable[[Status], None],
        on_action: Callable[[Action], None],
        recovery: bool,
    ) -> None:
        self.project, self.until_done, self.recovery = project, until_done, recovery
        self.on_status, self.on_action = on_status, on_action
        self.runner = Runner(project_name=project.name)
        self.rest = 0.0
        self.due: dict[str, float] = {}
        self.latest = Status()
        self.status_every = 1.0
        self.locks: list[dict[str, Any]] = []
        self.told: set[tuple[str, str]] = set()

    def run(self, stopped: list[int]) -> Status:
        """Go round until stopped, or until nothing can go on."""
        while not stopped and not (self._safely(self._round) and self.until_done and self._safely(self._check_end)):
            time.sleep(self.rest or POLL)
        self.runner.cleanup()
        return self.latest

    def _safely(self, work: Callable[[], bool]) -> bool:
        """Do something and return its answer; after a failure rest, longer each time: a server that is away comes back."""
        try:
            answer = work()
        except PyMongoError as error:
            _log.warning("The database does not answer: %s", type(error).__name__)
        except Exception:  # noqa: BLE001 - one job's or the scheduler's failure must not end the runner
            _log.exception("A round of the runner failed")
        else:
            self.rest = 0.0
            return answer
        self.rest = min(LONGEST_REST, 2 * self.rest or 1.0)
        return False

    def _round(self) -> bool:
        options = self.runner.runner_options
        if self._is_due("ping", options.delay_ping_db):
            self.runner.ping_running_runner(run_options={"iface-wf": True})
        if self.runner.limited_workers and self._is_due("limits", options.delay_refresh_limited):
            self.runner.refresh_num_current_jobs()
        if self._is_due("locks", LOCK_SECONDS):
            # between two steps this process holds no lock, and no other runner is at work
            before, self.locks = self.locks, locks(self.runner.job_controller)
            for action in unlock(self.runner.job_controller, unchanged(before, self.locks)):
                self.on_action(action)
        self.runner.checkout()
        if self._is_due("queue", options.delay_check_run_status):
            self.runner.check_run_status()
        if self.runner.batch_workers and self._is_due("batches", options.delay_update_batch):
            self.runner.update_batch_jobs()
        self.runner.advance_state(_STATES)
        if self.recovery and self._is_due("recovery", RECOVERY_SECONDS):
            recover(self.runner.job_controller, self.project, on_action=self._tell, patient=True)
        if self._is_due("funnels", RECOVERY_SECONDS):
            self._submit_second_stages()
        if self._is_due("status", self.status_every):
            self._look()
        return True

    def _submit_second_stages(self) -> bool:
        """Submit the second stage of each funnel whose first one is over; tell whether there was one."""
        controller, submitted = self.runner.job_controller, False
        for funnel in funnels.waiting(controller):
            if funnels.ranked(controller, self.project, funnel.ranking):
                there_is_more, words = submit_second_stage(controller, self.project, funnel)
                self.on_action(Action("submit" if there_is_more else "leave", "", funnel.name, "ranking", words))
                submitted |= there_is_more
        return submitted

    def _is_due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now < self.due.get(what, 0.0):
            return False
        self.due[what] = now + every
        return True

    def _tell(self, action: Action) -> None:
        """Tell about an action; what is not done now is told once."""
        about = (action.db_id, action.reason if action.verb == "leave" else action.verb)
        if action.verb in ("unlock", "rerun"):
            self.told.discard((action.db_id, "wait"))
        elif about in self.told:
            return
        else:
            self.told.add(about)
        self.on_action(action)

    def _look(self) -> None:
        started = time.monotonic()
        self.latest = status(self.runner.job_controller)
        self.on_status(self.latest)
        # of thousands of jobs this takes a moment, and the jobs come first
        self.status_every = max(1.0, 20.0 * (time.monotonic() - started))

    def _check_end(self) -> bool:
        """Whether nothing is left that could go on by itself."""
        controller = self.runner.job_controller
        active = {"state": {"$in": [state for state, meaning in STATES.items() if meaning in ACTIVE]}}
        if controller.jobs.count_documents(active, limit=1) or locks(controller):
            return False
        if self.recovery:
            actions = recover(controller, self.project, on_action=self._tell, patient=True)
            if any(action.verb in ("rerun", "wait") for action in actions):
                return False
        if self._submit_second_stages():
            return False
        self._look()
        return True

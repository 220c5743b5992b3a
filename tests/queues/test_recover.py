"""What is done about each kind of failure."""

import datetime as dt

import pytest

from iface_wf.queues.project import QueueProject
from iface_wf.queues.recover import MAX_ATTEMPTS, MAX_SLICES, RESTS, decide
from iface_wf.queues.resources import Caps, Resources, ResourceTable

PROJECT = QueueProject(config=None, resources=ResourceTable(caps=Caps(cores=8, hours=4, memory_gb=16)))
OUT_OF_TIME = "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***"
OUT_OF_MEMORY = "slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch."
FAILED_BY_ITSELF = "Traceback (most recent call last):\n  File ...\nValueError: no such basis"
PASSING = {
    "cancelled": {"queue_err": "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 ***"},
    "node": {"queue_err": "slurmstepd: error: *** JOB 7 CANCELLED AT 2026-01-01T00:00:00 DUE TO NODE FAILURE ***"},
    "disk": {"queue_err": "OSError: [Errno 28] No space left on device"},
    "lost": {},
    "queue": {"error": "Traceback\nRemoteError: submission failed", "state": "REMOTE_ERROR"},
}


def failed(queue_err="", error=None, state="FAILED", time=3600, memory_mb=8000, recoveries=0, age=0.0):
    asked = Resources(cores=4, time=time, memory_mb=memory_mb).model_dump()
    metadata = {"label": "SiO2 + PEO", "resources": asked}
    if recoveries:
        metadata["recoveries"] = recoveries
    return {
        "state": state,
        "db_id": 7,
        "error": error,
        "remote": {"queue_err": queue_err},
        "updated_on": dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age),
        "job": {"name": "relax AB", "metadata": metadata},
    }


@pytest.mark.parametrize("state", ["WAITING", "READY", "RUNNING", "COMPLETED", "USER_STOPPED", "BATCH_RUNNING"])
def test_only_failed_jobs_are_touched(state):
    assert decide(failed(state=state), PROJECT, everything=True) is None


@pytest.mark.parametrize("kind", PASSING)
def test_what_may_pass_is_run_anew_as_it_is(kind):
    action = decide(failed(**PASSING[kind]), PROJECT)
    assert (action.verb, action.db_id, action.name, action.step) == ("rerun", "7", "SiO2 + PEO", "relax AB")
    assert action.resources is None
    assert "run anew" in action.reason


def test_a_calculation_that_fails_by_itself_is_left_unless_all_are_asked_for():
    action = decide(failed(error=FAILED_BY_ITSELF), PROJECT)
    assert action.verb == "leave"
    assert "no such basis" in action.reason
    assert "--all" in action.reason
    assert decide(failed(error=FAILED_BY_ITSELF), PROJECT, everything=True).verb == "rerun"


def test_more_time_is_asked_for_until_the_cap():
    action = decide(failed(OUT_OF_TIME), PROJECT)
    assert (action.verb, action.resources) == ("rerun", Resources(cores=4, time=7200, memory_mb=8000))
    assert "2 h" in action.reason
    capped = decide(failed(OUT_OF_TIME, time=4 * 3600), PROJECT)
    assert (capped.verb, capped.resources) == ("rerun", None)  # it goes on from its checkpoint
    assert "cap" in capped.reason


def test_more_memory_is_asked_for_until_the_cap():
    action = decide(failed(OUT_OF_MEMORY), PROJECT)
    assert (action.verb, action.resources.memory_mb) == ("rerun", 16000)
    capped = failed(OUT_OF_MEMORY, memory_mb=16000)
    assert decide(capped, PROJECT).verb == "leave"
    assert decide(capped, PROJECT, everything=True).verb == "rerun"
    own = decide(failed(error="Traceback\n...\nMemoryError: "), PROJECT)
    assert own.resources.memory_mb == 16000


@pytest.mark.parametrize("kind", PASSING)
def test_after_several_attempts_a_person_decides(kind):
    last = failed(**PASSING[kind], recoveries=MAX_ATTEMPTS - 1)
    assert decide(last, PROJECT).verb == "rerun"
    often = failed(**PASSING[kind], recoveries=MAX_ATTEMPTS)
    action = decide(often, PROJECT)
    assert action.verb == "leave"
    assert f"{MAX_ATTEMPTS} times" in action.reason
    assert decide(often, PROJECT, everything=True).verb == "rerun"


def test_a_long_calculation_may_take_many_allocations():
    assert decide(failed(OUT_OF_TIME, recoveries=MAX_ATTEMPTS), PROJECT).verb == "rerun"
    assert decide(failed(OUT_OF_TIME, recoveries=MAX_SLICES - 1), PROJECT, patient=True).verb == "rerun"
    action = decide(failed(OUT_OF_TIME, recoveries=MAX_SLICES), PROJECT)
    assert (action.verb, action.resources) == ("leave", None)


@pytest.mark.parametrize("attempts", range(1, MAX_ATTEMPTS))
def test_by_itself_the_runner_waits_longer_each_time(attempts):
    young = failed(recoveries=attempts, age=RESTS[attempts] - 30)
    action = decide(young, PROJECT, patient=True)
    assert action.verb == "wait"
    assert "It is run anew in" in action.reason
    assert decide(young, PROJECT).verb == "rerun"  # a person who asks need not wait
    assert decide(young, PROJECT, everything=True, patient=True).verb == "rerun"
    assert decide(failed(recoveries=attempts, age=RESTS[attempts] + 1), PROJECT, patient=True).verb == "rerun"


def test_the_first_attempt_comes_at_once():
    assert decide(failed(), PROJECT, patient=True).verb == "rerun"


def test_times_without_zone_are_utc():
    entry = failed(recoveries=1, age=30)
    entry["updated_on"] = entry["updated_on"].replace(tzinfo=None)
    assert decide(entry, PROJECT, patient=True).verb == "wait"

"""What the queue holds, from its documents."""

import datetime as dt

from jobflow_remote.jobs.state import JobState

from iface_wf.queues.monitor import ACTIVE, STATES, queued_pairs, status

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


class Queue:
    """A controller that holds some documents."""

    def __init__(self, *entries):
        self.entries, self.jobs = entries, self

    def find(self, query, fields):
        return iter(self.entries)


def entry(state, interface="k1", flow="f", step="relax AB", age=60, number=1, **more):
    about = {"interface": interface} if interface else {"reference": "r1"}
    return {
        "state": state,
        "db_id": number,
        "worker": "main",
        "updated_on": (NOW - dt.timedelta(seconds=age)).replace(tzinfo=None),
        "job": {"name": step, "hosts": ["pair", flow], "metadata": about | {"label": interface or "PEO x 4"}},
    } | more


def test_every_state_of_jobflow_remote_has_a_meaning():
    assert set(STATES) == {state.value for state in JobState}
    assert STATES["BATCH_RUNNING"] == "running"
    assert STATES["BATCH_SUBMITTED"] == "queued"
    assert set(ACTIVE) < set(STATES.values())


def test_an_interface_is_as_bad_as_its_worst_step():
    found = status(Queue(entry("COMPLETED"), entry("FAILED", step="static AB", number=2), entry("WAITING")), NOW)
    (item,) = found.items
    assert (item.state, item.step, item.db_id, item.done, item.total) == ("failed", "static AB", "2", 1, 3)
    assert item.cause
    assert item.age == 60
    assert found.interfaces == {"failed": 1}
    assert found.jobs == {"finished": 1, "failed": 1, "waiting": 1}


def test_steps_of_one_interface_and_submission_belong_together():
    queue = Queue(
        entry("COMPLETED"),
        entry("RUNNING", remote={"process_id": "42"}, start_time=NOW - dt.timedelta(seconds=5)),
        entry("COMPLETED", flow="later"),
        entry("BATCH_SUBMITTED", interface="k2"),
        entry("COMPLETED", interface=None),
    )
    found = status(queue, NOW)
    assert [(i.key, i.flow, i.state, i.part) for i in found.items] == [
        ("k1", "f", "running", "interface"),
        ("k1", "later", "finished", "interface"),
        ("k2", "f", "queued", "interface"),
        ("r1", "f", "finished", "reference"),
    ]
    assert (found.items[0].queue_id, found.items[0].age) == ("42", 5)
    assert found.interfaces == {"running": 1, "finished": 1, "queued": 1}


def test_trouble_on_the_way_is_told_before_it_is_a_failure():
    error = "Traceback\nOSError: [Errno 28] No space left on device"
    (item,) = status(Queue(entry("DOWNLOADED", remote={"error": error, "step_attempts": 2})), NOW).items
    assert item.state == "running"
    assert item.cause == "The disk of the work folder is full. Tried 2 times; it is tried again."


def test_what_may_still_come_to_a_result_is_in_the_queue():
    queue = Queue(
        entry("COMPLETED", interface="done"),
        entry("FAILED", interface="failed"),
        entry("COMPLETED", interface="on its way"),
        entry("BATCH_RUNNING", interface="on its way"),
        entry("USER_STOPPED", interface="cancelled"),
        entry("READY", interface="another"),
    )
    assert queued_pairs(queue, ["done", "failed", "on its way", "cancelled"]) == {"failed", "on its way"}

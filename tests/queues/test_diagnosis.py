"""What schedulers, jobflow-remote and calculations leave behind is read as the right cause."""

import pytest

from iface_wf.queues.diagnosis import diagnose, trouble

KILLED = (
    "The output file jfremote_out.json was downloaded, but it does not contain the response. The job was likely killed"
)


def failed(error=KILLED, queue_err="", state="FAILED", remote_error=None):
    return {"state": state, "error": error, "remote": {"queue_err": queue_err, "error": remote_error}}


@pytest.mark.parametrize(
    ("queue_err", "kind"),
    [
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***", "time limit"),
        ("=>> PBS: job killed: walltime 3605 exceeded limit 3600", "time limit"),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 ***", "cancelled"),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO NODE FAILURE ***", "node"),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO PREEMPTION ***", "node"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch.", "memory"),
        ("=>> PBS: job killed: mem 9000000kb exceeded limit 8388608kb", "memory"),
        ("OSError: [Errno 28] No space left on device", "disk"),
        ("", "lost"),
    ],
)
def test_words_of_schedulers(queue_err, kind):
    assert diagnose(failed(queue_err=queue_err)).kind == kind


def test_the_calculations_own_words_are_the_cause():
    error = 'Traceback (most recent call last):\n  File "x.py", line 1\niface_wf.errors.CalculationError: GPAW gave no result.'
    found = diagnose(failed(error=error))
    assert found.kind == "calculation"
    assert found.cause == "GPAW gave no result"


def test_a_full_disk_is_no_failure_of_the_calculation():
    error = "Traceback (most recent call last):\n  ...\nOSError: [Errno 28] No space left on device: 'density.npz'"
    assert diagnose(failed(error=error)).kind == "disk"


@pytest.mark.parametrize(
    ("error", "kind", "cause"),
    [
        (
            "Traceback\niface_wf.errors.OutageError: The folder /x was deleted while a calculation ran in it.",
            "deleted",
            "anew",
        ),
        (
            "shell-init: error retrieving current directory: getcwd() failed: cannot access parent directories",
            "deleted",
            "anew",
        ),
        (
            "The output file jfremote_out.json was not present in the download folder /x and it is required",
            "lost",
            "or its files",
        ),
        ("file /x/jfremote_out.json for job 7 does not exist", "lost", "or its files"),
    ],
)
def test_files_that_are_gone(error, kind, cause):
    found = diagnose(failed(error=error))
    assert found.kind == kind
    assert cause in found.cause


def test_an_error_of_the_queue_itself():
    found = diagnose(
        failed(error=None, remote_error="Traceback...\nRemoteError: submission failed", state="REMOTE_ERROR")
    )
    assert found.kind == "queue"
    assert "submission failed" in found.cause


def test_a_scheduler_that_refuses_a_job_is_quoted():
    error = (
        "Traceback...\njobflow_remote.remote.data.RemoteError: submission failed. SubmissionResult(job_id=None, "
        "step_id=None, exit_code=1, stdout='', stderr='sbatch: error: Memory specification can not be satisfied\\n', "
        "status=<SubmissionStatus.FAILED: 'FAILED'>)"
    )
    on_its_way = {"state": "UPLOADED", "error": None, "remote": {"error": error, "step_attempts": 3}}
    words = "The scheduler refuses the job: sbatch: error: Memory specification can not be satisfied"
    assert trouble(on_its_way) == f"{words}. Tried 3 times; it is tried again."
    assert words in trouble(failed(error=None, remote_error=error, state="REMOTE_ERROR"))

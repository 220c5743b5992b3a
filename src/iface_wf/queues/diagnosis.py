"""Why a job of the queue failed, from what the scheduler, jobflow-remote and the calculation left behind."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

#: What a failure calls for; see `iface_wf.queues.recover`.
Kind = Literal["time limit", "memory", "cancelled", "node", "disk", "deleted", "lost", "queue", "calculation"]


class Diagnosis(NamedTuple):
    """What went wrong.

    Attributes
    ----------
    kind
        ``time limit``, ``memory``: more is to be asked for; ``cancelled``, ``node``, ``lost``: it was stopped from
        outside; ``disk``: no room; ``deleted``: its files were taken away while it ran; ``queue``: jobflow-remote could not do its part; ``calculation``: the calculation
        itself failed, and would again.
    cause
        One sentence.
    """

    kind: Kind
    cause: str


#: Words of the schedulers in a job's error output: Slurm, PBS and Grid Engine.
_WORDS: tuple[tuple[Kind, str, str], ...] = (
    (
        "time limit",
        r"DUE TO TIME LIMIT|walltime \d+ exceeded|exceeded (hard|soft) wallclock|PBS: job killed: walltime",
        "The wall time ran out.",
    ),
    (
        "memory",
        r"oom[-_ ]kill|OUT_OF_MEMORY|Out Of Memory|exceeded memory limit|PBS: job killed: mem|MemoryError",
        "The memory ran out.",
    ),
    ("node", r"DUE TO NODE FAIL|NODE_FAIL|DUE TO PREEMPTION", "The node failed or was taken away."),
    (
        "cancelled",
        r"CANCELLED AT|Terminated|PBS: job killed: signal|slurmstepd: error: \*\*\* (JOB|STEP)",
        "It was cancelled.",
    ),
)
#: What qtoolkit tells of a submission that did not succeed.
_REFUSED = re.compile(r"submission failed\..*?stderr=['\"](.*?)['\"], status=", re.DOTALL)
_DISK = re.compile(r"No space left on device|Disk quota exceeded|ENOSPC|EDQUOT")
#: What is said where the folder of a calculation is no longer there...
_DELETED = re.compile(r"was deleted while|getcwd\(\) failed|cannot access parent directories")
#: ... and where a job has left nothing, because it never began or because its files were deleted.
_NOTHING = re.compile(r"jfremote_out\.json( was not present| for job \S+ does not exist)")
DELETED = Diagnosis(
    "deleted", "Its files were deleted while it was in the queue: what was not finished is calculated anew."
)


def diagnose(entry: dict[str, Any]) -> Diagnosis:
    """Name the cause of a failed job.

    Parameters
    ----------
    entry
        Document of jobflow-remote's queue, state FAILED or REMOTE_ERROR.

    Returns
    -------
    Diagnosis
        Kind and one sentence.
    """
    remote = entry.get("remote") or {}
    said = "\n".join(str(remote.get(name) or "") for name in ("queue_err", "queue_out"))
    error = str(entry.get("error") or remote.get("error") or "")
    own_words = _exception(error)
    if _DISK.search(error) or _DISK.search(said):
        return Diagnosis("disk", "The disk of the work folder is full.")
    if _DELETED.search(error) or _DELETED.search(said):
        return DELETED
    for kind, words, cause in _WORDS:
        if re.search(words, said):
            return Diagnosis(kind, cause)
    if _NOTHING.search(error):
        return Diagnosis("lost", "It left nothing: it was stopped before it began, or its files were deleted.")
    if entry["state"] == "REMOTE_ERROR":
        return Diagnosis("queue", f"jobflow-remote gave up: {own_words or 'no reason given'}.")
    if own_words and "Traceback" in error:
        return Diagnosis("memory" if "MemoryError" in own_words else "calculation", own_words)
    return Diagnosis("lost", "It ended without a result and without a word: killed, or its files are gone.")


def trouble(entry: dict[str, Any]) -> str:
    """Say in one sentence why a job of the queue has failed, or what keeps one that is on its way; else nothing."""
    if entry["state"] in ("FAILED", "REMOTE_ERROR"):
        return diagnose(entry).cause
    remote = entry.get("remote") or {}
    error = str(remote.get("error") or "")
    if not error or not remote.get("step_attempts"):
        return ""
    cause = "The disk of the work folder is full." if _DISK.search(error) else f"{_exception(error)}."
    return f"{cause} Tried {remote['step_attempts']} times; it is tried again."


def _exception(error: str) -> str:
    """Return the last line of a traceback, without our own errors' class name, or the scheduler's words."""
    refused = _REFUSED.search(error)
    if refused and refused.group(1):
        return f"The scheduler refuses the job: {' '.join(refused.group(1).replace(chr(92) + 'n', ' ').split())}"[:400]
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    if not lines:
        return ""
    # the last line that is not indented names the exception
    own = [line for line in error.splitlines() if line and not line[0].isspace()]
    return re.sub(r"^iface_wf\.errors\.\w+: ", "", (own or lines)[-1])[:400].rstrip(".")

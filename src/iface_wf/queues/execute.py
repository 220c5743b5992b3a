"""What a job of the queue runs: ``python -m iface_wf.queues.execute FOLDER``, once for each input, however often started.

A runner that is killed between the scheduler's answer and the note of it submits the job again. Both then run in one
folder: the second waits for the first, and ends at once when the output is complete and newer than the input.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iface_wf.foreign import known_jobs_only

INPUT, OUTPUT, LOCK = "jfremote_in.json", "jfremote_out.json", "iface-wf.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the exclusive lock of a folder; the system releases it when the process ends, however it ends."""
    path = folder / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # the folder may have been emptied meanwhile: then this lock is nobody's
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                yield
                return
        finally:
            os.close(descriptor)


def finished(folder: Path) -> bool:
    """Whether a folder holds the complete output of its present input."""
    output, given = folder / OUTPUT, folder / INPUT
    if not output.exists() or output.stat().st_mtime_ns < given.stat().st_mtime_ns:
        return False
    try:
        return bool(json.loads(output.read_text()).get("response"))
    except ValueError:  # torn: its writer was killed
        return False


def main(folder: Path) -> None:
    """Run the job of a folder unless that has been done."""
    with locked(folder):
        if finished(folder):
            return
        _leave_out_s3()
        from jobflow_remote.jobs.run import run_remote_job  # takes a second

        with known_jobs_only():
            run_remote_job(folder)


def _leave_out_s3() -> None:
    """Import maggma's stores without the client of S3: a third of the start, and the store of a job is a file."""
    if "boto3" in sys.modules or "maggma.stores" in sys.modules:
        return
    sys.modules["boto3"] = None  # type: ignore[assignment] # Python's own word for "cannot be imported"; maggma does without
    try:
        import maggma.stores  # noqa: F401
    finally:
        del sys.modules["boto3"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What a worker's own Python says about its work folder: ``python -m iface_wf.queues.probe FOLDER``, for the doctor."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import tempfile
from pathlib import Path

from iface_wf import __version__
from iface_wf.engines.records import look_through

#: Before the answer; whatever else a worker prints does not count.
MARK = "iface-wf:"


def problems(folder: Path) -> list[str]:
    """Say what stands in the way of jobs in a work folder, which need not exist yet; nothing is left in it."""
    place = next(parent for parent in (folder / "shelf", folder, *folder.parents) if parent.exists())
    if not place.is_dir():
        return [f"the work folder cannot be made: {place} is a file"]
    if not os.access(place, os.W_OK | os.X_OK):
        return [f"{place} may not be written by you"]
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return [f"{place}: no file can be written and locked with flock there ({error.strerror})"]
    return []


def main(folder: Path, clean: bool = False) -> None:
    """Print version, problems and what holds an environment as a line of JSON."""
    import jobflow_remote.jobs.run  # noqa: F401 - what each job imports first

    told = {"version": __version__, "problems": problems(folder), "records": look_through(folder, clean)._asdict()}
    print(MARK, json.dumps(told))  # noqa: T201 - read by the doctor


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--clean" in sys.argv[2:])

"""A real queue for tests: Slurm and mongod on this machine, a tiny library, and runners in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from jobflow_remote import SETTINGS
from pymongo import MongoClient

from iface_wf.library import Library
from iface_wf.queues import project as projects
from iface_wf.queues.monitor import status
from iface_wf.queues.runner import run
from iface_wf.queues.submit import submit_screening
from iface_wf.screening.spec_file import read_spec
from iface_wf.store.results import result_table
from tests.tiny_library import read_log, spec_text, write_library

#: One interface, one energy: two parts and the interface, a relaxation and a single point of each, and the parts relaxed again
#: from what they are in it.
ONE = spec_text(fillers=["water-layer"], polymers=["methane"], quantities=["binding_energy"])
CALCULATIONS = 8
#: Those, and for the interface: placement, images, cutting, comparison, two single points that are known, collection.
JOBS = 15
#: Two interfaces, which share a slab; cut out of the one with ammonia it relaxes to another minimum, which has a single point, too.
TWO = spec_text(fillers=["water-layer"], polymers=["methane", "ammonia"], quantities=["binding_energy"])
JOBS_OF_TWO = 28
CALCULATIONS_OF_TWO = 15


class QueueBench:
    """A project on a queue.

    Parameters
    ----------
    folder
        For everything.
    address
        MongoDB, with a database of the test's own.
    monkeypatch
        Sets what jobflow-remote and the jobs read.
    options
        Fields of `ProjectSettings` that differ.
    """

    def __init__(self, folder: Path, address: str, monkeypatch, **options) -> None:
        self.folder, self.address = folder, address
        self.library = Library(write_library(folder / "library"))
        self.log = folder / "calculations.jsonl"
        monkeypatch.setattr(SETTINGS, "projects_folder", str(folder / "projects"))
        monkeypatch.setenv("JFREMOTE_PROJECTS_FOLDER", str(folder / "projects"))
        monkeypatch.setenv("IFACE_WF_LIBRARY", str(folder / "library"))
        given = {
            "name": "test",
            "store": address,
            "workdir": folder / "work",
            "scheduler": "slurm",
            "caps": {"cores": 1, "hours": 1.0, "memory_gb": 2.0},
            "exports": {"IFACE_WF_CALC_LOG": str(self.log), "OPENBLAS_NUM_THREADS": "1"},
        }
        given["exports"] |= options.pop("exports", {})
        projects.write_project(projects.ProjectSettings.model_validate(given | options))

    @property
    def project(self) -> projects.QueueProject:
        return projects.load("test")

    def submit(self, text: str = ONE, **options):
        path = self.folder / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        return submit_screening(read_spec(path), self.project, self.library, **options)

    def start_runner(self, before=lambda: None) -> int:
        """Run the queue in a forked process (everything is imported already) and return its number."""
        sys.stdout.flush()
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            signal.alarm(900)  # a runner that hangs ends the test, not the session
            before()
            found = run(self.project, until_done=True)
            code = 0 if set(found.jobs) == {"finished"} else 3
        except BaseException:  # noqa: BLE001 - whatever it is, the child must not go on as a second pytest
            traceback.print_exc()
        os._exit(code)

    def finish(self) -> None:
        """Run the queue to its end; everything must be finished then."""
        code = wait(self.start_runner())
        assert code == 0, self.status()

    def status(self):
        controller = self.project.controller()
        try:
            return status(controller)
        finally:
            controller.close()

    def wait_for(self, condition, what: str, seconds: float = 400.0):
        """Wait until something is so, and return what the condition gave."""
        deadline = time.monotonic() + seconds
        while not (answer := condition()):
            assert time.monotonic() < deadline, f"{what} did not happen: {self.status()}"
            time.sleep(0.05)
        return answer

    def ends(self) -> Counter:
        return Counter(line["key"] for line in read_log(self.log) if line["event"] == "end")

    def check_each_once(self, pairs: int = 1, calculations: int = CALCULATIONS) -> None:
        """Every calculation ended once, none was begun again after its end, and every interface has its result."""
        ended: set[str] = set()
        for line in read_log(self.log):
            assert line["key"] not in ended, line
            if line["event"] == "end":
                ended.add(line["key"])
        assert len(ended) == calculations
        table = result_table(self.project.store())
        assert len(table) == pairs
        assert table["binding_energy"].notna().all()

    def database(self):
        client = MongoClient(self.address)
        return client[self.address.rpartition("/")[2]]


def wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def slurm_jobs(state: str | None = None) -> list[str]:
    """Return the numbers of the jobs in Slurm's hands."""
    command = ["squeue", "-h", "-o", "%i"] + ([f"--states={state}"] if state else [])
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.split()

"""Write a queue as the version before the redesign left it, in the middle of its work.

In a checkout of commit 886b448: ``PYTHONPATH=src:. python make.py queue.json.gz``. One interface of each engine is
submitted, that of xTB as the cheap stage of a funnel. Of GPAW's everything is calculated and nothing collected; of
xTB's two jobs are completed, two have ended in their folders unseen, and one was submitted but has not begun.
"""

import gzip
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from bson import json_util
from jobflow_remote.jobs.runner import Runner
from jobflow_remote.jobs.state import JobState

from iface_wf.build.targets import Target
from iface_wf.flows.requests import BindingRequest
from iface_wf.queues import execute
from iface_wf.queues.remote import submit_binding
from tests.system.conftest import running_mongod
from tests.system.queue_bench import QueueBench
from tests.tiny_library import spec_text

#: Above the largest number that Linux gives to a process.
NO_PROCESS = "4194305"
ONE = {"fillers": ["water-layer"], "polymers": ["methane"]}


def begin(bench: QueueBench, runner: Runner, flow: str) -> None:
    """Submit the jobs of a flow that are ready, and wait until each has ended in its folder."""
    while runner.job_controller.checkout_job(flow_uuid=flow):
        pass
    runner.advance_state([JobState.CHECKED_OUT.value, JobState.UPLOADED.value])
    folders = [Path(job["run_dir"]) for job in bench.database().jobs.find({"state": JobState.SUBMITTED.value})]
    bench.wait_for(lambda: all(execute.finished(folder) for folder in folders), "the end of the jobs", 600.0)


def bring_home(bench: QueueBench, runner: Runner) -> None:
    """Complete the jobs that have ended in their folders."""

    def done() -> bool:
        runner.check_run_status()
        runner.advance_state([JobState.DOWNLOADED.value])
        ended = {"state": {"$in": [JobState.SUBMITTED.value, JobState.RUNNING.value, JobState.DOWNLOADED.value]}}
        return bench.database().jobs.count_documents(ended) == 0

    bench.wait_for(done, "the completion of the jobs")


def work(bench: QueueBench) -> None:
    """Bring the queue to the middle of its work."""
    runner = Runner(project_name="test")
    aimed = {
        "filler": "water-layer",
        "polymer": "methanol",
        "min_in_plane": (5.0, 5.0),
        "target": Target(group="[OX2H]", surface="O"),
    }
    coarse = {"grid_spacing": 0.4, "kpoint_length": 1.0}
    request = BindingRequest(**aimed, engine="gpaw", overrides=coarse, processes=1, vacuum=6.0)
    gpaw = submit_binding(request, bench.project, bench.library)
    while bench.database().jobs.count_documents({"state": JobState.COMPLETED.value}) < gpaw.jobs - 1:
        begin(bench, runner, gpaw.flow)
        bring_home(bench, runner)
    funnel = {"engine": "xtb", "level": "fast", "keep": 1}
    xtb = bench.submit(spec_text(**ONE, level="moderate", cell=[5.0, 5.0], funnel=funnel, overrides={}))
    begin(bench, runner, xtb.flow)
    bring_home(bench, runner)
    begin(bench, runner, xtb.flow)
    place = bench.database().jobs.find_one({"job.name": "place", "state": JobState.SUBMITTED.value})
    (Path(place["run_dir"]) / execute.OUTPUT).unlink()
    runner.cleanup()
    bench.submit(spec_text(**ONE, engine="mlip", placements=2, overrides={}))
    submit_binding(BindingRequest(**aimed, engine="vasp"), bench.project, bench.library)


def write(bench: QueueBench, target: Path) -> None:
    """Write the database and what its jobs still need, without the names of this machine."""
    database, folder = bench.database(), bench.folder
    database.jf_auxiliary.delete_many({"full_environment": {"$exists": True}})
    begun = [Path(job["run_dir"]) for job in database.jobs.find({"state": JobState.SUBMITTED.value})]
    files = [path for place in (folder / "projects", *begun) for path in sorted(place.glob("*.*")) if path.is_file()]
    database.jobs.update_many({"remote.process_id": {"$ne": None}}, {"$set": {"remote.process_id": NO_PROCESS}})
    content = {
        "collections": {name: list(database[name].find()) for name in sorted(database.list_collection_names())},
        "files": {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files},
    }
    text = json_util.dumps(content)
    names = {
        bench.address: "{address}",
        f"{socket.gethostname()}:{folder}": "host:{folder}",
        str(folder): "{folder}",
        sys.prefix: "{prefix}",
    }
    for own, placeholder in names.items():
        text = text.replace(own, placeholder)
    target.write_bytes(gzip.compress(text.encode(), mtime=0))


def main(target: Path) -> None:
    """Make the queue and write it down."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        (folder / "db").mkdir()
        with running_mongod(folder / "db") as server:
            bench = QueueBench(folder, f"mongodb://{server.host}:{server.port}/old", patch, scheduler="shell")
            work(bench)
            write(bench, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

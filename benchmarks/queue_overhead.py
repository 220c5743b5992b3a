"""What the queue costs for each job: iface-wf's configuration beside jobflow-remote's defaults, in one run.

Usage: python benchmarks/queue_overhead.py [--jobs 20] [--rounds 2]

Starts a Slurm of one node (needs root, slurm-wlm and munge) and a mongod, and sends trivial jobs (two numbers are added)
through both configurations in turn. Seconds are from the start of the runner to the end of the last job, divided by the
number of jobs; the ratio is what counts on a machine that does other work too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from jobflow_remote import SETTINGS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.system.conftest import running_mongod, running_slurm


def write_projects(folder: Path, address: str) -> None:
    from iface_wf.queues.project import ProjectSettings, write_project
    from iface_wf.queues.resources import ResourceTable

    host, port = address.removeprefix("mongodb://").split(":")
    store = {"type": "MongoStore", "host": host, "port": int(port), "database": "defaults"}
    defaults = {
        "name": "defaults",
        "queue": {"store": store | {"collection_name": "jobs"}},
        "jobstore": {"docs_store": store | {"collection_name": "outputs"}},
        "workers": {
            "main": {
                "type": "local",
                "scheduler_type": "slurm",
                "work_dir": str(folder / "work-defaults"),
                "pre_run": f'export PATH={Path(sys.executable).parent}:"$PATH"',
                "resources": {"ntasks": 1, "time": "00:10:00"},
            }
        },
    }
    (folder / "projects").mkdir()
    (folder / "projects" / "defaults.yaml").write_text(yaml.safe_dump(defaults))
    ResourceTable().write(folder / "projects" / "defaults.resources.yaml")
    write_project(
        ProjectSettings(name="ours", store=f"{address}/ours", work_dir=folder / "work-ours", scheduler="slurm")
    )


def submit(project: str, count: int) -> None:
    from jobflow import Flow
    from jobflow_remote.jobs.jobcontroller import JobController
    from jobflow_remote.testing import add
    from qtoolkit.core.data_objects import QResources

    controller = JobController.from_project_name(project)
    if controller.auxiliary.find_one({"next_id": {"$exists": True}}) is None:
        controller.reset(max_limit=1)
    jobs = [add(number, 1) for number in range(count)]
    if project == "ours":
        for job in jobs:
            job.update_config({"manager_config": {"resources": QResources(processes=1, time_limit=600)}})
            job.update_metadata({"label": "trivial"})
    controller.add_flow(Flow(jobs), worker="main")
    controller.close()


def drain(project: str, count: int) -> float:
    """Return the seconds from the start of the runner to the end of the last job."""
    from jobflow_remote.jobs.jobcontroller import JobController

    controller = JobController.from_project_name(project)
    before = controller.count_jobs({"state": "COMPLETED"})
    own = [sys.executable, "-m", "iface_wf", "queue", "run", "--project", project, "--plain"]
    theirs = [str(Path(sys.executable).with_name("jf")), "-p", project, "runner", "run"]
    started = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        runner = subprocess.Popen(own if project == "ours" else theirs, stdout=nowhere, stderr=nowhere)
        try:
            while (done := controller.count_jobs({"state": "COMPLETED"}) - before) < count:
                if runner.poll() is not None or time.perf_counter() - started > 60 * count:
                    raise SystemExit(f"{project}: only {done} of {count} jobs were completed")
                time.sleep(0.1)
            return time.perf_counter() - started
        finally:
            runner.terminate()
            runner.wait(60)
            controller.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="overhead-") as name:
        folder = Path(name)
        (folder / "mongod").mkdir()
        SETTINGS.projects_folder = os.environ["JFREMOTE_PROJECTS_FOLDER"] = str(folder / "projects")
        with running_slurm(folder / "slurm") as conf, running_mongod(folder / "mongod") as server:
            os.environ["SLURM_CONF"] = str(conf)
            write_projects(folder, f"mongodb://{server.host}:{server.port}")
            seconds: dict[str, list[float]] = {"defaults": [], "ours": []}
            for number in range(options.rounds):
                for project, found in seconds.items():
                    submit(project, options.jobs)
                    found.append(drain(project, options.jobs) / options.jobs)
                    print(f"round {number + 1}  {project:<9} {found[-1]:6.2f} s/job", flush=True)
            ratios = [a / b for a, b in zip(seconds["defaults"], seconds["ours"], strict=True)]
            print(
                f"median of {options.rounds} rounds of {options.jobs} jobs: jobflow-remote's defaults "
                f"{statistics.median(seconds['defaults']):.2f} s/job, iface-wf {statistics.median(seconds['ours']):.2f} "
                f"s/job, ratio {statistics.median(ratios):.2f}"
            )


if __name__ == "__main__":
    main()

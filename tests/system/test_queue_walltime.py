"""Wall time that is too short: it is recognised and raised, and real GPAW goes on from its checkpoint."""

import json
import os
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.io import read

from iface_wf.engines.gpaw.files import TRAJECTORY
from iface_wf.queues.recover import cancel
from iface_wf.queues.resources import ResourceTable, Row
from tests.system.queue_bench import QueueBench, wait
from tests.tiny_library import read_log, spec_text

#: Coarse: this is about going on, not about numbers.
OVERRIDES = {
    "convergence": {"energy": 1e-4, "density": 1e-3},
    "kpoint_length": 1.0,
    "grid_spacing": 0.2,
    "basis": "szp(dzp)",
    "fmax": 0.2,
}


@pytest.mark.slow
def test_gpaw_goes_on_from_its_checkpoint_with_more_wall_time(slurm, mongod, tmp_path, monkeypatch):
    queue = QueueBench(tmp_path, f"mongodb://{mongod.host}:{mongod.port}/walltime_{os.urandom(4).hex()}", monkeypatch)
    short = Row(engine="gpaw", kind="relax", cores=1, hours=1 / 60, exponent=0.0)
    table = queue.project.resources
    rows = [short, *table.rows]
    ResourceTable(caps=table.caps, rows=rows).write(tmp_path / "projects" / "test.resources.yaml")
    queue.submit(
        spec_text(
            fillers=["HF-layer"],
            polymers=["water"],
            engine="gpaw",
            level="moderate",
            quantities=["binding_energy"],
            overrides=OVERRIDES,
            processes=1,
        )
    )
    controller = queue.project.controller()
    (interface,) = filter(None, controller.jobs.distinct("job.metadata.interface"))
    cancel(controller, [interface])  # the isolated parts are enough
    controller.close()
    child = queue.start_runner()

    def steps():
        found = list((tmp_path / "work" / "shelf").glob(f"calc-*/{TRAJECTORY}"))
        return [path for path in found if path.stat().st_size and len(read(path, index=":")) >= 2]

    trajectory = queue.wait_for(steps, "two steps of a relaxation")[0]
    held = hold(trajectory.parent)
    reached = read(trajectory, index=":")
    queue.wait_for(lambda: queue.database()["jobs"].count_documents({"job.metadata.recoveries": 1}), "time limit", 300)
    for entry in queue.database()["jobs"].find({"job.metadata.recoveries": 1}):  # on a busy machine the other one, too
        assert entry["job"]["metadata"]["resources"]["time"] == entry["resources"]["time_limit"] == 120
    queue.wait_for(lambda: not Path(f"/proc/{held}").exists(), "the end of the process by the scheduler", 120)
    wait(child)
    assert queue.status().jobs == {"finished": 3, "cancelled": 16}, queue.status()

    count = Counter((line["event"], line["kind"], line["role"]) for line in read_log(queue.log))
    ends = {("end", "relax", "A"), ("end", "static", "A"), ("end", "relax", "B")}
    assert {what: number for what, number in count.items() if what[0] == "end"} == dict.fromkeys(ends, 1)
    assert count["start", "static", "A"] == 1
    assert max(count["start", "relax", "A"], count["start", "relax", "B"]) >= 2
    whole = read(trajectory, index=":")
    assert len(whole) > len(reached)
    assert np.allclose([image.positions for image in whole[: len(reached)]], [image.positions for image in reached])
    # the second run began where the first one was, with its density: not from the structure as built, not from atoms
    assert np.abs(whole[len(reached)].positions - reached[-1].positions).max() < 0.15  # A; one step is at most 0.1
    assert json.loads((trajectory.parent / "result.json").read_text())["restored_density"] is True
    document = json.loads((trajectory.parent / "document.json").read_text())
    assert document["converged"]


def hold(folder) -> int:
    """Stop the GPAW process that works in a folder, as a machine that is far too slow would."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            command = Path(entry.path, "cmdline").read_bytes()
            where = Path(entry.path, "cwd").readlink()
        except OSError:
            continue
        if where == folder and b"iface_wf.engines.gpaw.run" in command:
            os.kill(int(entry.name), signal.SIGSTOP)
            return int(entry.name)
    raise AssertionError(f"no GPAW works in {folder}")

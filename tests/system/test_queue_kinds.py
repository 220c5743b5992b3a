"""A kind of result of another package goes through a queue like ours."""

import os
from pathlib import Path

import pytest

from iface_wf.api.calculate import make_request
from iface_wf.documents.kinds import KINDS, get_kind
from iface_wf.queues.submit import submit_one
from iface_wf.store.results import result_table
from tests.entry_points import install, on_the_path
from tests.system.queue_bench import QueueBench

pytestmark = pytest.mark.slow

MODULE = Path(__file__).parents[1] / "toy_quantity" / "slab_energy.py"


def test_a_kind_of_another_package(mongod, tmp_path, monkeypatch):
    site = install(tmp_path / "site", MODULE, "iface_wf.quantities", "slab_energy", "KIND")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")])))
    address = f"mongodb://{mongod.host}:{mongod.port}/kinds_{os.urandom(4).hex()}"
    with on_the_path(site, KINDS):
        bench = QueueBench(tmp_path, address, monkeypatch, scheduler="shell")
        request = make_request(filler="HF-layer", engine="xtb", quantities=("slab_energy",))
        done = submit_one(request, bench.project, bench.library)
        assert (done.jobs, done.submitted) == (3, ["HF-layer alone"])
        queued = {item.name: (item.part, item.total) for item in bench.status().items}
        assert queued == {"HF-layer": ("reference", 2), "HF-layer alone": ("interface", 1)}
        assert submit_one(request, bench.project, bench.library).queued == 1
        bench.finish()
        (row,) = result_table(bench.project.store(), get_kind("slab_energy")).to_dict("records")
        assert row["slab_energy"] < 0
        assert submit_one(request, bench.project, bench.library).stored == 1

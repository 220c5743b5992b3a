"""The queue of somebody who updates: what the version before the redesign has submitted comes to its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from iface_wf.cli.main import main
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.graph import single_graph
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.queues import execute
from iface_wf.store.results import find_result, result_table
from tests.queues.old.read import restore
from tests.store.old.unpack import methods_of_the_store
from tests.system.queue_bench import QueueBench
from tests.tiny_library import counted, read_log

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(mongod, tmp_path, monkeypatch):
    """A workstation without a scheduler."""
    address = f"mongodb://{mongod.host}:{mongod.port}/old_{os.urandom(4).hex()}"
    return QueueBench(tmp_path, address, monkeypatch, scheduler="shell")


def energies(bench):
    """Return the energy of each single point in the store by job, eV."""
    points = bench.database().outputs.find({"output.kind": "static"})
    return {point["uuid"]: point["output"]["energy"] for point in points}


def test_an_interface_of_xtb_that_is_under_way(bench, tmp_path, capfd):
    jobs = restore(bench.database(), bench.address, tmp_path, "xtb", methods_of_today=True)
    folder = Path(jobs["place"]["run_dir"])  # submitted, and begun only now
    assert not execute.finished(folder)
    subprocess.run([sys.executable, "-m", "iface_wf.queues.execute", str(folder)], check=True, timeout=300)
    assert execute.finished(folder)

    bench.finish()
    # the old version had done the rest
    assert counted(read_log(bench.log), "start") == {("relax", "AB"): 1, ("static", "AB"): 1}
    (row,) = result_table(bench.project.store()).to_dict("records")
    energy = energies(bench)
    expected = energy[jobs["static AB"]["uuid"]] - energy[jobs["static A"]["uuid"]] - energy[jobs["static B"]["uuid"]]
    assert row["binding_energy"] == pytest.approx(expected, abs=1e-9)
    for command in (["results"], ["show", row["key"]]):
        capfd.readouterr()
        assert main([*command, "--store", bench.address]) == 0
        assert f"{expected:.3f}" in capfd.readouterr().out


def test_gpaw_results_that_are_only_to_be_collected(bench, tmp_path, monkeypatch):
    jobs = restore(bench.database(), bench.address, tmp_path, "gpaw")
    bench.finish()
    assert read_log(bench.log) == []
    store, uuids = bench.project.store(), {name: entry["uuid"] for name, entry in jobs.items()}
    document = BindingDocument.model_validate(store.query_one({"uuid": uuids["collect"]}, load=True)["output"])
    energy = energies(bench)
    assert len(document.terms) == 7
    for term in document.terms:
        assert term.energy == energy[uuids[f"static {term.role}"]]
    charge = {
        role: store.query_one({"uuid": uuids[f"static {role}"]})["output"]["bader"]["component_charges"]
        for role in ("AB", "A* in AB basis")
    }
    lost = charge["AB"]["slab"] - charge["A* in AB basis"]["slab"]
    assert document.charge_transfer["slab"] == pytest.approx(lost, abs=1e-9)  # the same sum
    assert sum(document.charge_transfer.values()) == pytest.approx(0.0, abs=1e-3)  # e, by definition
    assert document.density_difference is not None
    assert document.density_difference.integral == pytest.approx(0.0, abs=1e-3)  # e

    assert document.provenance["request"]["placements"] == 8  # its name of today
    methods_of_the_store(monkeypatch)
    assert main(["store", "migrate", "--store", bench.address]) == 0
    found = find_result(store, document.key).document
    assert found.key != document.key
    assert found.provenance["former_key"] == document.key
    request = BindingRequest(**document.provenance["request"])
    assert list(single_graph(request, bench.library).items) == [found.key]

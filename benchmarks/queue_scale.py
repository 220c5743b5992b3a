"""What it takes to put a thousand interfaces into a queue, and to look at them there.

Usage: python benchmarks/queue_scale.py [--fillers 25] [--polymers 40]

Starts a mongod, submits all interfaces of a made-up library (see `screening_graph.py`) in one call, and prints seconds,
peak memory, the largest document, and how long `iface-wf status` takes as a command; for three sizes, so that the growth
is seen. Nothing is calculated.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pymongo import MongoClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.screening_graph import psmiles, write_fillers
from tests.system.conftest import running_mongod


def measure(folder: Path, address: str, n_fillers: int, n_polymers: int) -> None:
    spec = folder / "spec.yaml"
    # JSON is YAML
    spec.write_text(
        json.dumps({"fillers": write_fillers(folder, n_fillers), "polymers": psmiles(n_polymers), "engine": "xtb"})
    )
    environment = os.environ | {
        "JFREMOTE_PROJECTS_FOLDER": str(folder / "projects"),
        "IFACE_WF_LIBRARY": str(folder),
    }

    def command(*words: str) -> float:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "iface_wf", *words], env=environment, check=True, stdout=subprocess.DEVNULL
        )
        return time.perf_counter() - started

    command("queue", "init", "--store", address, "--work-dir", str(folder / "work"), "--scheduler", "shell")
    submitted = command("submit", str(spec))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    looks = sorted(command("status", "--json") for _ in range(3))
    again = command("submit", str(spec))
    with MongoClient(address) as client:
        database = client[address.rpartition("/")[2]]
        jobs = database["jobs"].count_documents({})
        sizes = {
            name: next(database[name].aggregate([{"$group": {"_id": None, "most": {"$max": {"$bsonSize": "$$ROOT"}}}}]))
            for name in ("jobs", "flows")
        }
    largest = max(entry["most"] for entry in sizes.values())
    print(
        f"{n_fillers:>3} x {n_polymers:<3} {n_fillers * n_polymers:>5} interfaces {jobs:>6} jobs   submitted in "
        f"{submitted:6.1f} s, at most {memory:.2f} GB   largest document {largest / 1e6:.2f} MB   "
        f"status {looks[1]:.2f} s   submitted again (nothing to do) {again:.1f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fillers", type=int, default=25)
    parser.add_argument("--polymers", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        data = Path(name) / "mongod"
        data.mkdir()
        with running_mongod(data) as server:
            for number, share in enumerate((4, 2, 1)):
                folder = Path(name) / str(number)
                folder.mkdir()
                address = f"mongodb://{server.host}:{server.port}/scale{number}"
                measure(folder, address, max(1, options.fillers // share), max(1, options.polymers // share))


if __name__ == "__main__":
    main()

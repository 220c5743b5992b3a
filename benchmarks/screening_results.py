"""How long answers take from large stores, and how that grows.

Usage: python benchmarks/screening_results.py [--stores sqlite mongod] [--sqlite 10000] [--mongod 100000]

Fills stores with documents of interfaces of about 16 KB (50 fillers, 200 polymers, 5 levels) and prints the median of five
repeats for a filtered table, the same with a condition, the table of one level of one polymer, one result by its key, and
the question which of a screening's 10,000 interfaces are finished. `mongod` needs the development extra.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jobflow import JobStore

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from iface_wf.screening.state import stored_results
from iface_wf.store.results import find_result, result_table
from iface_wf.store.settings import open_store
from tests.examples import document
from tests.system.conftest import running_mongod

LEVELS = [("xtb", "fast"), ("gpaw", "fast"), ("gpaw", "moderate"), ("gpaw", "precise"), ("vasp", "moderate")]


def entries(count: int) -> Iterator[dict[str, Any]]:
    """Make job documents; their structure is as large as that of an interface of 60 atoms."""
    model = document().model_dump(mode="json")
    model["density_difference"] = None
    sites = model["structure"]["sites"]
    model["structure"]["sites"] = [sites[i % len(sites)] for i in range(60)]
    rng = np.random.default_rng(0)
    for number in range(count):
        output = copy.copy(model)
        engine, level = LEVELS[number // 50 % 5]
        output |= {
            "key": f"{number:064x}",
            "filler": f"filler {number % 50}",
            "polymer": f"polymer {number // 250 % 200}",
            "engine": engine,
            "level": level,
            "binding_energy": float(-rng.random()),
        }
        yield {
            "uuid": f"{number:08x}-0000-0000-0000-000000000000",
            "index": 1,
            "name": "collect",
            "output": output,
            "completed_at": f"2026-01-{1 + number % 28:02d}T00:00:{number % 60:02d}",
            "metadata": {"interface": f"{number:064x}"},
            "hosts": [],
        }


def fill(store: JobStore, count: int) -> None:
    chunk = []
    for entry in entries(count):
        chunk.append(entry)
        if len(chunk) == 1000:
            insert(store, chunk)
            chunk = []
    insert(store, chunk)


def insert(store: JobStore, chunk: list[dict[str, Any]]) -> None:
    if not chunk:
        return
    documents = store.docs_store
    if hasattr(documents._collection, "insert_many"):
        documents._collection.insert_many(chunk)
    else:
        documents.update(chunk, key=["uuid", "index"])


def median(function: Callable[[], Any]) -> tuple[float, Any]:
    times, result = [], None
    for _ in range(5):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def measure(kind: str, store: JobStore, count: int) -> None:
    keys = [f"{number:064x}" for number in range(min(count, 10_000))]
    questions: dict[str, Callable[[], Any]] = {
        "table of one filler and engine": lambda: len(result_table(store, filler="Filler 7", engine="gpaw")),
        "... with a condition": lambda: len(
            result_table(store, filler="filler 7", engine="gpaw", where="binding_energy < -0.5")
        ),
        "table of one level of one polymer": lambda: len(result_table(store, polymer="polymer 11", level="fast")),
        "one result by its key": lambda: find_result(store, f"{count // 2:064x}").uuid,
        "which of 10,000 are finished": lambda: len(stored_results(store, keys)),
    }
    for name, question in questions.items():
        seconds, result = median(question)
        print(f"{kind:<8} {count:>7}  {name:<36} {seconds:8.3f} s   {result}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", nargs="+", default=["sqlite", "mongod"])
    parser.add_argument("--sqlite", type=int, default=10_000)
    parser.add_argument("--mongod", type=int, default=100_000)
    options = parser.parse_args()
    for kind in options.stores:
        most = getattr(options, kind)
        for count in (most // 10, most):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                if kind == "sqlite":
                    store = open_store(str(folder / "store.sqlite"))
                    fill(store, count)
                    measure(kind, store, count)
                else:
                    with running_mongod(folder) as server:
                        store = open_store(f"mongodb://127.0.0.1:{server.port}/benchmark")
                        fill(store, count)
                        measure(kind, store, count)


if __name__ == "__main__":
    main()

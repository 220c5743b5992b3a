"""How the candidates for the job store scale with the number of documents.

Usage: python benchmarks/store_scale.py [--documents 5000] [--stores sqlite neosqlite mongod] [--folder DIR]

Prints a table in milliseconds (median of repeats) and the ratios to MongoDB's. `mongod` needs the development extra,
`neosqlite` (pip install neosqlite) is a candidate that was not taken.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import importlib
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jobflow import JobStore
from maggma.core import Store
from maggma.stores import GridFSStore, MongoStore

from iface_wf.store.embedded import SqliteStore

INDEXES = ("uuid", "output.key", "output.kind", "output.engine", "output.level", "completed_at")
KINDS, ENGINES, LEVELS = (
    ("static", "relax", "binding"),
    ("vasp", "gpaw", "xtb", "mlip"),
    ("fast", "moderate", "precise"),
)


def job_document(number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Make a document as jobflow stores it, 10 to 30 KB."""
    sites = int(rng.integers(30, 90))
    positions = rng.random((sites, 3))
    return {
        "uuid": str(uuid.UUID(int=number)),
        "index": 1,
        "name": f"static {number}",
        "hosts": [str(uuid.UUID(int=number + 10**9))],
        "metadata": {"tags": ["screening"]},
        "completed_at": f"2025-01-{1 + number % 28:02d}T{number % 24:02d}:00:00.{number:06d}",
        "output": {
            "key": f"{number:064x}",
            "kind": KINDS[number % 3],
            "engine": ENGINES[number % 4],
            "level": LEVELS[number % 3],
            "energy": float(-1000 * rng.random()),
            "converged": bool(number % 10),
            "filler": f"filler {number % 37}",
            "forces": rng.normal(size=(sites, 3)).tolist(),
            "structure": {
                "@module": "pymatgen.core.structure",
                "@class": "Structure",
                "lattice": {"matrix": (10 * rng.random((3, 3))).tolist(), "pbc": [True, True, False]},
                "sites": [
                    {
                        "species": [{"element": "O", "occu": 1}],
                        "abc": position.tolist(),
                        "xyz": (20 * position).tolist(),
                        "label": "O",
                        "properties": {"component": "slab", "selective_dynamics": [True] * 3},
                    }
                    for position in positions
                ],
            },
        },
    }


def neosqlite_store(path: Path) -> Store:
    """MongoStore over neosqlite: the shortest way to an embedded store."""
    neosqlite = importlib.import_module("neosqlite")

    class NeoStore(MongoStore):
        def connect(self, force_reset: bool = False) -> None:
            if self._coll is None or force_reset:
                self._coll = neosqlite.Connection(str(path))[self.collection_name]

        def close(self) -> None:
            self._coll = None

    return NeoStore("benchmark", "outputs")


@contextlib.contextmanager
def job_store(kind: str, folder: Path) -> Iterator[JobStore]:
    """Open an empty store of one kind."""
    with contextlib.ExitStack() as stack:
        documents: Store
        data: Store | None = None
        if kind == "sqlite":
            documents, data = (SqliteStore(folder / "store.sqlite", name) for name in ("outputs", "blobs"))
        elif kind == "neosqlite":
            documents = neosqlite_store(folder / "neo.sqlite")
        else:
            sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "system"))
            running_mongod = importlib.import_module("conftest").running_mongod
            server = stack.enter_context(running_mongod(folder))
            documents = MongoStore("benchmark", "outputs", server.host, server.port)
            data = GridFSStore("benchmark", "blobs", server.host, server.port)
        store = JobStore(documents, additional_stores={"data": data} if data else {})
        store.connect()
        yield store
        store.close()


def median_ms(action: Callable[[], Any], repeats: int) -> float:
    """Time an action."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def measure(store: JobStore, count: int) -> dict[str, float]:
    """Fill a store and time what the workflows do with it, in ms."""
    rng = np.random.default_rng(0)
    documents = store.docs_store
    for field in INDEXES:
        documents.ensure_index(field)
    if isinstance(documents, SqliteStore):
        documents.ensure_index(["uuid", "index"], unique=True)
    many = [job_document(number, rng) for number in range(count)]
    last = many[-1]
    fill_directly = "Neo" in type(documents).__name__  # by update it would take hours
    start = time.perf_counter()
    for first in range(0, count, 500):
        if fill_directly:
            documents._collection.insert_many(many[first : first + 500])
        else:
            documents.update(many[first : first + 500], key=["uuid", "index"])
    figures = {"fill, per document": 1000 * (time.perf_counter() - start) / count}
    new = iter([job_document(count + number, rng) for number in range(20)])
    listed = ["uuid", "output.energy", "output.filler"]

    def query(criteria: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
        return list(store.query(criteria, properties=list(listed), **options))

    repeats = 3 if fill_directly else 10
    figures |= {
        "single write": median_ms(lambda: documents.update(next(new), key=["uuid", "index"]), repeats),
        "one by uuid": median_ms(lambda: store.query_one({"uuid": last["uuid"], "index": 1}), repeats),
        "one by key": median_ms(lambda: store.query_one({"output.key": last["output"]["key"]}), repeats),
        "filter: indexed and range": median_ms(
            lambda: query({"output.kind": "static", "output.energy": {"$lt": -900}}), 3
        ),
        "filter: no index": median_ms(lambda: query({"output.filler": "filler 3"}), 3),
        "list: a third of all": median_ms(lambda: query({"output.kind": "static"}), 3),
        "newest 20": median_ms(lambda: query({"output.engine": "gpaw"}, sort={"completed_at": -1}, limit=20), 3),
    }
    if "data" in store.additional_stores:
        blob = base64.b64encode(rng.bytes(10_000_000)).decode()
        large = {"uuid": "large", "index": 1, "output": {"blob": blob}}
        figures["10 MB of data: write"] = median_ms(lambda: store.update(large, save={"data": "blob"}), 3)
        figures["10 MB of data: read"] = median_ms(lambda: store.query_one({"uuid": "large"}, load=True), 3)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--stores", nargs="+", default=["sqlite", "mongod"], choices=["sqlite", "neosqlite", "mongod"])
    parser.add_argument("--folder", type=Path, default=None, help="where to put the files; default: a temporary one")
    arguments = parser.parse_args()
    figures = {}
    for kind in arguments.stores:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, job_store(kind, Path(folder)) as store:
            figures[kind] = measure(store, arguments.documents)
    print(f"{arguments.documents} documents, ms" + "".join(f"{kind:>14}" for kind in figures))
    reference = figures.get("mongod")
    for row in next(iter(figures.values())):
        cells = [figures[kind].get(row, float("nan")) for kind in figures]
        ratio = (
            f"   sqlite/mongod {figures['sqlite'][row] / reference[row]:.1f}"
            if reference and "sqlite" in figures
            else ""
        )
        print(f"{row:<28}" + "".join(f"{cell:14.1f}" for cell in cells) + ratio)


if __name__ == "__main__":
    main()

"""Results as a table: ours, and a raw query of maggma with pandas, from the same store.

python -m benchmarks.rows.results
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import maggma
import pandas as pd

from benchmarks.measure import ROOT, Row, Section, interleaved, script
from iface_wf.documents.kinds import DEFAULT_KIND, get_kind
from iface_wf.store.fields import value_at
from iface_wf.store.results import columns_of, result_table
from iface_wf.store.settings import open_store

sys.path.insert(0, str(ROOT))

from benchmarks.screening_results import fill
from tests.system.conftest import running_mongod


def raw(store) -> pd.DataFrame:
    """The same columns of the same documents, without reading what they mean: no flags, no versions, no damage."""
    fields = [column.field for column in columns_of(get_kind(DEFAULT_KIND))]
    criteria = {"output.document_type": DEFAULT_KIND}
    found = store.query(criteria, properties=["uuid", "completed_at", *(f"output.{field}" for field in fields)])
    return pd.DataFrame(
        [{f: value_at(entry["output"], f) for f in fields} | {"uuid": entry["uuid"]} for entry in found]
    )


def compare(store, name: str, count: int, repeats: int) -> Row:
    works = {"ours": lambda: result_table(store), "raw": lambda: raw(store)}
    figures, results = interleaved(works, repeats)
    assert len(results["ours"]) == count, len(results["ours"])
    return Row(
        f"{name}, {count:,} results",
        figures["ours"],
        figures["raw"],
        f"maggma {maggma.__version__} + pandas {pd.__version__}",
        1.0,
        equal=f"{len(results['ours'])} and {len(results['raw'])} rows",
    )


def measure(options):
    section = Section("Results as a table")
    with tempfile.TemporaryDirectory() as name:
        count = 300 if options.quick else options.embedded
        store = open_store(str(Path(name) / "store.sqlite"))
        fill(store, count)
        row = compare(store, "SQLite", count, options.repeats)
        section.rows.append(row)
        if not options.quick:
            section.rows.append(Row(f"SQLite, {count:,} results", row.ours, most=1.0))
        store.close()
    if options.mongod and not options.quick:
        with tempfile.TemporaryDirectory() as name, running_mongod(Path(name)) as server:
            store = open_store(f"mongodb://127.0.0.1:{server.port}/benchmark")
            fill(store, options.mongod)
            section.rows.append(compare(store, "MongoDB", options.mongod, options.repeats))
            store.close()
    section.text = (
        "Documents of 16 KB. Ours reads what old versions wrote, drops what was repeated, marks what cannot be trusted, "
        "names what is damaged and what has lost its densities; the raw query does none of that."
    )
    return section


if __name__ == "__main__":
    script(measure, __doc__, embedded=10_000, mongod=100_000)

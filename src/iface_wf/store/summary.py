"""The numbers of a dashboard: how many interfaces are stored, by engine and level, and how many failed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from jobflow import JobStore
from maggma.stores import MemoryStore, MongoStore

from iface_wf.store.embedded import SqliteStore
from iface_wf.store.pushdown import column


def store_summary(store: JobStore) -> list[dict[str, Any]]:
    """Count the interfaces of a store where the documents are, without reading them.

    Returns
    -------
    list of dict
        engine, level, stored, converged and newest (when the last one came), sorted; then, with engine None, the
        number of failures that are remembered as ``failed``. A repeated interface counts each time.
    """
    documents = store.docs_store
    names = ("document_type", "engine", "level", "converged")
    if isinstance(documents, SqliteStore):  # the grouping is in the order of an index that holds all that is asked
        fields = ", ".join(str(column(f"output.{name}")) for name in names)
        text = f"SELECT {fields}, count(*), max({column('completed_at')}) FROM docs_{documents.collection_name} WHERE "  # noqa: S608 - own names only
        kind = column("output.document_type")
        groups = documents._rows(f"{text} {kind} IN ('binding', 'failure') GROUP BY 1, 2, 3, 4")
    elif isinstance(documents, MongoStore) and not isinstance(documents, MemoryStore):
        stages = [
            {"$match": {"output.document_type": {"$in": ["binding", "failure"]}}},
            {
                "$group": {
                    "_id": {name: f"$output.{name}" for name in names},
                    "n": {"$sum": 1},
                    "newest": {"$max": "$completed_at"},
                }
            },
        ]
        found = documents._collection.aggregate(stages)
        groups = [(*(g["_id"].get(name) for name in names), g["n"], g["newest"]) for g in found]
    else:
        wanted = [*(f"output.{name}" for name in names), "completed_at"]
        criteria = {"output.document_type": {"$in": ["binding", "failure"]}}
        groups = [
            (*(e["output"].get(name) for name in names), 1, e["completed_at"])
            for e in store.query(criteria, properties=wanted)
        ]
    return _rows(groups)


def _rows(groups: list[Any]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = defaultdict(lambda: {"stored": 0, "converged": 0, "newest": ""})
    failed = 0
    for document_type, engine, level, converged, count, newest in groups:
        if document_type == "failure":
            failed += count
            continue
        row = rows[engine, level]
        row["stored"] += count
        row["converged"] += count if converged else 0
        row["newest"] = max(row["newest"], str(newest))
    table = [{"engine": engine, "level": level, **row} for (engine, level), row in sorted(rows.items())]
    return [*table, {"engine": None, "level": None, "stored": 0, "failed": failed}] if failed else table

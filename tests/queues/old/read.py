"""Read what `make.py` wrote, and put it where a project of today finds it."""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo.database import Database

FILE = Path(__file__).with_name("queue.json.gz")


#: A setting of xTB that is no more, in documents and in files within the document.
_WIDE_EDGE = re.compile(r',\s*\\*"wide_edge\\*":\s*60\.0|\\*"wide_edge\\*":\s*60\.0,\s*')


def content(address: str = "", folder: str = "", methods_of_today: bool = False) -> dict[str, Any]:
    """Return ``collections``, lists of documents by name, and ``files``, texts by path.

    With ``methods_of_today`` as if xTB had calculated slabs as it does today: else they may not be subtracted.
    """
    text = gzip.decompress(FILE.read_bytes()).decode()
    if methods_of_today:
        text = _WIDE_EDGE.sub("", text)
    for placeholder, own in {"address": address, "folder": folder, "prefix": sys.prefix}.items():
        text = text.replace(f"{{{placeholder}}}", own)
    return json_util.loads(text)


def restore(
    database: Database, address: str, folder: Path, engine: str, methods_of_today: bool = False
) -> dict[str, dict[str, Any]]:
    """Write the project, its database with the interface of one engine, and its folders; give the jobs by name.

    The funnel is left out: its second stage would be submitted anew, by the version of today.
    """
    found = content(address, str(folder), methods_of_today)
    collections = found["collections"]
    last = next(entry for entry in collections["jobs"] if request(entry).get("engine") == engine)
    flow = next(entry for entry in collections["flows"] if last["uuid"] in entry["jobs"])
    jobs = [entry for entry in collections["jobs"] if entry["uuid"] in flow["jobs"]]
    for name, documents in (collections | {"flows": [flow], "jobs": jobs, "funnels": []}).items():
        database[name].delete_many({})
        if documents:
            database[name].insert_many(documents)
    for name, text in found["files"].items():  # in this order, so that an output is newer than its input
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {entry["job"]["name"]: entry for entry in jobs}


def request(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what a job that collects the results of an interface says was asked for."""
    return entry["job"]["function_kwargs"].get("about", {}).get("provenance", {}).get("request", {})

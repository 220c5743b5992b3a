"""Objects that other people's documents and files name: only known ones are loaded.

Where JSON says ``@module`` and ``@class``, the decoder of our libraries imports that module and makes an object of that
class, and ``@callable`` becomes a function. From a store or a file of somebody else this could be anything, so names of
unknown modules are taken out of documents: the data stay, as plain tables.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

#: Further packages that may be named, separated by commas, for people who know what they do.
VARIABLE = "IFACE_WF_TRUSTED_MODULES"
#: Groups of entry points by which installed packages add to this one; their objects are known too.
GROUPS = ("iface_wf.engines", "iface_wf.quantities")
#: What documents hold: classes that are data and nothing else.
DATA = (
    "bson",
    "datetime",
    "emmet.core",
    "iface_wf.build",
    "iface_wf.builders",
    "iface_wf.documents",
    "iface_wf.engines",
    "iface_wf.flows",
    "iface_wf.quantities",
    "jobflow.core.reference",
    "jobflow.core.schemas",
    "numpy",
    "pathlib",
    "pymatgen.core",
    "pymatgen.electronic_structure.core",
    "uuid",
)
#: What jobs of a queue are made of.
JOBS = (
    "ase",
    "atomate2",
    "custodian",
    "emmet",
    "iface_wf",
    "jobflow",
    "jobflow_remote",
    "maggma",
    "pymatgen",
    "qtoolkit",
)

_MODULE = re.compile(r'"@module"\s*:\s*"([^"\\]*)"')
_MARK = '"@module"'
_log = logging.getLogger(__name__)


def without_foreign(value: Any, text: str | None = None) -> Any:
    """Take the names of unknown modules out of a document, in place.

    Parameters
    ----------
    value
        Nested dictionaries and lists.
    text
        The same as JSON, if it is at hand: most documents need no closer look then.

    Returns
    -------
    Any
        The same object.
    """
    if text is not None and "\\u" not in text and '"@callable"' not in text:
        named = _MODULE.findall(text)
        if len(named) == text.count(_MARK) and all(is_data(name) for name in set(named)):
            return value
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if "@module" in item and ("@callable" in item or not is_data(item["@module"])):
                _log.info("An object of the module %.80r is read as a plain table", item["@module"])
                for key in [key for key in item if isinstance(key, str) and key.startswith("@")]:
                    del item[key]
            left += [entry for entry in item.values() if isinstance(entry, dict | list | tuple)]
        elif isinstance(item, list | tuple):
            left += [entry for entry in item if isinstance(entry, dict | list | tuple)]
    return value


def is_data(module: Any) -> bool:
    """Whether the classes of a module may stand in documents; an empty name, as references to large data have, names none."""
    return module == "" or _is_below(module, DATA) or _is_added(module)


@contextmanager
def known_jobs_only() -> Iterator[None]:
    """Let the decoder of jobs load nothing but what jobs are made of, and call nothing but jobs.

    For processes of the queue: whoever can write into its database could name anything there. What is unknown stays a
    table, which jobflow refuses as a function.
    """
    from monty.json import MontyDecoder

    decode = MontyDecoder.process_decoded

    def process_decoded(self: Any, data: Any) -> Any:
        if not isinstance(data, dict) or "@module" not in data:
            return decode(self, data)
        module = data["@module"]
        known = _is_below(module, DATA) or _is_below(module, JOBS) or _is_added(module)
        found = decode(self, data) if known else None
        if found is not None and ("@callable" not in data or _is_job(found)):
            return found
        _log.warning("An object of the module %.80r is not loaded", module)
        return {key: entry if key.startswith("@") else self.process_decoded(entry) for key, entry in data.items()}

    MontyDecoder.process_decoded = process_decoded
    try:
        yield
    finally:
        MontyDecoder.process_decoded = decode


def _is_job(found: Any) -> bool:
    """Whether an object is a function that jobflow's decorator made a job of."""
    module = getattr(found, "__module__", None)
    if isinstance(found, ModuleType) or not (
        _is_below(module, ("iface_wf", "atomate2", "jobflow")) or _is_added(module)
    ):
        return False
    return callable(found) and hasattr(found, "original")


def _is_below(module: Any, packages: tuple[str, ...]) -> bool:
    return isinstance(module, str) and any(module == name or module.startswith(f"{name}.") for name in packages)


def _is_added(module: Any) -> bool:
    trusted = tuple(filter(None, (name.strip() for name in os.environ.get(VARIABLE, "").split(","))))
    return _is_below(module, trusted) or (
        isinstance(module, str) and module.partition(".")[0] in _installed(tuple(sys.path))
    )


@cache
def _installed(path: tuple[str, ...]) -> set[str]:
    """Name the packages on the path that entry points of ours are in."""
    from importlib.metadata import entry_points

    return {entry.module.partition(".")[0] for group in GROUPS for entry in entry_points(group=group)}

"""What a search has done so far, as lines of JSON in its folder: one that was killed goes on from there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from iface_wf.engines.shelf import common_shelf
from iface_wf.store.checksum import checked_text, sealed


class Record:
    """The lines of one search.

    Parameters
    ----------
    key
        What the search is; another one has another folder.
    *parts
        Structures that it begins with.
    """

    def __init__(self, key: str, *parts: Structure) -> None:
        # equal searches may differ in the order and place of their sites, and what is noted belongs to one of them
        frame = hashlib.sha256("".join(part.to_json() for part in parts).encode()).hexdigest()
        folder = (common_shelf() or Path.cwd()) / f"search-{key[:16]}-{frame[:8]}"
        self._read(folder / "search.jsonl")

    def beside(self, name: str) -> Record:
        """Return another record in the same folder, for what is needed only until this one notes what it led to."""
        other = Record.__new__(Record)
        other._read(self.path.with_name(f"{name}.jsonl"))
        return other

    def forget(self) -> None:
        """Delete the lines."""
        self.path.unlink(missing_ok=True)
        self._known.clear()

    def _read(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._known: dict[str, Any] = {}
        if self.path.exists():
            for line in self.path.read_bytes().split(b"\n"):
                try:
                    entry = json.loads(checked_text(line)[0])
                    self._known[entry["what"]] = entry["data"]
                except (ValueError, KeyError, TypeError):  # the line that a kill cut short, or a damaged one
                    continue

    def get(self, what: str) -> Any:
        """Return what was noted under a name; None where nothing was."""
        return self._known.get(what)

    def put(self, what: str, data: Any) -> None:
        """Note something under a name."""
        self._known[what] = data
        with self.path.open("a", encoding="utf-8") as file:
            # a line that was cut short must not swallow this one
            file.write("\n" * self._torn() + sealed(json.dumps({"what": what, "data": data})) + "\n")

    def _torn(self) -> bool:
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == 0:
            return False
        with self.path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) != b"\n"

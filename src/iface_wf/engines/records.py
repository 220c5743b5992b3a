"""Records of custodian that hold an environment: earlier versions wrote one beside every calculation of GPAW.

Whatever was in it then, passwords among it, lies there for everybody who may read the folder.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from iface_wf.secrets import is_secret

RECORD = "custodian.json"
_ENVIRONMENT = "environment"
#: Longest time to look for records when nothing is to be cleaned, s.
LOOK_SECONDS = 20.0


class OldRecords(NamedTuple):
    """What was found below a folder.

    Attributes
    ----------
    number
        Records with an environment.
    secrets
        Names of the variables in them that look like secrets.
    first
        One of the records, empty if there is none.
    complete
        Whether all of the folder was looked through.
    """

    number: int = 0
    secrets: tuple[str, ...] = ()
    first: str = ""
    complete: bool = True

    def in_words(self) -> str:
        """Say what was found; empty when it is nothing."""
        if not self.number:
            return ""
        several = "records" if self.number > 1 else "record"
        holding = f", {', '.join(self.secrets)} among them" if self.secrets else ""
        more = "" if self.complete else ", and not all folders were looked through"
        return f"{self.number} {several} of calculations with environment variables{holding}: {self.first}{more}"


def look_through(folder: Path, clean: bool = False) -> OldRecords:
    """Look for records with an environment below a folder, and clean them where that is wanted.

    Raises
    ------
    OSError
        When one cannot be cleaned.
    """
    found, complete = records_with_environment(folder, None if clean else LOOK_SECONDS)
    names = sorted(set[str]().union(*map(secrets_in, found)))
    if clean:
        for path in found:
            remove_environment(path)
    return OldRecords(len(found), tuple(names), str(found[0]) if found else "", complete)


def records_with_environment(folder: Path, seconds: float | None = None) -> tuple[list[Path], bool]:
    """Find the records below a folder that hold an environment.

    Parameters
    ----------
    folder
        Links in it are not followed.
    seconds
        Look no longer than this; None: to the end.

    Returns
    -------
    tuple
        The files, and whether all of the folder was looked through.
    """
    found: list[Path] = []
    end = None if seconds is None else time.monotonic() + seconds
    for place, folders, files in os.walk(folder):
        folders.sort()
        if RECORD in files and _holds_environment(Path(place, RECORD)):
            found.append(Path(place, RECORD))
        if end is not None and time.monotonic() > end:
            return found, False
    return found, True


def secrets_in(path: Path) -> set[str]:
    """Name the variables in a record that look like secrets; the values are nobody's business."""
    try:
        record = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return set()
    names = set[str]()
    for values in _environments(record):
        names |= {name for name, value in values.items() if is_secret(str(name), str(value))}
    return names


def remove_environment(path: Path) -> None:
    """Write a record anew without any environment; one that cannot be read is of no use and is removed.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    try:
        record = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        path.unlink()
        return
    for owner in _owners(record):
        del owner[_ENVIRONMENT]
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(record, indent=4))
    part.chmod(path.stat().st_mode & 0o777)
    part.replace(path)


def _holds_environment(path: Path) -> bool:
    try:
        if not path.is_file() or path.is_symlink():
            return False
        content = path.read_bytes()
    except OSError:
        return False  # nobody who may not read it can be told what it holds
    if f'"{_ENVIRONMENT}"'.encode() not in content:
        return False
    try:
        return bool(_owners(json.loads(content)))
    except (ValueError, RecursionError):
        return True  # torn, with the beginning of an environment in it


def _environments(value: Any) -> list[dict[str, Any]]:
    return [owner[_ENVIRONMENT] for owner in _owners(value)]


def _owners(value: Any) -> list[dict[str, Any]]:
    """List all tables in some JSON that have a table named environment."""
    found, left = [], [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if isinstance(item.get(_ENVIRONMENT), dict):
                found.append(item)
            left += item.values()
        elif isinstance(item, list):
            left += item
    return found

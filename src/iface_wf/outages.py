"""Outages: what is away or full for a while, which is no failure of what was calculated meanwhile."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from iface_wf.errors import InputError, OutageError

#: Errors of the operating system that pass without anything being changed in what was asked for.
_NUMBERS = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN),
        *(errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.ETIMEDOUT, errno.ENFILE, errno.ENOLCK),
    }
)
#: Of SQLite, by their primary codes: busy, locked, read-only, I/O, full, cannot be opened; see sqlite.org/rescode.html.
_SQLITE = {
    5: "is being written by another process for a long time",
    6: "is being written by another process for a long time",
    8: "cannot be written now",
    10: "cannot be read or written now (disk I/O error)",
    13: "cannot grow: its disk is full (No space left on device)",
    14: "cannot be opened now",
}
#: Of a MongoDB server that is shut down, changes its primary, or has no room.
_MONGODB = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436, 14031})
#: What programs say when they meet one of these, in their own files and in causes that an earlier version recorded.
_WORDS = re.compile(
    r"No space left on device|Disk quota exceeded|Read-only file system|Stale file handle|ENOSPC|EDQUOT|"
    r"database or disk is full|disk I/O error|ServerSelectionTimeoutError|AutoReconnect|NetworkTimeout|NotPrimaryError"
)
#: A disk with less room than this, bytes, is full.
_ROOM = 1 << 20


def outage_of(error: BaseException) -> OutageError | None:
    """Say which outage stands behind an error; None where it is none.

    Memory that is too small is none: the same calculation would need as much again.

    Parameters
    ----------
    error
        Anything; its causes are looked at too.
    """
    for each in _chain(error):
        if isinstance(each, OutageError):
            return each
        words = _in_words(each)
        if words is not None:
            return OutageError(words)
    return None


def told_of_outage(text: str) -> bool:
    """Whether a text of a program, or a cause that was recorded, tells of an outage."""
    return _WORDS.search(text) is not None


def outage_in(folder: Path, said: str) -> OutageError | None:
    """Say whether a calculation may have failed by an outage of its folder: by its words, or because the disk is full.

    Parameters
    ----------
    folder
        Where it ran.
    said
        What it said.
    """
    if (found := _WORDS.search(said)) is not None:
        return OutageError(f"A calculation in {folder} failed because of its disk ({found.group()}).")
    try:
        require_room(folder)
    except OutageError as error:
        return error
    return None


def require_room(folder: Path) -> None:
    """Write a little into a folder.

    Raises
    ------
    OutageError
        When there is no room.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in _NUMBERS:
            raise OutageError(_of_system(error, str(folder))) from error


def patience() -> float:
    """Return how long an outage is waited for, s: ``IFACE_WF_PATIENCE``, or ten minutes.

    Raises
    ------
    InputError
        When the variable is no number of seconds.
    """
    text = os.environ.get("IFACE_WF_PATIENCE", "") or "600"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InputError("The environment variable IFACE_WF_PATIENCE must be a number of seconds, 0 or more.")
    return seconds


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _in_words(error: BaseException) -> str | None:
    if isinstance(error, OSError) and not _of_library(error, "pymongo"):
        return _of_system(error, str(error.filename or "")) if error.errno in _NUMBERS else None
    if _of_library(error, "sqlite3"):
        reason = _SQLITE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
        return None if reason is None else f"The file of the store {reason}."
    if _of_library(error, "pymongo"):
        away = any(base.__name__ in ("AutoReconnect", "ConnectionFailure") for base in type(error).__mro__)
        if away or getattr(error, "code", None) in _MONGODB:
            return f"The MongoDB server does not answer ({type(error).__name__})."
    return None


def _of_system(error: OSError, place: str) -> str:
    where = f" of {place}" if place else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk{where} is full ({error.strerror})."
    return f"The file system{where} cannot be used now ({error.strerror})."


def _of_library(error: BaseException, name: str) -> bool:
    """Whether a class of an error is of a library, which need not be imported for this."""
    return any(base.__module__.partition(".")[0] == name for base in type(error).__mro__)

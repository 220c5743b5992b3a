"""Which process is which, and whether it lives: told by what no clock that is set, and no name of a machine, can change."""

from __future__ import annotations

import os
import socket
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import psutil

_PROC = Path("/proc")
#: States of a process that has ended, in /proc/PID/stat.
_ENDED = frozenset("ZXx")


class Process(NamedTuple):
    """A process, told apart from every other one on any machine.

    Attributes
    ----------
    table
        What its number refers to, see `process_table`.
    pid
        Its number; 0 where nothing can be seen of it.
    born
        When it started: clock ticks since the machine's start where there is a ``/proc``, else seconds since 1970.
    """

    table: str
    pid: int
    born: float


def this_process() -> Process:
    """Return this process."""
    pid = os.getpid() if _sees_itself() else 0
    return Process(process_table(), pid, _born(pid) or 0.0 if pid else 0.0)


def process_table() -> str:
    """Name what process numbers refer to, unlike anything on any other machine.

    The number of the machine (containers may share it), that of its present start, and the namespaces of process numbers
    and of time. Names of machines are no part of it: many are called ``localhost``, and a laptop changes its own.
    """
    parts = [_first_line(Path("/etc/machine-id")), _boot(), *map(_namespace, ("pid", "time"))]
    if parts[1]:
        return " ".join(part for part in parts if part)
    return f"{socket.gethostname()} {uuid.getnode():012x}"


def former_process_table() -> str:
    """Return what claims of earlier versions call the process table of this machine."""
    return f"{socket.gethostname()} {_namespace('pid')}".strip()


def lives(process: Process) -> bool | None:
    """Say whether a process lives, stopped or not.

    Returns
    -------
    bool or None
        None where that cannot be seen from here.
    """
    if process.pid <= 0:
        return None
    if process.table == process_table():
        return _lives_here(process.pid, process.born)
    if process.table == former_process_table():
        # another machine may have the same name, so only a process that is there says something
        return True if _looks_like(process.pid, process.born) else None
    return None


def started_at(process: Process) -> float | None:
    """Return when a process of this machine started, seconds since 1970 by today's clock; None for others."""
    if process.table == former_process_table():
        return process.born
    if process.table != process_table():
        return None
    now = since_start()
    return process.born if now is None else time.time() - now + process.born / os.sysconf("SC_CLK_TCK")


def start_of_clock() -> str:
    """Name what `since_start` counts from; the empty text where there is no such clock."""
    boot = _boot()
    return f"{boot} {_namespace('time')}".strip() if boot and since_start() is not None else ""


def since_start() -> float | None:
    """Return the seconds since the start of the machine, those it slept among them; None where no clock tells them.

    Nobody sets this clock. It goes on while the machine sleeps, which Python's monotonic clock does not.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.clock_gettime(clock)


def _lives_here(pid: int, born: float) -> bool | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        pass
    if not _sees_itself():
        return None
    there = _stat(pid) if _has_proc() else _psutil_stat(pid)
    if there is None:  # hidden from other users
        return None
    state, start = there
    return state not in _ENDED and abs(start - born) < 1.0  # ticks are whole; seconds are those of when it started


def _looks_like(pid: int, born: float) -> bool:
    """Whether there is a living process that started then, seconds since 1970: moved by the clock's steps since."""
    found = _psutil_stat(pid)
    return found is not None and found[0] not in _ENDED and abs(found[1] - born) < 1.0


def _born(pid: int) -> float | None:
    found = _stat(pid) if _has_proc() else _psutil_stat(pid)
    return None if found is None else found[1]


def _stat(pid: int) -> tuple[str, float] | None:
    """Read state and start (clock ticks since the machine's start) of a process; see proc_pid_stat(5)."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # its name, in parentheses, may hold anything
    return fields[0], float(fields[19])


def _psutil_stat(pid: int) -> tuple[str, float] | None:
    try:
        process = psutil.Process(pid)
        return ("Z" if process.status() == psutil.STATUS_ZOMBIE else "R"), process.create_time()
    except psutil.Error:
        return None


def _has_proc() -> bool:
    return bool(_boot())


def _sees_itself() -> bool:
    """Whether ``/proc`` tells of the same process numbers as the system does: not in a namespace with the old ``/proc``."""
    if not _has_proc():
        return True
    try:
        return (_PROC / "self").readlink().name == str(os.getpid())
    except OSError:
        return False


def _boot() -> str:
    return _first_line(_PROC / "sys/kernel/random/boot_id")


def _namespace(kind: str) -> str:
    try:
        return str((_PROC / "self/ns" / kind).readlink())
    except OSError:
        return ""


def _first_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""

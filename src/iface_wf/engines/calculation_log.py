"""A log that the calculations write themselves: what really ran, when, and in which process.

It is off unless ``IFACE_WF_CALC_LOG`` names a file. Every calculation that was not found in a store appends one JSON
line when it starts and one when it ends; a calculation that was killed leaves a start without an end.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

VARIABLE = "IFACE_WF_CALC_LOG"


@contextmanager
def logged(key: str, **about: str) -> Iterator[None]:
    """Write the start and the end of a calculation into the log, if there is one.

    Parameters
    ----------
    key
        Content key.
    **about
        What else a line says: kind, role, engine, level.
    """
    _write("start", key, about)
    try:
        yield
    except BaseException:
        _write("failed", key, about)
        raise
    _write("end", key, about)


def _write(event: str, key: str, about: dict[str, str]) -> None:
    path = os.environ.get(VARIABLE)
    if not path:
        return
    line: dict[str, Any] = {"event": event, "key": key, **about, "pid": os.getpid()}
    line["time"] = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    # one write to a file opened for appending: lines of several processes do not mix
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, (json.dumps(line) + "\n").encode())
    finally:
        os.close(descriptor)

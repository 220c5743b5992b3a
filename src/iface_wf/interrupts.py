"""Ctrl-C that is heard once, however deep in a library it arrives.

Python raises `KeyboardInterrupt` wherever the program is; where that is a bare ``except`` or a finaliser of a library, it is
swallowed there, and the work goes on. So it is noted as well, and between two steps asked for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_noted = threading.Event()


@contextmanager
def interrupts_noted() -> Iterator[None]:
    """Note every Ctrl-C while the block runs, in the main thread; elsewhere, and where somebody else handles it, do nothing."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        _noted.set()
        signal.default_int_handler(number, frame)

    _noted.clear()
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _noted.clear()


def end_if_interrupted() -> None:
    """Raise the interrupt that a library has swallowed.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C has been typed since `interrupts_noted` began.
    """
    if _noted.is_set():
        _noted.clear()
        raise KeyboardInterrupt

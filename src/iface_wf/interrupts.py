"""Ctrl-C that is heard once, however deep in a library it arrives.

Python raises `KeyboardInterrupt` wherever the program is; where that is a bare ``except`` or a finaliser of a library, it is
swallowed there, and the work goes on. So it is noted as well, and between two steps asked for. What Python would print of one
that a finaliser swallows is left out: it is nothing that went wrong.
"""

from __future__ import annotations

import signal
import sys
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

    told = sys.unraisablehook

    def tell(swallowed: sys.UnraisableHookArgs) -> None:
        if not isinstance(swallowed.exc_value, KeyboardInterrupt):
            told(swallowed)

    _noted.clear()
    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = tell
    try:
        yield
    finally:
        sys.unraisablehook = told
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

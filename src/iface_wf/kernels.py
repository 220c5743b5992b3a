"""Numba kernels: compiled at their first use, and kept on disk for the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays that lets other threads run meanwhile.

    What was compiled is kept beside the source, or in the user's cache folder where that cannot be written to, or where
    ``NUMBA_CACHE_DIR`` says. Where nothing can be written at all, it is compiled once in each process.
    """
    return _kept(function, nogil=True)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into the kernels that call it: a call would cost them a good part of their speed."""
    return _kept(function, inline="always")


def _kept(function: Callable[..., Any], **options: Any) -> Any:
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to keep it in
        return njit(**options)(function)

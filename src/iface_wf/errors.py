"""Errors whose text is meant for the user: one sentence that says what, where and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class IfaceError(Exception):
    """Base of every error that iface-wf raises on purpose."""


class InputError(IfaceError):
    """Something the user gave cannot be used; the command line prints it and exits with code 2."""


class CalculationError(IfaceError):
    """A calculation or an analysis could not give a trustworthy number; the text names the cause."""


class MismatchError(CalculationError):
    """Quantities that must share cell, grid or settings do not; the text names the differing keys."""


def unknown_name(what: str, name: str, allowed: Iterable[str]) -> InputError:
    """Build the error for an unknown name, with the nearest allowed ones first.

    Parameters
    ----------
    what
        The kind of thing, for example ``"filler"``.
    name
        What the user wrote.
    allowed
        All allowed names.

    Returns
    -------
    InputError
        The error, to be raised by the caller.
    """
    names = sorted(set(allowed))
    folded = {n.casefold(): n for n in names}
    near = [folded[n] for n in difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.4)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}."
    return InputError(f"Unknown {what} {name[:80]!r}: {hint}")

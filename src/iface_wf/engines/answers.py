"""Whether a stored calculation answers a request: one that did not converge does not, once more is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.engines.profile import ENGINES

#: Technical settings of which more helps.
LIMITS = frozenset({"max_steps", "max_scf_steps", "scf_step_cap", "NSW", "NELM"})
#: Technical settings that follow from others, or say how often something is written.
NO_HELP = frozenset({"grid_steps", "checkpoint_every", "max_seconds", "relaxed_by"})


def is_answer(document: CalculationDocument, settings: Mapping[str, Any]) -> bool:
    """Say whether a document with the key of a request is what would come out of it.

    Settings that only steer how a result is reached are no part of keys. Where it was reached they do not matter; where it was
    not, a request that allows more steps, or steers otherwise, is another attempt.

    Parameters
    ----------
    document
        A stored calculation with the key of the request.
    settings
        Of the request, as many as are known.
    """
    if document.converged:
        return True
    technical = ENGINES.load(document.engine).technical - NO_HELP
    # what a handler changed on the way is no longer known as it was
    changed = {name for correction in document.corrections for action in correction.actions for name in action}
    wanted = {name: value for name, value in settings.items() if name in technical}
    return not any(_other(name, value, document.settings, changed) for name, value in wanted.items())


def _other(name: str, value: Any, before: Mapping[str, Any], changed: set[str]) -> bool:
    """Whether a technical setting promises more than it did before."""
    known = before.get(name)
    if isinstance(value, Mapping) and isinstance(known, Mapping):
        return any(_other(each, value[each], known, changed) for each in value)
    if name in LIMITS:
        return isinstance(value, int | float) and isinstance(known, int | float) and value > known
    return name not in changed and value != known

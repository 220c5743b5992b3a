"""Errors whose text is meant for the user: one sentence that says what, where and what is allowed."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")


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


def validate(data: dict[str, Any], model: type[M], where: str) -> M:
    """Validate data against a model.

    Parameters
    ----------
    data
        What a user wrote.
    model
        The pydantic model that it must fit.
    where
        What the data are, for example a file; the error begins with it.

    Returns
    -------
    BaseModel
        The validated model.

    Raises
    ------
    InputError
        For the first problem, naming the key and, for an unknown one, the nearest allowed one.
    """
    from pydantic import ValidationError  # a tenth of a second, which --help does without

    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        first = errors[0]
        if first["type"] == "missing":  # a key that is misspelt is both missing and unknown, and the latter tells more
            beside = [e for e in errors if e["type"] == "extra_forbidden" and e["loc"][:-1] == first["loc"][:-1]]
            first = (beside or errors)[0]
        loc = first["loc"]
        key = ".".join(str(part) for part in loc)
        if first["type"] == "extra_forbidden":
            allowed = _keys_at(model, loc[:-1])
            near = difflib.get_close_matches(str(loc[-1]), allowed, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}."
            raise InputError(f"{where}: unknown key {key[:120]!r}, {hint}") from error
        if first["type"] == "missing":
            raise InputError(f"{where}: the key {key!r} is missing.") from error
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        message = message[:1].lower() + message[1:] if key else message
        raise InputError(f"{where}: {f'{key[:120]!r}: ' if key else ''}{message}.") from error


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """List the allowed keys of the nested model at a pydantic error location."""
    current = model
    for part in loc:
        field = current.model_fields.get(part) if isinstance(part, str) else None
        nested = _models_in(field.annotation) if field is not None else []
        current = nested[0] if nested else current
    return sorted(current.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """List the pydantic models named anywhere in a type annotation."""
    from pydantic import BaseModel

    arguments = typing.get_args(annotation)
    if not arguments:
        return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
    return [m for argument in arguments for m in _models_in(argument)]

"""Errors whose text is meant for the user: one sentence that says what, where and what is allowed."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar

from iface_wf.former import todays_key

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound="BaseModel")
Place = Callable[[tuple[int | str, ...], str], str]


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


def shown(value: Any, length: int = 60) -> str:
    """Write a value for a sentence, cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or a list within itself
        return "what is given"
    return text if len(text) <= length else f"{text[:length]}..."


def validate(data: dict[str, Any], model: type[M], where: str | Place) -> M:
    """Validate data against a model.

    Parameters
    ----------
    data
        What a user wrote.
    model
        The pydantic model that it must fit.
    where
        What the data are, for example a file; the error begins with it. Or a function that says it for the location of a
        problem in the data and pydantic's message.

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
        todays = _with_todays_keys(data, model, error)
        if todays is not None:
            return validate(todays, model, where)
        raise _first_problem(error, model, where) from error


def _with_todays_keys(data: dict[str, Any], model: type[BaseModel], error: ValidationError) -> dict[str, Any] | None:
    """Return data whose keys of before have the names of today; None where there are none."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        if problem["type"] != "extra_forbidden":
            continue
        *way, key = problem["loc"]
        name = todays_key(str(key), _keys_at(model, tuple(way)))
        if name is None:
            continue
        copy = deepcopy(data)
        place: Any = copy
        for step in way:
            if (
                isinstance(place, list) or step in place
            ):  # else the name of a union's member, which is no place in the data
                place = place[step]  # type: ignore[index]
        if name not in place:
            place[name] = place.pop(key)
            return copy
    return None


def _first_problem(error: ValidationError, model: type[BaseModel], where: str | Place) -> InputError:
    """Say the first problem in one sentence."""
    errors = error.errors(include_url=False)
    first = errors[0]
    if first["type"] == "missing":  # a key that is misspelt is both missing and unknown, and the latter tells more
        beside = [e for e in errors if e["type"] == "extra_forbidden" and e["loc"][:-1] == first["loc"][:-1]]
        first = (beside or errors)[0]
    loc = first["loc"]
    head = where if isinstance(where, str) else where(loc, first["msg"])
    key = ".".join(str(part) for part in loc)
    if first["type"] == "extra_forbidden":
        allowed = _keys_at(model, loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), allowed, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}."
        return InputError(f"{head}: unknown key {key[:120]!r}, {hint}")
    if first["type"] == "missing":
        return InputError(f"{head}: the key {key!r} is missing.")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    message = message[:1].lower() + message[1:] if key else message
    return InputError(f"{head}: {f'{key[:120]!r}: ' if key else ''}{message}.")


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

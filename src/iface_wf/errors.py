"""Errors whose text is meant for the user: one sentence that says what, where and what is allowed."""

from __future__ import annotations

import difflib
import errno
import math
import re
import typing
from collections.abc import Callable, Iterable
from copy import deepcopy
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar

from iface_wf.former import todays_key

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError, ValidationInfo

M = TypeVar("M", bound="BaseModel")
#: Longer names are like none that are known, and comparing them takes long.
_LONGEST_NAME = 100
_MEMBER = re.compile(r"\w*\[.*\]")
#: Errors of the operating system that come from what the user named, not from the state of the machine.
_OF_NAMES = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.ENXIO),
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTEMPTY, errno.ENODEV),
    }
)
Place = Callable[[tuple[int | str, ...], str], str]


class IfaceError(Exception):
    """Base of every error that iface-wf raises on purpose."""


class InputError(IfaceError):
    """Something the user gave cannot be used; the command line prints it and exits with code 2."""


class VariableError(InputError):
    """An environment variable cannot be used."""


class CalculationError(IfaceError):
    """A calculation or an analysis could not give a trustworthy number; the text names the cause."""


class OutageError(IfaceError):
    """Something that passes stopped the work: a full disk, a server that is away; the command line exits with code 75.

    Parameters
    ----------
    text
        One sentence.
    final
        Whether it has been waited for in vain, or waiting would not help.
    """

    def __init__(self, text: str, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


class MismatchError(CalculationError):
    """Quantities that must share cell, grid or settings do not; the text names the differing keys."""


class NoticeWarning(UserWarning):
    """Something that a user must know, although the work goes on: one sentence, which the command line prints."""


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
    near = [
        folded[n] for n in difflib.get_close_matches(name.casefold()[:_LONGEST_NAME], list(folded), n=3, cutoff=0.4)
    ]
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}."
    return InputError(f"Unknown {what} {name[:80]!r}: {hint}")


def reasons(error: BaseException) -> list[str]:
    """Return the lines of an error's text; its name where it has none."""
    return str(error).strip().splitlines() or [type(error).__name__]


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
        raise first_problem(error, model, where) from error


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


def first_problem(error: ValidationError, model: type[BaseModel], where: str | Place) -> InputError:
    """Say the first problem of a model in one sentence; parameters as of `validate`."""
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
        near = difflib.get_close_matches(str(loc[-1])[:_LONGEST_NAME], allowed, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}."
        return InputError(f"{head}: unknown key {key[:120]!r}, {hint}")
    # pydantic names the member of a union, which is nothing that anybody wrote
    key = ".".join(str(part) for part in loc if not _MEMBER.fullmatch(str(part)))
    if first["type"] == "missing":
        return InputError(f"{head}: the key {key!r} is missing.")
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    begins_with_formula = re.match(r"[A-Z][a-z]?\d*[A-Z0-9+-]", message)  # Li+, SiO2
    message = message[:1].lower() + message[1:] if key and not begins_with_formula else message
    if first["type"] == "string_type" and isinstance(first.get("input"), bool | int | float):
        message = unquoted(first["input"])
    if isinstance(first.get("input"), float) and math.isnan(first["input"]):
        message = "a number is needed, not nan"
    return InputError(f"{head}: {f'{key[:120]!r}: ' if key else ''}{message}.")


def refuse_bool(_model: type[BaseModel], value: Any, about: ValidationInfo) -> Any:
    """Refuse true and false where a number is needed: YAML reads ``on`` and ``yes`` so, and Python counts them as 1 and 0.

    To be made a validator of all fields of a model: ``field_validator("*", mode="before")(refuse_bool)``.
    """
    if isinstance(value, bool) and about.field_name is not None:
        kind = _model.model_fields[about.field_name].annotation
        kinds = {*typing.get_args(kind), *plain_types(kind)}
        if not {bool, Any} & kinds and {int, float} & kinds:
            raise ValueError(f"a number is needed, not {str(value).lower()}")
    return value


def plain_types(kind: Any) -> set[Any]:
    """Return what a field of a model may be: the members of a union, without what pydantic is to check of them."""
    if typing.get_origin(kind) in (typing.Union, UnionType):
        return set().union(*map(plain_types, typing.get_args(kind)))
    return plain_types(typing.get_args(kind)[0]) if typing.get_origin(kind) is typing.Annotated else {kind}


def unquoted(value: bool | float) -> str:
    """Say that something is no text, and how a name becomes so in YAML.

    Parameters
    ----------
    value
        What was given, or what YAML made of it.
    """
    if isinstance(value, bool):
        words = "yes and on" if value else "no and off"
        return f"text is needed, not {str(value).lower()} (YAML reads words such as {words} so: quote the name)"
    return f"text is needed, not the number {shown(value)} (in YAML, write it in quotes)"


def from_environment(model: type[M]) -> M:
    """Read settings from environment variables.

    Parameters
    ----------
    model
        A `pydantic_settings.BaseSettings` with a prefix.

    Returns
    -------
    BaseSettings
        The settings.

    Raises
    ------
    VariableError
        For the first variable that is wrong, by its name; its value is not shown, it may be a secret.
    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    prefix = str(model.model_config.get("env_prefix", ""))
    try:
        return model()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name, *within = (str(part) for part in first["loc"])
        key = f", {'.'.join(within)[:80]}" if within else ""
        reason = first["msg"].removeprefix("Value error, ").rstrip(".").replace("Input should be", "it must be", 1)
        raise VariableError(f"The environment variable {prefix}{name.upper()}{key} cannot be used: {reason}.") from None
    except SettingsError as error:
        found = [name for name in model.model_fields if f'"{name}"' in str(error)]
        names = " or ".join(f"{prefix}{name.upper()}" for name in found) or f"{prefix}..."
        raise VariableError(f"The environment variable {names} cannot be read: it must be JSON.") from None


def foreseen(error: Exception) -> IfaceError | None:
    """Say in one sentence what stands behind an error of Python or of a library, where that is known.

    What the user gave ends in odd places: file names in system calls, texts in encoders, numbers in C.

    Parameters
    ----------
    error
        Anything but our own errors.

    Returns
    -------
    IfaceError or None
        An `InputError` where something else has to be given, a `CalculationError` where the machine is at its limits; None
        for what nobody has foreseen.
    """
    if isinstance(error, OSError):
        return _system_error(error)
    if isinstance(error, UnicodeError):
        return InputError(
            "Something that was given is no text that can be written: it holds characters outside of UTF-8."
        )
    if isinstance(error, RecursionError):
        return InputError("Something that was given is nested too deep.")
    if isinstance(error, MemoryError):
        return CalculationError("The memory of this machine is too small for what was asked.")
    if isinstance(error, OverflowError):
        return InputError("A number that was given is too large.")
    text = " ".join(str(error).split())
    if isinstance(error, RuntimeError) and "home directory" in text:
        return InputError("The home directory of this user is unknown: set HOME.")
    if isinstance(error, ValueError) and ("null byte" in text or "null character" in text):
        return InputError("A file name that was given holds a null character.")
    if type(error).__module__.partition(".")[0] in ("pydantic", "pydantic_core", "pydantic_settings"):
        return InputError(f"A setting cannot be used: {_of_pydantic(error)}.")
    return None


def _system_error(error: OSError) -> IfaceError | None:
    if error.errno is None or error.strerror is None:
        return None
    place = f"{shown(str(error.filename), 200)}: " if error.filename is not None else ""
    kind = InputError if error.errno in _OF_NAMES else CalculationError
    return kind(f"{place}{error.strerror}.")


def _of_pydantic(error: Exception) -> str:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error).split("\n")[0][:300]
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:120]
    return f"{where or error.title}: {first['msg']}".rstrip(".")


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

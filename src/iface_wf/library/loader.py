"""Read one library file into its record; whatever is wrong becomes one sentence naming file and key."""

from __future__ import annotations

import difflib
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from iface_wf.errors import InputError
from iface_wf.library.records import LibraryRecord

R = TypeVar("R", bound=LibraryRecord)
M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 1_000_000


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice instead of keeping the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is written twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping from a file.

    Parameters
    ----------
    path
        The file, at most 1 MB, UTF-8.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    InputError
        If the file cannot be read, is too large, is not YAML or is not a mapping of keys to values.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than the allowed {MAX_BYTES} bytes.")
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise InputError(f"{path} is not valid YAML{where}: {problem}.") from error
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise InputError(f"{path} must be a YAML mapping of keys to values.")
    return data


def read_record(path: Path, model: type[R]) -> R:
    """Read and validate one library file.

    Parameters
    ----------
    path
        YAML file.
    model
        Record class that it must fit.

    Returns
    -------
    LibraryRecord
        The validated record.

    Raises
    ------
    InputError
        Naming the file, the key and, for an unknown key, the nearest allowed one.
    """
    return validate(read_yaml(path), model, str(path))


def validate(data: dict[str, Any], model: type[M], where: str) -> M:
    """Validate data against a model; the first problem becomes an InputError that starts with ``where``."""
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
    arguments = typing.get_args(annotation)
    if not arguments:
        return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
    return [m for argument in arguments for m in _models_in(argument)]

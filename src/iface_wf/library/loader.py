"""Read one library file into its record; whatever is wrong becomes one sentence naming file and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml

from iface_wf.errors import InputError, validate
from iface_wf.library.records import LibraryRecord

R = TypeVar("R", bound=LibraryRecord)

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

"""Read files of the user: regular ones of bearable size only, and YAML that is neither too deep nor grows when it is read."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from iface_wf.errors import InputError

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
"""How deep YAML may be nested."""
MAX_NODES = 300_000
"""Most keys and values of YAML, those repeated by aliases counted each time."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_file(path: Path) -> bool:
    """Whether a path is that of a regular file; False for a name that no file can have, such as a long SMILES."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a path is that of a folder; False for a name that none can have."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, most: int) -> bytes:
    """Read a regular file.

    Parameters
    ----------
    path
        The file; a pipe or device is refused at once, because reading it may never end.
    most
        Largest size, bytes.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    InputError
        If it cannot be read, is something else than a file, or is too large.
    """
    name = str(path)
    if len(name) > 300:
        name = f"{name[:300]}..."
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputError(f"{name} cannot be read: it is no regular file.")
            content = file.read(most + 1)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{name!r} cannot be the name of a file.") from error
    if len(content) > most:
        raise InputError(f"{name} is larger than the allowed {most} bytes.")
    return content


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """Read a file of UTF-8 text, with or without byte order mark; parameters and errors as of `read_bytes`."""
    try:
        return read_bytes(path, most).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.") from error


class _StrictLoader(_Base):
    """Loader of plain data that refuses a key written twice, and reads 1e-4 as the number that it is in YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            try:
                twice = name in seen
                seen.add(name)
            except TypeError:
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is a list or mapping", key.start_mark
                ) from None
            if twice:
                raise yaml.constructor.ConstructorError(None, None, f"key {name!r} is written twice", node.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)[eE][-+]?\d+$"), list("-+.0123456789")
)


def parse_yaml(text: str, where: str) -> Any:
    """Read YAML.

    Parameters
    ----------
    text
        The YAML.
    where
        What it is, for example a file; errors begin with it.

    Returns
    -------
    Any
        Plain data.

    Raises
    ------
    InputError
        If it is not YAML, is nested too deep, or refers to itself, in one sentence with the line.
    """
    try:
        _check_size(text)
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark is not None else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).split("\n")[0]
        raise InputError(f"{where} is not valid YAML{line}: {str(problem)[:200]}.") from error


def _check_size(text: str) -> None:
    """Refuse what would become too deep or too large, before it is built; aliases count as what they stand for."""
    sizes: dict[str, int] = {}
    above: list[tuple[str | None, int]] = []
    size = 0
    events: Any = yaml.parse(text, Loader=_Base)
    for event in events:
        mark, anchor = event.start_mark, getattr(event, "anchor", None)
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = above.pop()
            if anchor is not None:
                sizes[anchor] = size - before
        elif isinstance(event, yaml.AliasEvent):
            if any(name == anchor for name, _ in above):
                raise yaml.MarkedYAMLError(None, None, "an alias stands within what it names", mark)
            size += sizes.get(str(anchor), 1)
        elif isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                above.append((anchor, size))
            elif anchor is not None:
                sizes[anchor] = 1
            size += 1
        if len(above) > MAX_DEPTH:
            raise yaml.MarkedYAMLError(None, None, f"it is nested more than {MAX_DEPTH} deep", mark)
        if size > MAX_NODES:
            raise yaml.MarkedYAMLError(None, None, f"it holds more than {MAX_NODES} values", mark)


def parse_mapping(text: str, where: str) -> dict[str, Any]:
    """Read a YAML mapping of words to values; parameters and errors as of `parse_yaml`, and for anything else."""
    data = parse_yaml(text, where)
    if not isinstance(data, dict):
        raise InputError(f"{where} must be a YAML mapping of keys to values.")
    for key in data:
        if not isinstance(key, str):
            raise InputError(
                f"{where} must be a YAML mapping of keys to values: the key {key!r:.40} is no word, quote it."
            )
    return data


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
    return parse_mapping(read_text(path), str(path))


def line_of(text: str, place: tuple[Any, ...]) -> int:
    """Return the line, from 1, of the innermost part of a place that a YAML text has."""
    node: Any = yaml.compose(text, Loader=_Base)
    line = node.start_mark.line
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return int(line) + 1

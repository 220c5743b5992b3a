"""Which parts of a document to return, and which document comes first: MongoDB's rules in plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from mongomock_ng.filtering import NOTHING

from iface_wf.store.extended_json import date_text, decode, encode

Tree = dict[str, "Tree | None"]


def projector(properties: dict[str, Any] | Iterable[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what takes some paths of a document, or all but some.

    Parameters
    ----------
    properties
        Dotted paths to keep, as a list or as ``{path: 1}``; with ``{path: 0}`` the ones to leave out.

    Returns
    -------
    Callable
        Gets a document, and returns one that is nested as it is, of whose parts nothing is copied; paths lead through lists,
        element by element.
    """
    flags = properties if isinstance(properties, dict) else dict.fromkeys(properties, 1)
    keep = any(flag for path, flag in flags.items() if path != "_id" or len(flags) == 1)
    paths = [path for path, flag in flags.items() if bool(flag) == keep]
    if keep and flags.get("_id", 1):
        paths.append("_id")
    take, tree = _keep if keep else _drop, _tree(paths)

    def project(document: dict[str, Any]) -> dict[str, Any]:
        projected = take(document, tree)
        assert isinstance(projected, dict)
        return projected

    return project


def _tree(paths: Iterable[str]) -> Tree:
    root: Tree = {}
    for path in sorted(paths):  # a whole branch comes before its parts, and makes them needless
        *branches, leaf = path.split(".")
        node: Tree | None = root
        for branch in branches:
            node = node.setdefault(branch, {}) if node is not None else None
        if node is not None:
            node[leaf] = None
    return root


def _keep(value: Any, tree: Tree | None) -> Any:
    if tree is None:
        return value
    if isinstance(value, list):
        return [_keep(item, tree) for item in value if isinstance(item, dict | list)]
    return {
        name: _keep(item, tree[name])
        for name, item in value.items()
        if name in tree and (tree[name] is None or isinstance(item, dict | list))
    }


def _drop(value: Any, tree: Tree | None) -> Any:
    if isinstance(value, list):
        return [_drop(item, tree) for item in value]
    if tree is None or not isinstance(value, dict):
        return value
    return {name: _drop(item, tree.get(name)) for name, item in value.items() if tree.get(name, {}) is not None}


def sort_key(value: Any, descending: bool) -> tuple[int, Any]:
    """Give what to sort by, so that different types have MongoDB's order.

    Parameters
    ----------
    value
        What SQLite gives for a field (dates and objects as their JSON text), or the list of a field's values.
    descending
        A list sorts by its largest value then, else by its smallest.
    """
    if isinstance(value, list):
        items = [item for part in value for item in (part if isinstance(part, list) else [part])]
        ranks = [_rank(item) for item in items]
        return (max if descending else min)(ranks, default=(-1, 0))
    if isinstance(value, str) and value.startswith('{"$'):
        value = decode(f'{{"value":{value}}}')["value"]
    return _rank(value)


def _rank(value: Any) -> tuple[int, Any]:
    if value is None or value is NOTHING:
        return 0, 0
    if isinstance(value, int | float):
        return 1, -math.inf if math.isnan(value) else value
    if isinstance(value, str):
        return 2, value
    if isinstance(value, datetime):
        return 9, date_text(value)
    return 3, encode({"": value})

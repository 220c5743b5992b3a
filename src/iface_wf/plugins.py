"""Things that are found by name: this program's own in a table, other packages' in an entry-point group, loaded when used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from iface_wf.errors import InputError, unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """A lazy table of classes by name.

    Parameters
    ----------
    what
        What they are, for messages, for example ``engine``.
    group
        Entry-point group in which other packages register theirs.
    own
        This program's own: name to ``module:class``.
    """

    def __init__(self, what: str, group: str, own: Mapping[str, str]) -> None:
        self.what, self.group, self._own = what, group, dict(own)

    def names(self) -> list[str]:
        """List all names, this program's own first; nothing is imported."""
        return [*self._own, *sorted(set(_points(self.group)) - set(self._own))]

    def get(self, name: str) -> type[T]:
        """Return the class of a name.

        Raises
        ------
        InputError
            For an unknown name, with the nearest known ones, and where the package of somebody else cannot be imported.
        """
        if name in self._own:
            module, _, attribute = self._own[name].partition(":")
            found: type[T] = getattr(importlib.import_module(module), attribute)
            return found
        point = _points(self.group).get(name)
        if point is None:
            raise unknown_name(self.what, name, self.names())
        try:
            loaded: Any = point.load()
        except Exception as error:
            raise InputError(
                f"The {self.what} {name!r} of the package {_package(point)} cannot be loaded: "
                f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}."
            ) from error
        return loaded  # type: ignore[no-any-return]


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module

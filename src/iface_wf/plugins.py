"""Things that are found by name: those of this package, and those that other packages add by an entry point.

Nothing is imported before it is asked for, and what another package breaks is its own: the other names go on working.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from iface_wf.errors import InputError, reasons, unknown_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Registry(Generic[T]):
    """Objects of one type by name, each imported when it is asked for.

    Parameters
    ----------
    what
        The kind of thing, for sentences: ``engine``.
    group
        Entry points of this group add to the built-in ones, for example ``iface_wf.engines``.
    expected
        Type that every object must have.
    built_in
        Name: ``module:attribute``.
    """

    def __init__(self, what: str, group: str, expected: type[T], built_in: Mapping[str, str]) -> None:
        self.what, self.group, self.expected, self.built_in = what, group, expected, dict(built_in)
        self._loaded: dict[str, T] = {}

    @cached_property
    def _added(self) -> dict[str, list[EntryPoint]]:
        """Entry points of other packages by name; several of one name are none that can be used."""
        from importlib.metadata import entry_points  # a hundredth of a second, which --help does without

        found: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=self.group):
            if entry not in found.setdefault(entry.name, []):  # a package may be on the path twice
                found[entry.name].append(entry)
        return found

    def refresh(self) -> None:
        """Look for entry points anew, for example when a package was installed while this program runs."""
        self.__dict__.pop("_added", None)
        self._loaded.clear()

    def names(self) -> tuple[str, ...]:
        """Return all names, the built-in ones first; nothing is imported."""
        return (*self.built_in, *sorted(set(self._added) - set(self.built_in)))

    def load(self, name: str) -> T:
        """Return the object of a name.

        Raises
        ------
        InputError
            For an unknown name, with the nearest known ones, and for one whose entry point cannot be used, naming it.
        """
        if name not in self._loaded:
            if name not in self.names():
                raise unknown_name(self.what, name, self.names())
            if name in self.built_in and name in self._added:
                warnings.warn(self._refused(name), stacklevel=2)
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def usable(self) -> dict[str, T]:
        """Return all objects by name, without those that cannot be used; `problems` tells about them."""
        return {name: found for name in self.names() if (found := self._try(name)[0]) is not None}

    def problems(self) -> dict[str, str]:
        """Say in one sentence, by name, why entry points of other packages cannot be used."""
        told = {name: self._refused(name) for name in self._added if name in self.built_in}
        return told | {name: trouble for name in self.names() if (trouble := self._try(name)[1])}

    def _try(self, name: str) -> tuple[T | None, str]:
        try:
            with warnings.catch_warnings(action="ignore"):  # that a name is taken twice is among the problems
                return self.load(name), ""
        except InputError as error:
            return None, str(error)

    def _load(self, name: str) -> T:
        if name in self.built_in:
            return self._checked(name, self.built_in[name], "")
        first, *others = self._added[name]
        if others:
            places = " and ".join(sorted(entry.value for entry in (first, *others)))
            raise InputError(f"The {self.what} {name!r} is offered twice, by {places}: uninstall one of the packages.")
        package = first.dist.name if first.dist is not None else "an unknown package"
        return self._checked(name, first.value, f" of {package} (entry point of {self.group})")

    def _checked(self, name: str, place: str, origin: str) -> T:
        found = import_object(place, f"The {self.what} {name!r}{origin}")
        if not isinstance(found, self.expected):
            raise InputError(
                f"The {self.what} {name!r}{origin} cannot be used: {place} is no {self.expected.__name__}."
            )
        named = getattr(found, "name", name)
        if named != name:
            raise InputError(f"The {self.what} {name!r}{origin} cannot be used: {place} calls itself {named!r}.")
        return found

    def _refused(self, name: str) -> str:
        place = self._added[name][0].value
        return f"The {self.what} {name!r} of {place} is refused: that name belongs to the one built in."


def import_object(place: str, whose: str) -> Any:
    """Import what a text ``module:attribute`` names.

    Parameters
    ----------
    place
        Module and attribute.
    whose
        What is imported, for example ``The engine 'xtb'``; the error begins with it.

    Raises
    ------
    InputError
        In one sentence, when it cannot be imported, whatever the reason.
    """
    module, _, attribute = place.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:  # modules of others fail in whatever way they like
        cause = reasons(error)[0][:200]
        raise InputError(
            f"{whose} cannot be used: importing {place} failed ({type(error).__name__}: {cause})."
        ) from error

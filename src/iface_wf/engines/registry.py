"""The engines by name: ours, and those that other packages add, see `iface_wf.engines.profile`.

Nothing is imported before it is asked for: names and profiles are there at once, classes take seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iface_wf.engines.profile import ENGINES, EngineProfile
from iface_wf.errors import InputError, unknown_name
from iface_wf.plugins import import_object

if TYPE_CHECKING:
    from iface_wf.engines.base import Engine

#: Ranks the placements where neither the user nor the main engine does.
DEFAULT_RANKING = "xtb"


def names() -> tuple[str, ...]:
    """Return the names of all engines; nothing is imported."""
    return ENGINES.names()


def cheap_names() -> tuple[str, ...]:
    """Return the names of the engines that may rank placements and relax for others."""
    return tuple(name for name, profile in ENGINES.usable().items() if profile.cheap)


def profile(name: str) -> EngineProfile:
    """Return what an engine tells about itself, without importing its code.

    Raises
    ------
    InputError
        For an unknown name, with the nearest known ones, and for an engine of another package that cannot be used.
    """
    return ENGINES.load(name)


def require_cheap(name: str) -> str:
    """Return the name of a cheap engine; errors as of `profile`, and for an engine that is not cheap."""
    if name not in names() or not profile(name).cheap:
        raise unknown_name("cheap engine", name, cheap_names())
    return name


def get(name: str) -> type[Engine]:
    """Import the class of an engine; errors as of `profile`, and when its code cannot be imported."""
    found = import_object(profile(name).engine, f"The engine {name!r}")
    if getattr(found, "profile", None) is not profile(name):
        raise InputError(f"The engine {name!r} cannot be used: {profile(name).engine} has another profile.")
    engine: type[Engine] = found
    return engine


def create(name: str, **options: Any) -> Engine:
    """Return an engine.

    Parameters
    ----------
    name
        Its name.
    **options
        Its fields, see `iface_wf.engines.base.Engine`: level, overrides, processes...

    Raises
    ------
    InputError
        As of `get`.
    """
    return get(name)(**options)

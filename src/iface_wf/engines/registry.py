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
    """Return the name of a cheap engine, or such a name and a variant (``mlip:7net-0``).

    Raises
    ------
    InputError
        As of `profile`, for an engine that is not cheap, and for a variant that its settings do not know.
    """
    engine, variant = _parts(name)
    if engine not in names() or not profile(engine).cheap:
        raise unknown_name("cheap engine", engine, cheap_names())
    profile(engine).settings("fast", variant)
    return name


def _parts(name: str) -> tuple[str, dict[str, Any]]:
    """Split the name of an engine from the setting that may follow it."""
    engine, colon, value = name.partition(":")
    if not colon or engine not in names():
        return engine, {}
    setting = profile(engine).variant
    if setting is None:
        raise InputError(f"The engine {engine!r} has no variants; give its name alone.")
    return engine, {setting: value}


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
        Its name, of a cheap one also with a variant: ``mlip:7net-0``.
    **options
        Its fields, see `iface_wf.engines.base.Engine`: level, overrides, processes...

    Raises
    ------
    InputError
        As of `get`.
    """
    name, variant = _parts(name)
    if variant:
        options["overrides"] = variant | dict(options.get("overrides") or {})
    return get(name)(**options)

"""Machine-learned potentials."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Import the engine when it is asked for; jobs of before name its maker in this module."""
    if name in ("MlipEngine", "MlipMaker"):
        from iface_wf.engines.mlip import engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

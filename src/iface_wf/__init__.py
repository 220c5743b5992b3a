"""iface-wf: interface DFT workflows, from names of fillers, polymers and salts to binding energies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iface_wf import _moved

__version__ = "0.1.0"
__all__ = ["__version__", "results", "run"]

if TYPE_CHECKING:
    from iface_wf.api import results, run


_moved.install()


def __getattr__(name: str) -> Any:
    """Import the Python interface when it is first used: it takes seconds, the command line must not."""
    if name in ("run", "results"):
        from iface_wf import api

        return getattr(api, name)
    raise AttributeError(f"module 'iface_wf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

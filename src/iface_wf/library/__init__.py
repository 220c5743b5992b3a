"""The library: fillers, polymers, molecules and salts by name, from the package and from the user's own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iface_wf.library.records import FillerRecord, MoleculeRecord, PolymerRecord, SaltRecord

if TYPE_CHECKING:
    from iface_wf.library.library import Library

__all__ = ["FillerRecord", "Library", "MoleculeRecord", "PolymerRecord", "SaltRecord"]


def __getattr__(name: str) -> Any:
    """Import the library when it is first used: it reads crystals, and pymatgen takes a second to import."""
    if name == "Library":
        from iface_wf.library.library import Library

        return Library
    raise AttributeError(f"module 'iface_wf.library' has no attribute {name!r}")

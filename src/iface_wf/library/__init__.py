"""The library: fillers, polymers and salts by name, from the package and from the user's own folder."""

from __future__ import annotations

from iface_wf.library.library import Library
from iface_wf.library.records import FillerRecord, PolymerRecord, SaltRecord

__all__ = ["FillerRecord", "Library", "PolymerRecord", "SaltRecord"]

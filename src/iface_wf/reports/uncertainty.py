"""The known parts of an uncertainty as a table of a result's page."""

from __future__ import annotations

from collections.abc import Mapping

from iface_wf.analysis.uncertainty import SOURCES
from iface_wf.documents.kinds import Section
from iface_wf.documents.labels import UNCERTAINTY_PARTS


def uncertainty_section(parts: Mapping[str, float]) -> Section:
    """Return the table of the parts that are known, eV."""
    known = [(name, parts[name], SOURCES[name]) for name in UNCERTAINTY_PARTS if name in parts]
    return Section("Uncertainty", ("source", "eV", "what it is"), known)

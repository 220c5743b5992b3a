"""Charges of atoms by some scheme: what all schemes tell, whatever else they do."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from iface_wf.documents.base import Document


class ChargesDocument(Document):
    """Charges of the atoms of one density by one scheme.

    Lists have one entry per atom in the order of the structure. Positive charges mean lost electrons. A scheme of its own
    is a class of its own, registered in `iface_wf.documents.schemes`.
    """

    scheme: str = Field(description="how electrons are given to atoms")
    engine: str = Field(description="program that did it")
    engine_version: str
    species: list[str] = Field(description="element of each atom")
    components: list[str] | None = Field(description="label of the component each atom belongs to")
    net_charges: list[float] = Field(description="charge of each atom, e, positive = lost electrons")
    component_charges: dict[str, float] | None = Field(description="sum of net_charges over each component, e")
    flags: Sequence[str] = Field(default=(), description="what makes the numbers doubtful")


class ChargeSums(Document):
    """Charges of the components of an interface by one scheme; the atoms' are in the calculations of the densities."""

    component_charges: dict[str, dict[str, float]] = Field(
        description="By role (AB, A*, B*...) and component: sum of the net charges, e, positive = lost electrons"
    )
    flags: dict[str, list[str]] = Field(default_factory=dict, description="By role: what makes the numbers doubtful")

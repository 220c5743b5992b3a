"""Contacts that a result tells: hydrogen bonds, and bonds that became longer."""

from __future__ import annotations

from pydantic import Field

from iface_wf.documents.base import Document


class HydrogenBond(Document):
    """A hydrogen bond D-H...A between two parts."""

    donor: str = Field(description="Element of D")
    acceptor: str = Field(description="Element of A")
    gives: str = Field(description="Component of the hydrogen, for example slab or polymer")
    h_acceptor: float = Field(description="H...A, A")
    donor_acceptor: float = Field(description="D...A, A")
    angle: float = Field(description="D-H...A, degrees")


class LongerBond(Document):
    """A bond that is longer in the whole than in the part alone."""

    bond: str = Field(description="Elements, such as O-S")
    length: float = Field(description="In the whole, A")
    change: float = Field(description="Longer than in the part alone by, A")

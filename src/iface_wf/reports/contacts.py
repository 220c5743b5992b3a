"""Hydrogen bonds and longer bonds of a result as tables of its page."""

from __future__ import annotations

from collections.abc import Sequence

from iface_wf.documents.contacts import HydrogenBond, LongerBond
from iface_wf.documents.kinds import Section


def contact_sections(hydrogen_bonds: Sequence[HydrogenBond], longer_bonds: Sequence[LongerBond]) -> list[Section]:
    """Return a table of each, if there is anything in it."""
    found = []
    if hydrogen_bonds:
        head = ("D-H...A", "hydrogen of", "H...A, A", "D...A, A", "angle, degrees")
        rows = [
            (f"{b.donor}-H...{b.acceptor}", b.gives, b.h_acceptor, b.donor_acceptor, b.angle) for b in hydrogen_bonds
        ]
        found.append(Section("Hydrogen bonds", head, rows))
    if longer_bonds:
        lengths = [(b.bond, b.length, b.change) for b in longer_bonds]
        found.append(Section("Bonds that are longer than in isolation", ("bond", "length, A", "longer by, A"), lengths))
    return found

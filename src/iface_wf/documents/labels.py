"""Names that documents and structures share: of the components of an interface, and of its calculations."""

from __future__ import annotations

from typing import NamedTuple

SLAB, GRAFT = "slab", "graft"
POLYMER, CATION, ANION = "polymer", "salt_cation", "salt_anion"
#: Second of two molecules that lie on no slab.
PARTNER = "partner"
#: Components of an interface.
COMPONENTS = (SLAB, GRAFT, POLYMER, CATION, ANION)
#: Labels of sites, the site property ``component``.
LABELS = (*COMPONENTS, PARTNER)
#: What A and B of an interface are: selections by label.
SLAB_PARTS = (SLAB, GRAFT)
FRAGMENT_PARTS = (POLYMER, CATION, ANION)

#: Role of the calculations of the whole interface.
WHOLE = "AB"


class Part(NamedTuple):
    """One side of an interface, and the roles of its calculations.

    Attributes
    ----------
    name
        ``A`` or ``B``; also the role of the part relaxed in isolation.
    components
        Labels of its sites.
    """

    name: str
    components: tuple[str, ...]

    @property
    def frozen(self) -> str:
        """Role of the part as it is in the interface, in its cell."""
        return f"{self.name}*"

    @property
    def with_ghosts(self) -> str:
        """Role of the frozen part with the basis functions of the whole interface."""
        return f"{self.name}* in AB basis"


A, B = Part("A", SLAB_PARTS), Part("B", FRAGMENT_PARTS)
PARTS = (A, B)

#: Flag of an energy in atom-centred functions that is not counterpoise corrected: tenths of an eV too strongly bound.
UNCORRECTED = "uncorrected_basis"
#: Sources of the uncertainty of a result, in the order in which they are shown.
UNCERTAINTY_PARTS = ("search", "basis", "dispersion", "lateral", "geometry", "model")

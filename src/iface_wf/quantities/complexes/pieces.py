"""A complex and the two pieces that it is taken apart into, as built: what each is, its charge, and its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymatgen.core import Structure

from iface_wf.builders.components import label
from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.fragment import build_fragment
from iface_wf.builders.molecules.assemblies import boxed_again, join
from iface_wf.builders.molecules.complexes import build_salt
from iface_wf.builders.spec import NO_FILLER, InterfaceSpec
from iface_wf.documents.labels import PARTNER
from iface_wf.errors import InputError
from iface_wf.library.library import Library
from iface_wf.quantities.complexes.request import ComplexRequest, PairRequest


@dataclass(frozen=True)
class Pieces:
    """What is calculated, labelled sites, each in an open box of its own.

    Attributes
    ----------
    first, second, whole
        A, B and AB; each says its charge.
    names
        Of A and B, for people.
    """

    first: Structure
    second: Structure
    whole: Structure
    names: tuple[str, str]

    @property
    def components(self) -> dict[str, list[str]]:
        """Labels of A and B, which have none in common."""
        found = (dict.fromkeys(part.site_properties["component"]) for part in (self.first, self.second))
        return dict(zip("AB", map(list, found), strict=True))

    @property
    def elements(self) -> set[str]:
        """Symbols of all elements."""
        return {element.symbol for element in self.whole.composition.elements}

    def in_boxes(self, step: float | None) -> Pieces:
        """Return the same in boxes whose edges are multiples of a length, A."""
        edge = EDGE_STEP if step is None else step
        first, second, whole = (boxed_again(each, step=edge) for each in (self.first, self.second, self.whole))
        return Pieces(first, second, whole, self.names)


def host_of(request: ComplexRequest, library: Library) -> Structure | None:
    """Build the molecule of a request; None where it has none."""
    return None if request.host is None else build_fragment(request.host, library)


def pair_pieces(request: PairRequest, library: Library) -> Pieces:
    """Build two molecules, or a molecule and a salt or ion.

    Raises
    ------
    InputError
        For unknown names and molecules that cannot be built, and for more than ``request.max_atoms`` atoms.
    """
    first = host_of(request, library)
    assert first is not None
    if request.salt is not None:
        second = build_salt(library.salt(request.salt), request.seed, part=request.salt_part)
    else:
        second = label(build_fragment(_partner(request, library), library), PARTNER)
    return together(request, first, second, (request.host_name, request.other_name))


def together(request: ComplexRequest, first: Structure, second: Structure, names: tuple[str, str]) -> Pieces:
    """Join two pieces to a complex.

    Raises
    ------
    InputError
        When it has more than ``request.max_atoms`` atoms, or both hold ions of one kind.
    """
    if (count := len(first) + len(second)) > request.max_atoms:
        raise InputError(
            f"{request.label} has {count} atoms, at most {request.max_atoms} are allowed: use fewer units or raise max_atoms."
        )
    shared = set(first.site_properties["component"]) & set(second.site_properties["component"])
    if shared:
        raise InputError(
            f"{names[0]} and {names[1]} both hold a {sorted(shared)[0]}: take a molecule without ions of its own, or a partner."
        )
    return Pieces(first, second, join(first, second), names)


def _partner(request: PairRequest, library: Library) -> InterfaceSpec:
    """Say what the second molecule is: a polymer where the library knows it or it has open ends, else a molecule."""
    name = request.partner or ""
    polymers = {known.casefold() for known in library.names("polymer")}
    chain = "*" in name or name.casefold() in polymers
    if not chain and request.partner_units is not None:
        raise InputError(f"'partner_units' means nothing for {name[:80]!r}, which is no polymer.")
    told: dict[str, Any] = {"polymer": name, "units": request.partner_units} if chain else {"molecule": name}
    return InterfaceSpec(
        filler=NO_FILLER,
        n_conformers=request.n_conformers,
        seed=request.seed,
        max_atoms=request.max_atoms,
        **told,
    )

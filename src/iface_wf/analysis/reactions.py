"""Whether two solids react where they touch: reaction energies along their mixtures, from the energies of all phases.

The interface may turn into any phases of the elements of both, in the ratio of the lowest energy: W. D. Richards et al.,
10.1021/acs.chemmater.5b04082, by pymatgen. Nothing is said of how fast.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from pymatgen.core import Composition, Element

from iface_wf.errors import InputError
from iface_wf.library.entries import PhaseEntry, run_types

#: Reactions that gain less than this, eV/atom, are rounding.
STABLE = 1e-3


@dataclass(frozen=True)
class Reaction:
    """One mixture at which the products change.

    Attributes
    ----------
    share
        Mole fraction of the first solid.
    equation
        Balanced.
    energy, molar
        eV/atom and kJ per mole of the mixture, negative = gains energy.
    """

    share: float
    equation: str
    energy: float
    molar: float


@dataclass(frozen=True)
class Reactivity:
    """What two solids become where they touch.

    Attributes
    ----------
    first, second
        Formulas.
    reactions
        By falling share of the first.
    entries
        How many entries of these elements there were.
    remarks
        What the answer hangs on, a sentence each.
    """

    first: str
    second: str
    reactions: tuple[Reaction, ...]
    entries: int
    remarks: tuple[str, ...]

    @property
    def strongest(self) -> Reaction:
        """The mixture that gains most by atom."""
        return min(self.reactions, key=lambda each: each.energy)

    @property
    def stable(self) -> bool:
        """Whether no mixture gains energy, as far as there are entries."""
        return self.strongest.energy > -STABLE


def reactivity(first: str, second: str, entries: Sequence[PhaseEntry]) -> Reactivity:
    """Return the reactions between two solids.

    Parameters
    ----------
    first, second
        Formulas; each must be a phase among the entries: its energy is not guessed.
    entries
        Energies of phases by one method; those of other elements are left out.

    Raises
    ------
    InputError
        When an element or a solid has no entry, and when both solids are one.
    """
    solids = [Composition(formula).reduced_composition for formula in (first, second)]
    names = [solid.reduced_formula for solid in solids]
    if names[0] == names[1]:
        raise InputError(f"Both solids are {names[0]}.")
    elements = sorted({element.symbol for solid in solids for element in solid.elements}, key=lambda x: Element(x).X)
    system = "-".join(elements)
    fitting = [entry for entry in entries if set(entry.composition) <= set(elements)]
    absent = [x for x in elements if not any(set(entry.composition) == {x} for entry in fitting)]
    if absent:
        raise InputError(
            f"No entry of the element {' or '.join(absent)}: reaction energies of {system} need each element."
        )
    known = {entry.formula for entry in fitting}
    if lost := [name for name in names if name not in known]:
        raise InputError(
            f"No entry of {' or '.join(lost)}: its energy is not guessed; add it to the entries of {system}."
        )
    from pymatgen.analysis.interface_reactions import InterfacialReactivity
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram

    diagram = PhaseDiagram([PDEntry(Composition(each.composition), each.total) for each in fitting])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinks = InterfacialReactivity(*solids, diagram, norm=False).get_kinks()
    # pymatgen's energies are by mole of mixture here; by atom they are the same for whatever formula units
    found = [
        Reaction(float(x), str(told), float(energy) / _atoms(float(x), solids), float(molar))
        for _, x, energy, told, molar in kinks
    ]
    return Reactivity(names[0], names[1], tuple(reversed(found)), len(fitting), tuple(_remarks(elements, fitting)))


def _atoms(share: float, solids: Sequence[Composition]) -> float:
    """Return the atoms of one mole of a mixture."""
    return float(share * solids[0].num_atoms + (1.0 - share) * solids[1].num_atoms)


def _remarks(elements: Sequence[str], entries: Sequence[PhaseEntry]) -> list[str]:
    """Say what the entries lack."""
    pairs = [
        f"{a}-{b}"
        for a, b in itertools.combinations(elements, 2)
        if not any(set(entry.composition) == {a, b} for entry in entries)
    ]
    found = []
    if pairs:
        found.append(f"No compound of {', '.join(pairs)} is among the entries: what has no entry cannot form here.")
    if len(kinds := run_types(entries)) > 1:
        found.append(
            f"The entries are of unlike methods ({', '.join(kinds)}): are their energies corrected to one scale?"
        )
    return found

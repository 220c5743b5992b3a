"""How much room a conversion of crystals takes: molar volumes of the library's crystals, and their ratio."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pymatgen.core import Composition, Element

from iface_wf.errors import InputError, shown
from iface_wf.library.crystals import read_crystal
from iface_wf.library.library import Library
from iface_wf.library.records import FillerRecord

#: 1 A^3 per formula unit in cm^3/mol.
MOLAR = 0.602214076
_FORMULA = re.compile(r"([A-Z][a-z]?\d*)+")
#: Of one crystal in a conversion.
MOST_UNITS = 1000
#: Counts of partly occupied sites miss those of the formula by less, as a fraction.
_ROUNDED = 0.02


@dataclass(frozen=True)
class MolarVolume:
    """The molar volume of one crystal.

    Attributes
    ----------
    name
        Of the filler.
    formula
        Of one formula unit.
    volume
        cm^3/mol.
    source
        Of the crystal.
    """

    name: str
    formula: str
    volume: float
    source: str


@dataclass(frozen=True)
class VolumeRatio:
    """The volume of some crystals over that of what they are made from.

    Attributes
    ----------
    products, reactants
        How many formula units of each.
    """

    products: tuple[tuple[float, MolarVolume], ...]
    reactants: tuple[tuple[float, MolarVolume], ...]

    @property
    def ratio(self) -> float:
        """Volume of the products over that of the reactants, dimensionless."""
        after, before = (sum(n * each.volume for n, each in side) for side in (self.products, self.reactants))
        return after / before

    @property
    def sentence(self) -> str:
        """The volumes that it is made of, for people."""
        sides = (" + ".join(_term(n, each) for n, each in side) for side in (self.products, self.reactants))
        return " over ".join(sides)


def _term(count: float, each: MolarVolume) -> str:
    return f"{count:g} x {each.volume:.2f} cm^3/mol ({each.formula})"


def molar_volume(record: FillerRecord) -> MolarVolume:
    """Return the molar volume of a filler's crystal.

    The formula unit is the filler's name where that is a formula of the crystal (I2, of which the reduced formula is I), else the
    composition that its record orders, else the reduced formula.

    Raises
    ------
    InputError
        For what is no bare crystal, and for a crystal that is no multiple of its formula.
    """
    if record.ready_slab or record.graft is not None:
        what = "is a slab already" if record.ready_slab else "carries arms on its surface"
        raise InputError(f"{record.name} {what}: a molar volume needs a bare crystal.")
    crystal = read_crystal(record.crystal_path)
    whole = crystal.composition
    unit = _unit(record, whole)
    times = whole.num_atoms / unit.num_atoms
    if any(abs(whole[x] - times * unit[x]) > _ROUNDED * whole.num_atoms for x in {*whole.elements, *unit.elements}):
        raise InputError(f"The crystal of {record.name}, {whole.formula}, is no multiple of {unit.formula}.")
    return MolarVolume(record.name, _written(unit), MOLAR * crystal.volume / times, record.source)


def formula_of(name: str, library: Library) -> str:
    """Return the formula of a solid: of a filler of the library, or what is given where it is a formula itself.

    Raises
    ------
    InputError
        For what is neither.
    """
    if library.find("filler", name) is not None:
        record = library.filler(name)
        return _written(_unit(record, read_crystal(record.crystal_path).composition))
    if len(name) <= 100 and re.fullmatch(r"([A-Z][a-z]?(\d+(\.\d+)?)?|\(|\)\d*)+", name) and _elements(name):
        return _written(Composition(name))
    raise InputError(f"{name[:80]!r} is neither a filler of the library nor a formula such as Li7La3Zr2O12.")


def _unit(record: FillerRecord, whole: Composition) -> Composition:
    """Return the formula unit of a filler's crystal, see `molar_volume`."""
    if _FORMULA.fullmatch(record.name) and _elements(record.name):
        named = Composition(record.name)
        if named.reduced_formula == whole.reduced_formula:
            return named
    if record.disorder is not None:
        return Composition(record.disorder.composition)
    return whole.reduced_composition


def _written(unit: Composition) -> str:
    return re.sub(r"(?<=[A-Za-z])1(?![\d.])", "", unit.formula.replace(" ", ""))


def _elements(name: str) -> bool:
    try:
        return all(isinstance(element, Element) for element in Composition(name).elements)  # no dummy such as E
    except ValueError:
        return False


def volume_ratio(products: Mapping[str, float], reactants: Mapping[str, float], library: Library) -> VolumeRatio:
    """Return the ratio of the volumes of crystals after and before a conversion.

    What comes from outside (lithium through an electrolyte) is left out of the reactants by whoever asks: elements need not balance.

    Parameters
    ----------
    products, reactants
        Names of fillers, and how many formula units of each.
    library
        Where names are looked up.

    Raises
    ------
    InputError
        For unknown names, numbers that are not positive, and a side without crystals.

    Examples
    --------
    Iodine that takes up lithium:

    >>> from iface_wf.library import Library
    >>> found = volume_ratio({"LiI": 2}, {"I2": 1}, Library())
    >>> f"{found.ratio:.2f}"
    '1.27'
    """
    sides = []
    for side, named in (("products", products), ("reactants", reactants)):
        if not named:
            raise InputError(f"The volume ratio has no {side}.")
        for name, count in named.items():
            if not 0 < count <= MOST_UNITS:
                raise InputError(
                    f"The number of {name} in a volume ratio must lie between 0 and {MOST_UNITS}, not {shown(count)}."
                )
        sides.append(tuple((float(count), molar_volume(library.filler(name))) for name, count in named.items()))
    return VolumeRatio(*sides)

"""How large calculations are, as far as that is known before any of them has run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ase.data import atomic_numbers
from pymatgen.core import Composition, Structure

from iface_wf.documents.labels import WHOLE, A, B
from iface_wf.engines.cells import is_metal, kpoints_along, length_of_metals
from iface_wf.flows.graph import Graph, Item

#: What a molecule that lies on a slab adds to the cell's height, A.
_LYING = 5.0
_NOBLE = (0, 2, 10, 18, 36, 54, 86)


@dataclass(frozen=True)
class Size:
    """What decides how long a calculation takes.

    Attributes
    ----------
    atoms, electrons
        Atoms, and electrons outside of closed shells, of all sites that carry basis functions.
    volume
        Of the cell, A^3: real-space grids and plane waves grow with it.
    edges
        Lengths of the periodic cell vectors, A, which decide about k-points.
    metal
        Whether it conducts.
    """

    atoms: float
    electrons: float
    volume: float
    edges: tuple[float, ...] = ()
    metal: bool = False

    def grid(self, kpoint_length: float | None) -> float:
        """Return volume times k-points, A^3, for codes with k-points that reach so far (A)."""
        if not kpoint_length or not self.edges:
            return self.volume
        length = length_of_metals(kpoint_length) if self.metal else kpoint_length
        return self.volume * math.prod(kpoints_along(edge, length) for edge in self.edges)


def size_of(structure: Structure) -> Size:
    """Return the size of a structure's calculation."""
    edges = tuple(x for x, periodic in zip(structure.lattice.abc, structure.lattice.pbc, strict=True) if periodic)
    electrons = electrons_of(structure.composition)
    return Size(len(structure), electrons, structure.volume, edges, bool(edges) and is_metal(structure))


def electrons_of(composition: Composition) -> float:
    """Count the electrons outside of noble gases and full d and f shells below p, of neutral atoms."""
    return float(sum(_valence(element.symbol) * count for element, count in composition.element_composition.items()))


def _valence(symbol: str) -> int:
    number: int = atomic_numbers[symbol]
    core = max(n for n in _NOBLE if n < number)
    outside = number - core
    if core >= 54 and outside > 16:
        outside -= 14
    return outside - 10 if core >= 18 and outside > 12 else outside


class Sizes:
    """The sizes of all calculations of a graph, by what they calculate.

    Parameters
    ----------
    graph
        Parts and results.
    """

    def __init__(self, graph: Graph) -> None:
        self.parts = {key: size_of(part.structure) for key, part in graph.parts.items()}

    def of(self, role: str, item: Item, repeats: float = 1.0) -> Size:
        """Return the size of one of a result's calculations.

        Parameters
        ----------
        role
            As in `iface_wf.documents.labels`; ``A from AB`` is as large as ``A``.
        item
            The result.
        repeats
            How many times as large the slab's cell is as the one that was built.
        """
        own = {name: self.parts[key] for name, key in item.parts.items()}
        name = role.partition(" from ")[0]
        if A.name in own:
            own[A.name] = repeated(own[A.name], repeats)
        if name in own:
            return own[name]
        if {A.name, f"{B.name}1"} <= set(own):
            return self._of_several(name, own, round(item.atoms - self.parts[item.parts[A.name]].atoms))
        if set(own) != {A.name, B.name}:  # of another kind of result: as large as its largest part, or as it says
            largest = max(own.values(), key=lambda size: size.atoms)
            return replace(largest, atoms=item.atoms, electrons=largest.electrons * item.atoms / largest.atoms)
        whole = _together(own[A.name], own[B.name])
        return _of_two(name, own, whole)

    def _of_several(self, name: str, own: dict[str, Size], atoms: int) -> Size:
        """Return the size of a calculation of several molecules, which have so many atoms together, on a slab."""
        molecules = [size for role, size in own.items() if role != A.name]
        counted = sum(size.atoms for size in molecules)
        electrons = sum(size.electrons for size in molecules) * atoms / counted
        two = {A.name: own[A.name], B.name: replace(molecules[0], atoms=atoms, electrons=electrons)}
        whole = _together(two[A.name], two[B.name])
        if name.startswith("molecule"):  # alone in the cell of all
            largest = max(molecules, key=lambda size: size.atoms)
            return replace(whole, atoms=largest.atoms, electrons=largest.electrons)
        return _of_two(name, two, whole)


def _of_two(name: str, own: dict[str, Size], whole: Size) -> Size:
    """Return the size of AB, or of one of its parts in its cell."""
    frozen = {part.frozen: own[part.name] for part in (A, B)}.get(name)
    if frozen is not None and name != WHOLE:
        return replace(whole, atoms=frozen.atoms, electrons=frozen.electrons)
    return whole


def repeated(size: Size, times: float) -> Size:
    """Return the size of a slab whose cell is so many times as large in its plane."""
    if times == 1.0:
        return size
    edges = tuple(edge * times**0.5 for edge in size.edges[:2])
    return replace(
        size, atoms=size.atoms * times, electrons=size.electrons * times, volume=size.volume * times, edges=edges
    )


def _together(slab: Size, fragment: Size) -> Size:
    area = math.prod(slab.edges) if len(slab.edges) == 2 else slab.volume ** (2 / 3)
    return replace(
        slab,
        atoms=slab.atoms + fragment.atoms,
        electrons=slab.electrons + fragment.electrons,
        volume=slab.volume + area * _LYING,
    )

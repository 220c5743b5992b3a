"""Graft molecular arms onto silanols: Si-OH becomes Si-O-arm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from ase.data import vdw_radii
from pymatgen.core import Element, Structure
from rdkit import Chem

from iface_wf.builders.molecules.conformers import embed
from iface_wf.builders.molecules.fragments import from_conformers, mol_of, parse_smiles
from iface_wf.builders.molecules.ions import anion_donors, with_cation
from iface_wf.documents.labels import GRAFT, SLAB
from iface_wf.errors import InputError
from iface_wf.library.records import Graft

CONFORMERS = 12
TURNS = 24
ROOM = 0.75
"""Atoms of an arm keep this share of the sum of van der Waals radii from everything they are not bonded to."""
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Arm:
    """One conformer: elements and places (A) with the surface oxygen at 0 and the surface silicon along -z."""

    elements: tuple[str, ...]
    places: Matrix


@dataclass(frozen=True)
class _Silanol:
    hydrogen: int
    oxygen: int
    silicon: int


def graft(slab: Structure, rule: Graft, seed: int = 0) -> Structure:
    """Replace the hydrogen of silanols on the top face by molecular arms.

    Every conformer of the arm is turned about the surface Si-O bond at every silanol; the place with most
    room is used, among equally roomy ones the conformer of lowest energy.

    Parameters
    ----------
    slab
        Hydroxylated slab, c normal to a and b, site property ``silanol`` True on the silanols' hydrogen.
    rule
        The arm: SMILES whose ``*`` is the surface oxygen, counter ion and number of arms.
    seed
        Seed of the conformers.

    Returns
    -------
    Structure
        The slab, its sites first, without the hydrogens that were replaced; arms and their counter ions
        follow with the component ``graft``.

    Raises
    ------
    InputError
        If there are not enough silanols, the arm cannot be read, or there is no room for it.
    """
    middle = float(np.median(slab.cart_coords[:, 2]))
    marks = slab.site_properties.get("silanol", [False] * len(slab))
    heads = [_silanol(slab, i) for i, m in enumerate(marks) if m and slab[i].coords[2] > middle]
    if len(heads) < rule.count:
        raise InputError(f"{rule.count} arms need as many silanols on the top face, it has {len(heads)}.")
    arms = _arms(rule.smiles, rule.counter_ion, seed)
    grown = slab.copy()
    grown.add_site_property("component", [SLAB] * len(slab))
    gone: list[int] = []
    for _ in range(rule.count):
        head, arm, places = _best_place(grown, heads, arms, gone)
        gone.append(head.hydrogen)
        heads.remove(head)
        for element, place in zip(arm.elements, places, strict=True):
            grown.append(element, place, coords_are_cartesian=True, properties={"component": GRAFT, "silanol": False})
    grown.remove_sites(gone)
    return grown


def _silanol(slab: Structure, hydrogen: int) -> _Silanol:
    oxygen = min(slab.get_neighbors(slab[hydrogen], 1.3), key=lambda n: n.nn_distance)
    near = [n for n in slab.get_neighbors(slab[oxygen.index], 2.2) if n.specie.symbol not in ("H", "O")]
    return _Silanol(hydrogen, oxygen.index, min(near, key=lambda n: n.nn_distance).index)


@lru_cache(maxsize=16)
def _arms(smiles: str, counter_ion: str | None, seed: int) -> tuple[_Arm, ...]:
    """Conformers of the arm, lowest energy first, each with its counter ions."""
    mol = Chem.RWMol(parse_smiles(smiles, "arm"))
    ends = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if len(ends) != 1:
        raise InputError(f"The arm {smiles[:80]!r} must have one '*', the surface oxygen, not {len(ends)}.")
    oxygen = ends[0]
    mol.GetAtomWithIdx(oxygen).SetAtomicNum(8)
    mol.GetAtomWithIdx(oxygen).SetNoImplicit(False)
    silicon = mol.AddAtom(Chem.Atom(14))  # stands for the surface
    mol.AddBond(oxygen, silicon, Chem.BondType.SINGLE)
    Chem.SanitizeMol(mol)
    charge = Chem.GetFormalCharge(mol)
    if (charge != 0) != (counter_ion is not None):
        raise InputError(f"The arm {smiles[:80]!r} has the charge {charge:+d}; a counter ion must balance it.")
    full = Chem.AddHs(mol)
    found = embed(full, CONFORMERS, seed)
    spare = {silicon, *(n.GetIdx() for n in full.GetAtomWithIdx(silicon).GetNeighbors())}  # the oxygen and SiH3
    return tuple(
        _aligned(from_conformers(found, k), smiles, counter_ion, oxygen, silicon, spare)
        for k in range(len(found.energies))
    )


def _aligned(
    whole: Structure, smiles: str, counter_ion: str | None, oxygen: int, silicon: int, spare: set[int]
) -> _Arm:
    count = len(whole)
    if counter_ion is not None:
        for donors in anion_donors(mol_of(whole)):
            options = with_cation(whole, counter_ion, donors)
            if not options:
                raise InputError(f"There is no room for {counter_ion} at the arm {smiles[:80]!r}.")
            whole = options[0]
        if whole.properties["charge"] != 0:
            raise InputError(f"The arm {smiles[:80]!r} is not neutral with {counter_ion}.")
    places = whole.cart_coords - whole.cart_coords[oxygen]
    axis = -places[silicon] / np.linalg.norm(places[silicon])
    turned = places @ _onto_z(axis).T
    keep = [i for i in range(len(whole)) if i not in spare or i >= count]
    return _Arm(tuple(whole[i].specie.symbol for i in keep), turned[keep])


def _onto_z(axis: Matrix) -> Matrix:
    """Rotation that carries a unit vector onto +z, rows being the new axes."""
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    x = np.cross(helper, axis)
    x /= np.linalg.norm(x)
    return np.array([x, np.cross(axis, x), axis])


def _best_place(
    slab: Structure, heads: list[_Silanol], arms: tuple[_Arm, ...], gone: list[int]
) -> tuple[_Silanol, _Arm, Matrix]:
    """Find silanol, conformer and turn with most room; an error if even that is too narrow."""
    best: tuple[tuple[float, int, float], _Silanol, _Arm, Matrix] | None = None
    for head in heads:
        up = slab[head.oxygen].coords - _nearest(slab, head)
        frame = _onto_z(up / np.linalg.norm(up))
        others = [i for i in range(len(slab)) if i not in (head.oxygen, head.silicon, head.hydrogen, *gone)]
        around = slab.cart_coords[others]
        radii = np.array([_vdw(slab[i].specie) for i in others])
        for number, arm in enumerate(arms):
            own = np.array([_vdw(Element(e)) for e in arm.elements])
            for turn in np.arange(TURNS) * 2 * np.pi / TURNS:
                c, s = np.cos(turn), np.sin(turn)
                spin = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
                places = slab[head.oxygen].coords + arm.places @ spin.T @ frame
                room = _room(slab, places, own, around, radii)
                key = (-min(round(room, 2), 1.15), number, -round(float(places[:, 2].mean()), 2))
                if best is None or key < best[0]:
                    best = (key, head, arm, places)
    if best is None or -best[0][0] < 1.0:
        raise InputError("There is no room for the arm on this surface; use a larger in-plane cell or fewer arms.")
    return best[1], best[2], best[3]


def _nearest(slab: Structure, head: _Silanol) -> Matrix:
    """Place of the silanol's silicon in the image next to its oxygen."""
    return np.asarray(
        min(
            (n for n in slab.get_neighbors(slab[head.oxygen], 2.2) if n.index == head.silicon),
            key=lambda n: n.nn_distance,
        ).coords
    )


def _vdw(element: Element) -> float:
    value = float(vdw_radii[element.Z]) if len(vdw_radii) > element.Z else np.nan
    return value if np.isfinite(value) else 2.0


def _room(slab: Structure, places: Matrix, own: Matrix, around: Matrix, radii: Matrix) -> float:
    """Smallest distance as a share of what is wanted, to the slab and to the arm's own images."""
    shifts = np.array([[i, j, 0] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ slab.lattice.matrix
    plane = slab.lattice.matrix[:2, :2]
    delta = places[:, None] - around[None]
    delta[..., :2] -= np.rint(delta[..., :2] @ np.linalg.inv(plane)) @ plane
    distance = np.linalg.norm(delta[:, :, None] + shifts, axis=-1).min(axis=-1)
    share = (distance / (ROOM * (own[:, None] + radii[None]))).min()
    images = shifts[np.any(shifts != 0, axis=1)]
    apart = np.linalg.norm((places[:, None] - places[None])[:, :, None] + images, axis=-1).min(axis=-1)
    return float(min(share, (apart / (ROOM * (own[:, None] + own[None]))).min()))

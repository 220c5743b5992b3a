"""Salts and what holds them: ion pairs, a molecule with a cation, and a molecule with an ion pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from rdkit import Chem
from scipy.spatial.transform import Rotation

from iface_wf.builders.contact import symbols_of, vdw_radii
from iface_wf.builders.molecules.conformers import embed
from iface_wf.builders.molecules.fragments import boxed, chemistry, from_conformers, group_sites, mol_of, parse_smiles
from iface_wf.builders.molecules.ions import (
    COULOMB,
    anion_donors,
    partial_charges,
    relaxed,
    single_cation,
    with_cation,
)
from iface_wf.documents.labels import ANION, CATION
from iface_wf.errors import InputError
from iface_wf.library.records import SaltRecord

BOUND = 2.6
"""A cation within this distance of a donor, A, is bound to it; Li-O and Li-F contacts are 1.8 to 2.2 A."""

ROTATIONS = 60
"""Orientations of an ion pair tried at each position."""

CLOSEST = 0.8
"""Contact allowed between a molecule and an ion pair before relaxation, in van der Waals sums."""

SAME_ENERGY = 1e-3
"""Relaxed pairs whose force-field energies differ by less, eV, are one minimum reached twice."""

Vectors = NDArray[np.float64]


def build_salt(
    record: SaltRecord, seed: int = 0, n_conformers: int = 20, part: str = "pair", site: int = 0
) -> Structure:
    """Build the ion pair of a salt, or one of its ions alone.

    Parameters
    ----------
    record
        The salt.
    seed, n_conformers
        As in `iface_wf.builders.molecules.conformers.embed`, for the anion.
    part
        ``"pair"``, ``"cation"`` or ``"anion"``.
    site
        Which minimum of the pair, 0 is the lowest in MMFF94 (in Coulomb energy where MMFF94 lacks parameters).

    Returns
    -------
    Structure
        Boxed; sites labelled ``"salt_anion"`` first, then ``"salt_cation"``; ``properties["charge"]`` in e.

    Raises
    ------
    InputError
        When the part is unknown, or the pair does not exist.
    """
    if part not in ("pair", "cation", "anion"):
        raise InputError(f"Part {part!r} of a salt is unknown: use pair, cation or anion.")
    named = {"salt": record.name, "part": part, "seed": seed}
    if part == "cation":
        ion = single_cation(record.cation)
        symbol = ion.GetAtomWithIdx(0).GetSymbol()
        return boxed([symbol], np.zeros((1, 3)), [CATION], chemistry(ion) | named)
    conformers = embed(Chem.AddHs(parse_smiles(record.anion, "anion")), n_conformers, seed)
    if part == "anion":
        return from_conformers(conformers, 0, ANION, named)
    donors = sorted({i for group in anion_donors(conformers.mol) for i in group})
    trials = [
        pair
        for number in range(len(conformers.energies))
        for pair in with_cation(from_conformers(conformers, number, ANION, named), record.cation, donors)[:4]
    ]
    return _choose([relaxed(pair) for pair in trials], site, f"Ion pair of {record.name}")


def bind_cation(fragment: Structure, cation: str = "[Li+]", group: str | None = None, site: int = 0) -> Structure:
    """Put a cation at a functional group of a molecule, as for the binding energy of Li+.

    Parameters
    ----------
    fragment
        Neutral or charged molecule that says its bonds.
    cation
        SMILES of a one-atom cation.
    group
        SMARTS whose first atom binds; by default every O, N and F may.
    site
        Which minimum, 0 is the lowest of those that still hold the cation at the group.

    Returns
    -------
    Structure
        The complex; charge raised by the cation's.

    Raises
    ------
    InputError
        When the group does not occur or no position has room.
    """
    donors = _donor_sites(fragment, group)
    trials = [_if_held(trial, donors) for trial in with_cation(fragment, cation, donors)[:8]]
    return _choose(trials, site, f"Position of {cation} at {group or 'any donor'}")


def _donor_sites(fragment: Structure, group: str | None) -> list[int]:
    """Return the sites that may bind a cation: the first atoms of a SMARTS, or every O, N and F; an error if none."""
    if group is not None:
        return sorted({match[0] for match in group_sites(fragment, group)})
    donors = [i for i, symbol in enumerate(symbols_of(fragment)) if symbol in ("O", "N", "F")]
    if not donors:
        raise InputError(f"{fragment.properties.get('formula', 'The fragment')} has no O, N or F to bind a cation.")
    return donors


def bind_salt(
    fragment: Structure,
    record: SaltRecord,
    group: str | None = None,
    seed: int = 0,
    site: int = 0,
) -> Structure:
    """Put an ion pair beside a molecule, its cation at a functional group.

    Parameters
    ----------
    fragment
        The molecule.
    record
        The salt.
    group
        SMARTS whose first atom meets the cation; by default every O, N and F may.
    seed
        Seed of the pair's conformers and of its orientations.
    site
        Which minimum, 0 is the lowest.

    Returns
    -------
    Structure
        The molecule's sites first, then the anion's, then the cation.

    Raises
    ------
    InputError
        When the group does not occur or there is no room for the pair.
    """
    pair = build_salt(record, seed)
    donors = _donor_sites(fragment, group)
    names, others = symbols_of(fragment), symbols_of(pair)
    starts = [start.cart_coords for start in with_cation(fragment, record.cation, donors)[:8]]
    poses = _poses(fragment, pair, donors, [xyz - xyz[0] + fragment.cart_coords[0] for xyz in starts], seed)
    bonded = chemistry(Chem.CombineMols(mol_of(fragment), mol_of(pair)))
    labels = [*fragment.site_properties["component"], *pair.site_properties["component"]]
    details = {**fragment.properties, **bonded, "salt": record.name, "group": group, "seed": seed}
    joined = [
        _if_held(
            boxed(
                [*names, *others], np.vstack([fragment.cart_coords, xyz]), labels, details | {"cation_energy": energy}
            ),
            donors,
        )
        for energy, xyz in poses
    ]
    return _choose(joined, site, f"Ion pair of {record.name} at {group or 'any donor'}")


def _poses(
    fragment: Structure, pair: Structure, donors: list[int], starts: list[Vectors], seed: int
) -> list[tuple[float, Vectors]]:
    """Turn the pair about its cation at every start; where it never fits, draw it outwards step by step."""
    host, guest = fragment.cart_coords, pair.cart_coords - pair.cart_coords[-1]
    charges = partial_charges(mol_of(fragment))[:, None] * partial_charges(mol_of(pair))[None]
    sums = vdw_radii(symbols_of(fragment))[:, None] + vdw_radii(symbols_of(pair))[None]
    sums[donors, -1] = 0.0  # the cation may come as near to its donors as ionic radii say
    turns = Rotation.random(ROTATIONS, rng=np.random.default_rng(seed))
    found: list[tuple[float, Vectors]] = []
    for start in starts:
        outwards = start[-1] - host[donors].mean(axis=0)
        outwards /= max(float(np.linalg.norm(outwards)), 1e-6)
        for step in np.arange(0.0, 3.0, 0.3):
            fitting: list[tuple[float, Vectors]] = []
            for turn in turns:
                xyz = turn.apply(guest) + start[-1] + step * outwards
                distance = np.linalg.norm(host[:, None] - xyz[None], axis=-1)
                if np.all(distance > CLOSEST * sums):
                    fitting.append((COULOMB * float(np.sum(charges / distance)), xyz))
            if fitting:
                found.append(min(fitting, key=lambda pose: pose[0]))
                break
    return found


def _if_held(trial: Structure, donors: list[int]) -> tuple[float, Structure]:
    """Relax a complex; where the force field pulls the cation (last site) off its donors, keep the start."""
    energy, complex_ = relaxed(trial)
    distance = np.linalg.norm(complex_.cart_coords[donors] - complex_.cart_coords[-1], axis=1)
    return (energy, complex_) if distance.min() < BOUND else (np.inf, trial)


def _choose(trials: list[tuple[float, Structure]], site: int, what: str) -> Structure:
    """Drop minima reached twice and return number ``site`` in the order of energy."""
    distinct: list[tuple[float, Structure]] = []
    for energy, trial in sorted(trials, key=lambda t: t[0]):
        if not distinct or energy - distinct[-1][0] > SAME_ENERGY or energy == np.inf:
            distinct.append((energy, trial))
    if not 0 <= site < len(distinct):
        raise InputError(f"{what}: number {site} does not exist, {len(distinct)} were found, numbered from 0.")
    return distinct[site][1]

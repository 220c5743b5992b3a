"""Conformers of a molecule: seeded, ranked by a force field, without doubles, clashes or pierced rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import units
from ase.data import covalent_radii
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers, rdMolAlign, rdMolTransforms
from rdkit.rdBase import BlockLogs

from iface_wf.errors import InputError

KCAL_PER_MOL: float = units.kcal / units.mol
"""One kcal/mol in eV."""

CLASH_RATIO = 0.55
"""Atoms three or more bonds apart may not be nearer than this fraction of their van der Waals sum.

The shortest contact of a sound conformer is an intramolecular O-H...O bond, 1.6 A or 0.59 of 1.20 + 1.52 A.
"""

Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Conformers:
    """Conformers of one molecule, lowest energy first.

    Attributes
    ----------
    mol
        The molecule with all hydrogens and one RDKit conformer per entry of ``energies``.
    energies
        Force-field energies relative to the lowest conformer, eV, ascending from 0.
    force_field
        ``"MMFF94"``, or ``"UFF"`` where MMFF94 lacks a parameter, or none for an ideal octahedron.
    """

    mol: Chem.Mol
    energies: tuple[float, ...]
    force_field: str

    def positions(self, number: int = 0) -> Vectors:
        """Return the Cartesian coordinates of one conformer, A, shape (atoms, 3).

        Raises
        ------
        InputError
            When there is no conformer of this number.
        """
        if not 0 <= number < len(self.energies):
            raise InputError(f"Conformer {number} does not exist: {len(self.energies)} were found, numbered from 0.")
        return np.asarray(self.mol.GetConformer(number).GetPositions(), dtype=float)


def plain_smiles(mol: Chem.Mol) -> str:
    """Write a molecule as SMILES without its hydrogens, as far as these hang on something."""
    with BlockLogs():  # RDKit warns of lone hydrogens, which stay
        return str(Chem.MolToSmiles(Chem.RemoveHs(mol)))


def embed(mol: Chem.Mol, n_conformers: int = 10, seed: int = 0, rmsd: float = 0.3) -> Conformers:
    """Embed a molecule by ETKDGv3, relax and rank the conformers, and drop doubles and tangled ones.

    Distance geometry with experimental torsions, 10.1021/acs.jcim.0c00025; MMFF94,
    10.1002/(SICI)1096-987X(199604)17:5/6<490::AID-JCC1>3.0.CO;2-P; UFF, 10.1021/ja00051a040.

    Parameters
    ----------
    mol
        A sanitised, connected molecule with explicit hydrogens.
    n_conformers
        How many embeddings to try (1 to 500); fewer may survive.
    seed
        Seed of the embedding; the same seed gives the same conformers.
    rmsd
        Two conformers whose heavy atoms superpose within this distance, A, count as one.

    Returns
    -------
    Conformers
        At least one conformer.

    Raises
    ------
    InputError
        When the numbers are out of range or no sound conformer exists.
    """
    if not 1 <= n_conformers <= 500:
        raise InputError(f"n_conformers is {n_conformers}, allowed are 1 to 500.")
    if not 0 <= seed < 2**31:
        raise InputError(f"seed is {seed}, allowed are 0 to 2147483647.")
    octahedral = _octahedron(mol)
    if octahedral is not None:
        return Conformers(octahedral, (0.0,), "none (ideal octahedron)")
    work = Chem.Mol(mol)
    with BlockLogs():
        found = _embed_all(work, n_conformers, seed)
        if not found:
            raise InputError(
                f"No three-dimensional structure exists for {plain_smiles(mol)[:120]!r}: "
                "its stereochemistry or rings cannot be embedded."
            )
        energies, force_field = _relax(work)
    order = [i for i in np.argsort(energies, kind="stable") if _is_sound(work, int(i))]
    if not order:
        raise InputError(
            f"Every conformer of {plain_smiles(mol)[:120]!r} has a clash or a pierced "
            "ring: raise n_conformers or change the seed."
        )
    kept = _distinct(work, [int(i) for i in order], energies, rmsd)
    result = Chem.Mol(work)
    result.RemoveAllConformers()
    for number in kept:
        result.AddConformer(Chem.Conformer(work.GetConformer(number)), assignId=True)
    lowest = energies[kept[0]]
    return Conformers(result, tuple(float(energies[i] - lowest) for i in kept), force_field)


def extended(mol: Chem.Mol, seed: int = 0) -> Conformers:
    """Build the conformer whose longest chain is all-trans, as in beta-PVDF.

    The torsions of the longest path of heavy atoms are turned to 180 degrees, held while the rest relaxes, then
    set free: the result is the local minimum next to the planar zigzag.

    Parameters
    ----------
    mol
        A sanitised, connected molecule with explicit hydrogens.
    seed
        Seed of the embedding.

    Returns
    -------
    Conformers
        One conformer.

    Raises
    ------
    InputError
        When MMFF94 lacks a parameter or the zigzag has a clash.
    """
    start = embed(mol, 1, seed).mol
    if not rdForceFieldHelpers.MMFFHasAllMoleculeParams(start):
        raise InputError(f"MMFF94 lacks parameters for {plain_smiles(mol)[:80]!r}: no trans chain.")
    conformer = start.GetConformer(0)
    torsions = _chain_torsions(start)
    for torsion in torsions:
        rdMolTransforms.SetDihedralDeg(conformer, *torsion, 180.0)
    field = rdForceFieldHelpers.MMFFGetMoleculeForceField(start, rdForceFieldHelpers.MMFFGetMoleculeProperties(start))
    field.Initialize()
    for torsion in torsions:
        field.MMFFAddTorsionConstraint(*torsion, False, 179.0, 181.0, 100.0)
    field.Minimize(maxIts=5000)
    minimise(start)
    if not _is_sound(start, conformer.GetId()):
        raise InputError(f"The trans chain of {plain_smiles(mol)[:80]!r} has a clash.")
    return Conformers(start, (0.0,), "MMFF94")


def _chain_torsions(mol: Chem.Mol) -> list[tuple[int, int, int, int]]:
    """List the torsions about single bonds outside rings along the longest shortest path of heavy atoms."""
    heavy = np.array([atom.GetAtomicNum() > 1 and atom.GetDegree() > 0 for atom in mol.GetAtoms()])
    # Of equally long paths the one between carbons (or silicons) is the chain; the other ends at a substituent.
    chain = 0.1 * np.array([atom.GetAtomicNum() in (6, 14) for atom in mol.GetAtoms()])
    length = np.asarray(Chem.GetDistanceMatrix(mol)) + chain[:, None] + chain[None]
    distance = np.where(heavy[:, None] & heavy[None], length, -1)
    first, last = (int(i) for i in np.unravel_index(np.argmax(distance), distance.shape))
    path = [int(i) for i in Chem.GetShortestPath(mol, first, last)] if first != last else []
    quartets = zip(path, path[1:], path[2:], path[3:], strict=False)
    return [
        (i, j, k, m)
        for i, j, k, m in quartets
        if mol.GetBondBetweenAtoms(j, k).GetBondType() == Chem.BondType.SINGLE
        and not mol.GetBondBetweenAtoms(j, k).IsInRing()
        and not mol.GetBondBetweenAtoms(i, j).IsInRing()
        and not mol.GetBondBetweenAtoms(k, m).IsInRing()
    ]


def _octahedron(mol: Chem.Mol) -> Chem.Mol | None:
    """Build PF6- and its like (one centre, six equal neighbours), which neither force field keeps octahedral.

    Bonds are the sums of covalent radii: 1.64 A for P-F, measured 1.60 A.
    """
    centres = [atom for atom in mol.GetAtoms() if atom.GetDegree() == 6]
    if len(centres) != 1 or mol.GetNumAtoms() != 7:
        return None
    ends = [atom.GetIdx() for atom in centres[0].GetNeighbors()]
    numbers = [mol.GetAtomWithIdx(i).GetAtomicNum() for i in ends]
    if len(set(numbers)) != 1:
        return None
    length = float(covalent_radii[numbers[0]] + covalent_radii[centres[0].GetAtomicNum()])
    xyz = np.zeros((7, 3))
    xyz[ends] = length * np.vstack([np.eye(3), -np.eye(3)])
    result = Chem.Mol(mol)
    conformer = Chem.Conformer(7)
    conformer.SetPositions(xyz)
    result.AddConformer(conformer)
    return result


def _embed_all(mol: Chem.Mol, n_conformers: int, seed: int) -> bool:
    """Fill ``mol`` with conformers numbered from 0; long chains need random starting coordinates."""
    params: Any = rdDistGeom.ETKDGv3()
    # RDKit multiplies the seed by the conformer's number, so that 0 would give one conformer n times: draw a
    # seed that is never 0 and count upwards from it instead.
    params.randomSeed = int(np.random.default_rng(seed).integers(1, 2**30))
    params.enableSequentialRandomSeeds = True
    params.numThreads = 1
    params.useSmallRingTorsions = True
    for random_start in (False, True):
        params.useRandomCoords = random_start
        if len(rdDistGeom.EmbedMultipleConfs(mol, n_conformers, params)) > 0:
            return True
    return False


def _relax(mol: Chem.Mol) -> tuple[Vectors, str]:
    """Relax every conformer in place; return energies in eV and the name of the force field."""
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        runs = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=2000)
        name = "MMFF94"
    else:
        runs = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=2000)
        name = "UFF"
    return np.array([energy for _, energy in runs], dtype=float) * KCAL_PER_MOL, name


def _distinct(mol: Chem.Mol, order: list[int], energies: Vectors, rmsd: float) -> list[int]:
    """Keep the first of every group of conformers that superpose, as they are or as mirror images.

    Mirror images of an achiral molecule have equal energies in isolation; one of them is enough.
    """
    with BlockLogs():
        heavy = Chem.RemoveHs(mol, sanitize=False)
    targets = [heavy]
    if not any(info.type == Chem.StereoType.Atom_Tetrahedral for info in Chem.FindPotentialStereo(heavy)):
        mirror = Chem.Mol(heavy)
        for conformer in mirror.GetConformers():
            conformer.SetPositions(conformer.GetPositions() * np.array([-1.0, 1.0, 1.0]))
        targets.append(mirror)
    shapes = {number: _shape(heavy, number) for number in order}
    kept: list[int] = []
    for number in order:
        # Equal shape implies equal energy, so shapes are compared only within 0.02 eV, and superposed (slow for
        # symmetric molecules) only where the distances between atoms do not settle it.
        rivals = [k for k in kept if abs(energies[k] - energies[number]) < 0.02]
        if any(np.allclose(shapes[k], shapes[number], atol=0.05, rtol=0) for k in rivals):
            continue
        if not any(
            rdMolAlign.GetBestRMS(Chem.Mol(heavy), target, number, k, maxMatches=1000, numThreads=1) < rmsd
            for target in targets
            for k in rivals
        ):
            kept.append(number)
    return kept


def _shape(mol: Chem.Mol, number: int) -> Vectors:
    """Return all distances between atoms, sorted within each pair of elements, A; blind to numbering and mirror."""
    xyz = np.asarray(mol.GetConformer(number).GetPositions(), dtype=float)
    kinds = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()])
    i, j = np.triu_indices(len(xyz), k=1)
    distance = np.linalg.norm(xyz[i] - xyz[j], axis=1)
    pairs = np.minimum(kinds[i], kinds[j]) * 200 + np.maximum(kinds[i], kinds[j])
    return np.asarray(distance[np.lexsort((distance, pairs))])


def _is_sound(mol: Chem.Mol, number: int) -> bool:
    xyz = np.asarray(mol.GetConformer(number).GetPositions(), dtype=float)
    return not has_clash(mol, xyz) and not pierced_rings(mol, xyz)


def has_clash(mol: Chem.Mol, xyz: Vectors) -> bool:
    """Say whether two atoms at least three bonds apart are nearer than ``CLASH_RATIO`` allows.

    Parameters
    ----------
    mol
        Molecule with explicit hydrogens.
    xyz
        Coordinates, A, shape (atoms, 3).
    """
    table = Chem.GetPeriodicTable()
    radii = np.array([table.GetRvdw(atom.GetAtomicNum()) for atom in mol.GetAtoms()])
    bonds = np.asarray(Chem.GetDistanceMatrix(mol))
    distance = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    far = np.triu(bonds >= 3, k=1)
    return bool(np.any(distance[far] < CLASH_RATIO * (radii[:, None] + radii[None])[far]))


def pierced_rings(mol: Chem.Mol, xyz: Vectors) -> list[tuple[tuple[int, ...], tuple[int, int]]]:
    """Find bonds that pass through a ring they do not belong to.

    Every ring is spanned by triangles from its centre; a bond that crosses one of them pierces it.

    Parameters
    ----------
    mol
        Molecule whose bonds and smallest rings are known.
    xyz
        Coordinates, A, shape (atoms, 3).

    Returns
    -------
    list
        Pairs (atoms of the ring, atoms of the bond); empty for a sound structure.
    """
    pairs = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    found: list[tuple[tuple[int, ...], tuple[int, int]]] = []
    for ring in mol.GetRingInfo().AtomRings():
        members = set(ring)
        outer = [pair for pair in pairs if not members & set(pair)]
        if not outer:
            continue
        start = xyz[[i for i, _ in outer]]
        direction = xyz[[j for _, j in outer]] - start
        corners = xyz[list(ring)]
        centre = corners.mean(axis=0)
        hit = np.zeros(len(outer), dtype=bool)
        for first, second in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            hit |= _crosses(start, direction, centre, first, second)
        found += [(tuple(ring), outer[k]) for k in np.flatnonzero(hit)]
    return found


def _crosses(start: Vectors, direction: Vectors, a: Vectors, b: Vectors, c: Vectors) -> NDArray[np.bool_]:
    """Möller-Trumbore test of many segments against one triangle, 10.1080/10867651.1997.10487468."""
    edge1, edge2 = b - a, c - a
    p = np.cross(direction, edge2)
    determinant = p @ edge1
    flat = np.abs(determinant) < 1e-12
    inverse = 1.0 / np.where(flat, 1.0, determinant)
    s = start - a
    u = np.einsum("ij,ij->i", s, p) * inverse
    q = np.cross(s, edge1)
    v = np.einsum("ij,ij->i", direction, q) * inverse
    t = (q @ edge2) * inverse
    inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0) & (t <= 1)
    return np.asarray(inside & ~flat, dtype=bool)


def minimise(mol: Chem.Mol) -> float | None:
    """Relax the coordinates of a molecule or an ion pair in place by MMFF94, electrostatics between parts included.

    Parameters
    ----------
    mol
        Molecule with one conformer; it may consist of several parts.

    Returns
    -------
    float or None
        Energy in eV; None, and nothing moved, where MMFF94 lacks a parameter (for example PF6-).
    """
    with BlockLogs():
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol)
    if properties is None:
        return None
    field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties, ignoreInterfragInteractions=False)
    field.Initialize()
    for _ in range(10):
        if field.Minimize(maxIts=2000) == 0:
            break
    return float(field.CalcEnergy()) * KCAL_PER_MOL

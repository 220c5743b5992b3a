"""What lies on the filler, from what was asked for: polymer, molecule, salt, or one that holds the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pymatgen.core import Structure
from rdkit import Chem

from iface_wf.builders.alone import refuse_ion
from iface_wf.builders.molecules.complexes import bind_salt, build_salt
from iface_wf.builders.molecules.fragments import from_smiles, from_xyz, parse_smiles, require_meant
from iface_wf.builders.molecules.oligomers import build_oligomer, parse_unit, record_mol
from iface_wf.builders.spec import NO_FILLER, InterfaceSpec
from iface_wf.errors import InputError, unknown_name
from iface_wf.library.library import Library
from iface_wf.library.records import MoleculeRecord, PolymerRecord


def build_fragment(spec: InterfaceSpec, library: Library) -> Structure:
    """Build the isolated fragment of a spec: polymer or molecule, salt, or one with an ion pair of the other.

    Raises
    ------
    InputError
        For unknown names, for molecules that cannot be built, also where RDKit finds that out late, and for an oligomer
        of more than ``spec.max_atoms`` atoms.
    """
    try:
        return _fragment(spec, library)
    except (RuntimeError, ValueError) as error:
        if "Violation" not in str(error) and not type(error).__module__.startswith("rdkit"):
            raise
        asked = spec.polymer or spec.molecule or spec.salt or ""
        reason = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = reason[1] if len(reason) > 1 and "Violation" in reason[0] else " ".join(reason[:1])
        raise InputError(f"{asked[:80]!r} is no molecule that RDKit can build: {told[:200]}.") from error


def _fragment(spec: InterfaceSpec, library: Library) -> Structure:
    salt = library.salt(spec.salt) if spec.salt is not None else None
    host = _host(spec, library)
    if host is None:
        assert salt is not None
        return build_salt(salt, spec.seed, part=spec.salt_part)
    if salt is None:
        return host
    names = host.properties.get("functional_groups", {})
    group = names.get(spec.salt_group, spec.salt_group) if spec.salt_group else None
    return bind_salt(host, salt, group, spec.seed)


def _host(spec: InterfaceSpec, library: Library) -> Structure | None:
    if spec.polymer is not None:
        record = _polymer(spec.polymer, library)
        chain = record_mol(record, spec.units, caps=spec.caps, sequence=spec.sequence)
        require_small(chain.GetNumAtoms(), spec, "oligomer", "use fewer units")
        return build_oligomer(
            record,
            spec.units,
            spec.caps,
            spec.seed,
            spec.n_conformers,
            sequence=spec.sequence,
            tacticity=spec.tacticity,
            conformation=spec.conformation,
        )
    if spec.molecule is None:
        return None
    if spec.molecule.lower().endswith(".xyz"):
        return from_xyz(Path(spec.molecule), spec.molecule_charge)
    if spec.filler != NO_FILLER and library.find("molecule", spec.molecule) is None:
        refuse_ion(spec.molecule, library)
    smiles = molecule_smiles(spec.molecule, library)
    size = Chem.AddHs(parse_smiles(smiles)).GetNumAtoms()
    require_small(size, spec, "molecule", "take a smaller one")
    return from_smiles(smiles, n_conformers=spec.n_conformers, seed=spec.seed)


def molecule_smiles(name: str, library: Library) -> str:
    """Return the SMILES of a molecule: that of its name in the library, else the text itself where it is one.

    Raises
    ------
    InputError
        When it is neither, also for a SMILES that reads as a formula, see `require_meant`.
    """
    record = library.find("molecule", name)
    if isinstance(record, MoleculeRecord):
        return record.smiles
    require_meant(name)
    try:
        parse_smiles(name)
    except InputError as error:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9 -]*", name.strip()):
            raise
        raise InputError(
            f"{error} As a name: {unknown_name('molecule', name, library.all_names('molecule'))}"
        ) from error
    return name


def require_small(size: int, spec: InterfaceSpec, what: str, advice: str) -> None:
    """Refuse what cannot pass before its conformers are searched, which takes minutes."""
    if size > spec.max_atoms:
        raise InputError(f"The {what} would have {size} atoms, at most {spec.max_atoms} are allowed: {advice}.")


def role_of(name: str, library: Library) -> Literal["salt", "polymer", "molecule"]:
    """Say what a name stands for: a salt or polymer of the library, a PSMILES, else a molecule."""
    if library.find("salt", name) is not None:
        return "salt"
    return "polymer" if "*" in name or library.find("polymer", name) is not None else "molecule"


def _polymer(name: str, library: Library) -> PolymerRecord:
    """Look up a polymer, or make one of the user's PSMILES."""
    if "*" not in name:
        return library.polymer(name)
    parse_unit(name)
    return PolymerRecord(name="PSMILES", title=name, source="given by the user", psmiles=name)

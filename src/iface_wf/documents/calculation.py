"""What one calculation leaves behind, whatever code ran it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, computed_field
from pymatgen.core import Structure

from iface_wf.documents.base import Document, StoredDocument, StructureDict
from iface_wf.documents.density import DensityRecord
from iface_wf.documents.schemes import AtomicCharges
from iface_wf.documents.trust import is_trustworthy

CalculationKind = Literal["relax", "static", "vibrations"]


class Correction(Document):
    """One change that an error handler made to a calculation's settings before running it again."""

    handler: str = Field(description="Name of the handler, for example ScfHandler")
    errors: list[str] = Field(description="What it found wrong")
    actions: list[dict[str, Any]] = Field(description="The settings it changed: {key: new value}")


class CalculationDocument(StoredDocument):
    """Result and provenance of one relaxation, single point, or set of second derivatives.

    Energies are in eV per cell, lengths in A, forces in eV/A, charges in e (positive = electrons removed).
    """

    document_type: Literal["calculation"] = "calculation"
    key: str = Field(description="Content key: SHA-256 of structure, physical settings, kind and key version")
    kind: CalculationKind
    role: str = Field("", description="What it is in its flow, for example 'AB', 'A*', 'B* in AB basis'")

    engine: str = Field(description="gpaw, vasp, xtb or mlip")
    engine_version: str
    level: str = Field(description="fast, moderate or precise")
    functional: str = Field(
        description="Exchange-correlation functional, method of xTB, or ML potential with its weights, for example CHGNet 0.3.0"
    )
    dispersion: str | None = Field(None, description="Dispersion correction, for example D3(BJ); None if none")
    basis: str = Field("", description="Basis or cutoff, for example 'LCAO dzp' or 'PW 500 eV'")
    kpoints: tuple[int, int, int] = (1, 1, 1)
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Energy-relevant settings finally used, after all corrections"
    )
    versions: dict[str, str] = Field(default_factory=dict, description="Versions of the packages that took part")

    structure: StructureDict = Field(description="Final structure (pymatgen Structure as a dict), labelled sites")
    formula: str
    n_atoms: int
    ghosts: list[int] = Field(default_factory=list, description="Indices of basis-only (ghost) atoms")
    charge: float = Field(0.0, description="Total charge of the cell, e")
    magnetic_moment: float = Field(0.0, description="Total magnetic moment, Bohr magnetons")

    energy: float | None = Field(description="Total energy with dispersion, extrapolated to zero smearing, eV")
    energy_type: str = Field("extrapolated to zero smearing", description="Which energy `energy` is")
    electronic_energy: float | None = Field(None, description="`energy` without the dispersion term, eV")
    dispersion_energy: float | None = Field(
        0.0, description="Dispersion term, eV; ghost atoms take no part; None where the code does not tell it apart"
    )
    dispersion_energies: dict[str, float] = Field(
        default_factory=dict,
        description="Dispersion energy of the real atoms by each model that has parameters for the functional (D3(BJ), D4), "
        "whatever was chosen, eV; empty where dispersion is part of the method",
    )
    free_energy: float | None = Field(None, description="Mermin free energy with dispersion, eV")
    fermi_level: float | None = Field(None, description="eV, on the scale of the potential")
    max_force: float | None = Field(None, description="Largest force on a free atom, eV/A")
    hessian: list[list[float]] | None = Field(
        None,
        description="Second derivatives of the energy, eV/A^2, x, y, z of each atom of `vibrating`, in their order",
    )
    vibrating: list[int] = Field(default_factory=list, description="Indices of the atoms that `hessian` is of")
    n_electrons: float | None = Field(None, description="Electrons treated by the code (valence), e")
    grid: tuple[int, int, int] | None = Field(None, description="Real-space grid (nx, ny, nz) of the density")

    converged: bool = Field(description="SCF converged, and geometry too for a relaxation")
    scf_steps: int | None = None
    ionic_steps: int | None = None
    step_energies: list[float] = Field(
        default_factory=list,
        description="Of a relaxation: the energy that is minimised, at every step, eV; empty if unknown",
    )
    step_forces: list[float] = Field(
        default_factory=list, description="Of a relaxation: the largest force on a free atom, at every step, eV/A"
    )
    corrections: list[Correction] = Field(default_factory=list)
    flags: list[str] = Field(default_factory=list, description="Marks such as scf_unconverged, desorbed")

    densities: dict[str, DensityRecord] = Field(default_factory=dict, description="By kind, for example pseudo")
    charges: dict[str, AtomicCharges] = Field(default_factory=dict, description="Charges of the atoms, by scheme")
    potential_z: list[float] | None = Field(
        None, description="Planar average of the electrostatic potential energy of an electron along c, eV; slabs only"
    )
    vacuum_level: dict[str, float] = Field(default_factory=dict, description="By side (below, above), eV")
    work_function: dict[str, float] = Field(
        default_factory=dict, description="Vacuum level - Fermi level by side (below, above), eV"
    )
    dipole: float | None = Field(None, description="Dipole moment along c, e A")

    wall_time: float | None = Field(None, description="s")
    cpu_time: float | None = Field(None, description="s, all processes")
    n_processes: int = 1
    directory: str = Field("", description="host:folder where it ran")
    completed_at: str = ""
    reused_from: str | None = Field(
        None, description="uuid of the stored job this was taken from instead of run, or the place on a queue's shelf"
    )

    def with_note(self, who: str, what: str, **action: Any) -> Self:
        """Return a copy that says what happened to the calculation, before its corrections."""
        note = Correction(handler=who, errors=[what], actions=[action])
        return self.model_copy(update={"corrections": [note, *self.corrections]})

    @cached_property
    def atoms_structure(self) -> Structure:
        """The final structure as a pymatgen object, made once: to be read, not changed."""
        return Structure.from_dict(self.structure)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def trustworthy(self) -> bool:
        """Whether the energy may be quoted, see `iface_wf.documents.trust`."""
        return is_trustworthy(self.converged, self.energy, self.flags)

"""Type and range of each of GPAW's settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from iface_wf.engines.settings import Elements, EngineSettings, Force, Hubbard, KpointLength, Moment, Plain, Triple

#: Functionals by GPAW's own names; those of libxc are told by their form.
FUNCTIONALS = frozenset(
    {
        *("LDA", "PW91", "PBE", "PBEsol", "revPBE", "RPBE", "BLYP", "HCTH407", "WC", "AM05"),
        *("TPSS", "revTPSS", "M06-L", "mBEEF", "GLLBSC", "BEEF-vdW", "mBEEF-vdW"),
        *("vdW-DF", "vdW-DF2", "optPBE-vdW", "optB88-vdW", "C09-vdW", "vdW-DF-cx"),
        *("PBE0", "B3LYP", "HSE03", "HSE06"),
    }
)
_LIBXC = re.compile(r"(HYB_)?(LDA|GGA|MGGA)_(X|C|XC|K)_\w{1,40}")
_BASIS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()-]{0,40}")
#: Types of functions that can be made: how many of each kind, how many that polarise.
_MADE = re.compile(r"[sdtq]z([dtq]?p)?")
Threshold = Annotated[float, Field(gt=0, le=100.0)]


def _functional(name: str) -> str:
    if name not in FUNCTIONALS and not all(_LIBXC.fullmatch(part) for part in name.split("+")):
        raise ValueError(
            f"known are {', '.join(sorted(FUNCTIONALS))}, and the names of libxc such as GGA_X_PBE+GGA_C_PBE"
        )
    return name


def _basis(value: str) -> str:
    if not _BASIS.fullmatch(value):
        raise ValueError("a basis is named as in GPAW, for example dzp or szp(dzp)")
    return value


Basis = Annotated[str, AfterValidator(_basis)]


#: Thresholds of the electrons by GPAW's names: eV per valence electron, electrons, eV^2, eV, eV/A, eV, counts.
Criterion = Literal[
    "energy", "density", "eigenstates", "eigenvalues", "forces", "work function", "minimum iterations", "bands"
]
Convergence = Annotated[dict[Criterion, Threshold | Literal["occupied", "all"]], Field(min_length=1)]
#: How densities are mixed, which steers how a result is reached, not what it is.
Mixer = dict[Literal["backend", "method", "name", "beta", "nmaxold", "weight", "reg"], Plain]


class GpawSettings(EngineSettings):
    """Settings of GPAW; lengths in A, energies in eV.

    Attributes
    ----------
    mode, basis, energy_shift, cutoff
        ``lcao`` with its basis, ``pw`` with its cutoff, or ``fd``. With an energy shift, eV, functions of that reach are made
        (`iface_wf.engines.gpaw.basis`); without, those of GPAW's files are used, of 0.1 eV.
    xc, dispersion
        Functional, and ``D3(BJ)``, ``D4`` or ``none``.
    grid, grid_spacing, bader_spacing
        Points of the grid, or how far apart they are; the same for Bader basins.
    kpoints, kpoint_length
        Mesh, or edge times points (for metals see `iface_wf.engines.cells.kpoint_mesh`).
    smearing
        Width of the Fermi-Dirac occupations.
    spin_polarized, magmoms, magnetic_moments, start
        Spin, moments to start with by element or atom, or Hund's rule (``hund``).
    hubbard
        Angular momentum, U and J (eV) by element, in the form of Dudarev (10.1103/PhysRevB.57.1505), which knows U - J only.
    convergence, mixer, max_scf_steps, scf_step_cap
        How the electrons are iterated.
    fmax, max_steps
        End of a relaxation; most steps of it.
    checkpoint_every
        Seconds between two records of the density.
    """

    mode: Literal["lcao", "pw", "fd"]
    basis: Basis | Elements[Basis] | None = None
    energy_shift: Annotated[float, Field(ge=0.001, le=1.0, description="eV")] | None = None
    cutoff: Annotated[float, Field(ge=100.0, le=3000.0, description="eV")] | None = None
    xc: Annotated[str, AfterValidator(_functional)]
    dispersion: Literal["D3(BJ)", "D4", "none"] | None
    grid: Triple | None = None
    grid_spacing: Annotated[float, Field(ge=0.05, le=0.5, description="A")]
    bader_spacing: Annotated[float, Field(ge=0.02, le=0.5, description="A")]
    kpoints: Triple | None = None
    kpoint_length: KpointLength
    smearing: Annotated[float, Field(ge=0, le=2.0, description="eV")]
    spin_polarized: bool
    magmoms: Elements[Moment] | None = None
    magnetic_moments: Annotated[Sequence[Moment], Field(max_length=10_000)] | None = None
    start: Literal["hund"] | None = None
    hubbard: Elements[Hubbard] | None = None
    convergence: Convergence
    mixer: Mixer | None = None
    max_scf_steps: Annotated[int, Field(ge=1, le=10_000, description="steps")]
    scf_step_cap: Annotated[int, Field(ge=1, le=10_000, description="steps")] | None = None
    fmax: Force
    max_steps: Annotated[int, Field(ge=0, le=100_000, description="steps")]  # 0: the forces where it starts
    checkpoint_every: Annotated[float, Field(ge=0, le=1e6, description="s")] | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        needed: dict[str, Any] = {"lcao": ("basis", self.basis), "pw": ("cutoff", self.cutoff)}
        name, value = needed.get(self.mode, ("", self))
        if value is None:
            raise ValueError(f"mode {self.mode} needs {name!r}, which this level does not say")
        if self.energy_shift is not None:
            if self.mode != "lcao":
                raise ValueError(f"'energy_shift' is for mode lcao, it means nothing in mode {self.mode}")
            if not isinstance(self.basis, str) or not _MADE.fullmatch(self.basis):
                raise ValueError(
                    "'energy_shift' needs one 'basis' for all elements, of a type that can be made, such as dzp"
                )
        if self.mode != "pw" and self.cutoff is not None:
            raise ValueError(
                f"'cutoff' is for mode pw, it means nothing in mode {self.mode}: leave it out, or give null"
            )
        for symbol, (shell, *_) in (self.hubbard or {}).items():
            if shell not in (0, 1, 2, 3):
                raise ValueError(f"the angular momentum in 'hubbard' of {symbol} is 0, 1, 2 or 3, not {shell:g}")
        if self.dispersion not in (None, "none"):
            from iface_wf.engines.dispersion import require_parameters

            require_parameters(self.dispersion, self.xc)
        return self

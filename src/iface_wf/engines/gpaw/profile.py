"""GPAW at a glance: LCAO and plane waves."""

from __future__ import annotations

from typing import Any

from iface_wf.engines.gpaw.checks import CHECKS
from iface_wf.engines.gpaw.settings import GpawSettings
from iface_wf.engines.profile import Comparison, EngineProfile, Settings

#: What A* and B* must share with AB, and take over from it.
SHARED_SETTINGS = (
    "mode",
    "basis",
    "energy_shift",
    "cutoff",
    "xc",
    "dispersion",
    "grid",
    "kpoints",
    "smearing",
    "spin_polarized",
)
#: Settings of all levels. bader_spacing: grid on which Bader basins are found, A; a third of the coarsest grid.
COMMON: dict[str, Any] = {
    "xc": "PBE",
    "dispersion": "D4",
    "spin_polarized": False,
    "bader_spacing": 0.067,
    "max_scf_steps": 150,
}
#: kpoint_length: cells are repeated until each periodic edge times its k-points reaches this length, A; in metals more.
#: grid_spacing: A; c edges are multiples of 0.8 A, so 0.2 and 0.16 A grids of a slab and of its interfaces coincide.
#: smearing: width of the Fermi-Dirac occupations, eV. cutoff: eV.
LEVELS: dict[str, dict[str, Any]] = {
    "fast": {
        "mode": "lcao",
        "basis": "dzp",
        "grid_spacing": 0.2,
        "kpoint_length": 9.0,
        "smearing": 0.05,
        "convergence": {"energy": 1e-5, "density": 1e-4},
        "fmax": 0.1,
        "max_steps": 100,
        "relaxed_by": "xtb",
    },
    "moderate": {
        "mode": "lcao",
        "basis": "dzp",
        "grid_spacing": 0.16,
        "kpoint_length": 20.0,
        "smearing": 0.05,
        "convergence": {"energy": 1e-6, "density": 1e-5},
        "fmax": 0.05,
        "max_steps": 200,
        "relaxed_by": "gpaw",
    },
    "precise": {
        "mode": "pw",
        "cutoff": 600.0,
        "grid_spacing": 0.16,
        "kpoint_length": 30.0,
        "smearing": 0.05,
        "convergence": {"energy": 1e-6, "density": 1e-5},
        "fmax": 0.02,
        "max_steps": 400,
        "relaxed_by": "gpaw",
    },
}


def grid_bound(settings: Settings) -> bool:
    """Whether LCAO or a grid carries the wave functions, not plane waves."""
    return settings.get("mode") in ("lcao", "fd")


def counterpoise(settings: Settings) -> bool:
    """Whether the basis is that of LCAO, which is atom-centred."""
    return settings.get("mode") == "lcao"


def molecules(settings: Settings) -> Settings:
    """Let functions reach farther where there is no surface: anions need it, and molecules are small enough to pay for it."""
    made = settings["mode"] == "lcao" and settings["basis"] == "dzp" and settings.get("energy_shift") is None
    return {"energy_shift": 0.02} if made else {}


_METHOD = ("mode", "basis", "energy_shift", "cutoff", "xc", "dispersion", "smearing")
PROFILE = EngineProfile(
    name="gpaw",
    engine="iface_wf.engines.gpaw.engine:GpawEngine",
    levels=LEVELS,
    common=COMMON,
    table=GpawSettings,
    technical=frozenset(
        {
            "grid_steps",  # follows from cell and grid
            *("mixer", "start", "max_scf_steps", "scf_step_cap"),
            *("max_steps", "max_seconds", "checkpoint_every", "relaxed_by"),
        }
    ),
    shared=Comparison(
        method=_METHOD,
        cell=("grid", "kpoints", "spin_polarized"),
        elements=("hubbard",),
        grid_bound=grid_bound,
        counterpoise=counterpoise,
    ),
    molecules=molecules,
    densities=("pseudo", "all_electron"),
    vibrations=True,
    cost={"relax": 50_000.0, "static": 2_000.0, "static fast": 150.0},
    growth=(0.9, 0.8),
    disk={"relax": 2.0, "static": 10.0},
    room={"fast": 100, "moderate": 200, "precise": 200},
    resources=(
        {"level": "fast", "kind": "static", "cores": 8, "hours": 1.0, "memory_gb": 16.0},
        {"level": "precise", "cores": 32, "hours": 12.0, "memory_gb": 96.0},
        {"kind": "vibrations", "cores": 16, "hours": 24.0, "memory_gb": 32.0},
        {"kind": "relax", "cores": 16, "hours": 12.0, "memory_gb": 32.0},
        {"cores": 16, "hours": 3.0, "memory_gb": 32.0},
    ),
    packages=("gpaw", "gpaw-data", "custodian"),
    checks=CHECKS,
)

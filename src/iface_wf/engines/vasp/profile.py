"""VASP at a glance; reasons and sources of its settings: `iface_wf.engines.vasp.choices.CHOICES`."""

from __future__ import annotations

from typing import Any

from iface_wf.engines.profile import Comparison, EngineProfile
from iface_wf.engines.vasp.checks import CHECKS
from iface_wf.engines.vasp.choices import CELL_TAGS, METHOD_TAGS, SMEARING_TAGS
from iface_wf.engines.vasp.incar import types_not_conserved, unlike_tags
from iface_wf.engines.vasp.settings import VaspOverrides

COMMON: dict[str, Any] = {"xc": "PBE", "gadolinium": "core"}
LEVELS: dict[str, dict[str, Any]] = {
    "fast": {
        "ENCUT": 500.0,
        "EDIFF": 1e-5,
        "real_space": True,
        "bader_spacing": 0.08,
        "kpoint_length": 9.0,
        "fmax": 0.1,
        "max_steps": 100,
        "relaxed_by": "xtb",
    },
    "moderate": {
        "ENCUT": 520.0,
        "EDIFF": 1e-6,
        "real_space": True,
        "bader_spacing": 0.067,
        "kpoint_length": 20.0,
        "fmax": 0.05,
        "max_steps": 200,
        "relaxed_by": "vasp",
    },
    "precise": {
        "ENCUT": 600.0,
        "EDIFF": 1e-7,
        "real_space": False,
        "bader_spacing": 0.05,
        "kpoint_length": 30.0,
        "fmax": 0.02,
        "max_steps": 400,
        "relaxed_by": "vasp",
    },
}

#: Accuracy and spin may differ, where a part is closed-shell for example; a slab may go without the dipole layer.
_NOTED = ("EDIFF", "ISPIN", "NUPDOWN")

PROFILE = EngineProfile(
    name="vasp",
    engine="iface_wf.engines.vasp.engine:VaspEngine",
    levels=LEVELS,
    common=COMMON,
    table=VaspOverrides,
    technical=frozenset({"technical", "max_steps", "relaxed_by"}),
    shared=Comparison(
        method=("xc", "dispersion", *METHOD_TAGS),
        cell=("grid", "kpoints", *CELL_TAGS),
        elements=("potcar_titles", "hubbard"),
        tolerated=SMEARING_TAGS,
        noted={"A": (*_NOTED, "LDIPOL", "IDIPOL"), "B": _NOTED, "A*": _NOTED, "B*": _NOTED},
        others=unlike_tags,
        conserved=types_not_conserved,
    ),
    densities=("valence", "all_electron"),
    cost={"relax": 100_000.0, "static": 4_000.0},
    growth=(1.8, 0.6),
    disk={"relax": 200.0, "static": 200.0},
    room={"fast": 150, "moderate": 250, "precise": 250},
    resources=(
        {"kind": "relax", "cores": 32, "hours": 12.0, "memory_gb": 96.0},
        {"cores": 32, "hours": 4.0, "memory_gb": 96.0},
    ),
    packages=("atomate2", "custodian", "pymatgen"),
    checks=CHECKS,
)

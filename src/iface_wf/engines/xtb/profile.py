"""GFN-xTB at a glance."""

from __future__ import annotations

from typing import Any

from iface_wf.engines.checks import Check, installed
from iface_wf.engines.profile import Comparison, EngineProfile

#: accuracy: tblite's factor on the thresholds of the charges, smaller is tighter. fmax: eV/A.
LEVELS: dict[str, dict[str, Any]] = {
    "fast": {"method": "GFN1-xTB", "accuracy": 1.0, "fmax": 0.05, "max_steps": 150},
    "moderate": {"method": "GFN1-xTB", "accuracy": 0.5, "fmax": 0.02, "max_steps": 300},
    "precise": {"method": "GFN1-xTB", "accuracy": 0.1, "fmax": 0.01, "max_steps": 500},
}
#: Edge along directions that are not periodic, A, for everything that is periodic in another direction.
WIDE_EDGE = 60.0

PROFILE = EngineProfile(
    name="xtb",
    engine="iface_wf.engines.xtb.engine:XtbEngine",
    levels=LEVELS,
    options=frozenset({"mixer_damping", "max_iterations", "electronic_temperature"}),
    technical=frozenset({"max_steps"}),
    shared=Comparison(method=("method", "wide_edge")),
    cheap=True,
    cost={"relax": 600.0, "static": 15.0},
    resources=({"kind": "relax", "cores": 1, "hours": 2.0}, {"cores": 1, "hours": 0.5}),
    packages=("tblite",),
    checks=(Check("tblite (xTB)", lambda: installed("tblite"), "pip install tblite", needed=True),),
)

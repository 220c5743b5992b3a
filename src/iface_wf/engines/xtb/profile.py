"""GFN-xTB at a glance."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from iface_wf.engines.checks import Check, installed
from iface_wf.engines.profile import Comparison, EngineProfile
from iface_wf.engines.settings import EngineSettings, Force, Steps


class XtbSettings(EngineSettings):
    """Settings of GFN-xTB.

    Attributes
    ----------
    method
        Parametrisation.
    accuracy
        tblite's factor on the thresholds of the charges, smaller is tighter.
    fmax, max_steps
        End of a relaxation, eV/A; most steps of it.
    mixer_damping, max_iterations, electronic_temperature
        How the charges are iterated; K.
    """

    method: Literal["GFN1-xTB", "GFN2-xTB", "IPEA1-xTB"] = "GFN1-xTB"
    accuracy: Annotated[float, Field(ge=1e-4, le=10.0)] = 1.0
    fmax: Force = 0.05
    max_steps: Steps = 150
    mixer_damping: Annotated[float, Field(gt=0, le=1.0)] = 0.4
    max_iterations: Annotated[int, Field(ge=1, le=10_000)] = 250
    electronic_temperature: Annotated[float, Field(gt=0, le=20_000.0, description="K")] = 300.0


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
    table=XtbSettings,
    technical=frozenset({"max_steps"}),
    shared=Comparison(method=("method", "wide_edge")),
    cheap=True,
    cost={"relax": 600.0, "static": 15.0},
    room={"fast": 100, "moderate": 150, "precise": 150},
    resources=({"kind": "relax", "cores": 1, "hours": 2.0}, {"cores": 1, "hours": 0.5}),
    packages=("tblite",),
    checks=(Check("tblite (xTB)", lambda: installed("tblite"), "pip install tblite", needed=True),),
)

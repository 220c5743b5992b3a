"""GFN-xTB at a glance."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

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
    dispersion
        That of the parametrisation, which is part of its fit: none other can be chosen.
    fmax, max_steps
        End of a relaxation, eV/A; most steps of it.
    guess, mixer_damping, max_iterations
        How the charges are iterated: from those of superposed atoms (``sad``), of electronegativity equilibration (``eeq``),
        or of that with bond capacities (``eeqbc``).
    electronic_temperature
        Of the occupations, K.
    """

    method: Literal["GFN1-xTB", "GFN2-xTB", "IPEA1-xTB"] = "GFN1-xTB"
    accuracy: Annotated[float, Field(ge=1e-4, le=10.0)] = 1.0
    dispersion: Literal["D3(BJ)", "D4", "none"] | None = None
    fmax: Force = 0.05
    max_steps: Steps = 150
    guess: Literal["sad", "eeq", "eeqbc"] = "sad"
    mixer_damping: Annotated[float, Field(gt=0, le=1.0)] = 0.4
    max_iterations: Annotated[int, Field(ge=1, le=10_000)] = 250
    electronic_temperature: Annotated[float, Field(gt=0, le=20_000.0, description="K")] = 300.0

    @model_validator(mode="after")
    def _own_dispersion(self) -> Self:
        own = DISPERSIONS[self.method]
        if self.dispersion not in (None, own):
            raise ValueError(f"the dispersion of {self.method} is {own}, which is part of its fit: leave it out")
        return self


#: Dispersion of each parametrisation.
DISPERSIONS = {"GFN1-xTB": "D3(BJ)", "GFN2-xTB": "D4", "IPEA1-xTB": "D3(BJ)"}
LEVELS: dict[str, dict[str, Any]] = {
    "fast": {"method": "GFN1-xTB", "accuracy": 1.0, "fmax": 0.05, "max_steps": 150},
    "moderate": {"method": "GFN1-xTB", "accuracy": 0.5, "fmax": 0.02, "max_steps": 300},
    "precise": {"method": "GFN1-xTB", "accuracy": 0.1, "fmax": 0.01, "max_steps": 500},
}
COMMON: dict[str, Any] = {"electronic_temperature": 300.0}
#: Warm electrons lower an energy: no reason to refuse a result, but one to mark it.
_WARMTH = ("electronic_temperature",)

PROFILE = EngineProfile(
    name="xtb",
    engine="iface_wf.engines.xtb.engine:XtbEngine",
    levels=LEVELS,
    common=COMMON,
    table=XtbSettings,
    technical=frozenset({"max_steps", "dispersion", "guess", "mixer_damping", "max_iterations"}),
    # wide_edge: slabs were calculated in cells of that edge once, which is another method
    shared=Comparison(method=("method", "wide_edge"), noted=dict.fromkeys(("A", "B", "A*", "B*"), _WARMTH)),
    cheap=True,
    variant="method",
    vibrations=True,
    cost={"relax": 600.0, "static": 15.0},
    room={"fast": 100, "moderate": 150, "precise": 150},
    resources=(
        {"kind": "relax", "cores": 1, "hours": 2.0},
        {"kind": "vibrations", "cores": 1, "hours": 6.0},
        {"cores": 1, "hours": 0.5},
    ),
    packages=("tblite",),
    checks=(Check("tblite (xTB)", lambda: installed("tblite"), "pip install tblite", needed=True),),
)

"""Machine-learned potentials at a glance; which there are is known to `iface_wf.engines.mlip.models`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from iface_wf.engines.checks import Check, installed
from iface_wf.engines.profile import Comparison, EngineProfile
from iface_wf.engines.settings import EngineSettings, Force, Plain, Steps, plain

Word = Annotated[str, Field(min_length=1), AfterValidator(plain)]


class MlipSettings(EngineSettings):
    """Settings of machine-learned potentials; names of models and weights are checked by `iface_wf.engines.mlip.models`.

    Attributes
    ----------
    model, weights, dispersion, calculator
        See `iface_wf.engines.mlip.models.model_settings`.
    fmax, max_steps
        End of a relaxation, eV/A; most steps of it.
    """

    model: Word = "CHGNet"
    weights: Word | None = None
    dispersion: Word | None = None
    calculator: dict[str, Plain] = Field(default_factory=dict)
    fmax: Force = 0.05
    max_steps: Steps = 300


#: A model knows one accuracy: only its geometries become tighter. fmax: eV/A.
LEVELS: dict[str, dict[str, Any]] = {
    "fast": {"model": "CHGNet", "fmax": 0.05, "max_steps": 300},
    "moderate": {"model": "CHGNet", "fmax": 0.02, "max_steps": 500},
    "precise": {"model": "CHGNet", "fmax": 0.01, "max_steps": 1000},
}

PROFILE = EngineProfile(
    name="mlip",
    engine="iface_wf.engines.mlip.engine:MlipEngine",
    levels=LEVELS,
    common={"calculator": {}},
    table=MlipSettings,
    technical=frozenset({"max_steps"}),
    shared=Comparison(method=("model", "weights", "calculator", "sha256", "dispersion")),
    cheap=True,
    variant="model",
    vibrations=True,
    cost={"relax": 60.0, "static": 2.0},
    growth=(1.0, 0.0),
    room={"fast": 450, "moderate": 450, "precise": 450},
    resources=({"cores": 1, "hours": 1.0, "exponent": 1.0},),
    packages=("torch", "atomate2"),
    checks=(
        Check("ML potential", lambda: f"CHGNet, chgnet {installed('chgnet')}", "pip install '.[mlip]' in the clone"),
    ),
)

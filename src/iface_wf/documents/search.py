"""How a minimum was looked for, and how sure it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from iface_wf.documents.base import Document


class SearchSummary(Document):
    """What a search tried and found; energies are the cheap engine's, eV.

    A candidate that was given up before the end counts with the energy that it would have reached by the median descent of
    the others.
    """

    engine: str = Field(description="What relaxed the candidates")
    seeds: list[int] = Field(description="One for each batch of candidates")
    docked: int = Field(description="Starts that the docking force field relaxed")
    tried: int = Field(description="Candidates that the engine looked at")
    relaxed: int = Field(description="Those of them that it relaxed until the forces had converged")
    failed: int = Field(0, description="Those of them that it could not calculate")
    distinct_minima: int = Field(description="Minima that differ in energy or geometry, among all that were tried")
    gap: float | None = Field(None, description="Energy of the second distinct minimum above the lowest one")
    boltzmann_mean: float | None = Field(None, description="Mean energy at 300 K above the lowest minimum")
    spread: float | None = Field(
        None, description="By how much half of the candidates would have missed the lowest energy, on average"
    )
    success_rate: float | None = Field(
        None, description="Share of the independent starts that ended in the lowest minimum"
    )
    steps: int = Field(description="Steps of relaxation that the engine took")
    core_seconds: float = Field(description="Processor time, s")
    stopped: Literal["patience", "budget", "exhausted"] = Field(
        description="No better one for so many tries, no steps left, or no candidate left"
    )

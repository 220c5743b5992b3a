"""Binding, interaction, deformation, counterpoise and dispersion from total energies.

Counterpoise: Boys and Bernardi, 10.1080/00268977000101561.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.errors import MismatchError


@dataclass(frozen=True)
class Energy:
    """A total energy and its dispersion share, eV."""

    total: float
    dispersion: float = 0.0

    def __sub__(self, other: Energy) -> Energy:
        return Energy(self.total - other.total, self.dispersion - other.dispersion)

    def __add__(self, other: Energy) -> Energy:
        return Energy(self.total + other.total, self.dispersion + other.dispersion)


@dataclass(frozen=True)
class BindingTerms:
    """The parts of a binding energy, eV.

    Attributes
    ----------
    binding_raw
        E(AB) - E(A) - E(B), A and B relaxed in isolation, each in its own basis; negative = bound.
    interaction_raw
        E(AB) - E(A*) - E(B*), A* and B* frozen as in AB, in AB's cell, each in its own basis; negative = attractive.
    deformation
        E(X*) - E(X) by component; binding = interaction + their sum, for raw and for corrected energies.
    bsse
        Basis set superposition error, >= 0; None where the basis is not atom-centred.
    """

    binding_raw: Energy
    interaction_raw: Energy
    deformation: dict[str, Energy]
    bsse: float | None

    @property
    def binding(self) -> float:
        """Binding energy, eV: raw + bsse, so counterpoise corrected where the basis is atom-centred."""
        return self.binding_raw.total + (self.bsse or 0.0)

    @property
    def interaction(self) -> float:
        """Interaction energy, eV: raw + bsse, so counterpoise corrected where the basis is atom-centred."""
        return self.interaction_raw.total + (self.bsse or 0.0)


def binding_terms(energies: Mapping[str, Energy]) -> BindingTerms:
    """Combine total energies into the parts of a binding energy.

    Parameters
    ----------
    energies
        By role: ``AB``, ``A``, ``B``, ``A*``, ``B*`` and, for atom-centred bases, ``A* in AB basis`` and
        ``B* in AB basis``; eV.

    Returns
    -------
    BindingTerms
        With binding = interaction + deformations to rounding.

    Raises
    ------
    KeyError
        When one of the five energies is missing.
    """
    relaxed = {part.name: energies[part.name] for part in PARTS}
    frozen = {part.name: energies[part.frozen] for part in PARTS}
    ghosts = {part.name: energies[part.with_ghosts] for part in PARTS if part.with_ghosts in energies}
    bsse = None
    if len(ghosts) == len(PARTS):
        bsse = sum((frozen[name] - ghosts[name]).total for name in frozen)
    ab = energies[WHOLE]
    a, b = (part.name for part in PARTS)
    return BindingTerms(
        binding_raw=ab - relaxed[a] - relaxed[b],
        interaction_raw=ab - frozen[a] - frozen[b],
        deformation={name: frozen[name] - relaxed[name] for name in frozen},
        bsse=bsse,
    )


def require_same_settings(
    settings: Mapping[str, Mapping[str, Any]], keys: Iterable[str], reference: str = WHOLE
) -> None:
    """Refuse to subtract energies or densities of calculations that finally used unlike settings.

    Parameters
    ----------
    settings
        By role, the settings finally used, after all corrections.
    keys
        The settings that must agree.
    reference
        The role that the others are compared with.

    Raises
    ------
    MismatchError
        Naming each role and key that differ, with both values.
    """
    wanted = settings[reference]
    differing = [
        f"{key} of {role} is {used.get(key)!r}, of {reference} {wanted.get(key)!r}"
        for role, used in settings.items()
        for key in keys
        if used.get(key) != wanted.get(key)
    ]
    if differing:
        raise MismatchError(f"Calculations with unlike settings cannot be subtracted: {'; '.join(differing)}.")

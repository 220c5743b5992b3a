"""The uncertainty of a binding energy: what is known of each source of error, and their sum.

Each part is a half-spread in eV, to be read as a standard uncertainty: about two of three true values lie within it. They
are combined in quadrature, as the Guide to the Expression of Uncertainty in Measurement (JCGM 100:2008, 5.1.2) does with
uncertainties of unlike origin. A source of which nothing is known is absent; it is not zero. Counterpoise correction is that of
Boys and Bernardi, 10.1080/00268977000101561; what it leaves was measured:

Against plane waves of 600 eV and def2-TZVP, PBE-D3 in GPAW's LCAO dzp leaves, after counterpoise correction, 0.012 of
0.152 eV superposition for the water dimer, 0.012 of 0.244 eV for silicic acid and dimethyl ether, and 0.051 of 0.126 eV for
Li+ and dimethoxyethane.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

SOURCES = {
    "search": "spread of what repeated searches for the placement found",
    "basis": "what counterpoise correction or the cutoff leaves",
    "dispersion": "half the spread between the dispersion models",
    "lateral": "interaction of the molecule with its own images in the plane",
    "geometry": "minima of another method than that of the energies, and references that are no minima",
    "model": "half the spread between two ML potentials",
}
"""The parts in words."""

NEUTRAL_FRACTION = 0.08
"""Of the superposition error that stays after correction: the largest of the neutral pairs, 0.012 / 0.152."""

ION_FRACTION = 0.4
"""The same where Li+ of a salt takes part: 0.051 / 0.126. The functions of an isolated cation are too few for its bonds."""

ION_BASIS = 0.15
"""And at least so much, eV: with functions of an energy shift of 0.02 eV Li+ is bound 0.14, 0.17 and 0.15 eV too weakly at an ether,
a carbonate and TFSI-, against wave functions on a grid of 0.18 A. It is alike for all, so it falls out of differences."""

UNCORRECTED_BASIS = 0.27
"""For an energy that should be corrected and is not, eV: the middle of 0.14 to 0.4 eV, by which four such energies were off.
All of it is in one direction, too strongly bound."""

CUTOFFS = ((600.0, 0.005), (500.0, 0.02))
"""Plane waves: from this cutoff on (eV), this much is left (eV): 600 eV agrees with def2-TZVP to 1 meV for the water dimer."""
LOW_CUTOFF = 0.05
"""Below the lowest of them, eV."""

GEOMETRY_NOISE = 0.02
"""What grid and SCF do to the energies of relaxed structures, eV; a deformation may come out this much below zero."""

CHEAP_GEOMETRY = 0.25
"""Where another method relaxed, eV, even where no deformation is negative.

PBE binding energies of seven pairs on geometries (and placements) of GFN1-xTB and of CHGNet differ by 0.01 to 1.03 eV, the root
mean square of half the differences is 0.26 eV (docs/screening.md).
"""


SEEDS_APART = 0.07
"""Standard deviation of the minima that searches with unlike seeds find, as a share of the binding energy: 0.06 of 0.94 and 0.04 of 1.00 eV for
PEO x 2 on quartz by GFN1-xTB (five seeds each), 0.2 of 2.8 eV for LiTFSI (two); docs/search.md. What a single search knows of its own spread,
0.01 to 0.04 eV there, is less."""


def search_part(record: Mapping[str, object] | None, binding: float | None = None) -> float | None:
    """Return by how much another search for the same may end elsewhere.

    Parameters
    ----------
    record
        Of the search: its ``spread`` (eV), ``tried`` and ``distinct_minima``.
    binding
        Of a search on a slab: the binding energy, eV. It may be off by `SEEDS_APART` of it as far as the candidates ended in many
        minima and not in a few again and again, which would have shown that there are no others.

    Returns
    -------
    float or None
        eV; None without a record.
    """
    known = {name: float(value) for name, value in (record or {}).items() if isinstance(value, int | float)}
    spread = abs(known.get("spread", math.nan))
    if not math.isfinite(spread):
        return None
    tried, distinct = known.get("tried", 0.0), known.get("distinct_minima", 0.0)
    unlike = min((distinct - 1) / (tried - 1), 1.0) if tried > 1 else 1.0
    return max(spread, SEEDS_APART * unlike * abs(binding or 0.0))


def searches_part(records: Iterable[Mapping[str, object] | None]) -> float | None:
    """Return the spread of several searches, each of another piece, eV; None where no record tells one."""
    return combined(part for record in records if (part := search_part(record)) is not None)


def basis_part(basis: str, bsse: float | None, ions: bool) -> float | None:
    """Return what is left of the incompleteness of the basis.

    Parameters
    ----------
    basis
        As documents name it, for example ``LCAO dzp`` or ``PW 500 eV``.
    bsse
        Superposition error by counterpoise, eV; None where it was not calculated.
    ions
        Whether cations of a salt take part.

    Returns
    -------
    float or None
        eV; None for methods whose basis is part of them, such as xTB and ML potentials.
    """
    if bsse is not None:
        return max(abs(bsse) * ION_FRACTION, ION_BASIS) if ions else abs(bsse) * NEUTRAL_FRACTION
    words = basis.split()
    if basis.startswith("LCAO"):
        return UNCORRECTED_BASIS
    if words[:1] != ["PW"] or len(words) < 2:
        return None
    try:
        cutoff = float(words[1])
    except ValueError:
        return None
    return next((left for least, left in CUTOFFS if cutoff >= least), LOW_CUTOFF)


def spread_part(values: Mapping[str, float] | None) -> float | None:
    """Return half the spread of what several models tell of one number, eV; None where fewer than two are known."""
    known = list((values or {}).values())
    return (max(known) - min(known)) / 2 if len(known) > 1 else None


def dispersion_part(shares: Mapping[str, float] | None, counted: bool) -> float | None:
    """Return what the choice of a dispersion model leaves open.

    Parameters
    ----------
    shares
        Dispersion share of the number by model, eV.
    counted
        Whether the number holds dispersion; if not, all of it is lacking, not only the difference of the models.

    Returns
    -------
    float or None
        eV; None where nothing is known.
    """
    if not shares or counted:
        return spread_part(shares)
    return max(abs(share) for share in shares.values())


def geometry_part(
    deformation: Mapping[str, float], other_method: bool | None, binding: float | None = None
) -> float | None:
    """Return what the geometries leave open.

    The energy of a relaxed part above that of its deformed copy is an error of at least that size: of the part's own
    minimum, or of the method that found it. So is a whole above its parts, which a relaxation by the method of the energies could
    take apart.

    Parameters
    ----------
    deformation
        Deformation energies by part, eV, >= 0 where the part is relaxed.
    other_method
        Whether the energies are of another method than the geometries; None where nobody knows how these came about.
    binding
        Binding energy, eV; counts where it is positive and the geometries are of another method.

    Returns
    -------
    float or None
        eV; None where nothing is known.
    """
    negative = math.hypot(*(min(energy, 0.0) for energy in deformation.values()))
    if other_method is None:
        return negative if negative > GEOMETRY_NOISE else None
    if not other_method:
        return max(negative, GEOMETRY_NOISE)
    return max(math.hypot(negative, max(binding or 0.0, 0.0)), CHEAP_GEOMETRY)


def combined(parts: Iterable[float]) -> float | None:
    """Combine parts in quadrature, eV; None where there is none."""
    known = list(parts)
    return math.hypot(*known) if known else None


def of_difference(first: Mapping[str, float], second: Mapping[str, float], common: Iterable[str] = ()) -> float | None:
    """Return the uncertainty of the difference between two results.

    Parameters
    ----------
    first, second
        Their parts, eV.
    common
        Parts whose error has one cause and one sign in both, so that their difference is left of them and not their sum.

    Returns
    -------
    float or None
        eV; None where nothing is known of either.
    """
    shared = set(common) & set(first) & set(second)
    left = [abs(first[name] - second[name]) for name in sorted(shared)]
    return combined([*left, *(part for each in (first, second) for name, part in each.items() if name not in shared)])

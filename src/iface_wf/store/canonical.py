"""Content keys: the same calculation has the same key, whoever builds its structure, in whatever order and place.

No digest can be equal for every structure within some noise and differ for every change just beyond it: any rounding
of hundreds of coordinates has some coordinate near an edge. So a key has three parts. Its text is the digest of the
rounded structure and **always differs** when an atom is displaced by more than 0.001 A; in the rare case that noise
crosses an edge, the ``family`` (composition and settings, no rounded number in it) and the ``geometry``
find the equal calculation by comparison, see `iface_wf.store.reuse`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Collection
from typing import Any

import numpy as np
from pymatgen.core import Site, Structure

from iface_wf.store.geometry import Geometry, same_geometry, standard_cell

KEY_VERSION = 1
"""Raise it by hand when the same settings begin to mean another calculation; no key of before is found then."""

STEP = math.pi * 1.5e-4
"""Rounding step, A: a vector longer than 0.001 A always changes a component by more than it. It is irrational, so
that coordinates of crystals, which are decimal numbers and fractions, do not fall on its edges systematically."""

_WINDOW = 0.7 * (math.sqrt(2) - 1)  # fractions wrap away from 0 and 1/2, where atoms of crystals are


class CalculationKey(str):
    """The key of a calculation: a SHA-256 digest, 64 hexadecimal characters, to be used as any other text.

    Attributes
    ----------
    family
        SHA-256 of composition, periodic directions, settings and kind.
    geometry
        Cell and positions, to compare members of a family.
    """

    __slots__ = ("family", "geometry")
    family: str
    geometry: Geometry

    def __new__(cls, digest: str, family: str, geometry: Geometry) -> CalculationKey:
        """Attach family and geometry to a digest."""
        key = super().__new__(cls, digest)
        key.family, key.geometry = family, geometry
        return key

    def __getnewargs__(self) -> tuple[str, str, Geometry]:  # type: ignore[override]
        return str(self), self.family, self.geometry

    def matches(self, other: CalculationKey) -> bool:
        """Say whether two keys mean the same calculation, up to noise in the coordinates."""
        return self == other or (self.family == other.family and same_geometry(self.geometry, other.geometry))


def calculation_key(
    structure: Structure,
    settings: dict[str, Any],
    kind: str,
    ghosts: Collection[int] = (),
) -> CalculationKey:
    """Give the content key of a calculation.

    Parameters
    ----------
    structure
        The structure, with its periodic directions.
    settings
        Everything else that decides the result (method, charge, spin, k-points...): JSON values. Numbers count
        with 12 significant digits; the order of names does not matter.
    kind
        ``static``, ``relax`` or ``vibrations``; which atoms are frozen (``selective_dynamics``) counts in all but ``static``.
    ghosts
        Sites, as indices into ``structure``, that carry basis functions only.

    Returns
    -------
    CalculationKey
        The same in every process and on every machine.

    Raises
    ------
    TypeError
        If a setting is no JSON value.
    ValueError
        If a number among the settings is not finite.
    """
    tokens = _site_tokens(structure, ghosts, frozen=kind != "static")
    general = {"version": KEY_VERSION, "kind": kind, "settings": canonical_settings(settings)}
    counts = sorted(Counter(tokens).items())
    family = _sha256({**general, "pbc": _pbc(structure), "composition": counts})
    digest = _sha256({**general, "structure": _digest(structure, tokens)})
    return CalculationKey(digest, family, Geometry.of(structure, tokens))


def structure_digest(structure: Structure) -> str:
    """Give the SHA-256 of a structure without order of sites, place in the cell, orientation and rounding.

    Species, cell, periodic directions and positions count, and of the site properties only ``magmom`` and
    ``charge``, which codes start from. A shift of the whole structure does not count, along no direction.

    Parameters
    ----------
    structure
        The structure; none of its sites is a ghost.

    Returns
    -------
    str
        64 hexadecimal characters. Always different when some atom is displaced by more than 0.001 A relative to
        the others. Equal under noise much smaller than that, unless some coordinate lies on an edge of the
        rounding: with 100 atoms once in millions of structures for the noise of arithmetic (1e-13 A), but every
        other time for noise of 1e-6 A, as a file with few digits makes. There compare keys by `CalculationKey.matches`.
    """
    return _digest(structure, _site_tokens(structure))


def _site_tokens(structure: Structure, ghosts: Collection[int] = (), frozen: bool = False) -> list[str]:
    """Write for every site what it is, apart from where it is.

    Parameters
    ----------
    structure
        The structure.
    ghosts
        Indices of ghost sites.
    frozen
        Whether frozen directions count.

    Returns
    -------
    list of str
        For example ``O``, ``Li0.4``, ``O ghost``, ``Gd magmom=7``, ``Si fixed=FFF``.

    Raises
    ------
    IndexError
        If a ghost index is not among the sites.
    """
    if ghosts and not 0 <= min(ghosts) <= max(ghosts) < len(structure):
        raise IndexError(f"Ghost indices {sorted(ghosts)} do not fit a structure of {len(structure)} sites.")
    return [_token(site, number in set(ghosts), frozen) for number, site in enumerate(structure)]


def canonical_settings(value: Any) -> Any:
    """Write settings so that equal ones have equal JSON text: one kind of number, lists, names as text.

    Raises
    ------
    TypeError
        If one is no JSON value.
    ValueError
        If a number is not finite.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"The setting {value} is not a finite number.")
        return float(f"{value:.12g}") + 0.0  # + 0.0 makes -0.0 into 0.0
    if isinstance(value, list | tuple):
        return [canonical_settings(item) for item in value]
    if isinstance(value, dict):
        return {str(name): canonical_settings(item) for name, item in value.items()}
    raise TypeError(f"A setting of type {type(value).__name__} cannot be part of a key.")


def _token(site: Site, ghost: bool, frozen: bool) -> str:
    species = []
    for element, amount in site.species.items():
        spin = getattr(element, "spin", None)
        species.append(
            element.symbol + (f"{amount:.4g}" if amount < 0.9999 else "") + (f"spin={spin:g}" if spin else "")
        )
    token = "+".join(sorted(species))
    for name in ("magmom", "charge"):
        value = site.properties.get(name)
        if value is not None:
            numbers = np.atleast_1d(np.asarray(getattr(value, "moment", value), dtype=float))
            token += f" {name}=" + ",".join(f"{number:.3f}" for number in numbers + 0.0)
    free = site.properties.get("selective_dynamics")
    if frozen and free is not None and not all(free):
        token += " fixed=" + "".join("F" if not direction else "T" for direction in free)
    return token + " ghost" * ghost


def _digest(structure: Structure, tokens: list[str]) -> str:
    cell = standard_cell(structure.lattice)
    content = {
        "pbc": _pbc(structure),
        "cell": np.rint(cell / STEP).astype(int).tolist(),
        "sites": _rounded_sites(structure, tokens, cell),
    }
    return _sha256(content)


def _rounded_sites(structure: Structure, tokens: list[str], cell: np.ndarray) -> list[list[Any]]:
    """Round the positions as seen from a site, from the one (of the rarest kind) that gives the smallest list."""
    periodic = np.array(structure.lattice.pbc)
    counts = Counter(tokens)
    names = sorted(counts)
    kinds = np.array([names.index(token) for token in tokens])
    rarest = min(counts, key=lambda token: (counts[token], token))
    fractions = structure.frac_coords
    smallest: np.ndarray | None = None
    for origin in np.flatnonzero(kinds == names.index(rarest)):
        relative = fractions - fractions[origin]
        relative[:, periodic] = (relative[:, periodic] + _WINDOW) % 1.0 - _WINDOW
        rows = np.column_stack([kinds, np.rint(relative @ cell / STEP).astype(np.int64)])
        rows = rows[np.lexsort(rows.T[::-1])]
        if smallest is None or rows.tolist() < smallest.tolist():
            smallest = rows
    assert smallest is not None
    return [[names[kind], *position] for kind, *position in smallest.tolist()]


def _pbc(structure: Structure) -> list[bool]:
    return [bool(direction) for direction in structure.lattice.pbc]


def _sha256(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()

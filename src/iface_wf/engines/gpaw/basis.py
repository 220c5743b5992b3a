"""Atom-centred functions that reach farther than those of GPAW's files, made once for each element and kept.

The functions of GPAW's files end where an atom's levels have risen by 0.1 eV (Larsen et al., 10.1103/PhysRevB.80.195112).
An anion and what it is bound to need longer tails. Like `iface_wf.engines.gpaw.run`, which uses it, this runs inside
`gpaw python`.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

import gpaw
from gpaw.atom.basis import BasisMaker
from gpaw.atom.configurations import parameters
from gpaw.basis_data import parse_basis_name
from gpaw.mpi import broadcast, world
from platformdirs import user_cache_path


def farther_reaching(basis: str, energy_shift: float, symbols: Collection[str]) -> str:
    """Let GPAW find functions of a smaller energy shift, and return their name.

    Parameters
    ----------
    basis
        Their type, for example ``dzp``.
    energy_shift
        By how much the confinement raises an atom's levels, eV; smaller reaches farther.
    symbols
        Elements, those of ghosts included.

    Returns
    -------
    str
        Name for GPAW's ``basis``.

    Raises
    ------
    ValueError
        For an element or a type that GPAW cannot make functions of.
    """
    name = f"shift{energy_shift:g}"
    folder = str(_folder()) if world.rank == 0 else None
    if folder is not None:
        for symbol in sorted(set(symbols)):
            _make(symbol, basis, energy_shift, Path(folder, f"{symbol}.{name}.{basis}.basis"))
    folder = broadcast(folder, 0, comm=world)
    if folder not in gpaw.setup_paths:
        gpaw.setup_paths.insert(0, folder)
    return f"{name}.{basis}"


def _folder() -> Path:
    """Return where functions are kept: the user's cache folder, or one of this process where that cannot be written to."""
    kept = user_cache_path("iface-wf") / f"gpaw-{gpaw.__version__}"
    with contextlib.suppress(OSError):
        kept.mkdir(parents=True, exist_ok=True)
    return kept if os.access(kept, os.W_OK) else Path(tempfile.mkdtemp(prefix="iface-wf-basis-"))


def _make(symbol: str, basis: str, energy_shift: float, path: Path) -> None:
    """Make the functions of an element where they are not there yet; others may do so at the same time."""
    if path.exists():
        return
    if symbol not in parameters:
        raise ValueError(f"GPAW cannot make functions of {symbol} with an energy shift of its own")
    zetas, polarisations = parse_basis_name(basis)
    with contextlib.redirect_stdout(io.StringIO()):
        made = BasisMaker.from_symbol(symbol, xc="PBE", gtxt=None).generate(
            zetas, polarisations, energysplit=energy_shift, txt=None
        )
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{symbol}-", delete=False) as file:
        made.write_to(file)
    Path(file.name).replace(path)

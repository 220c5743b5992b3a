"""Densities of free atoms, which Hirshfeld's partition needs: those that GPAW's data sets were made from, for every engine."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.units import Bohr
from numpy.typing import NDArray

if TYPE_CHECKING:
    from iface_wf.analysis.hirshfeld import FreeAtom

SOURCE = "spherical atoms of GPAW's data sets"
"""What charges say of these atoms."""


def of_data_set(data: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the density of the atom that a data set was made from: free, neutral, spherical, without spin, core included.

    Parameters
    ----------
    data
        A `gpaw.setup_data.SetupData`.

    Returns
    -------
    tuple
        Distances from the nucleus, A, and density there, e/A^3.
    """
    valence = sum(f * np.asarray(phi) ** 2 for f, phi in zip(data.f_j, data.phi_jg, strict=True)) / (4 * np.pi)
    whole = valence + np.asarray(data.nc_g) / np.sqrt(4 * np.pi)
    return np.asarray(data.rgd.r_g) * Bohr, whole / Bohr**3


def free_atoms(symbols: Collection[str]) -> dict[str, FreeAtom] | None:
    """Read the free atoms of some elements, by PBE, for engines without own ones.

    Parameters
    ----------
    symbols
        Elements.

    Returns
    -------
    dict or None
        By element; None where GPAW is not installed or lacks a data set.
    """
    # takes longer to import than all that GPAW's own processes need of this module
    from iface_wf.analysis.hirshfeld import FreeAtom

    try:
        from gpaw.setup_data import SetupData

        return {symbol: FreeAtom(*of_data_set(SetupData(symbol, "PBE"))) for symbol in sorted(set(symbols))}
    except (ImportError, FileNotFoundError):
        return None

"""Dispersion energies by s-dftd3, kept apart from the electronic energy so that each share can be stored."""

from __future__ import annotations

from functools import cache

from ase import Atoms
from ase.calculators.calculator import Calculator
from dftd3.ase import DFTD3
from dftd3.interface import RationalDampingParam

from iface_wf.errors import InputError

DISPERSION_MODELS = ("D3(BJ)", "none")


def dispersion_calculator(model: str | None, functional: str) -> Calculator | None:
    """Return the ASE calculator of a dispersion model.

    Parameters
    ----------
    model
        ``D3(BJ)`` (Grimme, Ehrlich, Goerigk, 10.1002/jcc.21759) or None.
    functional
        The functional whose damping parameters are used.

    Returns
    -------
    ase.calculators.calculator.Calculator or None
        None where no dispersion is wanted.

    Raises
    ------
    InputError
        For an unknown model.
    """
    if model in (None, "none"):
        return None
    if model == "D3(BJ)":
        return DFTD3(method=functional, damping="d3bj")
    raise InputError(f"Unknown dispersion model {model!r}: allowed are {', '.join(DISPERSION_MODELS)}.")


@cache
def require_parameters(functional: str) -> None:
    """Refuse a functional for which D3(BJ) was never fitted.

    Raises
    ------
    ValueError
        Saying what to choose instead.
    """
    try:
        RationalDampingParam(method=functional)
    except RuntimeError as error:
        raise ValueError(f"D3(BJ) has no parameters for {functional}: take dispersion none or another xc") from error


def dispersion_energy(atoms: Atoms, ghosts: list[int], model: str | None, functional: str) -> float:
    """Dispersion energy of the real atoms.

    Parameters
    ----------
    atoms
        All sites.
    ghosts
        Indices of basis-only sites; they take no part, so dispersion is the same with and without them.
    model, functional
        See `dispersion_calculator`.

    Returns
    -------
    float
        eV.
    """
    calculator = dispersion_calculator(model, functional)
    if calculator is None:
        return 0.0
    real = atoms.copy()
    real.set_constraint()
    real.calc = None
    del real[ghosts]
    real.calc = calculator
    return float(real.get_potential_energy())

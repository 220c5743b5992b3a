"""Dispersion energies by s-dftd3 and dftd4, kept apart from the electronic energy so that each share can be stored.

D3(BJ) takes its coefficients from the coordination of the atoms (Grimme, Ehrlich, Goerigk, 10.1002/jcc.21759), D4 from
their charges, too (Caldeweyher et al., 10.1063/1.5090222; periodic: 10.1039/D0CP00502A): a cation of an oxide, which has
lost the electrons that are polarised, counts for much less.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.units import Bohr, Hartree
from dftd3.ase import DFTD3
from dftd3.interface import RationalDampingParam
from dftd4.ase import DFTD4
from dftd4.interface import DampingParam, DispersionModel

from iface_wf.engines.cells import opened
from iface_wf.errors import InputError

D3, D4, NONE = "D3(BJ)", "D4", "none"
#: The pairwise models: the energies of all of them are kept with every calculation.
PAIRWISE = (D3, D4)
DISPERSION_MODELS = (*PAIRWISE, NONE)
#: Within it three atoms are counted in D4, A: a tenth of the time of the package's 21 A, interaction energies on a slab of
#: 64 atoms differ by 0.4 meV.
_THREE_BODY_CUTOFF = 25 * Bohr
#: Empty space along open directions in D4, which repeats everything everywhere, A: what is left of the images is 0.3 meV.
_VACUUM = 20.0


class _OpenD4(DFTD4):
    """D4 of what is periodic along some directions only."""

    def __init__(self, charge: float, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.charge = charge

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Calculate in a cell without neighbours across open directions."""
        if atoms is None:
            raise ValueError("no atoms")
        open_atoms = _open(atoms)
        open_atoms.set_initial_charges(np.full(len(atoms), self.charge / len(atoms)))  # only their sum counts
        super().calculate(open_atoms, properties, system_changes)
        self.atoms = atoms.copy()  # what the next structure is compared with


def _open(atoms: Atoms) -> Atoms:
    """Return a copy, in a larger cell where it is periodic in some directions only."""
    copy = atoms.copy()
    if any(atoms.pbc) and not all(atoms.pbc):
        copy.set_cell(opened(copy, _VACUUM))
    return copy


def dispersion_calculator(model: str | None, functional: str, charge: float = 0.0) -> Calculator | None:
    """Return the ASE calculator of a dispersion model.

    Parameters
    ----------
    model
        ``D3(BJ)``, ``D4``, or None.
    functional
        The functional whose damping parameters are used.
    charge
        Total charge, e, which D4 divides between the atoms.

    Returns
    -------
    ase.calculators.calculator.Calculator or None
        None where no dispersion is wanted.

    Raises
    ------
    InputError
        For an unknown model.
    """
    if model in (None, NONE):
        return None
    if model == D3:
        return DFTD3(method=functional, damping="d3bj")
    if model == D4:
        return _OpenD4(charge, method=functional, realspace_cutoff={"disp3": _THREE_BODY_CUTOFF})
    raise InputError(f"Unknown dispersion model {model!r}: allowed are {', '.join(DISPERSION_MODELS)}.")


@cache
def has_parameters(model: str, functional: str) -> bool:
    """Whether a dispersion model was fitted for a functional."""
    parameters = {D3: RationalDampingParam, D4: DampingParam}[model]
    try:
        parameters(method=functional)
    except RuntimeError:
        return False
    return True


def require_parameters(model: str | None, functional: str) -> None:
    """Refuse a functional for which a dispersion model was never fitted.

    Raises
    ------
    ValueError
        Saying what to choose instead.
    """
    if model in PAIRWISE and not has_parameters(model, functional):
        others = [other for other in PAIRWISE if other != model and has_parameters(other, functional)]
        instead = " or ".join([*others, NONE])
        raise ValueError(f"{model} has no parameters for {functional}: take dispersion {instead}, or another xc")


def dispersion_energy(
    atoms: Atoms, ghosts: Collection[int], model: str | None, functional: str, charge: float = 0.0
) -> float:
    """Dispersion energy of the real atoms.

    Parameters
    ----------
    atoms
        All sites.
    ghosts
        Indices of basis-only sites; they take no part, so dispersion is the same with and without them.
    model, functional
        See `dispersion_calculator`.
    charge
        See `dispersion_calculator`.

    Returns
    -------
    float
        eV.
    """
    if model in (None, NONE):
        return 0.0
    real = atoms.copy()
    real.set_constraint()
    real.calc = None
    del real[list(ghosts)]
    if model == D4:  # without the gradient, which takes twice as long as the energy
        real = _open(real)
        d4 = DispersionModel(real.numbers, real.positions / Bohr, charge, real.cell.array / Bohr, np.array(real.pbc))
        d4.set_realspace_cutoff(disp2=60.0, disp3=_THREE_BODY_CUTOFF / Bohr, cn=30.0)  # bohr; the others as by default
        return float(d4.get_dispersion(param=DampingParam(method=functional), grad=False)["energy"] * Hartree)
    real.calc = dispersion_calculator(model, functional)
    return float(real.get_potential_energy())


def dispersion_energies(
    atoms: Atoms, ghosts: Collection[int], functional: str, charge: float = 0.0
) -> dict[str, float]:
    """Return the dispersion energy of the real atoms by every pairwise model that has parameters for a functional, eV.

    Parameters
    ----------
    atoms, ghosts, functional, charge
        See `dispersion_energy`.
    """
    return {
        model: dispersion_energy(atoms, ghosts, model, functional, charge)
        for model in PAIRWISE
        if functional and has_parameters(model, functional)
    }

"""What GPAW needs on a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from iface_wf.engines.checks import AbsentError, Check, find_program, installed
from iface_wf.errors import InputError


def _gpaw() -> str:
    from gpaw import cgpaw

    if not hasattr(cgpaw, "lxcXCFunctional"):
        raise AbsentError("built without libxc")
    return f"{installed('gpaw')}, libxc {getattr(cgpaw, 'libxc_version', '?')}"


def _setups() -> str:
    from gpaw.setup_data import search_for_file

    try:
        return str(search_for_file("Si.PBE")[0])
    except (FileNotFoundError, RuntimeError) as error:
        raise AbsentError("the PAW setup of Si was not found") from error


def _mpi() -> str:
    from gpaw import cgpaw

    if not getattr(cgpaw, "have_mpi", False):
        raise AbsentError("GPAW was built without MPI")
    return find_program("mpirun")


def require_setups(symbols: Iterable[str], settings: Mapping[str, Any]) -> None:
    """Refuse elements of which GPAW has no setup here, or no basis where atom-centred functions carry the wave functions.

    Raises
    ------
    InputError
        Naming the element and the file.
    """
    from gpaw.setup_data import search_for_file
    from gpaw.xc import XC

    kind = XC(settings["xc"]).get_setup_name()
    for symbol in sorted(symbols):
        files = [f"{symbol}.{kind}"]
        basis = settings["basis"] if settings["mode"] == "lcao" else None
        if isinstance(basis, Mapping):
            basis = basis.get(symbol)
            if basis is None:
                raise InputError(
                    f"The setting basis of gpaw says nothing of {symbol}: give all elements, or one for all."
                )
        if settings.get("energy_shift") is not None:
            require_configuration(symbol)
        elif basis is not None:
            files.append(f"{symbol}.{basis}.basis")
        for name in files:
            try:
                found = search_for_file(name)[0]
            except (FileNotFoundError, RuntimeError):
                found = None
            if found is None:
                raise InputError(
                    f"GPAW has no file {name} here: of {symbol} nothing can be calculated in mode {settings['mode']}. Put it into "
                    "a folder of GPAW_SETUP_PATH, or choose another mode or basis."
                )


def require_configuration(symbol: str) -> None:
    """Refuse an element of which GPAW cannot make functions (`InputError`)."""
    from gpaw.atom.configurations import parameters

    if symbol not in parameters:
        raise InputError(
            f"GPAW cannot make functions of {symbol} with an energy shift of their own: set energy_shift=null."
        )


CHECKS = (
    Check(
        "GPAW",
        _gpaw,
        "pip install '.[gpaw]' in the clone (needs libxc-dev, libopenblas-dev, a C++ compiler)",
        needed=True,
    ),
    Check("GPAW setups", _setups, "pip install gpaw-data, or set GPAW_SETUP_PATH", needed=True),
    Check(
        "MPI",
        _mpi,
        "apt install openmpi-bin libopenmpi-dev, then build GPAW again; else one core is used",
        optional=True,
    ),
    Check("DFT-D3", lambda: installed("dftd3"), "pip install dftd3", needed=True),
)

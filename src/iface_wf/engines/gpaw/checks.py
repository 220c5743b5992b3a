"""What GPAW needs on a machine."""

from __future__ import annotations

from iface_wf.engines.checks import AbsentError, Check, find_program, installed


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


CHECKS = (
    Check(
        "GPAW", _gpaw, "pip install 'iface-wf[gpaw]' (needs libxc-dev, libopenblas-dev, a C++ compiler)", needed=True
    ),
    Check("GPAW setups", _setups, "pip install gpaw-data, or set GPAW_SETUP_PATH", needed=True),
    Check("MPI", _mpi, "apt install openmpi-bin libopenmpi-dev, then build GPAW again; else one core is used"),
    Check("DFT-D3", lambda: installed("dftd3"), "pip install dftd3", needed=True),
)

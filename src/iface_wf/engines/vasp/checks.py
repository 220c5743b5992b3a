"""What VASP needs on a machine."""

from __future__ import annotations

from iface_wf.engines.checks import AbsentError, Check


def _executable() -> str:
    from iface_wf.engines.vasp.installation import check_executable, installation

    command = installation().command
    check_executable(command)
    return command


def _potentials() -> str:
    from iface_wf.engines.vasp.installation import installation, potcar_folder

    folder = potcar_folder(installation())
    if folder is None or not folder.is_dir():
        raise AbsentError("no folder with POTCARs is known" if folder is None else f"{folder} does not exist")
    return str(folder)


CHECKS = (
    Check("VASP", _executable, "put vasp_std on PATH or set IFACE_WF_VASP_COMMAND (you need a licence)"),
    Check("VASP potentials", _potentials, "set IFACE_WF_VASP_POTCARS, or pymatgen's PMG_VASP_PSP_DIR"),
)

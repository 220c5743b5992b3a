"""VASP under custodian: atomate2's handlers and validators, a clean stop before the wall time, and continuation.

A folder belongs to one calculation. While ``unfinished.json`` is in it, a further start continues: from CONTCAR and,
after a clean stop, WAVECAR, with the INCAR as corrected so far.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from atomate2.vasp.run import DEFAULT_HANDLERS, JobType, run_vasp
from custodian.custodian import CustodianError, ErrorHandler, Validator
from custodian.vasp.handlers import PositiveEnergyErrorHandler, WalltimeHandler
from custodian.vasp.validators import VaspAECCARValidator, VaspFilesValidator, VasprunXMLValidator
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar

from iface_wf.builders.order import poscar_structure
from iface_wf.documents.calculation import Correction
from iface_wf.engines.checkpoints import readable, usable_positions
from iface_wf.engines.request import CalculationRequest
from iface_wf.engines.vasp.choices import GD_VALENCE, POTCARS
from iface_wf.engines.vasp.grids import all_electron_density, find_file
from iface_wf.engines.vasp.installation import VaspSettings, check_executable, potcar_folder, read_potcars
from iface_wf.engines.vasp.outcar import read_outcar
from iface_wf.engines.vasp.outputs import read_corrections, read_run
from iface_wf.engines.vasp.wavecar import whole_wavecar
from iface_wf.errors import CalculationError, IfaceError, InputError
from iface_wf.secrets import away
from iface_wf.store.checksum import sealed

REQUEST, UNFINISHED = "iface-wf.json", "unfinished.json"
INPUTS = ("INCAR", "KPOINTS", "POSCAR", "POTCAR")
LEFT_BY_OTHERS = ("STOPCAR", "WAVECAR", "CHGCAR", "CONTCAR", "custodian.json")
#: POTCAR: valence electrons, from which those of ions are counted.
VALENCES = dict((*POTCARS.values(), GD_VALENCE))
#: What custodian says of a calculation that is complete but not converged.
UNCONVERGED = "Unconverged"


class AeccarValidator(VaspAECCARValidator):
    """custodian's validator of AECCAR files, by density: vacuum may be negative by noise, and stars are no crash."""

    def __init__(self) -> None:
        self.reason = ""

    def check(self, directory: str = "./") -> bool:
        """Whether the files are broken; ``reason`` says how."""
        try:
            run = read_run(Path(directory))
            all_electron_density(Path(directory), run.final, run.grid)
        except IfaceError as error:
            self.reason = str(error).rstrip(".")
            return True
        return False


def incar_of(settings: dict[str, Any]) -> Incar:
    """Return the INCAR of some settings."""
    tags = {name: value for name, value in settings.items() if name.isupper()}
    tags |= settings.get("technical", {})
    return Incar({name: value for name, value in tags.items() if value is not None})


def write_inputs(
    request: CalculationRequest, directory: Path, settings: VaspSettings, without_potcars: bool = False
) -> None:
    """Write the complete inputs of a calculation.

    Parameters
    ----------
    request
        What to calculate.
    directory
        An existing folder; gets INCAR, KPOINTS, POSCAR, POTCAR (or POTCAR.spec) and iface-wf.json.
    settings
        Where the POTCARs are, and tags of parallel running.
    without_potcars
        Write POTCAR.spec, the list of names, where no folder with POTCARs is known.

    Raises
    ------
    InputError
        When a POTCAR is missing, or ENCUT is below what a POTCAR needs.
    """
    values = request.settings
    symbols = [str(symbol) for symbol in values["potcars"].values()]
    incar = incar_of(values)
    incar.update(settings.incar)
    if without_potcars and potcar_folder(settings) is None:
        (directory / "POTCAR.spec").write_text("\n".join(symbols) + "\n")
    else:
        potcar = read_potcars(symbols, values["potcar_release"], settings)
        hardest = max(potcar, key=lambda single: single.enmax)
        if hardest.enmax > values["ENCUT"]:
            raise InputError(
                f"ENCUT of {values['ENCUT']:g} eV is below the {hardest.enmax:g} eV that POTCAR {hardest.symbol} needs."
            )
        for single in potcar:
            if single.nelectrons != VALENCES.get(single.symbol, single.nelectrons):
                raise InputError(
                    f"The POTCAR {single.symbol} has {single.nelectrons:g} valence electrons, not "
                    f"{VALENCES[single.symbol]} as the one of that name in VASP's releases."
                )
        potcar.write_file(directory / "POTCAR")
    incar.write_file(directory / "INCAR")
    Kpoints.gamma_automatic(tuple(values["kpoints"])).write_file(directory / "KPOINTS")
    Poscar(poscar_structure(request.atoms_structure)).write_file(directory / "POSCAR")
    if settings.vdw_kernel is not None and values.get("LUSE_VDW"):
        shutil.copy(settings.vdw_kernel, directory / "vdw_kernel.bindat")
    (directory / REQUEST).write_text(sealed(request.model_dump_json(indent=1)))


def execute(
    request: CalculationRequest, directory: Path, settings: VaspSettings, options: dict[str, Any] | None = None
) -> list[Correction]:
    """Run a request, or continue it, and leave a folder with complete outputs.

    Parameters
    ----------
    request
        What to calculate.
    directory
        Its folder.
    settings
        Command line, scratch, wall time.
    options
        Further arguments of `atomate2.vasp.run.run_vasp`.

    Returns
    -------
    list of Correction
        What was changed on the way, over all starts.

    Raises
    ------
    InputError
        When the executable or a POTCAR is missing.
    CalculationError
        When VASP failed for another reason than convergence, or was stopped before the wall time.
    """
    check_executable(settings.command)
    earlier = _continuation(request, directory)
    if earlier is None:
        for name in LEFT_BY_OTHERS:  # a run that cannot be gone on from: STOPCAR would stop VASP at once
            (directory / name).unlink(missing_ok=True)
        write_inputs(request, directory, settings)
        earlier = []
    _note_unfinished(directory, earlier)
    failure = _run(request, directory, settings, options or {})
    corrections = read_corrections(directory)
    if any("Walltime reached" in correction.errors for correction in corrections):
        raise CalculationError(
            f"VASP in {directory} was stopped before the wall time of {settings.wall_time:g} s: start the same "
            "calculation again in this place and it continues."
        )
    last = corrections[-1] if corrections else None
    if failure and not (last and set(last.errors) == {UNCONVERGED}):
        raise CalculationError(f"VASP failed in {directory}: {failure}; {_last_words(directory)}.")
    return [*earlier, *corrections]


def finished(directory: Path) -> None:
    """Mark a folder as done and delete what only a continuation needs."""
    for name in (UNFINISHED, "WAVECAR", "CHG", "STOPCAR"):
        (directory / name).unlink(missing_ok=True)


def handlers(request: CalculationRequest, settings: VaspSettings) -> list[ErrorHandler]:
    """Return fresh handlers: those of atomate2 remember earlier runs of the same process.

    A positive energy is no error for cations and single atoms, whose energy is relative to other atoms.
    """
    chosen = [type(handler)() for handler in DEFAULT_HANDLERS]
    if request.settings["charge"] > 0 or len(request.structure["sites"]) < 3:
        chosen = [handler for handler in chosen if not isinstance(handler, PositiveEnergyErrorHandler)]
    if settings.wall_time is not None:
        static = request.kind == "static"
        chosen.append(WalltimeHandler(settings.wall_time, settings.stop_before, electronic_step_stop=static))
    return chosen


def validators(request: CalculationRequest) -> list[Validator]:
    """Return atomate2's validators, and that of AECCAR files where they were asked for."""
    chosen: list[Validator] = [VasprunXMLValidator(), VaspFilesValidator()]
    if "all_electron" in request.densities:
        chosen.append(AeccarValidator())
    return chosen


def _run(request: CalculationRequest, directory: Path, settings: VaspSettings, options: dict[str, Any]) -> str:
    """Start custodian; return in words why it gave up, empty if it did not."""
    custodian: dict[str, Any] = {
        "polling_time_step": settings.poll_seconds,
        "monitor_freq": max(1, round(settings.check_seconds / settings.poll_seconds)),
    }
    place: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if settings.scratch is None:
        custodian["directory"] = str(directory)
    else:
        place = contextlib.chdir(directory)  # custodian copies the current folder to scratch and back
    arguments: dict[str, Any] = {
        "job_type": JobType.NORMAL,
        "vasp_cmd": settings.command,
        "vasp_gamma_cmd": settings.gamma,
        "max_errors": settings.max_errors,
        "scratch_dir": None if settings.scratch is None else str(settings.scratch),
        "handlers": handlers(request, settings),
        "validators": validators(request),
        "custodian_kwargs": custodian | options.get("custodian_kwargs", {}),
    }
    arguments |= {name: value for name, value in options.items() if name != "custodian_kwargs"}
    try:
        with place, away():  # custodian hands its own environment on
            run_vasp(**arguments)
    except CustodianError as error:
        reason = getattr(getattr(error, "validator", None), "reason", "")
        return reason or str(error.message).splitlines()[0]
    except Exception as error:  # noqa: BLE001 - handlers stumble in their own ways over what a broken run leaves behind
        return f"{type(error).__name__}: {error}"
    return ""


def _continuation(request: CalculationRequest, directory: Path) -> list[Correction] | None:
    """Prepare the folder of an interrupted run for going on; None when there is nothing to continue."""
    earlier = readable(directory / UNFINISHED, _noted_corrections)
    if earlier is None or not _inputs_are_whole(directory):
        return None
    with contextlib.suppress(CalculationError):  # custodian's log of the killed run, if it is whole
        earlier += read_corrections(directory)
    (directory / "custodian.json").unlink(missing_ok=True)
    used = []
    if request.kind == "relax" and _usable_contcar(request, directory):
        shutil.copy(directory / "CONTCAR", directory / "POSCAR")
        used.append("CONTCAR")
    if _stopped_cleanly(directory) and readable(directory / "WAVECAR", whole_wavecar):
        used.append("WAVECAR")
    else:
        (directory / "WAVECAR").unlink(missing_ok=True)  # half of it may be missing
    (directory / "STOPCAR").unlink(missing_ok=True)
    cause = "stopped before the wall time" if _stopped_cleanly(directory) else "killed"
    return [
        *earlier,
        Correction(handler="continuation", errors=[cause], actions=[{"continue_from": used or ["start"]}]),
    ]


def _noted_corrections(path: Path) -> list[Correction]:
    return [Correction.model_validate(c) for c in json.loads(path.read_text())]


def _inputs_are_whole(directory: Path) -> bool:
    """Whether the inputs, as corrected so far, were written to their end before the run was killed."""
    texts = [path.read_bytes() if path.is_file() else b"" for path in map(directory.joinpath, INPUTS)]
    return all(text.strip() and b"\0" not in text for text in texts)


def _stopped_cleanly(directory: Path) -> bool:
    try:
        read_outcar(directory / "OUTCAR")
    except CalculationError:
        return False
    return True


def _usable_contcar(request: CalculationRequest, directory: Path) -> bool:
    """Whether CONTCAR, which VASP creates empty, holds what the relaxation has come to; else it is set aside."""
    path = find_file(directory, "CONTCAR")
    if path is None or not path.stat().st_size:
        return False
    wanted = poscar_structure(request.atoms_structure)
    moves = wanted.site_properties.get("selective_dynamics", [])
    held = np.array([i for i, free in enumerate(moves) if not any(free)], dtype=int)

    def read(file: Path) -> Structure | None:
        found = Poscar.from_file(file, check_for_potcar=False).structure
        if [s.specie.symbol for s in found] != [s.specie.symbol for s in wanted]:
            return None
        if not np.allclose(found.lattice.matrix, wanted.lattice.matrix, atol=1e-4):
            return None
        steps = found.frac_coords - wanted.frac_coords
        positions = (wanted.frac_coords + steps - np.round(steps)) @ wanted.lattice.matrix
        return found if usable_positions(positions, wanted.cart_coords, held) is not None else None

    return readable(path, read) is not None


def _note_unfinished(directory: Path, corrections: list[Correction]) -> None:
    part = directory / f"{UNFINISHED}.part"
    part.write_text(json.dumps([c.model_dump(mode="json") for c in corrections]))
    part.replace(directory / UNFINISHED)


def _last_words(directory: Path) -> str:
    """Return the last line that VASP printed, to its error or its standard output."""
    for name in ("std_err.txt", "vasp.out"):
        path = directory / name
        lines = path.read_text(errors="replace").split("\n") if path.is_file() else []
        words = [line.strip(" |") for line in lines if line.strip(" |-")]
        if words:
            return f"it last said {words[-1][:200]!r}"
    return "it said nothing"

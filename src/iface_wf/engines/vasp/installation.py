"""Where VASP is on this machine: executable, POTCAR folder, scratch; and whether it is complete before anything starts."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable
from os.path import expandvars
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pymatgen.core import SETTINGS
from pymatgen.io.vasp.inputs import Potcar, PotcarSingle

from iface_wf.engines.vasp.settings import check_tag
from iface_wf.errors import InputError, from_environment

#: INCAR tags of parallel running.
PARALLEL_TAGS = frozenset(
    {"NCORE", "KPAR", "NPAR", "NSIM", "LPLANE", "LSCALAPACK", "LSCALU", "NBLK", "NTAUPAR", "LASYNC"}
)
Seconds = Annotated[float, Field(gt=0, le=1e8)]


class VaspSettings(BaseSettings):
    """Settings of a VASP installation, from the environment: ``IFACE_WF_VASP_COMMAND``, ``IFACE_WF_VASP_POTCARS``...

    None of them decides a result; they stay out of keys and documents.
    """

    model_config = SettingsConfigDict(env_prefix="IFACE_WF_VASP_", env_ignore_empty=True, allow_inf_nan=False)

    command: str = Field(default="vasp_std", description="Command line, for example 'srun vasp_std'; $VARIABLES count")
    gamma_command: str | None = Field(
        default=None, description="Command line for a single k-point; by default the command with vasp_gam in it"
    )
    potcars: Path | None = Field(
        default=None, description="Folder with POTCARs; by default pymatgen's PMG_VASP_PSP_DIR"
    )
    scratch: Path | None = Field(default=None, description="Fast folder to run in; results are copied back")
    vdw_kernel: Path | None = Field(
        default=None, description="vdw_kernel.bindat, which VASP before 6.4.3 needs for r2SCAN+rVV10"
    )
    wall_time: Seconds | None = Field(
        default=None, description="Seconds a batch job may last: VASP is stopped cleanly before, to be continued"
    )
    stop_before: float = Field(default=900.0, ge=0, le=1e8, description="Seconds left for that clean stop")
    max_errors: int = Field(default=5, ge=1, le=1000, description="Corrections before custodian gives up")
    poll_seconds: Seconds = Field(default=10.0, description="How often it is seen whether VASP has ended")
    check_seconds: Seconds = Field(default=300.0, description="How often a running VASP is checked for errors")
    incar: dict[str, Any] = Field(
        default_factory=dict, description="INCAR tags of parallel running only: NCORE, KPAR, NPAR, NSIM, LPLANE..."
    )

    @field_validator("command", "gamma_command")
    @classmethod
    def _words(cls, value: str | None) -> str | None:
        """Refuse quotes that are not closed, and what no shell could start."""
        if value is not None:
            if not shlex.split(value):
                raise ValueError("it names no program")
            if not value.isprintable():
                raise ValueError("a command line has printable characters only")
        return value

    @field_validator("incar")
    @classmethod
    def _parallel_running(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Refuse tags that would change results behind the user's back."""
        if wrong := sorted(set(value) - PARALLEL_TAGS):
            raise ValueError(
                f"it is for parallel running only and cannot set {', '.join(wrong)[:200]}, "
                "give tags that change results as overrides of the calculation"
            )
        for name, number in value.items():
            check_tag(name, number)
        return value

    @property
    def gamma(self) -> str:
        """Command line for a single k-point; custodian takes it only if its program is on PATH."""
        return self.gamma_command or self.command.replace("vasp_std", "vasp_gam")


def installation() -> VaspSettings:
    """Read the settings of this machine's VASP; InputError names the environment variable that is wrong."""
    return from_environment(VaspSettings)


def check_executable(command: str) -> None:
    """Refuse to go on without the executable.

    Parameters
    ----------
    command
        Command line; the first word and the last one that is no option must be programs.

    Raises
    ------
    InputError
        Naming the program that is not on PATH.
    """
    words = shlex.split(expandvars(command))
    programs = dict.fromkeys([*words[:1], *[word for word in words if not word.startswith("-")][-1:]])
    for program in programs or [""]:
        if shutil.which(program) is None:
            raise InputError(
                f"The VASP program {program!r} is not on PATH here: put it there or set IFACE_WF_VASP_COMMAND to the "
                "command line that starts VASP."
            )


def potcar_folder(settings: VaspSettings) -> Path | None:
    """Return the folder with POTCARs, None when neither our nor pymatgen's setting names one."""
    folder = settings.potcars or SETTINGS.get("PMG_VASP_PSP_DIR")
    return Path(folder).expanduser() if folder else None


def find_potcar(symbol: str, functional: str, settings: VaspSettings) -> Path:
    """Find one POTCAR file.

    Parameters
    ----------
    symbol
        For example ``Li_sv``.
    functional
        Release, for example ``PBE_64``.
    settings
        Names the folder; pymatgen's layout and VASP's own (``SYMBOL/POTCAR``) are both known.

    Returns
    -------
    pathlib.Path
        The file, perhaps compressed.

    Raises
    ------
    InputError
        One sentence that says what is missing where.
    """
    root = potcar_folder(settings)
    if root is None:
        raise InputError(
            "No folder with POTCARs is known: set IFACE_WF_VASP_POTCARS (or pymatgen's PMG_VASP_PSP_DIR) to yours."
        )
    release = functional.rpartition("_")[2]
    names = (PotcarSingle.functional_dir.get(functional, functional), f"potpaw_PBE.{release}", f"potpaw.{release}", "")
    for name in names:
        for ending in ("", ".gz"):
            for path in (root / name / symbol / f"POTCAR{ending}", root / name / f"POTCAR.{symbol}{ending}"):
                if path.is_file():
                    return path
    raise InputError(f"The POTCAR {symbol} of release {functional} is missing in {root}.")


def read_potcars(symbols: Iterable[str], functional: str, settings: VaspSettings) -> Potcar:
    """Put the POTCARs of several elements together.

    Parameters
    ----------
    symbols
        In the order of the POSCAR.
    functional, settings
        See `find_potcar`.

    Returns
    -------
    Potcar
        pymatgen's object, to be written.

    Raises
    ------
    InputError
        When one is missing or is another than its name says.
    """
    potcar = Potcar()
    potcar.functional = functional
    for symbol in symbols:
        path = find_potcar(symbol, functional, settings)
        single = PotcarSingle.from_file(path)
        if single.symbol != symbol:
            raise InputError(f"The file {path} holds the POTCAR {single.symbol}, not {symbol}.")
        potcar.append(single)
    return potcar

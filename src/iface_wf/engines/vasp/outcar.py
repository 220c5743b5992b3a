"""What only OUTCAR says, or says more reliably than vasprun.xml: energies of the last step, dispersion, how it ended.

VASP 5 writes other numbers into the last energies of vasprun.xml than their names say; those of OUTCAR have been right
in all versions from 5.4.1 on. Formats differ in small ways between versions, so lines are found by their words.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from monty.io import zopen

from iface_wf.errors import CalculationError

_NUMBER = r"\s*=?\s*(-?\d+\.\d+)(?=\s)"
_LAST_STEP = "FREE ENERGIE OF THE ION-ELECTRON SYSTEM"
_END = re.compile(r"Voluntary context switches:[^\n]*\n")


@dataclass(frozen=True)
class Outcar:
    """Facts of an OUTCAR.

    Attributes
    ----------
    version
        For example 6.3.2.
    free_energy, energy_without_entropy, energy
        Of the last ionic step, dispersion included, eV; ``energy`` is extrapolated to zero smearing.
    dispersion
        Edisp of the last step, eV; None where no pairwise dispersion was added.
    fermi_level
        eV.
    moment
        Total magnetic moment, Bohr magnetons.
    valences
        Valence electrons of each type of atom, in the order of the POSCAR.
    scf_converged, ions_converged
        Whether the last step reached EDIFF, and the relaxation EDIFFG.
    elapsed, cpu
        s; cpu of all processes.
    processes
        MPI ranks.
    """

    version: str
    free_energy: float
    energy_without_entropy: float
    energy: float
    dispersion: float | None
    fermi_level: float | None
    moment: float
    valences: tuple[float, ...]
    scf_converged: bool
    ions_converged: bool
    elapsed: float | None
    cpu: float | None
    processes: int


def read_outcar(path: Path) -> Outcar:
    """Read an OUTCAR that is complete.

    Parameters
    ----------
    path
        The file, compressed or not.

    Returns
    -------
    Outcar
        Its facts.

    Raises
    ------
    CalculationError
        Naming the file, when it is cut off before VASP's closing account, or a line is missing or damaged.
    """
    try:
        with zopen(path, mode="rt", encoding="utf-8", errors="replace") as handle:
            text = str(handle.read())
    except (OSError, EOFError, zlib.error) as error:
        raise CalculationError(f"{path} cannot be read: {error}.") from error
    if _END.search(text, max(0, text.rfind("General timing and accounting"))) is None:
        raise CalculationError(f"{path} is cut off: VASP's closing account of time and memory is missing.")
    start = text.rfind(_LAST_STEP)
    if start < 0:
        raise CalculationError(f"{path} holds no finished step.")
    last = text[start:]
    free = _last(rf"free\s+energy\s+TOTEN{_NUMBER}", last, path)
    without = _last(rf"energy\s+without\s+entropy{_NUMBER}", last, path)
    energy = _last(rf"energy\(sigma->0\){_NUMBER}", last, path)
    if not min(free, without) - 1e-5 <= energy <= max(free, without) + 1e-5:
        raise CalculationError(f"{path} is damaged: {energy} eV at zero smearing is not between {free} and {without}.")
    version = re.search(r"vasp\.(\d+\.\d+\.\d+\w*)", text[:20_000])
    valences = re.search(r"Ionic Valenz\s*\n\s*ZVAL\s*=((?:\s*\d+\.\d+)+)(?=\s)", text)
    if valences is None:
        raise CalculationError(f"{path} is damaged: it does not list the valence electrons.")
    ranks = re.search(r"running(?:\s+on)?\s+(\d+)\s+(?:total cores|mpi-ranks)", text)
    processes = int(ranks[1]) if ranks else 1
    cpu = _optional(rf"Total CPU time used \(sec\):{_NUMBER}", last)
    return Outcar(
        version=version[1] if version else "unknown",
        free_energy=free,
        energy_without_entropy=without,
        energy=energy,
        dispersion=_dispersion(text, path),
        fermi_level=_optional(rf"E-fermi\s*:{_NUMBER}", text),
        moment=_optional(rf"number of electron\s+-?[\d.]+\s+magnetization{_NUMBER}", text) or 0.0,
        valences=tuple(float(v) for v in valences[1].split()),
        scf_converged=_scf_converged(text),
        ions_converged="reached required accuracy - stopping structural energy minimisation" in text,
        elapsed=_optional(rf"Elapsed time \(sec\):{_NUMBER}", last),
        cpu=None if cpu is None else cpu * processes,
        processes=processes,
    )


def _last(pattern: str, text: str, path: Path) -> float:
    matches = re.findall(pattern, text)
    if not matches:
        words = pattern.split("{")[0].split(_NUMBER)[0].replace(r"\s+", " ").replace("\\", "")
        raise CalculationError(f"{path} is damaged: its last step has no number after {words!r}.")
    return float(matches[-1])


def _optional(pattern: str, text: str) -> float | None:
    matches = re.findall(pattern, text)
    return float(matches[-1]) if matches else None


def _dispersion(text: str, path: Path) -> float | None:
    """Return the last Edisp; with or without a colon, depending on the version."""
    lines = re.findall(r"Edisp\s*\(eV\)([^\n]*)", text)
    if not lines:
        return None
    match = re.fullmatch(r"\s*[:=]?\s*(-?\d+\.\d+)\s*", lines[-1])
    if match is None:
        raise CalculationError(f"{path} is damaged: its last dispersion energy reads {lines[-1].strip()!r}.")
    return float(match[1])


def _scf_converged(text: str) -> bool:
    """Whether the SCF of the last step ended because EDIFF was reached (not by NELM, nor by a STOPCAR)."""
    start = text.rfind("- Iteration")
    endings = re.findall(r"aborting loop[^\n]*", text[max(0, start) :])
    return bool(endings) and "EDIFF is reached" in endings[-1]

"""What only OUTCAR says, or says more reliably than vasprun.xml: energies of the last step, dispersion, how it ended.

VASP 5 writes other numbers into the last energies of vasprun.xml than their names say; those of OUTCAR have been right
in all versions from 5.4.1 on. Formats differ in small ways between versions, so lines are found by their words.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from monty.io import zopen

from iface_wf.analysis.grid import FloatArray
from iface_wf.engines.vasp.incar import canonical, parse_incar
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
        Total magnetic moment, Bohr magnetons; of a non-collinear run the length of the vector.
    valences
        Valence electrons of each type of atom, in the order of the POSCAR.
    scf_converged, ions_converged
        Whether the last step reached EDIFF, and the relaxation EDIFFG.
    elapsed, cpu
        s; cpu of all processes.
    processes
        MPI ranks.
    electronic_energy
        Free energy at the end of the last electronic loop, before dispersion is added, eV; None where it is not there.
    ivdw
        Number of the dispersion correction that was computed; None where OUTCAR does not tell.
    incar
        The INCAR as OUTCAR repeats it (VASP 6), canonical.
    n_electrons, cutoff
        NELECT, e, and ENCUT, eV.
    grid, coarse_grid, mesh
        Fine grid (NGXF, NGYF, NGZF), coarse grid, and k-points along each axis.
    titles
        Of the POTCARs, one for each type of atom; empty where there are none.
    forces
        Of the last step, shape (atoms, 3), eV/A; None where there are none.
    electronic_steps
        Of the last loop that reached self-consistency, or should have; those of linear response do not count.
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
    electronic_energy: float | None = None
    ivdw: int | None = None
    incar: dict[str, Any] = field(default_factory=dict)
    n_electrons: float | None = None
    cutoff: float | None = None
    grid: tuple[int, ...] | None = None
    coarse_grid: tuple[int, ...] | None = None
    mesh: tuple[int, ...] | None = None
    titles: tuple[str, ...] = ()
    forces: FloatArray | None = None
    electronic_steps: int | None = None


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
    free = _first(rf"free\s+energy\s+TOTEN{_NUMBER}", last, path)
    without = _first(rf"energy\s+without\s+entropy{_NUMBER}", last, path)
    energy = _first(rf"energy\(sigma->0\){_NUMBER}", last, path)
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
        moment=_moment(text),
        valences=tuple(float(v) for v in valences[1].split()),
        scf_converged=_scf_converged(text[:start]),
        ions_converged="reached required accuracy - stopping structural energy minimisation" in text,
        elapsed=_optional(rf"Elapsed time \(sec\):{_NUMBER}", last),
        cpu=None if cpu is None else cpu * processes,
        processes=processes,
        electronic_energy=_optional(rf"free\s+energy\s+TOTEN{_NUMBER}", text[:start]),
        ivdw=_integer(r"\n\s*IVDW\s*=\s*(\d+)", text),
        incar=_echo(text[:start]),
        n_electrons=_optional(rf"\n\s*NELECT{_NUMBER}\s+total number", text),
        cutoff=_optional(rf"\n\s*ENCUT{_NUMBER}\s+eV\s", text),
        grid=_triple(r"dimension x,y,z NGXF=\s*(\d+)\s+NGYF=\s*(\d+)\s+NGZF=\s*(\d+)", text),
        coarse_grid=_triple(r"dimension x,y,z NGX\s*=\s*(\d+)\s+NGY\s*=\s*(\d+)\s+NGZ\s*=\s*(\d+)", text),
        mesh=_triple(r"generate k-points for:\s*(\d+)\s+(\d+)\s+(\d+)", text),
        titles=tuple(" ".join(t.split()) for t in re.findall(r"\n\s*TITEL\s*=([^\n]*)", text)),
        forces=_forces(text, path),
        electronic_steps=_integer(r"- Iteration\s+\d+\(\s*(\d+)\)", text[:start]),
    )


def _first(pattern: str, text: str, path: Path) -> float:
    match = re.search(pattern, text)  # linear response prints further energies behind those of the last step
    if match is None:
        words = pattern.split("{")[0].split(_NUMBER)[0].replace(r"\s+", " ").replace("\\", "")
        raise CalculationError(f"{path} is damaged: its last step has no number after {words!r}.")
    return float(match[1])


def _optional(pattern: str, text: str) -> float | None:
    matches = re.findall(pattern, text)
    return float(matches[-1]) if matches else None


def _integer(pattern: str, text: str) -> int | None:
    matches = re.findall(pattern, text)
    return int(matches[-1]) if matches else None


def _triple(pattern: str, text: str) -> tuple[int, ...] | None:
    match = re.search(pattern, text)
    return tuple(int(n) for n in match.groups()) if match else None


def _moment(text: str) -> float:
    """Return the last magnetization: a number, or three of a non-collinear run."""
    lines = re.findall(r"number of electron\s+-?[\d.]+\s+magnetization([^\n]*)", text)
    words = lines[-1].split() if lines else []
    if not words:
        return 0.0
    values = [float(word) for word in words if re.fullmatch(r"-?\d+\.\d+", word)]
    return values[0] if len(values) == 1 else float(np.linalg.norm(values))


def _echo(text: str) -> dict[str, Any]:
    """Return the tags between ``INCAR:`` and the first POTCAR; VASP 5 prints none there."""
    match = re.search(r"^ ?INCAR:[^\n]*\n(.*?)^ ?POTCAR:", text[:100_000], flags=re.MULTILINE | re.DOTALL)
    tags = {name: canonical(name, value) for name, value in parse_incar(match[1]).items()} if match else {}
    return {name: value for name, value in tags.items() if value is not None}


def _forces(text: str, path: Path) -> FloatArray | None:
    """Return the last block of forces: behind the position of each atom, three numbers."""
    start = text.rfind("TOTAL-FORCE (eV/Angst)")
    if start < 0:
        return None
    rows: list[list[float]] = []
    for line in text[text.find("\n", start) + 1 :].split("\n"):
        words = line.split()
        if words and not set(words[0]) - {"-"} and not rows:
            continue
        if len(words) not in (3, 6):
            break
        try:
            rows.append([float(word) for word in words[-3:]])
        except ValueError as error:
            if re.search("[A-Za-z]{3}", line):
                break
            raise CalculationError(f"{path} is damaged: a force of its last step reads {line.strip()!r}.") from error
    return np.array(rows, dtype=float).reshape(-1, 3)


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

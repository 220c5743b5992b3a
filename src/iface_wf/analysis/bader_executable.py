"""Cross-check of Bader charges with the program of the Henkelman group, used only when asked for by name."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from iface_wf.analysis.bader import (
    VACUUM_CUT,
    Partition,
    assemble,
    check_input,
    weight_partition,
)
from iface_wf.analysis.grid import Grid
from iface_wf.documents.bader import BaderDocument
from iface_wf.documents.density import DensityKind
from iface_wf.errors import CalculationError, InputError

ENGINE = "bader (Henkelman group)"


def run_bader_executable(
    density: Grid,
    structure: Structure,
    *,
    kind: DensityKind = "all_electron",
    valence_electrons: Mapping[str, float] | None = None,
    reference: Grid | None = None,
    vacuum_cut: float = VACUUM_CUT,
    executable: str = "bader",
    timeout: float = 3600.0,
) -> BaderDocument:
    """Divide the electrons by the weight method of the ``bader`` program; arguments as `bader_charges`.

    The program reports neither maxima nor the owners of vacuum electrons; these are our own.

    Parameters
    ----------
    density, structure, kind, valence_electrons, reference, vacuum_cut
        As for `iface_wf.analysis.bader.bader_charges`.
    executable
        Name or path of the program.
    timeout
        Seconds after which it is stopped.

    Raises
    ------
    InputError
        The program is not there, or as in `bader_charges`.
    MismatchError
        Cells or grids differ.
    CalculationError
        It failed, or its numbers do not pass the checks of `bader_charges`.
    """
    check_input(density, structure, kind, reference)
    program = shutil.which(executable)
    if program is None:
        raise InputError(f"No program {executable!r} to run: install the Bader program of the Henkelman group.")
    ref = density if reference is None else reference
    # The order of a CHGCAR is by element; the program returns atoms in the order of the file.
    order = sorted(range(len(structure)), key=lambda i: structure[i].specie.symbol)
    with tempfile.TemporaryDirectory(prefix="iface-wf-bader-") as name:
        folder = Path(name)
        _write_chgcar(folder / "CHGCAR", density, structure, order)
        command = [program, "CHGCAR", "-b", "weight", "-vac", f"{vacuum_cut:g}"]
        if reference is not None:
            _write_chgcar(folder / "CHGCAR_ref", reference, structure, order)
            command += ["-ref", "CHGCAR_ref"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise CalculationError(f"{executable} did not finish within {timeout:g} s.") from error
        # The folder is fresh, so an ACF.dat in it is of this run; the program exits with 0 even when it fails.
        table = folder / "ACF.dat"
        if done.returncode != 0 or not table.is_file():
            last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["no output"]
            raise CalculationError(f"{executable} failed without ACF.dat: {last[0].strip()[:200]}")
        rows = [row.split() for row in table.read_text().splitlines()]
    rows = [row for row in rows if len(row) == 7 and row[0].isdigit()]
    if len(rows) != len(structure):
        raise CalculationError(f"{executable} returned {len(rows)} atoms instead of {len(structure)}.")
    numbers = np.empty((len(structure), 7))
    numbers[order] = np.array(rows, dtype=np.float64)
    own = weight_partition(density, ref, structure, vacuum_cut)
    found = re.search(r"version\s+([0-9][^\s)]*)", done.stdout, re.IGNORECASE)
    partition = Partition(
        electrons=numbers[:, 4],
        vacuum_electrons=own.vacuum_electrons,
        volumes=numbers[:, 6],
        maxima=own.maxima,
        maxima_density=own.maxima_density,
        engine=ENGINE,
        engine_version=found.group(1) if found else "unknown",
    )
    return assemble(partition, density, ref, structure, kind, valence_electrons, vacuum_cut)


def _write_chgcar(path: Path, grid: Grid, structure: Structure, order: list[int]) -> None:
    """Write a CHGCAR in the fixed columns the program reads (lattice 3F13.6, positions 3F10.6)."""
    symbols = [structure[i].specie.symbol for i in order]
    kinds = list(dict.fromkeys(symbols))
    lines = ["density times volume", "   1.00000000000000"]
    lines += ["".join(f"{x:13.6f}" for x in vector) for vector in grid.cell]
    lines += ["".join(f"{k:>5}" for k in kinds), "".join(f"{symbols.count(k):6d}" for k in kinds), "Direct"]
    lines += ["".join(f"{x:10.6f}" for x in structure[i].frac_coords % 1.0) for i in order]
    lines += ["", "".join(f"{n:5d}" for n in grid.shape)]
    flat = (grid.values * grid.volume).ravel(order="F")
    full = flat.size - flat.size % 5
    with path.open("w") as handle:
        handle.write("\n".join(lines) + "\n")
        np.savetxt(handle, flat[:full].reshape(-1, 5), fmt="%17.10E")
        if full < flat.size:
            np.savetxt(handle, flat[None, full:], fmt="%17.10E")

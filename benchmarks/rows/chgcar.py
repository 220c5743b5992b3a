"""Reading a CHGCAR of 8.2 million points: ours, which checks every line, pandas and pymatgen.

python -m benchmarks.rows.chgcar
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymatgen.core
from pymatgen.io.vasp import Chgcar

from benchmarks.measure import Row, Section, script, sides_at
from benchmarks.rows.grids import KEPT, density, write_chgcar
from iface_wf.engines.vasp.grids import read_volumetric

ALONE = "from benchmarks.rows.chgcar import SIDES\nkept = SIDES[{side!r}]({size})"


def path_of(size: int):
    path = KEPT / f"CHGCAR-{size}"
    if not path.exists():
        write_chgcar(path, density(size))
    return path


def by_pandas(size: int) -> np.ndarray:
    """The usual short cut: knows where the grid begins and how many numbers a line has."""
    path = path_of(size)
    with path.open() as file:
        header = next(number for number, line in enumerate(file) if not line.strip()) + 2
    shape = (80 * size, 80 * size, 160 * size)
    count = int(np.prod(shape))
    read = pd.read_csv(path, sep=r"\s+", engine="c", header=None, skiprows=header, nrows=count // 5)
    return read.to_numpy().reshape(-1).reshape(shape, order="F")


SIDES = {
    "ours": lambda size: read_volumetric(path_of(size), occupancies=True).values,  # noqa: PD011
    "pandas": by_pandas,
    "pymatgen": lambda size: Chgcar.from_file(path_of(size)).data["total"],
}


def measure(options):
    section = Section("Reading a CHGCAR")
    for size in [1] if options.quick else options.sizes:
        path_of(size)
        figures, results = sides_at(SIDES, size, options, ALONE)
        array = results["ours"].nbytes / 2**20
        name = f"{results['ours'].size / 1e6:.1f} M points (an array of {array:.0f} MB)"
        for peer, goal, version in (("pandas", 1.0, pd.__version__), ("pymatgen", None, pymatgen.core.__version__)):
            same = np.array_equal(results["ours"], results[peer])
            far = 0.0 if same else float(np.abs(results["ours"] / results[peer] - 1).max())
            equal = "all bits" if same else f"{far:.0e} relative"
            section.rows.append(Row(name, figures["ours"], figures[peer], f"{peer} {version}", goal, equal=equal))
    section.text = (
        "Ours uses the parser of doubles that pymatgen has, and checks beside it that every line has its numbers, that none is "
        "a star, infinite or without its E, and that the file does not end early. MB are of the whole process, in which imports take "
        "about 215."
    )
    return section


if __name__ == "__main__":
    script(measure, __doc__, sizes=[1, 2])

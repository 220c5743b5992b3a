"""Density difference with its profiles from three stored densities, and from three CHGCARs by pymatgen.

python -m benchmarks.rows.difference
"""

from __future__ import annotations

import numpy as np
import pymatgen.core
from pymatgen.io.vasp import Chgcar

from benchmarks.measure import Row, Section, script, sides_at
from benchmarks.rows.chgcar import path_of
from benchmarks.rows.grids import KEPT, density, slab, write_chgcar
from iface_wf.analysis.density import difference, difference_profile, pack, unpack_grid
from iface_wf.documents.density import DensityRecord

ALONE = "from benchmarks.rows.difference import SIDES\nkept = SIDES[{side!r}]({size})"
SHARES = (1.0, 0.625, 0.375)
"""AB, A and B: parts of one density, so that the difference integrates to zero."""


def stored(size: int) -> list:
    """Write AB, A and B once: as records of a store, and as CHGCARs."""
    records = []
    for number, share in enumerate(SHARES):
        path = KEPT / f"record-{size}-{number}.json"
        if not path.exists():
            rho = share * density(size)
            lattice = slab().lattice
            path.write_text(pack(rho, lattice.matrix, (True, True, True), "pseudo").model_dump_json())
            write_chgcar(KEPT / f"CHGCAR-{size}-{number}", rho)
        records.append(path)
    return records


def by_us(size: int):
    """From the JSON text of three records, as a store returns it."""
    grids = [unpack_grid(DensityRecord.model_validate_json(path.read_bytes())) for path in stored(size)]
    return difference_profile(difference(*grids))


def by_pymatgen(size: int):
    """From three CHGCARs by its arithmetic and its average along an axis."""
    ab, a, b = (Chgcar.from_file(KEPT / f"CHGCAR-{size}-{number}") for number in range(3))
    delta = ab - a - b
    return delta, delta.get_average_along_axis(2)


SIDES = {"ours": by_us, "pymatgen": by_pymatgen}


def measure(options):
    section = Section("Density difference and planar profiles")
    for size in [1] if options.quick else options.sizes:
        path_of(size)
        stored(size)
        figures, results = sides_at(SIDES, size, options, ALONE)
        theirs = results["pymatgen"][1] / slab().volume * slab().lattice.a * slab().lattice.b
        far = np.abs(theirs - results["ours"].delta_rho_z).max()
        name = f"{density(size).size / 1e6:.1f} M points"
        peer = f"pymatgen {pymatgen.core.__version__}"
        section.rows.append(
            Row(
                name,
                figures["ours"],
                figures["pymatgen"],
                peer,
                10.0,
                equal=f"profile to {far:.0e} e/A (float32 is stored)",
            )
        )
    section.text = "Stored densities are float32 in HDF5, gzipped, checked by SHA-256; pymatgen reads three texts."
    return section


if __name__ == "__main__":
    script(measure, __doc__, sizes=[1, 2])

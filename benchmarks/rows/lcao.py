"""GPAW's LCAO mode as this program runs it; the row of `benchmarks/lcao_products.py` for the page.

python -m benchmarks.rows.lcao
"""

from __future__ import annotations

import os
from itertools import chain

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gpaw

from benchmarks import lcao_products
from benchmarks.measure import Figure, Row, Section, script


def measure(options):
    section = Section("GPAW's LCAO mode")
    sizes = [1] if options.quick else options.sizes
    sources = [lcao_products.compare(size, kpoints, options.repeats) for size in sizes for kpoints in options.kpoints]
    for row in chain(*sources, lcao_products.compare_on_grid(options.repeats)):
        section.rows.append(
            Row(
                f"{row.system}: {row.step}", Figure(row.ours), Figure(row.theirs), f"GPAW {gpaw.__version__}",
                equal=f"{row.apart:.0e} relative" + (f"; {row.made:.1f} s once per geometry" if row.made else ""),
            )
        )  # fmt: skip
    return section


if __name__ == "__main__":
    script(measure, __doc__, sizes=[1, 2], kpoints=[1, 2])

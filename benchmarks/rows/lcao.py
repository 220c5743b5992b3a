"""GPAW's LCAO mode by matrix products; the row of `benchmarks/lcao_products.py` for the page.

python -m benchmarks.rows.lcao
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gpaw

from benchmarks import lcao_products
from benchmarks.measure import Figure, Row, Section, script


def measure(options):
    section = Section("GPAW's LCAO mode")
    for size in [1] if options.quick else options.sizes:
        for kpoints in options.kpoints:
            for row in lcao_products.compare(size, kpoints, options.repeats):
                section.rows.append(
                    Row(
                        f"{row.system}: {row.step}", Figure(row.ours), Figure(row.theirs), f"GPAW {gpaw.__version__}",
                        equal=f"{row.apart:.0e} relative; {row.made:.1f} s once per geometry",
                    )
                )  # fmt: skip
    return section


if __name__ == "__main__":
    script(measure, __doc__, sizes=[1, 2], kpoints=[1, 2])

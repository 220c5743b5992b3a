"""All terminations of the (001) surface of LLZO: ours, and pymatgen's SlabGenerator.

python -m benchmarks.rows.slabs
"""

from __future__ import annotations

import warnings

import pymatgen.core
from pymatgen.core import Structure
from pymatgen.core.surface import SlabGenerator

from benchmarks.measure import Row, Section, interleaved, script
from iface_wf.builders.solids.slabs import bulk
from iface_wf.builders.solids.terminations import terminations
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal


def ours(crystal: Structure, states: dict) -> list[Structure]:
    return [t.stack(t.layers(8.0)) for t in terminations(crystal, (0, 0, 1), states)]


def pymatgens(crystal: Structure) -> list[Structure]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = SlabGenerator(crystal, (0, 0, 1), 8.0, 12.0, primitive=False, center_slab=True)
        return made.get_slabs(ftol=0.1)


def measure(options):
    library = Library()
    section = Section("Slabs with every termination")
    for name in ["SiO2"] if options.quick else options.fillers:
        record = library.filler(name)
        states = dict(record.oxidation_states)
        crystal = read_crystal(record.crystal_path)
        if not crystal.is_ordered:
            crystal = bulk(record, 0)
        crystal = Structure(crystal.lattice, crystal.species, crystal.frac_coords)
        works = {"ours": lambda c=crystal, s=states: ours(c, s), "pymatgen": lambda c=crystal: pymatgens(c)}
        figures, results = interleaved(works, options.repeats)
        counts = {side: len(made) for side, made in results.items()}
        section.rows.append(
            Row(
                f"{name} (001), {len(crystal)} atoms",
                figures["ours"],
                figures["pymatgen"],
                f"pymatgen {pymatgen.core.__version__}",
                10.0 if name == "LLZO" else None,
                equal=f"{counts['ours']} and {counts['pymatgen']} slabs",
            )
        )
    section.text = (
        "Each side lists the slabs that differ. Ours keeps together what is bonded most strongly (the ZrO6 of LLZO) and tells "
        "terminations of equal composition apart; pymatgen cuts between any two planes 0.1 A apart, and compares the slabs that it made."
    )
    return section


if __name__ == "__main__":
    script(measure, __doc__, fillers=["LiI", "SiO2", "LLZO"])

"""How near molecules are to their own periodic images on the default cells, and what they feel of them.

Builds every filler with every polymer as `iface-wf run` does, and prints for each pair the cell, the distances of the images
over all placements, and the largest interaction of the molecule with its images (GFN1-xTB, the two placements of a pair
whose images are nearest, as built).

Usage: python benchmarks/image_distances.py [--level fast] [--engine gpaw] [--placements 6] [--fillers A B] [--polymers C D]
                                            [--energies 2] [--csv FILE]
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

from iface_wf.builders.interface import build_interface
from iface_wf.engines import registry
from iface_wf.errors import IfaceError
from iface_wf.library.library import Library
from iface_wf.quantities.binding.lateral import lateral_document
from iface_wf.quantities.binding.request import BindingRequest

COLUMNS = ("filler", "polymer", "atoms", "a", "b", "placement", "distance", "lateral")


def rows_of(library: Library, request: BindingRequest, energies: int) -> list[dict[str, Any]]:
    """Build one interface; return a row for each placement, with an energy for so many whose images are nearest."""
    built = build_interface(request, library)
    cell = [length or 0.0 for length in built.report["cell"]]
    common = {"filler": request.filler, "polymer": request.polymer, "atoms": built.report["atoms"]["total"]}
    engine = registry.create("xtb", level="fast")
    rows = []
    distances = built.report["image_distances"]
    nearest = sorted(range(len(distances)), key=lambda index: distances[index])[:energies]
    for index, placement in enumerate(built.placements):
        energy = lateral_document(placement, engine).energy if index in nearest else None
        distance = distances[index]
        rows.append(common | {"a": cell[0], "b": cell[1], "placement": index, "distance": distance, "lateral": energy})
    return rows


def main() -> int:
    """Print the table."""
    library = Library()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fillers", nargs="+", default=library.names("filler"))
    parser.add_argument("--polymers", nargs="+", default=library.names("polymer"))
    parser.add_argument("--engine", default="gpaw")
    parser.add_argument("--level", default="fast")
    parser.add_argument("--placements", type=int, default=6)
    parser.add_argument(
        "--energies", type=int, default=2, help="placements of each pair, those with the nearest images"
    )
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for filler in options.fillers:
        for polymer in options.polymers:
            asked = {"filler": filler, "polymer": polymer, "engine": options.engine, "level": options.level}
            try:
                found = rows_of(library, BindingRequest(**asked, placements=options.placements), options.energies)
            except IfaceError as error:
                print(f"{filler:18} {polymer:12} {error}", flush=True)
                continue
            rows += found
            distances = [row["distance"] for row in found]
            felt = [row["lateral"] for row in found if row["lateral"] is not None]
            largest = f"{max(felt, key=abs):+.3f} eV" if felt else ""
            print(
                f"{filler:18} {polymer:12} {found[0]['atoms']:4d} atoms, {found[0]['a']:5.1f} x {found[0]['b']:5.1f} A, "
                f"images {min(distances):4.1f} to {max(distances):4.1f} A  {largest}",
                flush=True,
            )
    if options.csv:
        with options.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    distances = np.array([row["distance"] for row in rows])
    felt = [row for row in rows if row["lateral"] is not None]
    print(
        f"# {len(rows)} placements: images nearer than 4 A {np.mean(distances < 4):.0%}, than 6 A {np.mean(distances < 6):.0%}, "
        f"than 8 A {np.mean(distances < 7.95):.0%}; median {np.median(distances):.1f} A"
    )
    if felt:
        worst = max(felt, key=lambda row: abs(row["lateral"]))
        crowded = np.mean([abs(row["lateral"]) > 0.05 for row in felt])
        print(
            f"# largest lateral energy {worst['lateral']:+.3f} eV ({worst['filler']}, {worst['polymer']}, images "
            f"{worst['distance']:.1f} A apart); above 0.05 eV in {crowded:.0%}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

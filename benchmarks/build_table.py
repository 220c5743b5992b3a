"""Build every filler with every polymer, alone and with a salt, and print what came out.

Usage: python benchmarks/build_table.py [--salt LiTFSI] [--fillers A B] [--polymers C D] [--csv FILE]
Seconds are for one pair after the filler's bulk has been ordered and cut once (that time is printed apart).
"""

from __future__ import annotations

import argparse
import csv
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from iface_wf.builders.interface import build_interface
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.errors import IfaceError
from iface_wf.library.library import Library

COLUMNS = ("filler", "polymer", "salt", "atoms", "area", "contact", "charge", "polar", "seconds", "problem")


def build(library: Library, filler: str, polymer: str, salt: str | None) -> dict[str, Any]:
    """Build one interface; what goes wrong is told in the row."""
    started = time.perf_counter()
    row: dict[str, Any] = {"filler": filler, "polymer": polymer, "salt": salt or "", "problem": ""}
    try:
        built = build_interface(InterfaceSpec(filler=filler, polymer=polymer, salt=salt, placements=4), library)
    except IfaceError as error:
        return row | {"problem": str(error), "seconds": time.perf_counter() - started}
    report = built.report
    return row | {
        "atoms": report["atoms"]["total"],
        "area": report["area"],
        "contact": min(contact["covalent_ratio"] for contact in report["contacts"]),
        "charge": report["charge"],
        "polar": built.slab.properties.get("polar"),
        "seconds": time.perf_counter() - started,
    }


def text(value: Any) -> str:
    """Format one entry of the table."""
    return f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)


def main() -> int:
    """Print the table; the exit code is the number of failures, at most 1."""
    library = Library()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fillers", nargs="+", default=library.names("filler"))
    parser.add_argument("--polymers", nargs="+", default=library.names("polymer"))
    parser.add_argument("--salt", default="LiTFSI")
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    rows = []
    print("  ".join(f"{name:>9}" for name in COLUMNS))
    for filler in options.fillers:
        first = build(library, filler, options.polymers[0], None)
        print(f"# {filler}: first build {first['seconds']:.1f} s")
        for polymer in options.polymers:
            for salt in (None, options.salt):
                rows.append(build(library, filler, polymer, salt))
                print("  ".join(f"{text(rows[-1].get(name)):>9}" for name in COLUMNS), flush=True)
    if options.csv:
        with options.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    failures = sum(bool(row["problem"]) for row in rows)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = [row["seconds"] for row in rows]
    print(
        f"# {len(rows)} interfaces, {failures} failures; seconds a pair: median {statistics.median(seconds):.2f}, "
        f"largest {max(seconds):.2f}; peak memory {memory:.0f} MB"
    )
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())

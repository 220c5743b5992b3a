"""How long the graph of a large screening takes, and how much memory.

Usage: python benchmarks/screening_graph.py [--fillers 50] [--polymers 200] [--engine xtb]

Builds real slabs and fragments (a made-up library: rock salts of varied lattice constants as ready slabs, PSMILES of two
to eleven carbon and oxygen atoms), all interfaces with their keys, and all jobflow jobs. Prints seconds, jobs and peak
memory for three sizes, so that the growth is seen.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from itertools import product
from pathlib import Path

from pymatgen.core import Lattice, Structure

from iface_wf.library import Library
from iface_wf.screening.graph import build_screening
from iface_wf.screening.spec import ScreeningSpec

RECORD = """
name: {name}
title: Layer of salt
source: made up
crystal: {name}.vasp
ready_slab: true
surfaces: [{{miller: [0, 0, 1], thickness: 1.0, frozen_fraction: 0.4}}]
"""


def write_fillers(folder: Path, count: int) -> list[str]:
    (folder / "fillers").mkdir(parents=True)
    (folder / "crystals").mkdir()
    names = []
    for number in range(count):
        edge = 5.0 + 0.02 * number
        salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        salt.make_supercell([3, 3, 1])
        a, _, c = salt.lattice.abc
        slab = Structure(
            Lattice.orthorhombic(a, a, c + 16), salt.species, salt.cart_coords + [0, 0, 6], coords_are_cartesian=True
        )
        names.append(f"salt-{number}")
        slab.to(str(folder / "crystals" / f"{names[-1]}.vasp"), fmt="poscar")
        (folder / "fillers" / f"{names[-1]}.yaml").write_text(RECORD.format(name=names[-1]), encoding="utf-8")
    return names


def psmiles(count: int) -> list[dict[str, object]]:
    words = ("".join(word) for length in range(2, 12) for word in product("CO", repeat=length) if word[0] == "C")
    chosen = (f"*{word}*" for word in words if "OO" not in word)
    return [{"name": next(chosen), "units": 1} for _ in range(count)]


def measure(folder: Path, n_fillers: int, n_polymers: int, engine: str) -> None:
    fillers = write_fillers(folder, n_fillers)
    spec = ScreeningSpec.model_validate({"fillers": fillers, "polymers": psmiles(n_polymers), "engine": engine})
    start, cpu = time.perf_counter(), time.process_time()
    screening = build_screening(spec, Library(folder))
    built = time.perf_counter()
    flow = screening.flow("screening")
    end = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{n_fillers:>4} x {n_polymers:<4} {len(screening.items):>7} interfaces {len(flow.job_uuids):>7} jobs   structures and keys "
        f"{built - start:6.1f} s   jobs {end - built:6.1f} s   all {end - start:6.1f} s (CPU {time.process_time() - cpu:.1f} s)   "
        f"peak {memory:.2f} GB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fillers", type=int, default=50)
    parser.add_argument("--polymers", type=int, default=200)
    parser.add_argument("--engine", default="xtb")
    options = parser.parse_args()
    for share in (4, 2, 1):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), max(1, options.fillers // share), max(1, options.polymers // share), options.engine)


if __name__ == "__main__":
    main()

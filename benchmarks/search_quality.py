"""How good is the search: the minima that it finds with several seeds, against ranking by five steps at equal cost.

    python benchmarks/search_quality.py --filler SiO2 --polymer PEO --units 2 --engine xtb --seeds 5 --out peo.jsonl

For each seed the search and the old way (placements relaxed by five steps each, as many as cost the same) choose a start,
which is then relaxed to the end. ``--random N`` relaxes N placements to the end besides. Every line of the file is one
result; what is there is not calculated again, and the table at the end is made of the file. Energies are
E(AB) - E(A) - E(B) of the engine, eV.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from contextlib import chdir
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from iface_wf.builders.interface import build_interface
from iface_wf.builders.placing.placements import place
from iface_wf.engines.progress import progress_to
from iface_wf.engines.registry import create
from iface_wf.engines.walks import Walk, Walkers
from iface_wf.flows.placements import RANKING_STEPS
from iface_wf.flows.search.budget import budget_of
from iface_wf.flows.search.jobs import SearchOptions, find_alone, find_on_slab
from iface_wf.library import Library
from iface_wf.quantities.binding.request import BindingRequest

FMAX, MOST = 0.05, 250


class Bench:
    """One interface, its engine, and the file of results."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, Path(options.out).resolve()
        self.engine = create(options.engine, level="fast", processes=options.processes)
        self.steps = budget_of("fast", options.search).steps
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        self.known = {entry["name"]: entry for entry in map(json.loads, lines)}

    def once(self, name: str, work: Any) -> dict[str, Any]:
        """Do something unless the file has its result."""
        if name not in self.known:
            started = time.process_time()
            entry = {"name": name, **work()}
            entry["core_seconds"] = round(time.process_time() - started, 1)
            self.known[name] = json.loads(
                json.dumps(entry, default=lambda value: value.tolist() if hasattr(value, "tolist") else str(value))
            )
            with self.out.open("a") as file:
                file.write(json.dumps(self.known[name]) + "\n")
            shown = {key: value for key, value in self.known[name].items() if key != "structure"}
            print(json.dumps(shown), flush=True)
        return self.known[name]

    def relaxed(self, structure: Structure) -> dict[str, Any]:
        """Relax to the end."""
        walkers, walk = Walkers(self.engine, 1), Walk(structure)
        walkers.take([walk], [MOST], FMAX, lambda index, stand: None)
        assert walk.stand is not None
        return {
            "energy": walk.stand.energy,
            "steps": walk.stand.steps,
            "converged": walk.stand.converged,
            "structure": walk.now.as_dict(),
        }

    def run(self) -> None:
        o = self.options
        request = BindingRequest(filler=o.filler, polymer=o.polymer, units=o.units, salt=o.salt, in_plane=o.in_plane)
        built = build_interface(request, Library())
        a = self.once("A", lambda: self.relaxed(built.slab))
        searched = SearchOptions(self.engine, o.placements, 0, self.steps, 1000)
        b = self.once("B", lambda: self.relaxed(Structure.from_dict(find_alone(built.fragment, searched).structure)))
        slab, fragment = Structure.from_dict(a["structure"]), Structure.from_dict(b["structure"])
        reference = a["energy"] + b["energy"]

        def bound(entry: dict[str, Any]) -> dict[str, Any]:
            return entry | {"binding": round(entry["energy"] - reference, 4)}

        def new(seed: int) -> dict[str, Any]:
            options = SearchOptions(self.engine, o.placements, seed, self.steps, 1000)
            found = find_on_slab(slab, fragment, options, 8.0, 0.85, None)
            ends = [round(each["expected"] - reference, 3) for each in found.ranking if "expected" in each]
            return bound(self.relaxed(Structure.from_dict(found.structure))) | {
                "search": found.search.model_dump(),
                "expected": ends,
            }

        def old(seed: int) -> dict[str, Any]:
            walks = [Walk(each) for each in place(slab, fragment, self.steps // RANKING_STEPS, seed)]
            Walkers(self.engine, 1).take(walks, [RANKING_STEPS] * len(walks), FMAX, lambda index, stand: None)
            best = min((walk for walk in walks if walk.stand.energy is not None), key=lambda walk: walk.stand.energy)
            return bound(self.relaxed(best.now)) | {"placements": len(walks)}

        for seed in range(o.seeds):
            self.once(f"new {seed}", lambda seed=seed: new(seed))
            if not o.no_old:
                self.once(f"old {seed}", lambda seed=seed: old(seed))
        for number, each in enumerate(place(slab, fragment, o.random, 1000) if o.random else []):
            self.once(f"random {number}", lambda each=each: bound(self.relaxed(each)))
        self.table()

    def table(self) -> None:
        """Print the file as a table."""
        rows = [entry for entry in self.known.values() if "binding" in entry]
        best = min(entry["binding"] for entry in rows)
        print(f"\nbest of all {best:.3f} eV, search of {self.steps} steps, {self.engine.engine_name}")
        print("| start | binding (eV) | above the best | steps to the end | core-seconds |\n|---|---|---|---|---|")
        for entry in rows:
            print(
                f"| {entry['name']} | {entry['binding']:.3f} | {entry['binding'] - best:.3f} | {entry['steps']} | {entry['core_seconds']:.0f} |"
            )
        for kind in ("new", "old", "random"):
            own = [entry["binding"] - best for entry in rows if entry["name"].startswith(kind)]
            if own:
                print(
                    f"{kind}: {sum(value < 0.05 for value in own)} of {len(own)} within 0.05 eV, mean {sum(own) / len(own):.3f} eV above"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filler", default="SiO2")
    parser.add_argument("--polymer")
    parser.add_argument("--units", type=int)
    parser.add_argument("--salt")
    parser.add_argument("--in-plane", type=float, nargs=2)
    parser.add_argument("--engine", default="xtb")
    parser.add_argument("--placements", type=int, default=8)
    parser.add_argument("--search", type=int, help="steps of the search; default: those of the level fast")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--no-old", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    options.in_plane = tuple(options.in_plane) if options.in_plane else None
    bench = Bench(options)
    folder = bench.out.parent / f"{bench.out.stem}-work"
    folder.mkdir(parents=True, exist_ok=True)
    with chdir(folder), progress_to(lambda words: None):
        bench.run()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

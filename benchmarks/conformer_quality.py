"""How good are the references of molecules: the search's conformer against the best of an independent search by GFN2-xTB.

    python benchmarks/conformer_quality.py --out conformers.jsonl

The search works as for a binding energy, with GFN1-xTB, and its conformer is then relaxed by GFN2-xTB. The independent search
relaxes every conformer of a large seeded set by GFN2-xTB: distance geometry for molecules, turned dihedrals with the cation
anywhere about its anion for salts, and, as CREST does (10.1039/C9CP06869D), heating by molecular dynamics of the lowest one
found, twice. Every line of the file is one result; what is there is not calculated again.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import chdir
from pathlib import Path

import numpy as np
from ase import units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from pymatgen.core import Structure
from rdkit.Chem import rdDistGeom

from iface_wf.builders.docking.shapes import Shapes
from iface_wf.builders.fragment import build_fragment
from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.engines.cells import moved
from iface_wf.engines.progress import progress_to
from iface_wf.engines.registry import create
from iface_wf.engines.walks import Walk, Walkers
from iface_wf.flows.search.budget import budget_of
from iface_wf.flows.search.jobs import SearchOptions, find_alone
from iface_wf.library import Library

SYSTEMS = {
    "PEO x 3": {"polymer": "PEO", "units": 3},
    "PVDF-HFP": {"polymer": "PVDF-HFP"},
    "P-DOL": {"polymer": "P-DOL"},
    "LiTFSI": {"salt": "LiTFSI"},
}
FMAX, MOST = 0.03, 400
#: Molecular dynamics between quenches: temperature (K), steps of 1 fs between two of them, quenches, rounds.
HEAT, STRETCH, QUENCHES, ROUNDS = 600.0, 500, 10, 2


def relaxed(engine, structure: Structure) -> tuple[float, Structure]:
    """Relax to the end, and return the energy (eV; infinite where it cannot be calculated)."""
    walk = Walk(structure)
    Walkers(engine, 1).take([walk], [MOST], FMAX, lambda index, stand: None)
    return (np.inf if walk.stand.energy is None else walk.stand.energy), walk.now


def independent_starts(fragment: Structure, count: int, seed: int) -> list[Structure]:
    """Draw starts without any of the search's own steps but those of a salt's dihedrals."""
    shapes = Shapes(fragment)
    if not shapes.cations:
        mol = mol_of(fragment)
        params = rdDistGeom.ETKDGv3()
        params.randomSeed, params.useRandomCoords = 7919 + seed, True
        numbers = rdDistGeom.EmbedMultipleConfs(mol, count, params)
        return [moved(fragment, mol.GetConformer(n).GetPositions().tolist()) for n in numbers]
    rng = np.random.default_rng([7919, seed])
    found = []
    for _ in range(count):
        xyz = shapes.recoordinated(shapes.turned(fragment.cart_coords, rng), rng)
        found.append(moved(fragment, xyz.tolist()))
    return found


def heated(engine, structure: Structure, seed: int) -> list[Structure]:
    """Return geometries along a hot trajectory."""
    atoms = engine.atoms(structure)
    atoms.calc = engine.calculator(engine.defaults())
    rng = np.random.default_rng(seed)
    MaxwellBoltzmannDistribution(atoms, temperature_K=HEAT, rng=rng)
    md = Langevin(atoms, 1.0 * units.fs, temperature_K=HEAT, friction=0.02 / units.fs, rng=rng)
    found = []
    for _ in range(QUENCHES):
        md.run(STRETCH)
        found.append(moved(structure, atoms.positions.tolist()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--conformers", type=int, default=100, help="of the independent search")
    parser.add_argument("--search", type=int, help="steps of the search; default: those of the level fast")
    parser.add_argument("--no-heat", action="store_true")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    out = Path(options.out).resolve()
    known = {entry["name"]: entry for entry in map(json.loads, out.read_text().splitlines())} if out.exists() else {}
    folder = out.parent / f"{out.stem}-work"
    folder.mkdir(parents=True, exist_ok=True)
    gfn1 = create("xtb", level="fast", processes=1)
    gfn2 = create("xtb", level="fast", processes=1, overrides={"method": "GFN2-xTB"})

    def once(name, work):
        if name not in known:
            started = time.process_time()
            known[name] = {"name": name, **work(), "core_seconds": round(time.process_time() - started, 1)}
            with out.open("a") as file:
                file.write(
                    json.dumps(
                        known[name], default=lambda value: value.tolist() if hasattr(value, "tolist") else str(value)
                    )
                    + "\n"
                )
            print(name, round(known[name]["energy"], 4), known[name]["core_seconds"], flush=True)
        return known[name]

    def quench(structure):
        energy, final = relaxed(gfn2, structure)
        return {"energy": energy, "structure": final.as_dict()}

    budget = budget_of("fast", options.search)
    with chdir(folder), progress_to(lambda words: None):
        for name in options.systems:
            fragment = build_fragment(InterfaceSpec(filler="SiO2", **SYSTEMS[name]), Library())
            once(f"{name}: as built", lambda fragment=fragment: quench(fragment))
            for seed in range(options.seeds):
                how = SearchOptions(gfn1, 8, seed, budget.steps, budget.patience)
                once(
                    f"{name}: search {seed}",
                    lambda fragment=fragment, how=how: quench(Structure.from_dict(find_alone(fragment, how).structure)),
                )
            for number, start in enumerate(independent_starts(fragment, options.conformers, 0)):
                once(f"{name}: independent {number}", lambda start=start: quench(start))
            for round_ in range(0 if options.no_heat else ROUNDS):
                own = [entry for key, entry in known.items() if key.startswith(f"{name}: independent")]
                best = Structure.from_dict(min(own, key=lambda entry: entry["energy"])["structure"])
                hot = [f"{name}: independent hot {round_}.{i}" for i in range(QUENCHES)]
                if not all(each in known for each in hot):
                    for key, start in zip(hot, heated(gfn2, best, round_), strict=True):
                        once(key, lambda start=start: quench(start))
    print(
        "\n| molecule | as built | search, each seed | core-seconds | best of the independent search (eV) |\n|---|---|---|---|---|"
    )
    for name in options.systems:
        own = [entry["energy"] for key, entry in known.items() if key.startswith(f"{name}: independent")]
        best = min(own)
        searches = [entry for key, entry in known.items() if key.startswith(f"{name}: search")]
        shown = ", ".join(f"{entry['energy'] - best:+.3f}" for entry in searches)
        seconds = np.mean([entry["core_seconds"] for entry in searches])
        print(
            f"| {name} | {known[f'{name}: as built']['energy'] - best:+.3f} | {shown} | {seconds:.0f} | {best:.3f} of {len(own)} |"
        )


if __name__ == "__main__":
    main()

"""A library of tiny things that xTB calculates in a tenth of a second: layers of small molecules, and small molecules."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

LAYERS = {
    "water-layer": (["O", "H", "H"], [[0, 0, 0], [0.76, 0.0, 0.59], [-0.76, 0.0, 0.59]]),
    "HF-layer": (["F", "H"], [[0, 0, 0], [0.3, 0.2, 0.85]]),
    "HCN-layer": (["N", "C", "H"], [[0, 0, 0], [0.0, 0.0, 1.16], [0.0, 0.0, 2.23]]),
}
MOLECULES = {"methane": "*C*", "water": "*O*", "ammonia": "*N*", "methanol": "*CO*", "ethane": "*CC*"}
_FILLER = """
name: {name}
title: Layer of small molecules
source: made up
crystal: {name}.vasp
ready_slab: true
surfaces: [{{miller: [0, 0, 1], thickness: 1.0, frozen_fraction: 0.2}}]
"""
_POLYMER = 'name: {name}\ntitle: Small molecule\nsource: made up\npsmiles: "{psmiles}"\ndefault_units: 1\n'


def write_library(folder: Path) -> Path:
    """Write the files of the library and return their folder."""
    for kind in ("fillers", "polymers", "crystals"):
        (folder / kind).mkdir(parents=True)
    # unlike cells: the same molecule, frozen in the same cell on two layers, would be one calculation, not two
    for length, (name, (species, positions)) in zip((5.6, 5.5, 5.7), LAYERS.items(), strict=True):
        places = [np.array([x, y, 6.0]) for x, y in ((1.4, 1.3), (4.2, 3.9))]
        cart = np.vstack([np.array(positions) + place for place in places])
        layer = Structure(Lattice.orthorhombic(length, 5.2, 16.0), species * 2, cart, coords_are_cartesian=True)
        layer.to(str(folder / "crystals" / f"{name}.vasp"), fmt="poscar")
        (folder / "fillers" / f"{name}.yaml").write_text(_FILLER.format(name=name), encoding="utf-8")
    for name, psmiles in MOLECULES.items():
        text = _POLYMER.format(name=name, psmiles=psmiles)
        (folder / "polymers" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def write_crystal(folder: Path) -> None:
    """Add a crystal to the library, whose slabs are as large as what lies on them needs."""
    write_rock_salt(folder, "LiF", 4.03, "F")


def write_rock_salt(folder: Path, name: str, length: float, anion: str) -> None:
    """Add a salt of lithium with the lattice constant `length`, A."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(length), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])
    crystal.to(str(folder / "crystals" / f"{name}.vasp"), fmt="poscar")
    text = _FILLER.format(name=name).replace("ready_slab: true", f"oxidation_states: {{Li: 1, {anion}: -1}}")
    (folder / "fillers" / f"{name}.yaml").write_text(text, encoding="utf-8")


def spec_text(fillers=tuple(LAYERS), polymers=tuple(MOLECULES), **more):
    """Write a spec for xTB; JSON is YAML."""
    content = {"fillers": list(fillers), "polymers": list(polymers), "engine": "xtb", "placements": 1, "vacuum": 6.0}
    content["overrides"] = {"fmax": 0.1}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in (content | more).items())


def read_log(path: Path):
    """Return the lines of a calculation log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def counted(lines, event="end"):
    """Count what the calculations wrote: (kind, A or B or AB, again from AB, or frozen) of every one."""
    names = {"A": "A", "B": "B", "AB": "AB", "A from AB": "again", "B from AB": "again"}
    return Counter((line["kind"], names.get(line["role"], "frozen")) for line in lines if line["event"] == event)

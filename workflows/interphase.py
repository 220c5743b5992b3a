"""Build the interphase LiI | Li by lattice matching and a GdOOH cluster chain, and say what came out.

Run: python workflows/interphase.py [FOLDER]
"""

import sys
from pathlib import Path

from iface_wf.builders.solids.stacks import Layer, build_stack
from iface_wf.builders.solids.wires import build_wire
from iface_wf.library import Library


def main(folder: Path) -> None:
    """Write both structures into a folder."""
    library = Library()
    stack = build_stack([Layer(library.filler("LiI")), Layer(library.filler("Li"))], max_strain=0.05)
    wire = build_wire(library.filler("GdOOH"))
    for name, structure in (("LiI_Li", stack), ("GdOOH_wire", wire)):
        structure.to(str(folder / f"{name}.vasp"), fmt="poscar")
        print(f"{name}: {structure.composition.formula}, {len(structure)} atoms")
    for layer in stack.properties["layers"]:
        print(f"{layer['filler']} {layer['miller']}: strains {', '.join(f'{s:+.1%}' for s in layer['strains'])}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())

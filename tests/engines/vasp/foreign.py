"""Small VASP folders as other people have them: any order of the POSCAR, an element in several blocks, unlike POTCARs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from iface_wf.flows.run import run_flow
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.folders import collect_foreign
from iface_wf.store.settings import open_store

HERE = Path(__file__).parent.parent
VALENCE = {"H": 1, "Li": 3, "Li_lo": 1, "C": 4, "N": 5, "O": 6, "F": 7, "Si": 4}
POTCAR = """  PAW_PBE {name} 01Jan2000
   VRHFIN ={element}: invented
   TITEL  = PAW_PBE {name} 01Jan2000
   POMASS =    1.000; ZVAL   =    {valence:.3f}    mass and valenz
   ENMAX  =  100.000; ENMIN  =   80.000 eV
 End of Dataset
"""
TAGS = {
    "ENCUT": "110.0", "EDIFF": "1e-6", "PREC": "Accurate", "ISMEAR": "0", "SIGMA": "0.05", "LREAL": "F", "LASPH": "T",
    "NSW": "0", "ISPIN": "1", "GGA": "PE", "LWAVE": "F",
}  # fmt: skip

CELL, BOX = (4.8, 4.8, 19.2), (9.6, 9.6, 9.6)
SLAB = [("Li", [(0, 0, 6.0), (2, 2, 8.0)]), ("F", [(2, 2, 6.0), (0, 0, 8.0)])]
HF = [("H", [(2.4, 2.4, 11.15)]), ("F", [(2.4, 2.4, 10.2)])]
METHANOL = [
    ("C", [(2.4, 2.4, 11.0)]),
    ("H", [(2.4, 3.4, 11.4), (1.53, 1.9, 11.4), (3.27, 1.9, 11.4), (2.4, 2.4, 13.4)]),
    ("O", [(2.4, 2.4, 12.43)]),
]
#: Binding energies that the stand-in gives, eV.
HF_ENERGY, METHANOL_ENERGY = -0.33200375, -0.05185834


def shifted(blocks, by):
    """Move all atoms."""
    return [(name, [tuple(np.add(position, by)) for position in positions]) for name, positions in blocks]


def ordered(blocks, *names):
    """Put blocks of the same name together, in an order."""
    return [(n, [p for name, positions in blocks if name == n for p in positions]) for n in names]


def stand_in(folder):
    """Copy the stand-in for VASP, which refuses an element in two blocks; VASP does not."""
    text = (HERE / "vasp_std").read_text()
    twice = 'check(len(set(self.species)) == len(self.species), "an element twice in POSCAR")'
    assert twice in text
    (folder / "vasp_std").write_text(text.replace(twice, "pass"))
    shutil.copy(HERE / "vasp_std_logs.py", folder)
    return folder / "vasp_std"


def calculate(program, folder, cell, blocks, tags=None, kpoints=(1, 1, 1), version="6.4.2", densities=False):
    """Let the stand-in calculate; blocks: name (an element, or a POTCAR of it) and Cartesian positions, A."""
    folder.mkdir(parents=True)
    cell = np.diag(cell) if np.ndim(cell) == 1 else np.array(cell, dtype=float)
    elements = [name.partition("_")[0] for name, _ in blocks]
    fractions = np.array([p for _, positions in blocks for p in positions], dtype=float) @ np.linalg.inv(cell)

    def rows(array):
        return "\n".join(" ".join(f"{x:.10f}" for x in row) for row in array)

    counts = " ".join(str(len(positions)) for _, positions in blocks)
    poscar = f"test\n1.0\n{rows(cell)}\n{' '.join(elements)}\n{counts}\nDirect\n{rows(fractions)}\n"
    (folder / "POSCAR").write_text(poscar)
    potcar = [POTCAR.format(name=n, element=e, valence=VALENCE[n]) for (n, _), e in zip(blocks, elements, strict=True)]
    (folder / "POTCAR").write_text("".join(potcar))
    (folder / "KPOINTS").write_text("k\n0\nGamma\n" + " ".join(map(str, kpoints)) + "\n0 0 0\n")
    incar = TAGS | ({"LCHARG": "T", "LAECHG": "T"} if densities else {})
    for axis, edge in zip("XYZ", np.linalg.norm(cell, axis=1), strict=True):
        points = 2 * int(np.ceil(edge / 0.32))
        incar |= {f"NG{axis}": str(points // 2), f"NG{axis}F": str(points)}
    incar |= tags or {}
    (folder / "INCAR").write_text("\n".join(f"{name} = {value}" for name, value in incar.items()) + "\n")
    environment = os.environ | {"STANDIN": f"version={version}"}
    done = subprocess.run(
        [sys.executable, str(program)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("POTCAR", "CONTCAR", "OSZICAR"):
        (folder / name).unlink(missing_ok=True)
    return folder


def edited(source, target, name, old, new, count=1):
    """Copy a folder, with a replacement in one of its files."""
    shutil.copytree(source, target)
    text = (target / name).read_bytes().decode("latin-1")
    assert re.search(old, text), (name, old)
    (target / name).write_bytes(re.sub(old, new, text, count=count).encode("latin-1"))
    return target


def with_tag(source, target, line):
    """Copy a folder, with a line more in the INCAR of vasprun.xml."""
    return edited(source, target, "vasprun.xml", " </incar>\n", f"{line}\n </incar>\n")


def collect(folder, **folders):
    """Return the document of folders by role, with the names of Python."""
    roles = {{"a": "A", "b": "B", "ab": "AB", "a_frozen": "A*", "b_frozen": "B*"}[k]: v for k, v in folders.items()}
    store = open_store(str(folder / "store"))
    flow = collect_foreign(roles, {"filler": "LiF", "polymer": "HF"})
    run_flow(flow, store, folder)
    return BindingDocument.model_validate(store.get_output(flow.output.uuid, load=True))

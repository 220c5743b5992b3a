"""CPU seconds of a relaxation step (energy and forces) of slabs by the cheap engines, on one core, and their ratio.

Usage: OMP_NUM_THREADS=1 python benchmarks/cheap_engines.py [FILLER ...]
"""

import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

from ase.calculators.calculator import CalculationFailed

from iface_wf.builders.solids.slabs import build_slab
from iface_wf.engines.mlip import engine as mlip
from iface_wf.engines.mlip.models import model_name, model_settings, quiet
from iface_wf.engines.xtb import engine as xtb
from iface_wf.engines.xtb.profile import PROFILE
from iface_wf.library import Library


def seconds(atoms):
    """Return the CPU seconds of two steps; the first one pays for loading a model and for guessing charges."""
    spent = []
    for shift in (0.0, 0.01):
        atoms.positions[0] += shift
        start = time.process_time()
        atoms.get_potential_energy()
        atoms.get_forces()
        spent.append(time.process_time() - start)
    return spent


def tight_binding(atoms):
    """Return the same for GFN1-xTB, the attempts that did not converge included in the first step; None where none did."""
    wasted = 0.0
    for attempt, remedy in enumerate(({}, *xtb.REMEDIES)):
        atoms.calc = xtb.calculator(PROFILE.settings("fast", {}) | remedy)
        start = time.process_time()
        try:
            first, second = seconds(atoms)
        except CalculationFailed:
            wasted += time.process_time() - start
            print(f"  GFN1-xTB attempt {attempt + 1} did not converge, {wasted:.0f} s so far", flush=True)
        else:
            return wasted + first, second
    return None


def main(names):
    settings = model_settings("fast", {})
    for name in names:
        slab = build_slab(Library().filler(name))
        atoms = mlip.in_open_cell(slab)
        atoms.calc = mlip.calculator(settings)
        with quiet():
            ml = seconds(atoms)
        print(
            f"{name}: {len(slab)} atoms; {model_name(settings)}: first step {ml[0]:.2f} s, next {ml[1]:.2f} s",
            flush=True,
        )
        tb = tight_binding(xtb.XtbEngine().atoms(slab))
        if tb is not None:
            ratios = f"ratios {tb[0] / ml[0]:.0f} and {tb[1] / ml[1]:.0f}"
            print(f"{name}: GFN1-xTB: first step {tb[0]:.1f} s, next {tb[1]:.1f} s, {ratios}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["SiO2", "LLZTO"])

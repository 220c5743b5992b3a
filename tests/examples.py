"""A made-up but complete result: hydrogen fluoride above a layer of lithium fluoride."""

import numpy as np
from pymatgen.core import Lattice, Structure

from iface_wf.analysis.density import pack
from iface_wf.documents.bader import BaderDocument
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.charges import ChargeSums
from iface_wf.documents.result import EnergyTerm
from iface_wf.quantities.binding.document import BindingDocument, DensityDifferenceDocument

CELL = np.diag([4.0, 6.0, 16.0])
SHAPE = (20, 30, 80)
PBC = (True, True, False)


def structure():
    """LiF layer (4 atoms) and HF across the cell's edge in y."""
    lattice = Lattice(CELL, pbc=PBC)
    positions = [[0, 0, 6], [2, 3, 6], [2, 0, 6], [0, 3, 6], [1.0, 5.8, 8.5], [1.0, 0.72, 8.5]]
    labels = ["slab"] * 4 + ["polymer"] * 2
    return Structure(
        lattice,
        ["Li", "Li", "F", "F", "F", "H"],
        positions,
        coords_are_cartesian=True,
        site_properties={"component": labels},
    )


def difference():
    """Electrons moved from a sphere at z = 8.5 A to one at 7 A, e/A^3; its integral is zero."""
    grids = np.meshgrid(*[np.arange(n) / n for n in SHAPE], indexing="ij")
    frac = np.stack(grids, axis=-1)
    rho = np.zeros(SHAPE)
    for centre, amount in (([1.0, 0.0, 7.0], 0.02), ([1.0, 0.0, 8.5], -0.02)):
        delta = frac - np.array(centre) / CELL.diagonal()
        delta[..., :2] -= np.rint(delta[..., :2])
        rho += amount * np.exp(-((delta * CELL.diagonal()) ** 2).sum(-1) / 0.6)
    return rho - rho.mean()


def document(key="a" * 64, **changes):
    """Return a converged result; its numbers are consistent with the definitions."""
    rho = difference()
    step = CELL[2, 2] / SHAPE[2]
    profile = rho.sum(axis=(0, 1)) * np.prod(CELL.diagonal()) / rho.size / step
    density = DensityDifferenceDocument(
        density=pack(rho, CELL, PBC, "difference"),
        basis_superposition="ghosts",
        integral=0.0,
        displaced_charge=0.04,
        z=(np.arange(SHAPE[2]) * step).tolist(),
        delta_rho_z=profile.tolist(),
        delta_q_z=(np.cumsum(profile) * step).tolist(),
    )
    values = {
        "key": key,
        "filler": "LiF",
        "surface": "(0 0 1)",
        "polymer": "HF",
        "units": 1,
        "formula": "Li2HF3",
        "n_atoms": 6,
        "area": 24.0,
        "engine": "gpaw",
        "engine_version": "26.7.0",
        "level": "fast",
        "functional": "PBE",
        "dispersion": "D3(BJ)",
        "basis": "LCAO dzp",
        "kpoints": (3, 2, 1),
        "grid": SHAPE,
        "energy_type": "extrapolated to zero smearing",
        "geometry_engine": "xtb GFN1-xTB (fast)",
        "binding_energy": -0.4,
        "binding_energy_raw": -0.5,
        "binding_energy_per_area": -0.4 / 24.0,
        "interaction_energy": -0.5,
        "interaction_energy_raw": -0.6,
        "deformation_energy": {"A": 0.03, "B": 0.07},
        "bsse_energy": 0.1,
        "dispersion_energy": -0.2,
        "terms": [
            EnergyTerm(role=role, energy=energy, dispersion_energy=-0.1, key="b" * 64, converged=True)
            for role, energy in (("AB", -30.5), ("A", -20.0), ("B", -10.0), ("A*", -19.97), ("B*", -9.93))
        ],
        "charge_transfer": {"slab": -0.03, "polymer": 0.03},
        "charge_scheme": "bader",
        "charges": {"bader": ChargeSums(component_charges={"AB": {"slab": -0.03, "polymer": 0.03}})},
        "density_difference": density,
        "structure": structure().as_dict(),
        "converged": True,
        "provenance": {"versions": {"gpaw": "26.7.0"}},
    }
    return BindingDocument(**values | changes)


def put(store, result, uuid="11111111-1111-1111-1111-111111111111", completed_at="2026-01-01T00:00:00"):
    """Store a result as jobflow stores the output of a job, its density in the additional store."""
    entry = {
        "uuid": uuid,
        "index": 1,
        "output": {**result.model_dump(mode="json"), "@module": "m", "@class": "BindingDocument", "@version": None},
        "completed_at": completed_at,
        "metadata": {},
        "hosts": [],
        "name": "collect",
    }
    store.update(entry, key=["uuid", "index"], save={"data": ["blob"]})


#: Charges of the atoms of `structure` by Bader, e: in the interface, and before.
CHARGES_AFTER = [0.9, 0.88, -0.92, -0.89, -0.64, 0.67]
CHARGES_BEFORE = [0.9, 0.89, -0.9, -0.89, -0.68, 0.68]


def calculation(role, charges, chosen=slice(None), **changes):
    """Return a static calculation of some atoms of `structure` with their charges; its numbers are made up."""
    atoms = Structure.from_sites(structure()[chosen])
    elements, n = [site.specie.symbol for site in atoms], len(atoms)
    bader = BaderDocument(
        engine="iface_wf", engine_version="0", species=elements, components=atoms.site_properties["component"],
        net_charges=charges[chosen], component_charges=None, method="weight", density_kind="pseudo",
        partition_kind="pseudo", shape=SHAPE, spacing=(0.2, 0.2, 0.2), vacuum_cut=1e-3, reference_charges=[0.0] * n,
        electrons=[0.0] * n, vacuum_electrons=[0.0] * n, net_charges_above_cut=charges[chosen], volumes=[1.0] * n,
        total_electrons=0.0, vacuum_charge=0.0, vacuum_volume=0.0, negative_charge=0.0, min_density=0.0, max_density=1.0,
        n_maxima=n, max_distance=0.0, flags=[],
    )  # fmt: skip
    values = {
        "key": "b" * 64,
        "kind": "static",
        "role": role,
        "engine": "gpaw",
        "engine_version": "26.7.0",
        "level": "fast",
        "functional": "PBE",
        "structure": atoms.as_dict(),
        "formula": atoms.composition.reduced_formula,
        "n_atoms": n,
        "energy": -1.0,
        "converged": True,
        "settings": {"mode": "lcao"},
        "charges": {"bader": bader},
        "potential_z": np.linspace(-5.0, 0.0, 40).tolist(),
    }
    return CalculationDocument(**values | changes)


def put_with_calculations(store, key, uuid, **changes):
    """Store a result together with the calculations of AB, A* and B*, which hold the charges of its atoms."""
    parts = {
        "AB": (CHARGES_AFTER, slice(None)),
        "A*": (CHARGES_BEFORE, slice(4)),
        "B*": (CHARGES_BEFORE, slice(4, None)),
    }
    uuids = {role: f"{uuid[:-1]}{letter}" for letter, role in zip("abc", parts, strict=True)}
    for role, (charges, chosen) in parts.items():
        put(store, calculation(role, charges, chosen), uuid=uuids[role])
    terms = [term.model_copy(update={"uuid": uuids.get(term.role, "")}) for term in document().terms]
    put(store, document(key, terms=terms, **changes), uuid=uuid)

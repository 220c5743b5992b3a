"""Every choice made in VASP's inputs, with its reason and source, in one table; and the POTCARs.

The table is the documentation (docs/vasp.md shows it, a test compares) of what `iface_wf.engines.vasp.inputs` writes.
"""

from __future__ import annotations

from dataclasses import dataclass

WIKI = "VASP wiki, "
POTCAR_RELEASE = "PBE_64"


GRID_TAGS = ("NGX", "NGY", "NGZ", "NGXF", "NGYF", "NGZF")
#: Tags that decide the energy whatever the cell: AB, A, B, A* and B* must end with the same.
METHOD_TAGS = (
    "ENCUT", "PREC", "LREAL", "GGA", "METAGGA", "LASPH", "IVDW", "LUSE_VDW", "BPARAM", "ADDGRID", "LHFCALC", "AEXX",
    "HFSCREEN",
)  # fmt: skip
SMEARING_TAGS = ("ISMEAR", "SIGMA")
#: Tags that AB, A* and B*, which share a cell, must have in common too.
CELL_TAGS = (*SMEARING_TAGS, *GRID_TAGS, "LDIPOL", "IDIPOL", "DIPOL")


@dataclass(frozen=True)
class Choice:
    """One choice: the tags it concerns, what they are, why, and where that comes from."""

    tags: str
    value: str
    reason: str
    source: str


CHOICES: tuple[Choice, ...] = (
    Choice(
        "GGA, IVDW",
        "PE and 12: PBE with D4, see below, or D3(BJ) on request; PS and 12 for PBEsol",
        "without dispersion a polymer hardly binds; D3(BJ), which most papers use, overbinds on ionic oxides",
        "10.1103/PhysRevLett.77.3865, 10.1063/1.5090222, 10.1002/jcc.21759, 10.1103/PhysRevLett.100.136406",
    ),
    Choice(
        "IVDW with dispersion D4",
        "12; the D3(BJ) energy is replaced by that of dftd4 when the run is read. IVDW=13 as override: VASP's own",
        "only VASP from 6.2 on that was built with DFTD4 knows 13; the electronic energy is the same, and relaxations "
        "follow the forces of D3(BJ)",
        "10.1063/1.5090222; " + WIKI + "IVDW",
    ),
    Choice(
        "METAGGA, LUSE_VDW, BPARAM",
        "R2SCAN, T, 11.95 on request; then neither GGA nor IVDW",
        "an independent functional with its own non-local dispersion; a GGA tag beside METAGGA would win",
        "10.1103/PhysRevB.106.075422",
    ),
    Choice(
        "ENCUT",
        "fast 500, moderate 520, precise 600 eV",
        "never below the largest ENMAX, that of Li_sv (499 eV); 520 is 1.3 times that of C, N, O and F; "
        "one value for every system, so that parts can be subtracted",
        WIKI + "ENCUT",
    ),
    Choice(
        "PREC",
        "Accurate",
        "no wrap-around errors, which do not cancel between AB, A* and B*, and a fine grid of twice the coarse one",
        WIKI + "PREC",
    ),
    Choice(
        "NGX, NGY, NGZ, NGXF, NGYF, NGZF",
        "statics: written out from ENCUT and cell; A* and B* get those AB finally used; NGXF... raised until points "
        "are 0.08 (fast), 0.067 (moderate), 0.05 A (precise) apart",
        "densities of AB, A* and B* must share one grid, whatever VASP's version; Bader charges need points 0.08 A "
        "apart or less, with hydrogen 0.05 A",
        "measured, see docs on Bader charges",
    ),
    Choice(
        "EDIFF",
        "fast 1e-5, moderate 1e-6, precise 1e-7 eV",
        "per cell, not per atom: totals of unlike sizes are subtracted",
        WIKI + "EDIFF",
    ),
    Choice(
        "EDIFFG, IBRION, ISIF, NSW",
        "forces below 0.1, 0.05, 0.02 eV/A; 2; 2; 100, 200, 400",
        "the same forces as with every other engine; conjugate gradients stand bad starts; cells come from the "
        "library and stay, so that all engines and parts have the same",
        WIKI + "EDIFFG, IBRION, ISIF",
    ),
    Choice(
        "LASPH",
        "T",
        "gradients inside the PAW spheres count for O and F, for f electrons and for meta-GGA",
        WIKI + "LASPH",
    ),
    Choice(
        "LREAL",
        "precise: F. fast, moderate: Auto, but F for bulk cells up to 30 atoms",
        "projection in real space is several times faster in large cells; all parts of an interface share one "
        "choice whatever their own size, because its error of about 1 meV per atom cancels only then",
        WIKI + "LREAL",
    ),
    Choice(
        "ALGO, NELM, NELMIN",
        "Fast (precise: Normal; r2SCAN: All); 150; 5 when relaxing",
        "how it is reached, not what; NELMIN for good forces",
        WIKI + "ALGO",
    ),
    Choice(
        "ISMEAR, SIGMA",
        "0, 0.05 eV",
        "safe for molecules, insulators and metals alike, and equal for all parts; energies are extrapolated to "
        "zero smearing",
        WIKI + "ISMEAR",
    ),
    Choice(
        "KPOINTS",
        "centred at Gamma; edge times points at least 9, 20, 30 A, for metals 30, 45, 60 A; 1 along every direction with vacuum",
        "by length, so that vacuum does not count; metals (the library's `gap: 0`, or metallic elements alone) need more: "
        "Li (001) to 5 meV per atom; the same intent as with every other engine",
        "10.1103/PhysRevB.13.5188",
    ),
    Choice(
        "ISYM",
        "0 where there is vacuum; default in bulk",
        "adsorbates have no symmetry to gain, but may be held in a symmetric place; and no grid or mesh is refused",
        WIKI + "ISYM",
    ),
    Choice(
        "ISPIN, MAGMOM",
        "2 with moments given, an odd number of electrons or Gd with 4f in valence; else 1",
        "closed shells need no spin; radicals do",
        WIKI + "ISPIN",
    ),
    Choice(
        "LAECHG, LCHARG, LVHAR, LORBIT",
        "statics: T where densities are wanted; LVHAR for slabs; 11",
        "Bader basins need the core (AECCAR0 + AECCAR2); the work function needs the potential without "
        "exchange-correlation",
        WIKI + "LAECHG, LVHAR",
    ),
    Choice(
        "ADDGRID",
        "never",
        "it damages AECCAR files",
        "custodian, pull request 226",
    ),
    Choice(
        "LDIPOL, IDIPOL, DIPOL",
        "slabs whose c is perpendicular to a and b: T, 3, middle of the atoms of AB; else none, with a mark",
        "a slab with an adsorbate has two different sides; the correction holds only along a perpendicular edge; "
        "A* and B* have it where AB has it",
        "10.1103/PhysRevB.46.16067; " + WIKI + "LDIPOL",
    ),
    Choice(
        "NELECT, IDIPOL, DIPOL",
        "charged molecules: electrons of the POTCARs minus the charge; a cubic box; 4; the middle of the atoms",
        "periodic images of a charge: VASP then corrects monopole, dipole and quadrupole in the energy, which it "
        "does in cubic cells only; LMONO would leave out the dipole. A charged slab, wire or crystal has no defined "
        "energy in VASP and is refused",
        "10.1103/PhysRevB.51.4014; " + WIKI + "LMONO, IDIPOL",
    ),
    Choice(
        "selective dynamics",
        "as the structure says",
        "the frozen layers of a slab are the same in AB and A",
        WIKI + "POSCAR",
    ),
    Choice(
        "POTCAR",
        "release potpaw.64; Li_sv, Ti_sv, Zr_sv, Ta_pv, Ge_d, Gd_3, others without suffix",
        "the recommended ones: Li+ needs its 1s electrons, early d metals their semicore",
        WIKI + "Available pseudopotentials",
    ),
    Choice(
        "Gd",
        "4f in the core (Gd_3), without spin; on request (gadolinium: valence) POTCAR Gd, U = 6.7, J = 0.7 eV on 4f "
        "and 7 Bohr magnetons on every Gd, parallel",
        "trivalent Gd keeps 4f7 in these compounds and it does not bind; with 4f in the valence PBE needs U, and a "
        "stated order of the moments",
        "10.1016/0022-3697(95)00122-0",
    ),
    Choice(
        "La",
        "U = 11, J = 0.68 eV on 4f, always",
        "PBE puts the empty 4f states too low, where reduced cells (Li metal) could fill them; closed cells do not "
        "care, so that all cells with La can be compared",
        "10.1103/PhysRevB.49.14211",
    ),
    Choice(
        "LDAU, LDAUTYPE, LMAXMIX",
        "with U: T, 2; 6 with f, 4 with d electrons",
        "rotationally invariant U - J; densities are stored with their angular parts",
        "10.1103/PhysRevB.57.1505",
    ),
    Choice(
        "LWAVE",
        "T; deleted after a good end",
        "a run stopped before its wall time continues from its wave functions",
        WIKI + "WAVECAR",
    ),
)

#: Element: POTCAR and its number of valence electrons (an integer printed in each POTCAR as ZVAL).
POTCARS: dict[str, tuple[str, int]] = {
    "H": ("H", 1),
    "Li": ("Li_sv", 3),
    "B": ("B", 3),
    "C": ("C", 4),
    "N": ("N", 5),
    "O": ("O", 6),
    "F": ("F", 7),
    "Na": ("Na_pv", 7),
    "Al": ("Al", 3),
    "Si": ("Si", 4),
    "P": ("P", 5),
    "S": ("S", 6),
    "Cl": ("Cl", 7),
    "K": ("K_sv", 9),
    "Ti": ("Ti_sv", 12),
    "Ge": ("Ge_d", 14),
    "Br": ("Br", 7),
    "Zr": ("Zr_sv", 12),
    "Nb": ("Nb_sv", 13),
    "I": ("I", 7),
    "La": ("La", 11),
    "Gd": ("Gd_3", 9),
    "Ta": ("Ta_pv", 11),
}
GD_VALENCE = ("Gd", 18)
#: Element: angular momentum, U and J in eV, see `CHOICES`.
HUBBARD_LA = (3, 11.0, 0.68)
HUBBARD_GD = (3, 6.7, 0.7)
GD_MOMENT = 7.0

#: Tags of every calculation.
FIXED_TAGS: dict[str, object] = {"PREC": "Accurate", "LASPH": True, "ISMEAR": 0, "SIGMA": 0.05}
#: Functionals: INCAR tags, and the dispersion that belongs to each.
FUNCTIONALS: dict[str, dict[str, object]] = {
    "PBE": {"GGA": "PE"},
    "PBEsol": {"GGA": "PS"},
    "r2SCAN": {"METAGGA": "R2SCAN"},
}
DISPERSIONS: dict[tuple[str, str], dict[str, object]] = {
    ("PBE", "D3(BJ)"): {"IVDW": 12},
    ("PBEsol", "D3(BJ)"): {"IVDW": 12},
    ("PBE", "D4"): {"IVDW": 12},
    ("PBEsol", "D4"): {"IVDW": 12},
    ("r2SCAN", "rVV10"): {"LUSE_VDW": True, "BPARAM": 11.95},
}
DEFAULT_DISPERSION = {"PBE": "D4", "PBEsol": "D4", "r2SCAN": "rVV10"}

#: Up to this number of atoms a bulk cell is calculated with projection in reciprocal space.
SMALL_BULK = 30


def choices_table() -> str:
    """Return the table of choices in Markdown, for the documentation."""
    rows = ["| tags | value | reason | source |", "|---|---|---|---|"]
    rows += [f"| {c.tags} | {c.value} | {c.reason} | {c.source} |" for c in CHOICES]
    return "\n".join(rows)

"""What a run finally used, from all that its files say: the settings of its document, by which runs are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monty.io import zopen
from pymatgen.io.vasp import Vasprun

from iface_wf.engines.vasp.choices import CELL_TAGS, GRID_TAGS, METHOD_TAGS
from iface_wf.engines.vasp.grids import find_file
from iface_wf.engines.vasp.incar import canonical, differing, parse_incar, without_comment
from iface_wf.engines.vasp.inputs import plain
from iface_wf.engines.vasp.methods import UNNAMED, dispersion, functional
from iface_wf.engines.vasp.outcar import Outcar
from iface_wf.engines.vasp.vasprun import AtomType
from iface_wf.errors import CalculationError

#: Tags that belong to atom types, see `atom_types`.
TYPE_TAGS = ("LDAUL", "LDAUU", "LDAUJ", "LDAUTYPE", "VDW_C6", "VDW_C6AU", "VDW_R0", "VDW_R0AU", "VDW_ALPHA", "VCA")
_HARMLESS = {
    "how self-consistency is reached, and how well": """
        ALGO IALGO LDIAG LSUBROT NELM NELMIN NELMDL NELMGW NELMHF ISTART ICHARG INIWAV IWAVPR TIME WEIMIN
        EBREAK DEPER NRMM AMIX BMIX AMIN AMIX_MAG BMIX_MAG IMIX MIXFIRST MAXMIX WC INIMIX MIXPRE MREMOVE
        LMAXMIX LMIXTAU TURBO IRESTART NREBOOT NMIN EREF MAGMOM RANDOM_SEED LFOCKACE LBONE EDIFF ENINI
        NBANDS NBANDSLOW NBANDSHIGH ISEARCH LSINGLES
    """,
    "derived from the cell, its atoms or its POTCARs, which are compared by themselves": """
        NELECT NGYROMAG ENAUG POMASS RWIGS DARWINR DARWINV ROPT KSPACING KGAMMA KBLOWUP NGX NGY NGZ NGXF
        NGYF NGZF ENMAX ENCUT LDAU LDAUPRINT KPOINT KPOINT_BSE SYSTEM
    """,
    "ions": """
        NSW IBRION ISIF POTIM NFREE SMASS EDIFFG IOPT MAXMOVE ILBFGSMEM INVCURV LGLOBAL LAUTOSCALE FDSTEP
        FTIMEMAX FTIMEDEC FTIMEINC FALPHA FNMIN MDALGO TEIN TEBEG TEEND NBLOCK KBLOCK NPACO APACO ISYM
        SYMPREC LCORR PHON_NSTRUCT LATTICE_CONSTRAINTS LANGEVIN_GAMMA LANGEVIN_GAMMA_L ANDERSEN_PROB
    """,
    "what is written, and properties of the finished density": """
        LWAVE LDOWNSAMPLE LCHARG LAECHG LPARD LVTOT LVHAR LELF LORBIT LOPTICS STM NWRITE NEDOS EMIN EMAX
        EFERMI LCHGCAR LH5 LCHARGH5 LWAVEH5 IDIOT LMUSIC LEPSILON LCALCEPS LRPA LNABLA LVEL CSHIFT OMEGAMAX
        DEG_THRESHOLD RTIME WPLASMAI DFIELD WPLASMA NUCIND MAGPOS LNICSALL ORBITALMAG LMAGBLOCH LCHIMAG
        LGAUGE MAGATOM MAGDIPOL AVECCONST ICORELEVEL LBERRY IGPAR NPPSTR LCALCPOL LPEAD LKPOINTS_OPT
        KPOINTS_OPT_MODE KPOINTS_OPT LVDW_ONECELL LASYM DQ LLRAUG LBANDOS LPROJ QUAD_EFG LEFG LHYPERFINE
        PLEVEL LVGVCALC LVGVAPPL LWRT_AECORE LCORE_LEVEL LPLOTDIS
    """,
    "linear response and many-body methods behind the density": """
        LFINITE_TEMPERATURE LADDER LRPAFORCE LFXC LHARTREE IBSE LTCTC LTCTE LTETE LTRIPLET LFXCEPS LFXHEG
        NATURALO LHOLEGF L2ORDER LDMP1 LMP2LT LSMP2LT ENCUTGW ENCUTGWSOFT ENCUTLF LESF_SPLINES LMAXMP2
        SCISSOR NOMEGA NOMEGAR NBANDSGW NBANDSO NBANDSV NBANDSGWLOW DIM IESPILON ANTIRES OMEGAMIN OMEGATL
        OMEGAGRID LSELFENERGY LSPECTRAL LSPECTRALGW LFERMIGW ODDONLYGW EVENONLYGW NKREDLFX NKREDLFY NKREDLFZ
        MAXMEM TELESCOPE NTAUPAR NOMEGAPAR DAMP_NEWTON MODEL_GW MODEL_EPS0 MODEL_ALPHA
    """,
    "how the work is divided": """
        NCORE NPAR KPAR NSIM NBLK LPLANE LSCALAPACK LSCAAWARE LSCALU LASYNC LORBITALREAL NCSHMEM
        NCORE_IN_IMAGE1 IMAGES LUSENCCL LMPI_SHMEM LDUMP_PARALLEL NHC_NCHAINS NCRPA_BANDS
    """,
}
#: Tags that change no energy that may be compared, or none that another check does not see: all others must be alike.
HARMLESS_TAGS = frozenset(tag for group in _HARMLESS.values() for tag in group.split())
#: Compared by `iface_wf.engines.vasp.profile.PROFILE` under names of their own.
_ELSEWHERE = frozenset((*METHOD_TAGS, *CELL_TAGS, *TYPE_TAGS, "EDIFF", "ISPIN", "NUPDOWN", "LMETAGGA"))
#: Tags that a method is named by, besides those compared one by one.
_NAMING = ("AGGAC", "ALDAC", "LTHOMAS", "LMODELHF", "LVDWSCS", "IVDW_NL", "ZAB_VDW")


def final_settings(vasprun: Vasprun, outcar: Outcar, types: Sequence[AtomType], directory: Path) -> dict[str, Any]:
    """Return the energy-relevant settings that a run used, under the names that we write.

    vasprun.xml does not list everything (VASP 5.4 leaves out IVDW): what it lacks is taken from the INCAR echoed in
    OUTCAR, from what OUTCAR says of the dispersion that was computed, and from the INCAR beside it, if that is the run's.

    Parameters
    ----------
    vasprun
        The parsed file: its INCAR is the one read by the last run, its parameters have the defaults filled in.
    outcar
        Facts of the OUTCAR.
    types
        Atom types in the order of the POSCAR.
    directory
        Where the run's INCAR may lie.

    Returns
    -------
    dict
        xc, dispersion, kpoints, kpoint_shift, grid, potcars, potcar_titles, hubbard, INCAR tags; ``types``, one entry for
        each block of the POSCAR; ``incar`` and ``parameters``, all other tags that are not harmless: those written, and
        those in force.
    """
    parameters = {name.upper(): plain(value) for name, value in dict(vasprun.parameters).items()}
    incar = written_tags(vasprun, outcar, directory)
    tags: dict[str, Any] = {}
    for name in (*METHOD_TAGS, *CELL_TAGS, "EDIFF", "ISPIN", "NUPDOWN"):
        first, second = (parameters, incar) if name in (*GRID_TAGS, "NUPDOWN") else (incar, parameters)
        value = canonical(name, first.get(name, second.get(name)))
        if value is not None:
            tags[name] = value
    tags["ENCUT"] = float(parameters["ENMAX"])
    if outcar.dispersion is not None and outcar.ivdw:
        tags["IVDW"] = canonical("IVDW", outcar.ivdw)
    written = parameters | incar
    known = {name: written[name] for name in _NAMING if name in written} | tags
    named = dispersion(known)
    if named is None and outcar.dispersion is not None:
        named = UNNAMED
    hubbard = hubbard_of_types(incar, parameters, len(types))
    mesh, shift = kpoints(vasprun)
    settings: dict[str, Any] = {
        "xc": functional(known, incar, [t.title for t in types]),
        "dispersion": named,
        "kpoints": mesh,
        "kpoint_shift": shift,
        "grid": [int(tags[name]) for name in GRID_TAGS[3:]],
        "potcars": by_element(types, [t.potcar for t in types]),
        "potcar_titles": by_element(types, [t.title for t in types]),
        "hubbard": by_element(types, hubbard),
        "types": [
            {
                "element": kind.element,
                "potcar": kind.title,
                "hubbard": u,
                "atoms": kind.atoms,
                "LDAUTYPE": written.get("LDAUTYPE", 2) if u else None,
                **_of_type(incar, number, len(types)),
            }
            for number, (kind, u) in enumerate(zip(types, hubbard, strict=True))
        ],
        "incar": others(incar),
        "parameters": others(parameters),
    }
    return settings | tags


def written_tags(vasprun: Vasprun, outcar: Outcar, directory: Path) -> dict[str, Any]:
    """Return the tags that somebody wrote: of vasprun.xml, completed by OUTCAR's echo and by the INCAR of this run.

    Raises
    ------
    CalculationError
        When the INCAR cannot be read.
    """
    tags = {name.upper(): canonical(name.upper(), plain(value)) for name, value in dict(vasprun.incar).items()}
    tags = {name: value for name, value in tags.items() if value is not None}
    tags = outcar.incar | tags
    beside = read_incar(directory)
    if not outcar.version.startswith("5."):  # version 6 lists all that it has read
        beside = {name: value for name, value in beside.items() if name in ("IVDW", "LVDWSCS")}
    asks = beside.get("IVDW") and outcar.dispersion is None  # then it was changed since
    return tags if asks or contradictions(beside, tags) else beside | tags


def read_incar(directory: Path) -> dict[str, Any]:
    """Return the canonical tags of the INCAR in a folder; none where there is no INCAR."""
    path = find_file(directory, "INCAR")
    if path is None:
        return {}
    try:
        with zopen(path, mode="rt", encoding="utf-8", errors="replace") as handle:
            found = parse_incar(str(handle.read()))
    except (OSError, EOFError, ValueError) as error:
        raise CalculationError(f"{path} cannot be used: {error}.") from error
    tags = {name: canonical(name, value) for name, value in found.items()}
    return {name: value for name, value in tags.items() if value is not None}


def contradictions(beside: Mapping[str, Any], tags: Mapping[str, Any]) -> list[str]:
    """Return the tags of which an INCAR says something else than the run's own files: then it is not that of the run."""
    return [n for n in differing(beside, tags) if n not in HARMLESS_TAGS or n in ("ENCUT", "NELECT", "LDAU")]


def input_marks(vasprun: Vasprun, outcar: Outcar, directory: Path) -> list[str]:
    """Return flags for an INCAR and a KPOINTS beside the run that say something else than what it used."""
    tags = written_tags(vasprun, outcar, directory)
    beside = read_incar(directory)
    marks = [
        f"incar_differs (the INCAR beside the run has {name} {beside[name]}, used was {tags[name]})"
        for name in contradictions(beside, tags)
    ]
    mesh, shift = kpoints(vasprun)
    written = read_mesh(directory)
    if written is not None and shift is not None and written != mesh:
        marks.append(f"kpoints_file_differs (the KPOINTS beside the run has {written}, used was {mesh})")
    return marks


def read_mesh(directory: Path) -> list[int] | None:
    """Return the mesh of a KPOINTS file; None where there is none, or it gives points in another way."""
    path = find_file(directory, "KPOINTS")
    if path is None:
        return None
    try:
        with zopen(path, mode="rt", encoding="latin-1") as handle:
            lines = [without_comment(line).split() for line in str(handle.read()).split("\n")]
    except (OSError, EOFError) as error:
        raise CalculationError(f"{path} cannot be used: {error}.") from error
    if len(lines) < 4 or lines[1][:1] != ["0"] or not lines[2] or lines[2][0][:1].upper() not in ("G", "M"):
        return None
    words = lines[3][:3]
    return [int(word) for word in words] if len(words) == 3 and all(word.isdigit() for word in words) else None


def others(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the tags that decide an energy and are not compared under a name of their own."""
    return {
        name: value
        for name, value in sorted(tags.items())
        if name not in HARMLESS_TAGS and name not in _ELSEWHERE and value is not None
    }


def by_element(types: Sequence[AtomType], values: Sequence[Any]) -> dict[str, Any]:
    """Return a table by element: one value where all its blocks have it, else the list of the unlike ones."""
    table: dict[str, list[Any]] = {}
    for kind, value in zip(types, values, strict=True):
        found = table.setdefault(kind.element, [])
        if value is not None and value not in found:
            found.append(value)
    return {element: found[0] if len(found) == 1 else found for element, found in table.items() if found}


def hubbard_of_types(incar: Mapping[str, Any], parameters: Mapping[str, Any], count: int) -> list[list[float] | None]:
    """Return angular momentum, U and J (eV) of each atom type, None where there is no DFT+U."""
    if not incar.get("LDAU", parameters.get("LDAU")):
        return [None] * count
    rows = []
    for name in ("LDAUL", "LDAUU", "LDAUJ"):
        given = incar.get(name, parameters.get(name, []))
        row = list(given) if isinstance(given, (list, tuple)) else [given]
        rows.append(row + [-1 if name == "LDAUL" else 0.0] * (count - len(row)))
    return [
        [int(level), float(u), float(j)] if level >= 0 and (u or j) else None
        for level, u, j in list(zip(*rows, strict=False))[:count]
    ]


def _of_type(incar: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
    """Return the other tags of one atom type."""
    found = {}
    for name in TYPE_TAGS[4:]:
        given = incar.get(name)
        row = list(given) if isinstance(given, (list, tuple)) else [given]
        if given is not None and len(row) == count:
            found[name] = row[number]
    return found


def kpoints(vasprun: Vasprun) -> tuple[list[int], list[float] | None]:
    """Return the mesh and its shift from Gamma in steps of the mesh; the number of points and None for a list of points.

    A mesh of Monkhorst and Pack with an even number of points lies half a step off Gamma.
    """
    written = vasprun.kpoints
    mesh = [float(n) for n in written.kpts[0]] if written is not None and written.kpts else []
    regular = written is not None and written.style.name in ("Gamma", "Monkhorst", "Automatic")
    if regular and len(mesh) == 3 and all(n.is_integer() and n >= 1 for n in mesh):
        half = written.style.name == "Monkhorst"
        given = written.kpts_shift or (0.0, 0.0, 0.0)
        shift = [(float(s) + (0.5 if half and n % 2 == 0 else 0.0)) % 1.0 for s, n in zip(given, mesh, strict=True)]
        return [int(n) for n in mesh], [round(s, 6) % 1.0 for s in shift]
    return [len(vasprun.actual_kpoints), 1, 1], None

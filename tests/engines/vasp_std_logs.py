"""The text outputs of the stand-in for VASP: OUTCAR, vasprun.xml and OSZICAR, as versions 5.4.4 and 6 lay them out."""

from pathlib import Path

import numpy as np

LAST = "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  ---------------------------------------------------\n"


def write(inputs, steps, scf, ions, version, entropy, ended=True):
    """Write the three files; while it is running only OUTCAR, up to where it is.

    steps: per ionic step fractions, energy (zero smearing, no dispersion), forces, dispersion. scf: electronic steps
    and whether they converged. ions: whether the relaxation did. entropy: T*S per atom.
    """
    ts = entropy * len(inputs.symbols)
    pairwise = "IVDW" in inputs.tags
    values = []
    for fractions, energy, forces, vdw in steps:
        own = {"fr": energy - ts / 2, "wo": energy + ts / 2, "e0": energy}
        total = {k: v + vdw * pairwise for k, v in own.items()}
        values.append((fractions, forces, own, total, vdw if pairwise else None))
    outcar(inputs, values, scf, ions, version, ended)
    if ended:
        vasprun(inputs, values, scf, version)
        oszicar(values, scf)


def outcar(inputs, values, scf, ions, version, ended):
    fine, coarse = inputs.grid(fine=True), inputs.grid(fine=False)
    text = f" vasp.{version} 01Jan24 (build stand-in) complex\n\n running    1 mpi-ranks, on    1 nodes\n"
    text += (
        "   k-points           NKPTS =      1   k-points in BZ     NKDIM =      1   number of bands    NBANDS=     16\n"
    )
    text += f"   total plane-waves  NPLWV = {coarse[0] * coarse[1] * coarse[2]:6d}\n"
    text += f"   dimension x,y,z NGX = {coarse[0]:5d} NGY ={coarse[1]:5d} NGZ ={coarse[2]:5d}\n"
    text += f"   dimension x,y,z NGXF= {fine[0]:5d} NGYF={fine[1]:5d} NGZF={fine[2]:5d}\n"
    text += "  Ionic Valenz\n   ZVAL   = " + "".join(f"{z:8.2f}" for z in inputs.zvals) + "\n"
    text += "  Atomic Wigner-Seitz radii\n   RWIGS  =    -1.00\n"
    text += f"   IBRION = {inputs.tags.get('IBRION', '-1'):>6}    ionic relax: 0-MD 1-quasi-New 2-CG\n"
    text += f"   NELECT =  {inputs.nelect:12.4f}    total number of electrons\n"
    for number, (_, forces, own, total, vdw) in enumerate(values, start=1):
        for step in range(1, scf[0] + 1):
            text += f"\n{'-' * 40} Iteration {number:6d}({step:4d})  {'-' * 39}\n"
            text += f"  free energy    TOTEN  =  {own['fr']:17.8f} eV\n\n"
        text += "------------------------ aborting loop because EDIFF is reached ----------\n" if scf[1] else ""
        text += " E-fermi :  -1.2500     XC(G=0):  -2.0000     alpha+bet : -1.0000\n"
        if vdw is not None:
            colon = "" if version.startswith("5") else ":"
            text += f"  Edisp (eV){colon}  {vdw:13.5f}\n"
        text += " POSITION                                       TOTAL-FORCE (eV/Angst)\n"
        text += "".join(" ".join(f"{x:13.6f}" for x in row) + "\n" for row in forces)
        text += LAST + f"  free  energy   TOTEN  = {total['fr']:17.8f} eV\n\n"
        text += f"  energy  without entropy= {total['wo']:17.8f}  energy(sigma->0) = {total['e0']:17.8f}\n\n"
        text += "     LOOP+:  cpu time      0.1000: real time      0.1000\n"
    if not ended:
        Path("OUTCAR").write_text(text)
        return
    if ions and int(inputs.tags["NSW"]):
        text += " reached required accuracy - stopping structural energy minimisation\n"
    text += f" number of electron   {inputs.nelect:.7f} magnetization       0.0000000\n"
    text += "\n General timing and accounting informations for this job:\n ======\n"
    text += "                  Total CPU time used (sec):        0.500\n"
    text += "                         Elapsed time (sec):        0.600\n"
    text += "                   Maximum memory used (kb):       30000.\n"
    text += "                 Voluntary context switches:         1234\n"
    Path("OUTCAR").write_text(text)


def energies(values):
    return "".join(
        f'    <i name="{name}">{value:16.8f} </i>\n'
        for name, value in zip(("e_fr_energy", "e_wo_entrp", "e_0_energy"), values, strict=True)
    )


def rows(array, name):
    lines = "".join("    <v>" + "".join(f"{x:16.8f}" for x in row) + " </v>\n" for row in array)
    return f'   <varray name="{name}" >\n{lines}   </varray>\n'


def crystal(cell, fractions, name=""):
    head = f' <structure name="{name}" >\n' if name else "  <structure>\n"
    volume = f'   <i name="volume"> {abs(np.linalg.det(cell)):.8f} </i>\n'
    inverse = rows(np.linalg.inv(cell).T, "rec_basis")
    return f"{head}  <crystal>\n{rows(cell, 'basis')}{volume}{inverse}  </crystal>\n{rows(fractions, 'positions')} </structure>\n"


def entry(name, value):
    words = value.split()
    if value.strip(".").upper() in ("T", "F", "TRUE", "FALSE"):
        return f'  <i type="logical" name="{name}"> {value.strip(".")[0].upper()}  </i>\n'
    if name in ("MAGMOM", "DIPOL", "LDAUL", "LDAUU", "LDAUJ"):
        counts = [w.partition("*") for w in words]
        numbers = [float(c[2] or c[0]) for c in counts for _ in range(int(c[0]) if c[2] else 1)]
        if name == "LDAUL":
            return f'  <v type="int" name="{name}">' + "".join(f"{n:6.0f}" for n in numbers) + "</v>\n"
        return f'  <v name="{name}">' + "".join(f"{n:16.8f}" for n in numbers) + "</v>\n"
    try:
        number = float(value)
    except ValueError:
        return f'  <i type="string" name="{name}">{value}</i>\n'
    if number == int(number) and "." not in value and "e" not in value.lower():
        return f'  <i type="int" name="{name}">{int(number):6d}</i>\n'
    return f'  <i name="{name}">{number:16.8f}</i>\n'


def parameters(inputs):
    tags = dict(inputs.tags)
    tags.setdefault("NELM", "60")
    values = {
        "PREC": tags["PREC"][:6].lower(),
        "ENMAX": f"{float(tags['ENCUT']):.8f}",
        "NELECT": f"{inputs.nelect:.8f}",
    }
    values |= {name: tags[name] for name in ("EDIFF", "ISMEAR", "SIGMA", "ISPIN", "NELM", "NSW", "LASPH")}
    values["LREAL"] = "F" if tags["LREAL"][:2].strip(".").upper().startswith("F") else "T"
    values |= {"IBRION": tags.get("IBRION", "-1"), "LDIPOL": tags.get("LDIPOL", "F"), "IDIPOL": tags.get("IDIPOL", "0")}
    values |= {"DIPOL": tags.get("DIPOL", "-100.0 -100.0 -100.0"), "LVHAR": tags.get("LVHAR", "F"), "ADDGRID": "F"}
    for fine in (False, True):
        for axis, n in zip("XYZ", inputs.grid(fine), strict=True):
            values[f"NG{axis}{'F' if fine else ''}"] = str(n)
    values["GGA"] = tags.get("GGA", "--").upper()
    return "".join(entry(name, value) for name, value in values.items())


def atoms(inputs):
    kinds = [i for i, n in enumerate(inputs.counts) for _ in range(n)]
    sites = "".join(f"    <rc><c>{inputs.species[k]:2s}</c><c>{k + 1:4d}</c></rc>\n" for k in kinds)
    types = "".join(
        f"    <rc><c>{n:4d}</c><c>{s:2s}</c><c>  1.0</c><c>{z:12.8f}</c><c>  {t:38s}</c></rc>\n"
        for n, s, z, t in zip(inputs.counts, inputs.species, inputs.zvals, inputs.titles, strict=True)
    )
    return (
        f" <atominfo>\n  <atoms> {len(kinds)} </atoms>\n  <types> {len(inputs.counts)} </types>\n"
        '  <array name="atoms" >\n   <dimension dim="1">ion</dimension>\n   <field type="string">element</field>\n'
        f'   <field type="int">atomtype</field>\n   <set>\n{sites}   </set>\n  </array>\n'
        '  <array name="atomtypes" >\n   <dimension dim="1">type</dimension>\n   <field type="int">atomspertype</field>\n'
        '   <field type="string">element</field>\n   <field>mass</field>\n   <field>valence</field>\n'
        f'   <field type="string">pseudopotential</field>\n   <set>\n{types}   </set>\n  </array>\n </atominfo>\n'
    )


def vasprun(inputs, values, scf, version):
    mesh = "".join(f"{n:8d}" for n in inputs.mesh)
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n <generator>\n'
    text += '  <i name="program" type="string">vasp </i>\n'
    text += f'  <i name="version" type="string">{version}  </i>\n </generator>\n <incar>\n'
    text += "".join(entry(name, value) for name, value in inputs.tags.items()) + " </incar>\n"
    text += f' <kpoints>\n  <generation param="Gamma">\n   <v type="int" name="divisions">{mesh} </v>\n'
    text += '   <v name="usershift"> 0.0 0.0 0.0 </v>\n  </generation>\n  <varray name="kpointlist" >\n'
    text += (
        '   <v> 0.0 0.0 0.0 </v>\n  </varray>\n  <varray name="weights" >\n   <v> 1.0 </v>\n  </varray>\n </kpoints>\n'
    )
    text += f" <parameters>\n{parameters(inputs)} </parameters>\n{atoms(inputs)}"
    text += crystal(inputs.cell, inputs.fractions, "initialpos")
    for fractions, forces, own, total, _ in values:
        text += " <calculation>\n"
        for _ in range(scf[0]):
            step = energies((own["fr"], own["wo"], own["e0"]))
            text += f"  <scstep>\n   <energy>\n{step}   </energy>\n  </scstep>\n"
        # version 5 fills the last two with something else
        last = (total["fr"], total["e0"], 0.0) if version.startswith("5") else (total["fr"], total["wo"], total["e0"])
        text += crystal(inputs.cell, fractions) + rows(forces, "forces") + rows(np.zeros((3, 3)), "stress")
        text += f"  <energy>\n{energies(last)}  </energy>\n </calculation>\n"
    text += crystal(inputs.cell, values[-1][0], "finalpos") + "</modeling>\n"
    Path("vasprun.xml").write_text(text)


def oszicar(values, scf):
    text = ""
    for number, (_, _, own, total, _) in enumerate(values, start=1):
        text += "       N       E                     dE             d eps       ncg     rms          rms(c)\n"
        for step in range(1, scf[0] + 1):
            text += f"DAV: {step:3d}    {own['fr']:.12E}   -0.10000E-05   -0.10000E-05   100   0.100E-02\n"
        text += f"{number:4d} F= {total['fr']:.8E} E0= {total['e0']:.8E}  d E =-.100000E-03\n"
    Path("OSZICAR").write_text(text)

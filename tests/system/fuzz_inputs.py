"""Bad inputs, made from a seed: arguments, files, and environment of one call of the command line each."""

import json
import os
import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

SECRET = "s3cr3t-Pa55word"
#: A file that must not come into being: whoever makes it has run what a user wrote as a shell command.
INTRUDER = "hacked"

ODD = [
    *("", " ", "0", "-0", "-1", "1", "2.5", "nan", "inf", "-inf", "1e999", "1e-4", "1e20", "-1e300", "0x10", "1_000"),
    *("9" * 30, "9" * 400, "9" * 5000, "1e5", "010", "no", "on", "NO", "null", "~", "true", "[]", "{}", "[1, 2", "{a: "),
    *("x" * 300, "x" * 20_000, "../..", "/", ".", "~nobody/x", "/dev/zero", "/dev/null", "/dev/full", "pipe", "folder"),
    *("broken-link", "loop", "/proc/self/mem", "/proc/self/environ", "missing/file.cif", "pipe.cif", "folder.yaml"),
    *("$HOME", f"$(touch {INTRUDER})", f"; touch {INTRUDER}", f"'; touch {INTRUDER}; '", "'", '"', "`", "\\", "%s%n%x"),
    *("{0}", "{filler}", "*", "**", "* *", "#", "!", "&a *a", "a\nb", "a\tb", "a\rb", "\x1b[31mred\x1b[0m", "\x07"),
    *("\u0661\u0662", "\xe9\xe8", "\u65e5\u672c", "\u202eabc", "\ufeff", "\U0001f4a3", os.fsdecode(b"\xff\xfe"), "a,b,c"),
    *("--help", "--", "-", "-1e5", "@file", "None", "False", "__import__('os')", "[H]", "PEO", "SiO2", "LiTFSI", "xtb"),
]  # fmt: skip
NAMES = ["HF-layer", "water-layer", "PEO", "water", "methanol", "LiTFSI", "LiI", "Li", "EC", "none"]
SMILES = [
    *("O", "CCO", "*CCO*", "*O*", "*C*", "*", "**", "*C", "*C*C*", "*=C*", "*C=C*", "*/C=C/*", "*/C=C\\*", "*N=N*", "*1CC1*"),
    *("*C1CC(*)C1", "*c1ccc(*)cc1", "*[2H]*", "*[O+]*", "*[C@H](F)*", "*[C@@](F)(Cl)*", "[*]CC[*]", "*.*", "*C.C*", "*CC(*)(*)"),
    *("[Li+].[F-]", "[Li+]", "[OH-]", "[Fe]", "[U]", "[Xx]", "[999C]", "C" * 20, "C1CC", "C(C", "C)", "c1cccc1", "N(C)(C)(C)(C)C"),
    *("*C#*", "*[Si](C)(C)O*", "*P(=O)(O)O*", "[H][H]", "[He]", "*S(=O)(=O)*", "*C(=*)C", "*$C*", "C~C", "C->N", "*C%99CC%99*"),
    *("[C-]#[O+]", "*[N+](C)(C)*", "*[CH-]*", "[CH2]", "[O]", "[O][O]", "*C1=CC=C(C=C1)*", "[Na+].[Cl-].O", "*[Pt]*", "[B-](F)(F)(F)F"),
    *("C[C@H](O)[C@@H](F)Cl", "*[C@H]1CC[C@@H](*)CC1", "F/C=C/F", "*/C(F)=C(/F)*", "*N1C(=O)C=CC1=O", "[*:1]CC[*:2]", "[1*]CC[2*]"),
]  # fmt: skip
CIF = """data_LiF
_cell_length_a 4.03
_cell_length_b 4.03
_cell_length_c 4.03
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
_chemical_formula_sum 'Li F'
_cell_formula_units_Z 4
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Li1 Li 0 0 0 1
F1 F 0.5 0.5 0.5 1
"""
POSCAR = """LiF
1.0
4.03 0.0 0.0
0.0 4.03 0.0
0.0 0.0 4.03
Li F
4 4
Selective dynamics
Direct
0.0 0.0 0.0 T T T
0.5 0.5 0.0 T T T
0.5 0.0 0.5 T T T
0.0 0.5 0.5 F F F
0.5 0.5 0.5 F F F
0.0 0.0 0.5 T T T
0.0 0.5 0.0 T T T
0.5 0.0 0.0 T T T
"""
XYZ = """3
water
O 0.0 0.0 0.0
H 0.76 0.0 0.59
H -0.76 0.0 0.59
"""
SPEC = """fillers: [HF-layer]
polymers: [water, {name: methanol, units: 1, tacticity: atactic, caps: {head: "[H]*", tail: "*[H]"}}]
molecules: [EC]
salts: [none, LiTFSI]
engine: xtb
level: fast
geometry: xtb
funnel: {engine: xtb, level: moderate, keep: 1}
quantities: [binding_energy]
placements: 1
seed: 1
in_plane: [5.0, 5.0]
vacuum: 8.0
max_atoms: 60
overrides: {fmax: 0.1}
processes: 1
"""
POLYMER = """name: MINE
aliases: [mine-too]
title: mine
source: my own thesis
psmiles: "*CCO*"
default_units: 2
caps: {head: "[H]*", tail: "C*"}
functional_groups: {ether: "[OX2]([#6])[#6]"}
conformation: lowest
notes: [a note]
warnings: [a warning]
"""
FILLER = """name: MY-LiF
title: mine
source: my own thesis
crystal: mine.cif
oxidation_states: {Li: 1, F: -1}
surfaces:
  - {miller: [0, 0, 1], thickness: 4.0, termination: "1", passivation: none, in_plane: [4.0, 4.0], frozen_fraction: 0.4}
engines: {gpaw: {magmoms: {Li: 0.0}}, vasp: {potcar: {Li: Li_sv}}}
density: 2.6
"""
SALT = "name: MY-SALT\ntitle: mine\nsource: my own thesis\ncation: '[Na+]'\nanion: '[Cl-]'\n"
SETTINGS = {
    "xtb": ["method", "accuracy", "fmax", "fmx", "max_steps", "mixer_damping", "electronic_temperature", "charge"],
    "gpaw": [
        *("mode", "cutoff", "cutof", "xc", "basis", "dispersion", "grid", "kpoints", "grid_spacing", "kpoint_length"),
        *(
            "smearing",
            "magmoms",
            "convergence",
            "mixer",
            "start",
            "spin_polarized",
            "bader_spacing",
            "hubbard",
            "relaxed_by",
        ),
    ],
    "vasp": [
        "ENCUT",
        "EDIFF",
        "ISPIN",
        "ALGO",
        "MAGMOM",
        "NGX",
        "LREAL",
        "xc",
        "potcars",
        "hubbard",
        "dispersion",
        "Encut",
    ],
    "mlip": ["model", "weights", "dispersion", "calculator", "fmax", "max_steps", "modl"],
}
VALUES = [
    *ODD, "PBE", "RPBE", "pw", "lcao", "fd", "[8, 8, 8]", "[1e9, 1, 1]", "{Li: 1}", "{Li: nan}", "{energy: 1e-4}", "500", "1000",
    *("{Xx: 1}", "{Li: [1, 2, 3]}", "[[[[[[[[1]]]]]]]]", "&a [*a]", "!!python/object:os.system {}", "2020-01-01", "1:30", "!!binary aa=="),
]  # fmt: skip
COLUMNS = [
    "binding_energy",
    "n_atoms",
    "polymer",
    "trustworthy",
    "flags",
    "key",
    "units",
    "engine",
    "nonsense",
    "ok",
    "completed_at",
]
HOSTS = ["127.0.0.1:1", "localhost:99999", "127.0.0.1:abc", "[::1]:1", "[::1", "a..b", "127.0.0.1:-1", "", ":", "127.0.0.1:1,127.0.0.1:2",
         "%2Ftmp%2Fx.sock", "no-such-host.invalid", "x" * 300, "127.0.0.1:1/..", "127.0.0.1:0"]  # fmt: skip
VARIABLES = {
    "IFACE_WF_VASP_COMMAND": ["vasp_std", "mpirun 'vasp", "", " ", "a\nb", "no-such-program", "$NOTHING", '"'],
    "IFACE_WF_VASP_GAMMA_COMMAND": ["'", "vasp_gam"],
    "IFACE_WF_VASP_WALL_TIME": ["abc", "-1", "nan", "inf", "1e400", "60"],
    "IFACE_WF_VASP_MAX_ERRORS": ["0", "1.5", "x", "9" * 50],
    "IFACE_WF_VASP_POLL_SECONDS": ["0", "nan", "[]"],
    "IFACE_WF_VASP_INCAR": ["{", "[]", "{}", '{"ENCUT": 1}', '{"NCORE": "x"}', '{"NCORE": 1e400}', "null", "1"],
    "IFACE_WF_VASP_POTCARS": ["/dev/null", "missing", "~nobody", "x" * 5000],
    "IFACE_WF_VASP_SCRATCH": ["/dev/null", ""],
    "IFACE_WF_LIBRARY": ["missing", "/dev/null", "~nobody", "x" * 300, "pipe", "", "a\nb"],
    "IFACE_WF_STORE": ["folder", "pipe", "/dev/zero", "missing/s", "x" * 300, "ftp://x", "sqlite://", "sqlite:///folder", "mongodb://",
                       "~nobody/s", "text", "://", "mongodb://%", "a\nb"],
    "HOME": ["", "missing", "/dev/null", "x" * 300],
    "XDG_DATA_HOME": ["", "missing", "/dev/null", "/proc", "relative"],
    "XDG_CONFIG_HOME": ["", "missing", "/dev/null", "folder"],
    "COLUMNS": ["0", "1", "-5", "abc", "99999999"],
    "TMPDIR": ["missing", "/dev/null"],
    "TERM": ["", "dumb", "nonsense"],
    "PMG_VASP_PSP_DIR": ["missing", "/dev/null"],
    "JFREMOTE_PROJECTS_FOLDER": ["missing", "/dev/null", "folder", "pipe"],
    "JFREMOTE_PROJECT": ["nobody", ""],
    "OMP_NUM_THREADS": ["0", "abc"],
}  # fmt: skip


#: What somebody may give to a function of Python by mistake; one object each, so that equal inputs are equal.
OBJECTS = [3, -1, 2.5, float("nan"), float("inf"), None, True, False, [], {}, (), "", " ", "x\0y", b"abc", ["a"], {"a": 1}, (1, 2), object(),
           "x" * 5000, Path("/dev/zero"), Path("missing"), len, set(), 10**30, [[1]], {1: 2}, "\x1b[31m", "../..", Ellipsis]  # fmt: skip
#: Functions of Python, and right arguments of each.
FUNCTIONS: dict[str, dict[str, Any]] = {
    "show": {"identifier": "abc0", "densities": False, "store": "filled.sqlite"},
    "results": {"store": "filled.sqlite", "where": "n_atoms > 1", "sort": "area", "kind": "binding", "filler": "LiI"},
    "run": {
        "filler": "HF-layer",
        "molecule": "O",
        "store": "s.sqlite",
        "dry_run": True,
        "engine": "xtb",
        "placements": 1,
    },
    "screen": {
        "spec": {"fillers": ["HF-layer"], "molecules": ["O"], "engine": "xtb"},
        "store": "s.sqlite",
        "dry_run": True,
    },
    "build": {"filler": "HF-layer", "molecule": "O", "placements": 1, "seed": 1, "vacuum": 8.0},
    "export": {"identifier": "abc0", "out": "x.cif", "what": "structure", "fmt": "cif", "store": "filled.sqlite"},
    "report": {"identifier": "abc0", "out": "folder", "iso": 0.1, "store": "filled.sqlite"},
    "Library": {"folder": "folder"},
    "Target": {"group": "ether", "surface": "Li"},
}
#: Further arguments, which a right call may do without.
FURTHER = {
    "run": ["quantities", "level", "geometry", "overrides", "units", "salt", "salt_group", "caps", "target", "library", "workdir",
            "on_event", "force", "in_plane", "tacticity", "sequence", "molecule_charge", "nonsense"],
    "build": ["units", "salt", "salt_group", "salt_part", "caps", "target", "library", "in_plane", "tacticity", "surface", "thickness",
              "conformation", "clearance", "n_conformers", "molecule_charge", "max_atoms", "nonsense"],
    "screen": ["library", "yes", "retry", "on_event", "workdir"],
    "results": ["polymer", "salt", "engine", "level", "surface"],
}  # fmt: skip


@dataclass
class Case:
    """One call of the command line.

    Attributes
    ----------
    arguments
        What follows the program's name.
    files
        Content by name, in the folder where it runs.
    environment
        Variables that differ.
    encoding
        Of the terminal.
    function, keywords
        Function of the Python interface that is called instead, and its arguments; empty: the command line.
    """

    arguments: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    function: str = ""
    keywords: dict[str, Any] = field(default_factory=dict)


def make_case(seed: int, number: int) -> Case:
    """Return one input; equal numbers give equal ones."""
    rng = random.Random(f"{seed} {number}")
    makers = (_request, _request, _overrides, _overrides, _spec, _spec, _spec, _library, _library, _structure, _structure,
              _smiles, _smiles, _where, _table, _address, _environment, _environment, _identifier, _store, _folders, _queue, _plain,
              _any_command, _any_command, _any_command, _python, _python)  # fmt: skip
    case = rng.choice(makers)(rng)
    if rng.random() < 0.1:
        case.encoding = rng.choice(["ascii", "latin-1"])
    if rng.random() < 0.05:
        case.environment |= _variables(rng)
    case.arguments = [text.replace("\0", "") for text in case.arguments]
    return case


def _odd(rng: random.Random, *right: str) -> str:
    """Return one of the right values more often than not, where there are any."""
    return rng.choice(right) if right and rng.random() < 0.6 else rng.choice(ODD)


def _request(rng: random.Random) -> Case:
    command = rng.choice(["run", "build", "submit"])
    options = {
        "--filler": ["HF-layer", "water-layer"], "--polymer": ["water", "PEO"], "--units": ["1", "2"], "--salt": ["LiTFSI"],
        "--surface": ["001", "wire"], "--thickness": ["4"], "--sequence": ["AB"], "--tacticity": ["isotactic"], "--caps": ["C*,*C"],
        "--molecule": ["EC", "water.xyz"], "--placements": ["1"], "--seed": ["1"], "--vacuum": ["8"], "--max-atoms": ["60"],
    }  # fmt: skip
    if command != "build":
        more = {
            "--engine": ["xtb"],
            "--level": ["fast"],
            "--geometry": ["xtb"],
            "--quantities": ["binding_energy"],
            "--processes": ["1"],
        }
        options |= more
    chosen = ["--filler", *rng.sample(sorted(options), rng.randint(1, 5))]
    if rng.random() < 0.7:
        chosen.append("--polymer")
    arguments = [command]
    for name in dict.fromkeys(chosen):
        arguments += [name, _odd(rng, *options[name])]
    if rng.random() < 0.2:
        arguments += ["--in-plane", _odd(rng, "5"), _odd(rng, "6")]
    if command == "build":
        arguments += ["--out", _odd(rng, "out", "out2")] + rng.choice(
            [[], ["--all-terminations"], ["--write-inputs", "vasp", "inputs"]]
        )
    else:
        arguments.append("--dry-run")
    return Case(arguments, {"water.xyz": XYZ.encode()})


def _overrides(rng: random.Random) -> Case:
    engine = rng.choice(sorted(SETTINGS))
    arguments = ["run", "-f", "HF-layer", "-p", "water", "-n", "1", "--placements", "1", "--dry-run", "-e", engine]
    for _ in range(rng.randint(1, 2)):
        arguments += ["--overrides", f"{rng.choice([*SETTINGS[engine], *ODD[:20]])}={rng.choice(VALUES)}"]
    if rng.random() < 0.1:
        arguments[-1] = rng.choice(ODD)
    if rng.random() < 0.3:
        text = SPEC.replace("engine: xtb\n", f"engine: {engine}\n", 1).replace(
            "funnel: {engine: xtb, level: moderate, keep: 1}\n", ""
        )
        text = text.replace("{fmax: 0.1}", "{" + rng.choice(SETTINGS[engine]) + ": " + rng.choice(VALUES) + "}")
        return Case(["screen", "spec.yaml", "--dry-run"], {"spec.yaml": _bytes(text)})
    return Case(arguments)


def _spec(rng: random.Random) -> Case:
    text = _yaml(rng, SPEC)
    if rng.random() < 0.05:
        key = rng.choice(["polymers", "molecules", "fillers", "salts"])
        text = f"{SPEC}\n".replace(f"{key}:", "seed: 1\nx:") + f"{key}: [{', '.join(f'N{i}' for i in range(20_000))}]\n"
    if rng.random() < 0.03:
        text += "".join(f"key{i}: {i}\n" for i in range(60_000))
    more = rng.choice([[], ["--yes"], ["--json"], ["--store", _odd(rng, "s")]])
    command = ["screen", _odd(rng, *["spec.yaml"] * 9)] if rng.random() < 0.8 else ["submit", "spec.yaml"]
    return Case([*command, "--dry-run", *more], {"spec.yaml": _bytes(text)})


def _library(rng: random.Random) -> Case:
    kind, text = rng.choice([("polymers", POLYMER), ("fillers", FILLER), ("salts", SALT)])
    files = {f"library/{kind}/mine.yaml": _bytes(_yaml(rng, text)), "library/crystals/mine.cif": _bytes(CIF)}
    name = {
        "polymers": ["-f", "LiI", "-p", "MINE"],
        "fillers": ["-f", "MY-LiF", "-p", "PEO"],
        "salts": ["-f", "LiI", "--salt", "MY-SALT"],
    }[kind]
    out = rng.choice(
        [
            ["run", *name, "-e", "xtb", "--placements", "1", "-n", "1", "--dry-run"],
            ["build", *name, "-n", "1", "--out", "out"],
        ]
    )
    if rng.random() < 0.3:
        out = rng.choice([["library", "list"], ["library", "show", "MINE"], ["library", "show", "MY-LiF", "--json"]])
    return Case(out, files, {"IFACE_WF_LIBRARY": "library"})


def _structure(rng: random.Random) -> Case:
    name, text = rng.choice([("x.cif", CIF), ("x.vasp", POSCAR), ("POSCAR", POSCAR), ("x.xyz", XYZ)])
    content = _mutated(rng, text)
    if name == "x.xyz":
        return Case(["build", "-f", "HF-layer", "--molecule", name, "--out", "out"], {name: content})
    surface = rng.choice([[], ["--surface", _odd(rng, "001", "110", "111", "100/1")], ["--all-terminations"]])
    return Case(["build", "-f", name, *surface, "--out", "out"], {name: content})


def _smiles(rng: random.Random) -> Case:
    smiles = rng.choice(SMILES)
    if rng.random() < 0.4:
        position = rng.randint(0, len(smiles))
        smiles = (
            smiles[:position] + rng.choice("*[]()=#/\\@+-123CNOF.%~ \u00e9") + smiles[position + rng.randint(0, 1) :]
        )
    option = "--molecule" if rng.random() < 0.3 else "--polymer"
    arguments = ["build", "-f", "HF-layer", option, smiles, "--out", "out"]
    if option == "--polymer":
        arguments += [
            "-n",
            rng.choice(["1", "2", "3"]),
            "--tacticity",
            rng.choice(["isotactic", "syndiotactic", "atactic"]),
        ]
        if rng.random() < 0.3:
            arguments += ["--caps", f"{rng.choice(SMILES)},{rng.choice(SMILES)}"]
    if rng.random() < 0.2:
        arguments += ["--salt", rng.choice(["LiTFSI", "LiPF6"])]
    return Case(arguments)


def _where(rng: random.Random) -> Case:
    def clause() -> str:
        operator = rng.choice(["<", "<=", "=", "==", "!=", ">", "<>", "=~", "in", "", "$gt", "like"])
        return f"{rng.choice([*COLUMNS, *ODD[:10]])} {operator} {rng.choice([*ODD, '-0.5', 'PEO', chr(34) + 'x' + chr(34)])}"

    joined = rng.choice([" and ", " AND ", " or ", ";", " and and ", "\n"]).join(
        clause() for _ in range(rng.choice([1, 1, 2, 3, 60, 3000]))
    )
    if rng.random() < 0.1:
        joined = rng.choice(["(" * 5000, " " * 100_000, "a" + " " * 100_000 + "b", " and " * 10_000, "not " * 1000])
    return Case([rng.choice(["results", "best"]), "--where", joined[:100_000], "--store", "filled.sqlite"])


def _table(rng: random.Random) -> Case:
    options = {"--sort": COLUMNS, "--filler": NAMES, "--polymer": NAMES, "--engine": ["xtb"], "--level": ["fast"], "--kind": ["binding"],
               "--format": ["csv", "json", "table", "parquet", "md", "latex", "xlsx"],
               "--out": ["t.parquet", "t.tex", "t.xlsx"], "--columns": ["help", "filler,binding_energy", "ID"]}  # fmt: skip
    arguments = [rng.choice(["results", "best", "compare"]), "--store", _odd(rng, "filled.sqlite")]
    if arguments[0] == "compare":
        arguments += [_odd(rng, "fast", "xtb/fast"), _odd(rng, "moderate", "gpaw/fast")]
    for name in rng.sample(sorted(options), rng.randint(0, 3)):
        arguments += [name, _odd(rng, *options[name])]
    return Case(arguments)


def _address(rng: random.Random) -> Case:
    user = rng.choice(
        [
            "",
            f"me:{SECRET}@",
            "me@",
            f"me:{SECRET}#1@",
            f"me:{SECRET}/x@",
            f"me:{SECRET}?@",
            f"m@e:{SECRET}@",
            f":{SECRET}@",
        ]
    )
    host = rng.choice(HOSTS)
    tail = rng.choice(["", "/db", "/db?", "/a b", "/$x", f"/db?tlsCertificateKeyFilePassword={SECRET}", f"/db?proxyPassword={SECRET}&x=1",
                       "/?authSource=", "/db?tls=maybe", "/db?serverSelectionTimeoutMS=abc", "/db;tls=true", "/db?replicaSet=r&w=-1",
                       "/db?connectTimeoutMS=1&serverSelectionTimeoutMS=1", "/" + "d" * 100, "/db?authMechanism=NOTHING", "/a.b"])  # fmt: skip
    address = f"{rng.choice(['mongodb', 'mongodb', 'MONGODB', 'mongo', 'sqlite', 'file'])}://{user}{host}{tail}"
    environment = {"IFACE_WF_MONGO_PASSWORD": SECRET} if rng.random() < 0.5 else {}
    if rng.random() < 0.3:
        return Case(["results"], environment={**environment, "IFACE_WF_STORE": address})
    if rng.random() < 0.3:
        return Case(
            ["queue", "init", "--store", address, "--workdir", "/tmp/x", "--scheduler", "shell", "--dry-run"],
            environment=environment,
        )
    return Case([rng.choice(["results", "doctor"]), "--store", address], environment=environment)


def _variables(rng: random.Random) -> dict[str, str]:
    names = rng.sample(sorted(VARIABLES), rng.randint(1, 2))
    return {name: rng.choice([*VARIABLES[name], *(rng.sample(ODD, 2))]).replace("\0", "") for name in names}


def _environment(rng: random.Random) -> Case:
    arguments = rng.choice([
        ["run", "-f", "HF-layer", "-p", "water", "-n", "1", "-e", "vasp", "--placements", "1", "--dry-run"],
        ["run", "-f", "HF-layer", "-p", "water", "-n", "1", "-e", "xtb", "--placements", "1", "--dry-run"],
        ["build", "-f", "HF-layer", "-p", "water", "-n", "1", "--write-inputs", "vasp", "inputs"],
        ["build", "-f", "HF-layer", "--out", "out"], ["doctor"], ["library", "list"], ["results"], ["status"], ["queue", "resources"],
    ])  # fmt: skip
    return Case(arguments, environment=_variables(rng))


def _identifier(rng: random.Random) -> Case:
    command = rng.choice(["show", "provenance", "report", "export"])
    arguments = [command, _odd(rng, "abc0", "abc0"), "--store", "filled.sqlite"]
    if command in ("report", "export"):
        arguments += ["--out", _odd(rng, "new.cif", "new.html", "folder", "missing/x.cube")]
    if command == "export":
        arguments += [
            "--what",
            _odd(rng, "density_difference", "AB", "structure"),
            "--format",
            _odd(rng, "cif", "cube", "xyz"),
        ]
    if command == "report" and rng.random() < 0.5:
        arguments += ["--iso", _odd(rng, "0.001")]
    return Case(arguments)


def _store(rng: random.Random) -> Case:
    command = rng.choice(
        [
            ["store", "migrate"],
            ["store", "check"],
            ["store", "backup", _odd(rng, "copy")],
            ["store", "copy", _odd(rng, "copy")],
        ]
    )
    content = rng.choice([b"", b"SQLite format 3\0" + bytes(84), b"\0" * 5000, b"text", bytes(range(256)) * 20])
    return Case([*command, "--store", _odd(rng, "filled.sqlite", "other")], {"other": content})


def _folders(rng: random.Random) -> Case:
    files = {"ab/POSCAR": _mutated(rng, POSCAR), "ab/INCAR": _mutated(rng, "ENCUT = 500\nISPIN = 1\n"), "ab/OUTCAR": _mutated(rng, "vasp.6.4.2\n"),
             "ab/vasprun.xml": _mutated(rng, "<?xml version='1.0'?>\n<modeling>\n<generator>\n</generator>\n</modeling>\n"),
             "ab/iface-wf.json": _mutated(rng, json.dumps({"level": "fast", "overrides": {}, "about": {}}))}  # fmt: skip
    arguments = ["collect"]
    if rng.random() < 0.4:
        arguments.append(_odd(rng, "ab"))
    else:
        for name in rng.sample(
            ["--slab", "--molecule", "--interface", "--slab-frozen", "--molecule-frozen"], rng.randint(1, 4)
        ):
            arguments += [name, _odd(rng, "ab")]
    return Case([*arguments, "--store", _odd(rng, "s")], files)


def _queue(rng: random.Random) -> Case:
    options = {"--name": ["q"], "--worker": ["main"], "--host": ["local", "me@host"], "--queue": ["normal"], "--directive": ["#SBATCH -x"],
               "--export": ["A=1"], "--max-jobs": ["5"], "--max-cores": ["4"], "--max-hours": ["1"], "--max-memory": ["8"],
               "--activate": ["true"], "--module": ["gcc"], "--vasp": ["vasp_std"], "--account": ["me"], "--pe": ["smp"]}  # fmt: skip
    if rng.random() < 0.4:
        command = rng.choice(
            [
                ["status"],
                ["recover"],
                ["cancel", "--all"],
                ["queue", "resources"],
                ["queue", "stop"],
                ["submit", "spec.yaml"],
            ]
        )
        return Case([*command, "--project", rng.choice(ODD)], {"spec.yaml": SPEC.encode()})
    arguments = [
        "queue",
        "init",
        "--store",
        "mongodb://127.0.0.1:1/x",
        "--workdir",
        _odd(rng, "/tmp/x"),
        "--scheduler",
        _odd(rng, "slurm", "shell", "pbs"),
        "--dry-run",
    ]
    for name in rng.sample(sorted(options), rng.randint(0, 4)):
        arguments += [name, _odd(rng, *options[name])]
    return Case(arguments)


def _plain(rng: random.Random) -> Case:
    words = [
        "run",
        "build",
        "screen",
        "results",
        "show",
        "library",
        "queue",
        "init",
        "list",
        "--json",
        "--store",
        "--debugg",
        "--version",
        "doctor",
    ]
    return Case([rng.choice([*words, *ODD]) for _ in range(rng.randint(0, 4))])


@cache
def _commands() -> dict[tuple[str, ...], list[Any]]:
    """Return all commands by their words, with their options."""
    import typer

    from iface_wf.cli.main import app

    found: dict[tuple[str, ...], list[Any]] = {}

    def walk(words: tuple[str, ...], command: Any) -> None:
        for name, below in getattr(command, "commands", {}).items():
            walk((*words, name), below)
        if not hasattr(command, "commands"):
            found[words] = [each for each in command.params if each.name != "help"]

    walk((), typer.main.get_command(app))
    return dict(sorted(found.items()))


def _any_command(rng: random.Random) -> Case:
    """Any command with any of its options, most of them wrong; nothing is calculated."""
    words, parameters = rng.choice(list(_commands().items()))
    arguments = [*words]
    for each in parameters:
        needed = each.param_type_name == "argument"
        if not (needed or rng.random() < 3 / len(parameters)):
            continue
        name = [] if needed else [rng.choice(each.opts)]
        if getattr(each, "is_flag", False):
            arguments += name
        else:
            right = {
                "store": ["filled.sqlite"],
                "filler": ["HF-layer"],
                "polymer": ["water"],
                "engine": ["xtb"],
                "spec": ["spec.yaml"],
            }
            arguments += [*name, *(_odd(rng, *right.get(each.name, ())) for _ in range(max(each.nargs, 1)))]
    if words[0] in ("run", "screen", "submit"):
        arguments.append("--dry-run")
    return Case(arguments, {"spec.yaml": SPEC.encode()})


def _python(rng: random.Random) -> Case:
    """Call a function of Python with one or two arguments of another kind."""
    function = rng.choice(sorted(FUNCTIONS))
    keywords = dict(FUNCTIONS[function])
    names = sorted(keywords) + FURTHER.get(function, [])
    for name in rng.sample(names, min(len(names), rng.randint(1, 2))):
        if name not in ("dry_run", "engine"):  # nothing is calculated
            keywords[name] = rng.choice(OBJECTS)
    return Case([], function=function, keywords=keywords)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _yaml(rng: random.Random, text: str) -> str:
    """Change YAML at one or two places: another value, another key, a key twice, a line moved or cut."""
    lines = text.splitlines()
    for _ in range(rng.randint(1, 2)):
        where = rng.randrange(len(lines))
        key, colon, value = lines[where].partition(":")
        change = rng.randrange(9)
        if change <= 3 and colon:
            lines[where] = (
                f"{key}: {rng.choice([*VALUES, *SMILES, json.dumps(rng.choice(ODD)), f'[{rng.choice(VALUES)}]'])}"
            )
        elif change == 4:
            lines[where] = f"{rng.choice([key[:-1], key + 's', *ODD])}:{value}"
        elif change == 5:
            lines.insert(where, rng.choice(lines))
        elif change == 6:
            del lines[where]
        elif change == 7:
            lines[where] = lines[where][: rng.randint(0, len(lines[where]))]
        else:
            lines.insert(
                where, rng.choice([*ODD, "a: &a [*a]", "- x", "[" * 2000, "{" * 2000, "? x", "---", "%TAG ! x"])
            )
        lines = lines or [""]
    return "\n".join(lines) + "\n"


def _mutated(rng: random.Random, text: str) -> bytes:
    """Change a file: words, lines, bytes, its end."""
    lines = text.splitlines()
    for _ in range(rng.randint(0, 3)):
        where = rng.randrange(len(lines))
        words = lines[where].split()
        change = rng.randrange(6)
        if change <= 2 and words:
            words[rng.randrange(len(words))] = rng.choice(
                [*ODD, "1.D0", "3*0.5", "Xx", "D", "1e30", "0.5(3)", "?", "H2O", "Li+"]
            )
            lines[where] = " ".join(words)
        elif change == 3:
            lines.insert(where, rng.choice(lines))
        elif change == 4:
            del lines[where]
        else:
            lines[where] = rng.choice(ODD)
        lines = lines or [""]
    content = bytearray(_bytes("\n".join(lines) + "\n"))
    if rng.random() < 0.2:
        content[rng.randrange(len(content))] = rng.randrange(256)
    if rng.random() < 0.1:
        content = content[: rng.randrange(len(content))]
    return bytes(content)

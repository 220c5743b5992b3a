"""Prints each command's table from fixed data, at several widths, for `tests.cli.test_widths`: each start of a program takes seconds.

``python -m tests.cli.printed FOLDER [WIDTH]...`` prints all of them at each width, or once into a pipe.
"""

import os
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from iface_wf.cli.main import main
from iface_wf.cli.output import stdout
from tests.examples import document, put, structure

END = "=" * 7
SHOWN = "3abc"


def fill(store):
    """Store the results that ``results`` and ``best`` list."""
    salts = {"polymer": "PEO", "units": 4, "salt": "LiTFSI"}
    rows = [
        {"filler": "LLZTO", "surface": "(1 1 0) 2:O3|Li2", **salts, "binding_energy": -1.234},
        {"filler": "SiO2-cristobalite", "surface": "(1 0 1) 1:O2|Si1", "polymer": "PAN", "units": 2, "binding_energy": -0.81},
        {"filler": "SiO2-cristobalite", "surface": "(1 0 1) 1:O2|Si1", "polymer": "PEO", "units": 2, "binding_energy": -0.8,
         "flags": ["ion_pair_separated", "uncorrected_basis"], "bsse_energy": None},
        {"filler": "GdOOH", "surface": "(0 0 1) 1", "polymer": "PVDF", "units": 3, "binding_energy": -0.3,
         "flags": ["desorbed (AB)", "scf_unconverged (A*)"], "converged": False},
    ]  # fmt: skip
    for number, row in enumerate(rows, 1):
        put(store, document(f"{number}abc" + "0" * 60, **row), uuid=f"{number}" * 36)


def fill_more(store):
    """Store what the other commands tell: the same by a second engine, a salt's dissociation, marks."""
    from iface_wf.quantities.complexes.document import DissociationDocument, IsomerDocument, PieceDocument
    from iface_wf.store.annotate import note, reject, tag

    fill(store)
    by_xtb = {
        "engine": "xtb",
        "functional": "GFN1-xTB",
        "basis": "",
        "bsse_energy": None,
        "geometry_engine": "xtb GFN1-xTB (fast)",
    }
    rows = [
        {"filler": "LLZTO", "surface": "(1 1 0) 2:O3|Li2", "polymer": "PEO", "units": 4, "salt": "LiTFSI", "binding_energy": -1.5},
        {"filler": "SiO2-cristobalite", "surface": "(1 0 1) 1:O2|Si1", "polymer": "PAN", "units": 2, "binding_energy": -0.6},
        {"filler": "SiO2-cristobalite", "surface": "(1 0 1) 1:O2|Si1", "polymer": "PEO", "units": 2, "binding_energy": -0.7},
    ]  # fmt: skip
    for number, row in enumerate(rows, 5):
        put(store, document(f"{number}abc" + "0" * 60, **by_xtb, **row), uuid=f"{number}" * 36)
    common = {name: getattr(document(), name) for name in ("engine", "engine_version", "level", "functional", "dispersion", "basis",
                                                           "structure", "terms", "geometry_engine", "provenance")}  # fmt: skip
    pieces = {
        name: PieceDocument(name=what, formula=formula, charge=charge, energy=-10.0, key="8" * 64, taken=name)
        for name, what, formula, charge in (("A", "Li+", "Li", 1), ("B", "TFSI-", "C2F6NO4S2", -1))
    }
    isomers = [
        IsomerDocument(energy=e, donors=d, distances=[1.9, 2.0], structure=structure().as_dict(), key="9" * 64)
        for e, d in ((0.0, "O O"), (0.21, "O N"))
    ]
    salt = DissociationDocument(
        key="9abc" + "0" * 60, salt="LiTFSI", formula="LiC2F6NO4S2", n_atoms=16, area=0.0, converged=True, binding_energy=-6.06,
        binding_energy_raw=-6.31, interaction_energy=-6.4, deformation_energy={"B": 0.34}, bsse_energy=0.25, dispersion_energy=-0.2,
        pieces=pieces, isomers=isomers, donors="O O", **common,
    )  # fmt: skip
    put(store, salt, uuid="9" * 36)
    tag(store, SHOWN, ["paper", "second-draft"], [])
    note(store, SHOWN, "the placement of the first draft, which a reviewer asked for")
    reject(store, "2abc", "the nitrile is upside down")


def surfaces():
    """Print two faces and what was left out."""
    from iface_wf.cli.surfaces import _print

    faces = [
        SimpleNamespace(name="(1 0 0)/1", energy=0.301, n_atoms=48, top="LiF", bottom="LiF", remarks=[]),
        SimpleNamespace(name="(1 1 1)/2", energy=None, n_atoms=64, top="Li4", bottom="F4", remarks=["not converged", "reconstructed, see the flags"]),
    ]  # fmt: skip
    told = {"filler": "LiF", "functional": "CHGNet 0.3.0", "dispersion": "D3(BJ)", "by_energy": lambda: faces}
    shares, flags = {"(1 0 0)/1": 0.97, "(1 1 1)/2": 0.001}, ["geometry_unconverged ((1 1 1)/2)"]
    _print(SimpleNamespace(**told, wulff_shares=shares, refused={}, flags=flags))


def papers(store):
    """Print a paper with a number of ours, one that is not trustworthy and one that is not computed."""
    from iface_wf.api.options import opened
    from iface_wf.cli.papers import _print
    from iface_wf.screening.papers import read_papers
    from iface_wf.screening.papers_outcomes import Outcome, read
    from iface_wf.store.results import find_result

    found = find_result(opened(store, create=False), "9abc").document
    doubted = found.model_copy(update={"flags": ["separated"], "binding_energy": -4.2})
    chosen = read_papers("pdol-llzto")
    first, second, *rest = chosen["pdol-llzto"].quantities
    told = [
        read(first, found, "dissociation_energy"),
        read(second, doubted, "dissociation_energy"),
        *(Outcome(each, problem="not computed yet") for each in rest),
    ]
    _print(chosen, {"pdol-llzto": told})


def status():
    """Print a queue in which something of everything happens."""
    from iface_wf.cli.status import _table
    from iface_wf.queues.monitor import Item, Status

    common = {"flow": "0f3c9a7e", "key": "k", "worker": "main"}
    items = [
        Item(name="SiO2-cristobalite (1 0 1) + PEO x 4 + LiTFSI", part="interface", state="waiting", step="search AB", done=0, total=11,
             age=86400.0 * 3, cause="SiO2-cristobalite (1 0 1) (relax A) failed.", **common),
        Item(name="SiO2-cristobalite (1 0 1)", part="reference", state="failed", step="relax A", done=0, total=2, queue_id="123456", age=4000.0,
             cause="The scheduler ended it: the time limit of 24:00:00 was reached; iface-wf recover gives it more.", **common),
        Item(name="PEO x 4 + LiTFSI", part="reference", state="running", step="search B", done=1, total=3, queue_id="123457", age=71.0,
             cause="to the end: 3 of 8 candidates, lowest -12.345 eV, 96 steps left", **common),
        Item(name="GdOOH (0 0 1) + PVDF x 3", part="interface", state="finished", step="collect", done=11, total=11, age=5.0, **common),
    ]  # fmt: skip
    counts = {"waiting": 1, "finished": 1}
    stdout().print(_table(Status(items, counts, {"failed": 1, "running": 1, "waiting": 11, "finished": 12}), False))


def plan():
    """Print what a screening would cost: numbers that no machine and no store decides."""
    from iface_wf.cli.screen import print_plan
    from iface_wf.screening.estimate import Estimate
    from iface_wf.screening.plan import KINDS, Stage

    stages = [
        Stage(name="ranking", engine="xtb", level="fast", pairs=24, stored=20, counts=dict.fromkeys(KINDS, 24),
              found=dict.fromkeys(KINDS, 20), cost=Estimate(0.4, 0.2, 1.1, 0.9, 0.1, "stored timings of xtb")),
        Stage(name="interfaces", engine="gpaw", level="fast", pairs=6, stored=0, counts=dict.fromkeys(KINDS, 60), found=dict.fromkeys(KINDS, 0),
              cost=Estimate(312.0, 150.0, 700.0, 14.0, 9.0, "a rule of thumb for gpaw"), exact=False, refused=[("LLZO + PEO x 40", "617 atoms, more than 600")]),
    ]  # fmt: skip
    stages[-1].room = []
    print_plan(stages, False)


def command(*words):
    """Run a command."""
    assert main([str(word) for word in words]) == 0, words


def printers(folder):
    """Return what prints each table, by name."""
    few, more = (("--store", folder / name) for name in ("few.sqlite", "more.sqlite"))
    return {
        "results": partial(command, "results", *few),
        "best": partial(command, "best", *few),
        "results-wide": partial(command, "results", "--wide", *few),
        "best-wide": partial(command, "best", "--wide", *few),
        "results-dissociation": partial(command, "results", "--kind", "dissociation", *more),
        "compare": partial(command, "compare", "xtb/fast", "gpaw/fast", *more),
        "show": partial(command, "show", SHOWN, *more),
        "show-dissociation": partial(command, "show", "9abc", *more),
        "store-list": partial(command, "store", "list", *more),
        "surfaces": surfaces,
        "papers": partial(papers, folder / "more.sqlite"),
        "status": status,
        "screen": plan,
    }


if __name__ == "__main__":
    for width in sys.argv[2:] or ("",):
        if width:
            os.environ["COLUMNS"] = width
        for show in printers(Path(sys.argv[1])).values():
            show()
            print(END, flush=True)

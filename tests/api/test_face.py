"""The public face: what there is, that it comes late, and what type checkers and editors see of it."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import iface_wf
from iface_wf.api import calculate
from iface_wf.api.options import BindingOptions
from iface_wf.builders.spec import InterfaceSpec
from iface_wf.cli.request import OPTIONS
from iface_wf.errors import InputError
from iface_wf.quantities.adhesion.request import AdhesionRequest
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.quantities.complexes.request import PairRequest
from iface_wf.quantities.complexes.salts import DissociationRequest, LiBindingRequest
from iface_wf.quantities.reactions.request import ReactionRequest
from iface_wf.quantities.thermal.request import ThermalRequest
from iface_wf.store.results import StoredResult
from tests.examples import document, put


@pytest.fixture(autouse=True)
def _without_packages_of_before():
    """Another test may have imported what is called otherwise today: a package of before hides the function of its name."""
    for name in ("build", "report"):
        vars(iface_wf).pop(name, None)


def test_results_of_a_file_or_an_open_store(job_store, tmp_path):
    put(job_store, document())
    for store in (job_store, tmp_path / "store.sqlite", str(tmp_path / "store.sqlite")):
        table = iface_wf.results(store, filler="LiF")
        assert table["binding_energy"].tolist() == pytest.approx([-0.4])
    assert iface_wf.results(job_store, filler="SiO2").empty


def test_run_passes_everything_on(job_store, tmp_path, monkeypatch):
    seen = {}

    def fake(request, store, library, workdir, force=False, on_event=None):
        seen.update(request=request, store=store, workdir=workdir, force=force)
        return StoredResult(document(), "uuid", "")

    monkeypatch.setattr(calculate, "run_request", fake)
    result = iface_wf.run(
        "SiO2", "PEO", 3, salt="LiTFSI", engine="xtb", level="moderate", store=job_store, workdir=tmp_path, force=True
    )
    assert result.binding_energy == pytest.approx(-0.4)
    request = seen["request"]
    assert (request.filler, request.polymer, request.units, request.salt) == ("SiO2", "PEO", 3, "LiTFSI")
    assert (request.engine, request.level) == ("xtb", "moderate")
    assert seen["store"] is job_store
    assert seen["workdir"] == tmp_path
    assert seen["force"]


@pytest.mark.parametrize(("options", "text"), [({"levle": "fast"}, "level"), ({"placements": 0}, "placements")])
def test_wrong_options_are_named(options, text):
    with pytest.raises(InputError, match=text):
        iface_wf.run("SiO2", "PEO", **options)


ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    "run",
    "screen",
    "results",
    "best",
    "compare",
    "show",
    "build",
    "export",
    "report",
    "report_all",
    "figure",
    "heat_map",
    "convergence",
    "log",
}
FUNCTIONS |= {"store_copy", "store_export", "store_import"}
ERRORS = {"IfaceError", "InputError", "CalculationError", "MismatchError", "OutageError"}
#: Options of other kinds of results, which Python takes by ``**options``, and the requests that have them.
OF_OTHERS = {"partner", "partner_units", "group", "reference", "isomers"}  # in open boxes
OF_OTHERS |= {"partner_surface", "partner_thickness", "max_strain", "max_area", "shifts"}  # of two solids
OF_OTHERS |= {"temperature", "pressure"}  # of free energies
OF_OTHERS |= {"reaction"}
OTHERS = (PairRequest, DissociationRequest, LiBindingRequest, AdhesionRequest, ThermalRequest, ReactionRequest)
#: Arguments of functions that are no options of what is asked for.
HOW = {"store", "workdir", "library", "force", "dry_run", "on_event", "options"}


def test_what_is_shown_is_all_there_is():
    assert set(iface_wf.__all__) == FUNCTIONS | ERRORS | {"Target", "Library", "__version__"}
    assert dir(iface_wf) == sorted(iface_wf.__all__)
    assert all(getattr(iface_wf, name) for name in iface_wf.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = iface_wf.nonsense


@pytest.mark.parametrize("name", sorted(FUNCTIONS | {"Target", "Library"}))
def test_everything_tells_its_units_errors_and_an_example(name):
    text = inspect.getdoc(getattr(iface_wf, name))
    sections = ["Examples", *(("Returns", "Raises") if name in FUNCTIONS else ())]
    for section in sections:
        assert f"\n{section}\n{'-' * len(section)}\n" in text, (name, section)
    assert ">>> " in text


def python(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return done.stdout.split()


def test_importing_the_face_imports_nothing_heavy():
    heavy = "numpy", "pandas", "pymatgen", "ase", "rdkit", "jobflow", "pydantic", "typer", "importlib.metadata"
    assert python(f"import sys, iface_wf; print(*set({heavy!r}) & set(sys.modules))") == []


def test_functions_stay_callable_beside_packages_of_before_with_their_names():
    code = (
        "import warnings; warnings.simplefilter('ignore'); import iface_wf.build.targets, iface_wf.report.names; "
        "import iface_wf; from iface_wf.report import names; "
        "print(iface_wf.build('LiI', thickness=3.0).slab.composition.reduced_formula, names.__name__)"
    )
    assert python(code) == ["LiI", "iface_wf.reports.names"]


SCRIPT = """
import iface_wf
from iface_wf import Library, Target

target = Target(group="ether", surface="Si")
reveal_type(iface_wf.run("SiO2", "PEO", 2, engine="xtb", in_plane=(9.0, 9.0), target=target))
reveal_type(iface_wf.run("SiO2", salt="LiTFSI", quantities=["binding_energy"]).charge_transfer)
reveal_type(iface_wf.run("SiO2", "PEO", dry_run=True)[0]["found"])
reveal_type(iface_wf.run("SiO2", quantities=["slab_energy"]))
reveal_type(iface_wf.screen("spec.yaml", retry=True).failed)
reveal_type(iface_wf.screen({"fillers": ["SiO2"]}, dry_run=True)[0].core_hours)
reveal_type(iface_wf.results(where="binding_energy < 0", engine="gpaw"))
reveal_type(iface_wf.best(5, kind="binding"))
reveal_type(iface_wf.compare("xtb/fast", "gpaw/fast"))
reveal_type(iface_wf.show("3fa2", densities=True).number)
reveal_type(iface_wf.build("SiO2", "PEO", 2, library=Library("own")).report)
reveal_type(iface_wf.export("3fa2", "cdd.cube", "density_difference"))
reveal_type(iface_wf.report("3fa2").picture)
iface_wf.run("SiO2", "PEO", placments=3)
iface_wf.export("3fa2", "x", what="charges")
iface_wf.plot
"""
REVEALED = (
    "iface_wf.quantities.binding.document.BindingDocument",
    "dict[str, float]",
    "bool | None",
    "iface_wf.documents.result.ResultDocument",
    "dict[str, str]",
    "float",
    *["pandas.core.frame.DataFrame"] * 3,
    "float | None",
    "dict[str, Any]",
    "pathlib.Path",
    "pathlib.Path | None",
)


@pytest.mark.slow
def test_a_users_script_is_checked_by_mypy(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--follow-imports",
        "silent",
    ]
    done = subprocess.run(
        [*command, script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert re.findall(r'Revealed type is "(.*)"', done.stdout) == list(REVEALED)
    errors = re.findall(r"error: .*\[(.*)\]", done.stdout)
    assert errors == ["call-overload", "arg-type", "attr-defined"], done.stdout


def parameters(function):
    return set(inspect.signature(function).parameters) - HOW


def test_every_option_has_one_name_on_the_command_line_in_python_and_in_requests():
    fields = set(BindingRequest.model_fields)
    assert set(BindingOptions.__annotations__) == fields - {"filler", "polymer", "units", "quantities"}
    assert parameters(iface_wf.run) == set(OPTIONS) - OF_OTHERS
    assert set(OPTIONS) & OF_OTHERS == OF_OTHERS <= {f for kind in OTHERS for f in kind.model_fields}
    assert parameters(iface_wf.run) <= fields
    of_structures = set(InterfaceSpec.model_fields) & parameters(iface_wf.run)
    assert parameters(iface_wf.build) == of_structures


def test_the_screening_file_has_no_option_that_others_lack():
    from iface_wf.screening.choices import FillerChoice, InterfaceChoice, MoleculeChoice, PartnerChoice, PolymerChoice
    from iface_wf.screening.spec import ScreeningSpec

    lists = {
        "fillers": FillerChoice,
        "polymers": PolymerChoice,
        "molecules": MoleculeChoice,
        "partners": PartnerChoice,
        "interfaces": InterfaceChoice,
    }
    words = set(ScreeningSpec.model_fields) - set(lists) - {"salts", "reactions", "funnel"}
    words |= {"filler", "polymer", "molecule", "salt", "partner", "partner_units", "interface", "reaction"}
    words |= {"partner_surface", "partner_thickness"}  # surface and thickness of a partner
    words |= {field for choice in lists.values() for field in choice.model_fields} - {"name"}
    assert words == set(OPTIONS) - {"reference"}  # of which there is one


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: iface_wf.show(3), "'identifier' must be text, not 3"),
        (lambda: iface_wf.show("a", densities=1), "'densities' must be True or False"),
        (lambda: iface_wf.screen(5), "'spec' must be a file or a mapping, not 5"),
        (lambda: iface_wf.results(where=3), "'where' must be text"),
        (lambda: iface_wf.best("5"), "'count' must be a whole number"),
        (lambda: iface_wf.best(0), "'count' must be 1 or more, not 0"),
        (lambda: iface_wf.compare("fast", None), "'second' must be text"),
        (lambda: iface_wf.results(3), "'store' must be a file, an address or an open store"),
        (lambda: iface_wf.results("x\0y"), "null character"),
        (lambda: iface_wf.run(None), "'filler'"),
        (lambda: iface_wf.build(), "'filler'"),
        (lambda: iface_wf.run(interface="AB.xyz", split=3), "'split' must be text"),
        (lambda: iface_wf.log("a", None), "'step' must be text"),
        (lambda: iface_wf.log("a", "AB", lines=0), "'lines' must be 1 or more"),
        (lambda: iface_wf.run("LiI", molecule="O", quantities=3), "'quantities' must be a list of names"),
        (lambda: iface_wf.run("LiI", molecule="O", on_event=3), "'on_event' must be a function"),
        (lambda: iface_wf.run("LiI", molecule="O", library="x"), "'library' must be a Library"),
        (lambda: iface_wf.export("a", None), "'out' must be a path"),
        (lambda: iface_wf.report(None), "'identifier' must be text"),
        (lambda: iface_wf.Library(3), "must be a path"),
        (lambda: iface_wf.Library("x" * 5000), "does not exist"),
        (lambda: iface_wf.Target(group=3, surface="Gd"), "'group'"),
        (lambda: iface_wf.build("LiI", molecule="O", units=3), "'units' means nothing without a polymer"),
        (lambda: iface_wf.build("LiI", salt="LiI", tacticity="isotactic"), "'tacticity' means nothing"),
        (lambda: iface_wf.build("LiI", "PEO", molecule_charge=1), "'molecule_charge' means nothing without"),
        (lambda: iface_wf.build("LiI", "PEO", True), "a number is needed, not true"),
        (lambda: iface_wf.screen({"fillers": ["LiI"], "molecules": ["O"], "placements": True}), "a number is needed"),
        (lambda: iface_wf.screen({"fillers": ["LiI"], "polymers": [{"name": "PEO", "units": True}]}), "a number is"),
    ],
)
def test_what_is_of_another_kind_is_refused_in_a_sentence(call, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(told)) as raised:
        call()
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []

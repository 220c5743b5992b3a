"""A store or file of somebody else makes us import and call nothing that it names."""

import json
import sys

import pytest
from monty.json import MontyDecoder
from pymatgen.core import Structure

from iface_wf.cli.main import main
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.engines.request import CalculationRequest
from iface_wf.engines.vasp.folders import read_folder
from iface_wf.engines.vasp.run import REQUEST
from iface_wf.errors import IfaceError
from iface_wf.foreign import VARIABLE, _installed, known_jobs_only, without_foreign
from iface_wf.store.settings import open_store
from tests.examples import document, put, structure

KEY = "abc0" + "1" * 60


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Return documents that name a module which leaves a file when it is imported, and functions that would."""
    (tmp_path / "modules").mkdir()
    mark = tmp_path / "imported"
    (tmp_path / "modules" / "trapped_module.py").write_text(
        f"import pathlib\npathlib.Path({str(mark)!r}).touch()\n"
        "class Trap:\n    @classmethod\n    def from_dict(cls, d):\n        return cls()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    yield [
        {"@module": "trapped_module", "@class": "Trap", "x": 1},
        {"@module": "trapped_module", "@callable": "Trap", "@bound": None},
        {"@module": "trapped_module.sub", "@class": "Trap"},
        {"@module": "os", "@callable": "system", "@bound": None},
        {"@module": "os", "@callable": "nothing", "@bound": {"@module": "trapped_module", "@class": "Trap"}},
        {"@module": "numpy.f2py", "@callable": "run_main", "@bound": None},
        {"@module": "iface_wf.queues.daemon", "@callable": "subprocess.call", "@bound": None},
        {"deep": [[{"er": {"@module": "trapped_module", "@class": "Trap"}}]]},
        {"@module": "pandas", "@class": "DataFrame", "data": str(mark)},
    ]
    sys.modules.pop("trapped_module", None)
    assert not mark.exists()


def trapped_structure(trap):
    """Return a structure as a dict with a trap at every place where its reader would look into."""
    data = structure().as_dict()
    for site, one in zip(data["sites"], trap, strict=False):
        site["properties"]["extra"] = one
    data["properties"] = {"extra": trap}
    return data


def is_intact(found):
    """Whether all that is known is still there."""
    labels = [s.site_properties["component"] for s in (found, structure())]
    return found.species == structure().species and found.distance_matrix.sum() > 0 and labels[0] == labels[1]


def test_site_properties_of_a_stored_structure(trap, job_store, tmp_path):
    data = trapped_structure(trap)
    found = document(KEY, structure=data).model_dump()
    put(job_store, document(KEY))
    entry = job_store.docs_store.query_one({"output.key": KEY})
    entry["output"]["structure"] = trapped_structure(trap)
    entry["output"]["extra"] = trap
    job_store.docs_store.update(entry, key="uuid")

    with open_store(str(tmp_path / "store.sqlite")) as store:
        read = store.query_one({"output.key": KEY}, load=True)
    for data in (read["output"]["structure"], found["structure"]):
        assert is_intact(Structure.from_dict(data))
        MontyDecoder().process_decoded(data)
    assert type(MontyDecoder().process_decoded(read["output"]["extra"])[0]) is dict


@pytest.mark.parametrize("command", [("show",), ("export", "--what", "structure", "--format", "cif"), ("provenance",)])
def test_commands_on_such_a_store(trap, job_store, tmp_path, capfd, command):
    put(job_store, document(KEY))
    entry = job_store.docs_store.query_one({"output.key": KEY})
    entry["output"]["structure"] = trapped_structure(trap)
    job_store.docs_store.update(entry, key="uuid")
    more = ("--out", tmp_path / "x.cif") if command[0] == "export" else ()
    arguments = (command[0], "abc0", *command[1:], *more, "--store", tmp_path / "store.sqlite")
    code, err = main([str(argument) for argument in arguments]), capfd.readouterr().err
    assert code == 0, err
    assert all(line.startswith("Wrote") for line in err.splitlines())


def test_large_data_and_references_are_read_in_the_same_way(trap, job_store):
    from jobflow import OutputReference

    job_store.update(
        {"uuid": "u", "index": 1, "output": {"a": trap[0], "blob": {"inside": trap[0]}}}, save={"data": "blob"}
    )
    assert job_store.query_one({"uuid": "u"}, load=True)["output"]["blob"]["inside"] == {"x": 1}
    assert OutputReference("u").resolve(job_store) == {"a": {"x": 1}, "blob": {"inside": {"x": 1}}}


def test_the_request_beside_a_calculation(trap, tmp_path):
    request = CalculationRequest(
        kind="static", engine="vasp", level="fast", structure=structure().as_dict(), settings={"charge": 0.0}
    )
    data = json.loads(request.model_dump_json()) | {"structure": trapped_structure(trap)}
    (tmp_path / REQUEST).write_text(json.dumps(data))
    with pytest.raises(IfaceError):  # there is no output in this folder
        read_folder(tmp_path)
    read = CalculationRequest.model_validate_json((tmp_path / REQUEST).read_text())
    assert is_intact(read.atoms_structure)
    with pytest.raises(IfaceError):
        read_folder(tmp_path)


def test_what_documents_hold_is_left_alone(job_store):
    put(job_store, document(KEY))
    job_store.update({"uuid": "u", "index": 1, "output": {"blob": "B"}}, save={"data": "blob"})
    entry = job_store.query_one({"output.key": KEY}, load=True)
    assert entry["output"]["structure"]["@class"] == "Structure"
    reference = job_store.query_one({"uuid": "u"})["output"]["blob"]
    assert (reference["@module"], reference["store"]) == ("", "data")
    array = {"@module": "numpy", "@class": "array", "dtype": "float64", "data": [1.0]}
    assert without_foreign({"x": [array]}) == {"x": [array]}


@pytest.mark.parametrize(
    "text",
    [
        '{"\\u0040module": "trapped_module", "@class": "Trap"}',
        '{"@module" : "trapped\\u005fmodule", "@class": "Trap"}',
        '{"@module": 3, "@class": "Trap"}',
        '{"@module": null, "@class": "Trap"}',
        '{"@module": ["numpy"], "@class": "Trap"}',
        '{"@module": "numpy", "@class": "array", "x": {"@module":\n"trapped_module", "@class": "Trap"}}',
        '{"x": "\\"@module\\": \\"numpy\\"", "y": {"@module": "trapped_module", "@class": "Trap"}}',
        '{"@module": "numpy_of_mine", "@class": "Trap"}',
    ],
)
def test_however_it_is_spelt(text):
    cleaned = json.dumps(without_foreign(json.loads(text), text))
    assert "Trap" not in cleaned


def test_jobs_of_a_queue_are_ours_only(trap):
    decoder = MontyDecoder()
    maker = {"@module": "iface_wf.engines.xtb.engine", "@class": "XtbEngine", "@version": None, "kind": "static"}
    job = {"@module": "iface_wf.engines.xtb.engine", "@callable": "XtbEngine.make", "@bound": maker}
    collect = {"@module": "iface_wf.quantities.binding.collect", "@callable": "collect_binding", "@bound": None}
    with known_jobs_only():
        for one in trap:
            assert type(decoder.process_decoded(one)) is dict
        assert decoder.process_decoded(job).__name__ == "make"
        assert callable(decoder.process_decoded(collect))
        assert decoder.process_decoded(structure().as_dict()) == structure()
        for name in ("keep_running", "sys.exit", "subprocess.call", "start"):
            one = {"@module": "iface_wf.queues.daemon", "@callable": name, "@bound": None}
            assert type(decoder.process_decoded(one)) is dict
    assert callable(decoder.process_decoded({"@module": "os", "@callable": "getcwd", "@bound": None}))


def test_a_trusted_package_is_loaded(tmp_path, monkeypatch):
    (tmp_path / "friendly_module.py").write_text(
        "class Friend:\n    @classmethod\n    def from_dict(cls, d):\n        return cls()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    one = {"x": {"@module": "friendly_module", "@class": "Friend"}}
    monkeypatch.setenv(VARIABLE, "other, friendly_module")
    kept = without_foreign(one)
    with known_jobs_only():
        assert type(MontyDecoder().process_decoded(kept)["x"]).__name__ == "Friend"


def test_packages_with_entry_points_of_ours_are_known(tmp_path, monkeypatch):
    from pathlib import Path

    from tests.entry_points import install

    module = Path(__file__).parents[1] / "toy_quantity" / "slab_energy.py"
    install(tmp_path, module, "iface_wf.quantities", "slab-energy", "QUANTITY")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "slab_energy" in _installed(tuple(sys.path))
    one = {"@module": "slab_energy", "@class": "SlabEnergyDocument"}
    assert without_foreign(dict(one)) == one


def test_a_calculation_document_on_the_shelf(trap):
    fields = {
        "key": "k", "kind": "static", "engine": "xtb", "engine_version": "1", "level": "fast", "functional": "GFN1",
        "structure": trapped_structure(trap), "formula": "LiF", "n_atoms": 6, "energy": -1.0, "converged": True,
    }  # fmt: skip
    read = CalculationDocument.model_validate_json(json.dumps(fields))
    assert is_intact(Structure.from_dict(read.structure))

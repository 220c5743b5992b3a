"""A folder of pages: what is in it, what is refused, and what is replaced."""

import json
import shutil

import pandas as pd
import pytest
from ase.io import read
from ase.io.cube import read_cube_data

import iface_wf
from iface_wf.cli.main import main
from iface_wf.errors import InputError
from tests.examples import document, put, put_with_calculations

KEY, OTHER, PLAIN = ("abc0" + "1" * 60, "d" * 64, "e" * 64)


@pytest.fixture
def store(job_store, tmp_path):
    put_with_calculations(job_store, KEY, "1" * 36)
    put(job_store, document(OTHER, filler="SiO2", polymer="PEO", flags=["desorbed"]), uuid="2" * 36)
    without = {"density_difference": None, "charge_transfer": {}, "engine": "xtb", "salt": "LiTFSI", "polymer": None}
    put(job_store, document(PLAIN, **without), uuid="3" * 36)
    return tmp_path / "store.sqlite"


def told(page):
    return json.loads(page.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])


def test_every_result_has_a_page_with_its_files(store, tmp_path):
    seen = []
    index = iface_wf.report_all(tmp_path / "report", store=store, on_event=seen.append)
    data = told(index)
    assert index == tmp_path / "report" / "index.html"
    assert len(data["rows"]) == len(seen) == 3
    pages = {row["cells"][0]: index.parent / row["page"] for row in data["rows"]}
    assert all(page.is_file() for page in pages.values())
    assert len(pd.read_csv(index.parent / "results.csv")) == 3
    full, plain = pages[KEY[:8]], pages[PLAIN[:8]]
    names = {path.name for path in full.parent.iterdir()}
    assert names == {"index.html", "structure.cif", "POSCAR", "difference.cube", "profiles.csv", "charges.csv"}
    assert {file["name"] for file in told(full)["files"]} == names - {"index.html"}
    assert {path.name for path in plain.parent.iterdir()} == {"index.html", "structure.cif", "POSCAR", "picture.png"}
    values, atoms = read_cube_data(full.parent / "difference.cube")
    assert values.shape == tuple(read_shape(told(full)["volume"]))
    assert atoms.get_chemical_symbols() == read(full.parent / "POSCAR", format="vasp").get_chemical_symbols()
    charges = pd.read_csv(full.parent / "charges.csv")
    assert charges["transfer / e"].sum() == pytest.approx(0.0, abs=1e-9)
    assert [curve["label"] for curve in told(full)["curves"]] == ["Δρ(z) / e Å⁻¹", "ΔQ(z) / e", "V(z) / eV"]


def read_shape(volume):
    """Points of the cell: what the view has, without the planes that close it, and with those of the vacuum."""
    steps = [sum(x * x for x in step) ** 0.5 for step in volume["steps"]]
    return [round(length / step) for length, step in zip((4.0, 6.0, 16.0), steps, strict=True)]


def test_filters_choose_and_an_empty_choice_leaves_nothing(store, tmp_path):
    index = iface_wf.report_all(tmp_path / "one", store=store, filler="SiO2")
    assert [row["cells"][1] for row in told(index)["rows"]] == ["SiO2"]
    with pytest.raises(InputError, match="No result matches"):
        iface_wf.report_all(tmp_path / "none", store=store, where="binding_energy < -100")
    assert not (tmp_path / "none").exists()


def test_only_a_report_is_replaced_and_only_when_asked(store, tmp_path):
    out = tmp_path / "report"
    iface_wf.report_all(out, store=store)
    with pytest.raises(InputError, match="holds a report already: --force replaces it"):
        iface_wf.report_all(out, store=store)
    (out / "index.html").write_text((out / "index.html").read_text().replace("Binding", "Old"))
    iface_wf.report_all(out, store=store, force=True)
    assert "<title>Binding energies</title>" in (out / "index.html").read_text()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("my page")
    with pytest.raises(InputError, match="what it holds is no report"):
        iface_wf.report_all(mine, store=store, force=True)
    assert (mine / "index.html").read_text() == "my page"


def test_pages_of_results_that_are_gone_go_and_what_others_put_there_stays(store, tmp_path):
    out = tmp_path / "report"
    index = iface_wf.report_all(out, store=store)
    pages = {row["cells"][0]: (index.parent / row["page"]).parent for row in told(index)["rows"]}
    (pages[KEY[:8]] / "notes.txt").write_text("mine")
    other, linked = out / "results" / "mine", out / "results" / "linked"
    other.mkdir()
    (other / "index.html").write_text("my page")
    elsewhere = shutil.copytree(pages[PLAIN[:8]], tmp_path / "elsewhere")
    linked.symlink_to(elsewhere)
    iface_wf.report_all(out, store=store, filler="SiO2", force=True)
    assert {path.name for path in (out / "results").iterdir()} == {
        pages[OTHER[:8]].name, pages[KEY[:8]].name, "mine", "linked",
    }  # fmt: skip
    assert [path.name for path in pages[KEY[:8]].iterdir()] == ["notes.txt"]
    assert (other / "index.html").read_text() == "my page"
    assert (elsewhere / "index.html").is_file()


def test_a_result_whose_density_is_missing_has_a_page_that_says_so(job_store, store, tmp_path):
    blobs = job_store.additional_stores["data"]
    blobs.connect()
    blobs.remove_docs({})
    index = iface_wf.report_all(tmp_path / "report", store=store)
    row = next(row for row in told(index)["rows"] if row["cells"][0] == KEY[:8])
    page = told(index.parent / row["page"])
    assert row["flags"] == ["density_missing"] == page["flags"]
    assert page["volume"] is None


@pytest.mark.slow
def test_the_command_line(store, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "--polymer", "PEO", "--store", str(store)]) == 0
    ran = capsys.readouterr()
    assert ran.out == "report/index.html\n"
    assert ran.err == "Page 1 of 1: SiO2_PEO_dddddddddddd\n"
    assert main(["report", "abc0", "--store", str(store)]) == 0
    assert main(["report", "abc0", "--store", str(store), "--force"]) == 0
    shutil.rmtree("report")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--iso", "0.01"], "--iso goes with the ID"),
        (["abc0", "--filler", "LiF", "--sort", "area"], "--filler, --sort choose among many"),
        (["abc0", "--out", "."], "exists already"),
        (["--polymer", "PAN"], "No result matches"),
        (["--kind", "surface"], "No result matches"),
        (["--out", "store.sqlite"], "cannot be used"),
    ],
)
def test_what_does_not_fit_is_refused(store, tmp_path, capsys, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "LiF_HF_abc01111.png").touch()
    assert main(["report", *arguments, "--store", "store.sqlite"]) == 2
    ran = capsys.readouterr()
    assert (ran.out, len(ran.err.splitlines())) == ("", 1)
    assert text in ran.err


def test_other_kinds_have_pages_too(job_store, tmp_path):
    from iface_wf.quantities.surface.document import FaceDocument, SurfacesDocument

    common = {name: getattr(document(), name) for name in ("formula", "n_atoms", "area", "engine", "engine_version", "level",
                                                           "functional", "structure", "converged", "terms")}  # fmt: skip
    face = FaceDocument(
        miller=(1, 0, 0), termination="1:LiF", top="LiF", energy=0.3, n_atoms=8, area=16.0, symmetric=True
    )
    made = SurfacesDocument(key="5" * 64, filler="LiF", surface_energy=0.3, most_stable="(100)/1", faces=[face],
                            lattice=[[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]], **common)  # fmt: skip
    put(job_store, made, uuid="5" * 36)
    index = iface_wf.report_all(tmp_path / "report", kind="surface", store=tmp_path / "store.sqlite")
    (row,) = told(index)["rows"]
    page = told(index.parent / row["page"])
    assert (told(index)["title"], page["title"]) == ("Surface energies", "Surfaces of LiF")
    assert page["picture"] == "picture.png"
    assert [(q["name"], q["value"]) for q in page["quantities"]] == [("(100)/1", 0.3)]

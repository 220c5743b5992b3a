"""A screening's file and graph."""

import json
from pathlib import Path

import pytest
from ase.build import mx2
from ase.io import write as write_ase

from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.flows.kinds import flow_kind
from iface_wf.library import Library
from iface_wf.screening.graph import build_screening
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.spec_file import check_names, read_spec
from tests.tiny_library import spec_text, write_library

GOOD = "fillers: [SiO2, GdOOH]\npolymers: [PEO, {name: PAN, units: 3}]\n"
MILLION = "engine: xtb\nfillers: [{}]\npolymers: [{}]\n".format(
    ", ".join(f"f{i}" for i in range(1000)), ", ".join(f"p{i}" for i in range(1000))
)


@pytest.fixture
def write(tmp_path):
    def writer(text):
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


@pytest.fixture
def tiny(tmp_path):
    return Library(write_library(tmp_path / "library"))


def test_the_smallest_spec(write):
    spec = read_spec(write(GOOD))
    assert (spec.n_pairs, spec.engine, spec.level) == (4, "gpaw", "fast")
    assert [(p.name, p.units, s) for p, s in spec.fragments()] == [("PEO", None, None), ("PAN", 3, None)]


def test_salts_multiply_and_none_is_the_polymer_alone(write):
    spec = read_spec(write(GOOD + "salts: [none, LiTFSI]\n"))
    assert spec.n_pairs == 8
    assert [s for _, s in spec.fragments()] == [None, "LiTFSI"] * 2
    assert read_spec(write("fillers: [SiO2]\nsalts: [LiTFSI, LiFSI]\n")).n_pairs == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD + "engin: xtb\n", 3, "did you mean 'engine'"),
        ("fillers: [SiO2]\npolymers:\n  - PEO\n  - {name: PAN, unts: 3}\n", 4, "did you mean 'units'"),
        (GOOD + "placements: many\n", 3, "placements"),
        ("fillers: SiO2\npolymers: [PEO]\n", 1, "list"),
        (GOOD + "level: fats\n", 3, "fast"),
        (GOOD + "\nengine: gpwa\n", 4, "gpaw"),
        ("fillers: []\npolymers: [PEO]\n", 1, "at least 1"),
        ("fillers: [SiO2]\npolymers: []\n", 2, "no interface"),
        ("fillers: [SiO2]\nengine: xtb\npolymers: [PEO, PEO]\n", 3, "twice"),
        ("fillers: [SiO2]\npolymers:\n  - PEO\n  - PAM\n", 4, "PAN"),
        ("fillers: [SiO2, GdOH]\npolymers: [PEO]\n", 1, "GdOOH"),
        (GOOD + "salts:\n  - LiTFSl\n", 4, "LiTFSI"),
        (GOOD + "funnel: {engine: xtb}\n", 3, "keep"),
        (GOOD + "engine: xtb\nfunnel: {keep: 2}\n", 4, "funnel"),
        (GOOD + "quantities: [charge]\n", 3, "charges"),
        (MILLION, 2, "1,000,000 interfaces"),
    ],
)
def test_bad_specs_are_one_sentence_with_the_line(write, text, line, message):
    path = write(text)
    with pytest.raises(InputError) as caught:
        check_names(path, read_spec(path), Library())
    assert f"{path}, line {line}:" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_million_needs_consent(write):
    assert read_spec(write(MILLION), many=True).n_pairs == 1_000_000


def test_the_command_line_complains_in_one_line_too(write, capsys):
    assert main(["screen", str(write(GOOD + "engin: xtb\n")), "--dry-run"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1


def test_the_schema_says_what_a_file_may_hold(capsys):
    assert main(["screen", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(schema["properties"]) == set(ScreeningSpec.model_fields)
    allowed = schema["properties"]["polymers"]["items"]["anyOf"]
    assert {"type": "string"} in allowed  # a name, or a mapping


def test_parts_are_calculated_once_and_shared(write, tiny):
    screening = build_screening(read_spec(write(spec_text())), tiny)
    assert [r.role for r in screening.parts.values()].count("A") == 3
    assert [r.role for r in screening.parts.values()].count("B") == 5
    assert len(screening.items) == 15
    flow = screening.flow("screening")
    names = [job.name for job, _ in flow.iterflow()]
    assert (names.count("relax A"), names.count("relax B"), names.count("relax AB")) == (3, 5, 15)


def test_keys_do_not_depend_on_what_else_is_screened(write, tiny):
    everything = build_screening(read_spec(write(spec_text())), tiny)
    alone = build_screening(read_spec(write(spec_text(fillers=["HCN-layer"], polymers=["water"]))), tiny)
    assert set(alone.items) < set(everything.items)
    assert set(alone.parts) < set(everything.parts)
    other = build_screening(read_spec(write(spec_text(fillers=["HCN-layer"], polymers=["water"], seed=1))), tiny)
    assert not set(other.items) & set(everything.items)


def test_a_screening_finds_what_a_single_run_has_stored(write, tiny):
    spec = read_spec(write(spec_text(fillers=["HF-layer"], polymers=["water"])))
    screening = build_screening(spec, tiny)
    (kind,) = spec.kinds()
    (request,) = spec.requests(kind, tiny)
    assert list(screening.items) == list(kind.graph(request, tiny).items)


@pytest.mark.slow
def test_all_fragments_share_a_slab_that_is_large_enough(write):
    library = Library()
    short, long = "{name: PEO, units: 1}", "{name: PEO, units: 6}"
    text = "fillers: [SiO2]\nengine: xtb\nplacements: 4\nroom_atoms: 0\npolymers: [{}]\n"
    small = build_screening(read_spec(write(text.format(short))), library)
    both = build_screening(read_spec(write(text.format(f"{short}, {long}"))), library)
    slabs = [r for r in both.parts.values() if r.role == "A"]
    assert len(slabs) == 1
    assert len(slabs[0].structure) > max(len(r.structure) for r in small.parts.values() if r.role == "A")
    fixed = build_screening(read_spec(write(text.format(f"{short}, {long}") + "in_plane: [9.0, 9.0]\n")), library)
    assert [name for name, _ in fixed.refused] == ["SiO2 + PEO x 6"]
    assert set(fixed.items) == set(small.items)


@pytest.mark.parametrize(
    ("name", "pairs"),
    [("two-minutes.yaml", 2), ("three-pairs.yaml", 3), ("coated-garnet.yaml", 15), ("all-fillers.yaml", 264)],
)
def test_the_specs_that_come_with_the_package(name, pairs):
    path = Path(__file__).parents[2] / "workflows" / name
    spec = read_spec(path)
    check_names(path, spec, Library())
    assert spec.n_pairs == pairs


def test_names_of_the_library_come_before_files_beside_the_spec(write, tmp_path):
    for name in ("SiO2", "EC", "crystal", "slab.xyz"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    spec = read_spec(write("fillers: [SiO2, crystal, slab.xyz]\nmolecules: [EC, O]\n"))
    assert [each.name for each in spec.fillers] == ["SiO2", str(tmp_path / "crystal"), str(tmp_path / "slab.xyz")]
    assert [each.name for each in spec.molecules] == ["EC", "O"]


def test_files_and_names_of_a_mapping_reach_the_requests(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_ase(tmp_path / "sheet.xyz", mx2("MoS2", vacuum=8.0), format="extxyz")
    spec = ScreeningSpec(fillers=["sheet.xyz"], molecules=["ethylene carbonate"])
    (request,) = spec.requests(flow_kind("binding"), Library())
    assert (request.filler, request.molecule) == ("sheet.xyz", "EC")
    assert Library().filler(request.filler).name == "MoS2"

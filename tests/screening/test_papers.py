"""Published numbers beside ours: the files that are shipped, a whole run by xTB, verdicts on trends, and bad input."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

import iface_wf
from iface_wf.api.options import opened
from iface_wf.cli.main import main
from iface_wf.flows.kinds import flow_kind_of
from iface_wf.library import Library
from iface_wf.screening import papers_ahead
from iface_wf.screening.papers import Paper, PaperQuantity, PaperTrend, read_papers, request_of, requests_of
from iface_wf.screening.papers_ahead import calculate_side_by_side
from iface_wf.screening.papers_figure import panels
from iface_wf.screening.papers_outcomes import Outcome, outcomes, read, stored_document, verdict
from iface_wf.screening.papers_page import MARK, cells, page
from tests.examples import document

OWN = """
title: "A | paper <b>of water</b>"
doi: 10.1000/water.1
options: {engine: xtb, placements: 2, search: 6, isomers: 1}
quantities:
  - {name: water, published: -1.5, request: {quantities: [li_binding_energy], molecule: O}}
  - {name: methane, request: {quantities: [li_binding_energy], molecule: C}, model: stands for wax}
  - {name: nonsense, request: {quantities: [li_binding_energy], molecule: COC, group: "C#N"}}
trends:
  - {says: water holds Li+ better, falling: [methane, water]}
  - {says: the other way round, falling: [water, methane]}
  - {says: nobody knows, falling: [water, nonsense]}
not_computed:
  - {name: ice, why: needs a slab}
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    return path


def test_files_that_are_shipped_ask_for_what_exists():
    papers = read_papers()
    assert set(papers) == {"functional-polymers", "gdooh-peo", "lii-interphase", "pdol-llzto", "silica-so3li"}
    asked = [(paper, quantity) for paper in papers.values() for quantity in paper.quantities if quantity.request]
    labels = [request_of(paper, quantity).label for paper, quantity in asked]
    assert "dissociation of LiTFSI" in labels
    assert all(paper.quantities or paper.not_computed for paper in papers.values())
    for paper, quantity in asked:  # what they name is built; solids are built in tests of their own
        request = request_of(paper, quantity)
        if not quantity.in_solids:
            assert flow_kind_of(request.quantities).graph(request, Library(), here=False).items
    published = {q.name: q.published for q in papers["pdol-llzto"].quantities}
    # 10.1002/aenm.202402746
    assert list(published.values()) == [
        5.42,
        4.63,
        4.43,
        4.09,
        -0.43,
        -0.43,
        -0.26,
        -1.14,
        -0.0993,
        -0.0993,
        -0.1352,
        0.0045,
    ]


def test_the_page_of_the_documentation_is_of_these_files():
    from tests.test_docs import ROOT

    text = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    assert text.startswith(MARK)
    for name, paper in read_papers().items():
        assert paper.doi in text
        blank = page({name: paper}, {name: [Outcome(quantity) for quantity in paper.quantities]})
        assert [line for line in blank.splitlines()[2:] if line.split(" | ")[0] not in text] == []
        assert [quantity.model for quantity in paper.quantities if quantity.model not in text] == []


@pytest.mark.slow
def test_numbers_trends_and_what_is_missing(own, tmp_path, capsys):
    where = ["--store", str(tmp_path / "s"), "--workdir", str(tmp_path / "runs")]
    out = tmp_path / "page.md"
    drawn = tmp_path / "x.svg"
    assert main(["papers", str(own), *where, "--stored"]) == 2
    assert "There is no store" in capsys.readouterr().err
    opened(where[1]).close()
    # nonsense cannot be asked for
    assert main(["papers", str(own), *where, "--stored", "--json", "--figure", str(drawn)]) == 1
    assert "water" in drawn.read_text()  # its published number alone
    before = json.loads(capsys.readouterr().out)["own"]
    assert [row["problem"] for row in before["quantities"]][:2] == ["not computed yet"] * 2
    assert main(["papers", str(own), *where, "--out", str(out), "--json"]) == 1
    ran = capsys.readouterr()
    assert ran.err.splitlines()[-1].startswith("nonsense: ")  # what failed is the last word
    told = json.loads(ran.out)["own"]
    water, methane, nonsense = told["quantities"]
    assert water["value"] < methane["value"] < 0
    assert "matches nothing" in nonsense["problem"]
    assert [trend["verdict"] for trend in told["trends"]] == ["reproduced", "not reproduced", "not computed"]
    assert told["not_computed"][0]["name"] == "ice"
    text = out.read_text()
    assert text.startswith(f"{MARK}\n# One paper, computed\n")
    assert "https://doi.org/10.1000/water.1" in text
    assert "<b>" not in text
    assert "A \\| paper" in text
    assert f"{water['value']:+.2f}" in text
    assert "-1.50" in text
    assert main(["papers", str(own), *where, "--stored", "--figure", str(drawn)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["papers", str(own), *where, "--stored", "--figure", str(drawn), "--force"]) == 1
    (panel,) = panels(read_papers(str(own)), {"own": list(stored_outcomes(own, where[1]))})
    assert panel.label == "li binding energy / eV, negative = bound"
    assert [(number.name, number.published) for number in panel.numbers] == [
        ("water", -1.5), ("methane", None), ("nonsense", None),
    ]  # fmt: skip
    assert [number.ours for number in panel.numbers] == [water["value"], methane["value"], None]
    assert panel.numbers[0].uncertainty == water["uncertainty"] > 0
    assert "matches nothing" in panel.numbers[2].problem
    # once more, over its own page: everything that can be is found
    assert main(["papers", str(own), *where, "--stored", "--out", str(out)]) == 1
    assert out.read_text() == text


@pytest.mark.slow
def test_molecules_are_calculated_side_by_side_and_found_afterwards(own, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("IFACE_WF_CORES", "2")
    options = ["--store", str(tmp_path / "store.sqlite"), "--workdir", str(tmp_path / "work")]
    assert main(["papers", str(own), "--json", *options]) == 1  # of the third
    first = capsys.readouterr()
    assert "2 quantities, 2 at a time" in first.err  # the third cannot be built
    assert sorted(re.findall(r"\[\d/2\] (\w+): done", first.err)) == ["methane", "water"]
    assert main(["papers", str(own), "--only", "water", "--json", *options]) == 0
    second = capsys.readouterr()
    assert "at a time" not in second.err
    everything, alone = (json.loads(said.out)["own"] for said in (first, second))
    assert [row["name"] for row in alone["quantities"]] == ["water"]
    assert alone["quantities"][0] == everything["quantities"][0]
    assert alone["trends"] == []


@pytest.mark.slow
def test_a_quantity_that_fails_beside_others_says_why(own, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("IFACE_WF_CORES", "2")
    told = []
    calculate_side_by_side(
        [(str(own), "water"), (str(own), "no such thing")],
        ["--store", str(tmp_path / "store.sqlite"), "--workdir", str(tmp_path / "work")],
        told.append,
    )
    assert told[0] == "2 quantities, 2 at a time"
    assert any(
        line.startswith("[") and "no such thing: failed: " in line and "Unknown quantity" in line for line in told
    )
    assert any("water: done" in line for line in told)


@pytest.mark.slow
def test_ctrl_c_ends_those_beside_each_other(own, tmp_path):
    store, work = tmp_path / "store.sqlite", tmp_path / "work"
    longer = [("O}", "polymer: PEO, units: 4}"), ("C}", "polymer: PEO, units: 5}")]
    text = own.read_text().replace("placements: 2, search: 6", "search: 4000")
    for short, long in longer:
        text = text.replace(f"molecule: {short}", long)
    own.write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "iface_wf", "papers", str(own), "--store", str(store), "--workdir", str(work)],
        env=os.environ | {"IFACE_WF_CORES": "2"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        end = time.monotonic() + 120
        while len(children.read_text().split()) < 2:
            assert time.monotonic() < end
            time.sleep(0.2)
        time.sleep(10)  # they have begun by then, and need minutes
        os.kill(process.pid, signal.SIGINT)  # this one alone: it tells the others
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 130
        assert "Traceback" not in said
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # nobody of its group is left
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_who_does_not_hear_an_interrupt_is_ended_all_the_same(monkeypatch):
    monkeypatch.setattr(papers_ahead, "PATIENCE", 0.3)
    deaf = "import signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()  # it is deaf from now on
    papers_ahead._end([process])
    assert process.poll() == -signal.SIGTERM


def test_a_quantity_that_no_paper_has_is_one_sentence(own, capsys):
    assert main(["papers", str(own), "--only", "watr", "--stored"]) == 2
    assert capsys.readouterr().err.strip() == "iface-wf: Unknown quantity 'watr': did you mean water?"


def test_every_quantity_that_is_shipped_can_be_asked_for_by_itself():
    papers = read_papers(None)
    names = [quantity.name for paper in papers.values() for quantity in paper.quantities]
    assert len(names) > 30
    for name in names:
        for key, paper in papers_ahead.only(papers, name).items():
            asked, whole = requests_of(paper), requests_of(papers[key])
            assert asked == {each: whole[each] for each in asked}, name


@pytest.mark.slow
def test_requests_of_the_page_find_the_results_beside_it(tmp_path):
    """By the keys that this machine gives them: slabs that hang on its last digits are other ones."""
    from tests.test_docs import ROOT

    store = tmp_path / "store.sqlite"
    iface_wf.store_import(ROOT / "docs" / "data" / "papers.zip", store)
    found, library = opened(store), Library()
    told = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    lost = [
        name
        for paper in read_papers(None).values()
        for name, request in requests_of(paper).items()
        if stored_document(request, found, library) is None and f"| {name} | not computed yet" not in told
    ]
    assert lost == []


def stored_outcomes(path, store):
    (paper,) = read_papers(str(path)).values()
    return outcomes(paper, opened(store), Library(), None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jpg", "no name of a figure: end it in .png, .svg, .pdf"),
        ("nowhere/x.png", "does not exist"),
        (".png", "no name"),
    ],
)
def test_bad_names_of_figures_are_refused_before_anything_is_calculated(own, tmp_path, capsys, monkeypatch, name, text):
    monkeypatch.chdir(tmp_path)
    assert main(["papers", str(own), "--store", "s", "--figure", name]) == 2
    assert text in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [own]


def test_a_paper_without_numbers_gives_no_figure_and_says_so(tmp_path, capsys):
    opened(str(tmp_path / "s")).close()
    assert (
        main(
            [
                "papers",
                "functional-polymers",
                "--stored",
                "--store",
                str(tmp_path / "s"),
                "--figure",
                str(tmp_path / "x.pdf"),
            ]
        )
        == 0
    )
    assert "No figure" in capsys.readouterr().err
    assert not (tmp_path / "x.pdf").exists()


def outcome(name, value, trustworthy=True, **parts):
    quantity = PaperQuantity(name=name, request={"quantities": []})
    return Outcome(quantity, SimpleNamespace(), number=value, parts=parts, trustworthy=trustworthy)


def test_verdicts_hang_on_the_uncertainty_of_the_difference():
    trend = PaperTrend(says="a over b", falling=["a", "b"])

    def said(*two):
        return verdict(trend, {each.quantity.name: each for each in two})[0]

    assert said(outcome("a", 5.0, search=0.1), outcome("b", 4.0, search=0.1)) == "reproduced"
    near = "reproduced, but within the uncertainty"
    assert said(outcome("a", 5.0, search=0.5), outcome("b", 4.5, search=0.5)) == near
    assert said(outcome("a", 4.5, search=0.5), outcome("b", 5.0, search=0.5)) == f"not {near}"
    assert said(outcome("a", 4.0, search=0.1), outcome("b", 5.0, search=0.1)) == "not reproduced"
    # what both have in common falls out of the difference
    assert said(outcome("a", 5.0, basis=0.5), outcome("b", 4.5, basis=0.5)) == "reproduced"
    assert said(outcome("a", 4.0), outcome("b", 5.0)) == "not reproduced"
    assert said(outcome("a", 5.0), outcome("b", 4.0, trustworthy=False)) == "not computed"


def test_what_a_doubtful_difference_rests_on_and_flags_of_others_are_told():
    quantity = PaperQuantity(name="a - b", difference=("a", "b"))
    assert (
        "NOT TRUSTWORTHY (rests on b)" in cells(Outcome(quantity, number=1.0, trustworthy=False, doubt="rests on b"))[1]
    )
    flagged = Outcome(PaperQuantity(name="a", request={}), document("a" * 64, flags=["crowded (-0.08 eV)"]), number=1.0)
    assert cells(flagged)[3] == "flags: crowded (-0.08 eV)"


def test_a_flag_that_is_meant_forbids_nothing_but_others_do():
    why = "an acid gives its proton away"
    quantity = PaperQuantity(name="acid", request={}, meant={"dissociated": why})
    taken_apart = read(quantity, document("a" * 64, binding_energy=-1.0, flags=["dissociated"]), "binding_energy")
    assert taken_apart.value == pytest.approx(-1.0)
    assert cells(taken_apart)[3] == f"flags: dissociated, which is meant: {why}"
    for other in ("dissociated (relax B)", "scf_unconverged (AB)"):
        found = read(quantity, document("a" * 64, binding_energy=-1.0, flags=["dissociated", other]), "binding_energy")
        assert found.value is None
        assert f"NOT TRUSTWORTHY (dissociated, {other})" in cells(found)[1]
    with pytest.raises(ValueError, match="means the flag 'disociated', which forbids nothing: those that do are"):
        PaperQuantity(name="acid", request={}, meant={"disociated": why})
    with pytest.raises(ValueError, match="has a 'meant' but no 'request'"):
        PaperQuantity(name="acid", difference=("a", "b"), meant={"dissociated": why})


@pytest.mark.slow
def test_volumes_need_no_calculation_and_units_are_not_mixed(tmp_path, capsys):
    where = ["--store", str(tmp_path / "s"), "--workdir", str(tmp_path / "runs")]
    path = tmp_path / "grows.yaml"
    path.write_text(
        "title: t\nquantities:\n"
        "  - {name: grows, published: 126, volume_ratio: {products: {LiI: 2}, reactants: {I2: 1}}}\n"
        "  - {name: shrinks, volume_ratio: {products: {I2: 1}, reactants: {LiI: 2}}}\n"
        "  - {name: unknown, volume_ratio: {products: {I3: 1}, reactants: {LiI: 2}}}\n"
        "trends:\n  - {says: it grows, falling: [grows, shrinks]}\n"
    )
    assert main(["papers", str(path), *where, "--out", str(tmp_path / "page.md"), "--json"]) == 1  # there is no I3
    told = json.loads(capsys.readouterr().out)["grows"]
    grows, shrinks, unknown = told["quantities"]
    assert (grows["unit"], grows["published"]) == ("%", 126)
    assert grows["value"] == pytest.approx(126, abs=1)
    assert shrinks["value"] == pytest.approx(1e4 / grows["value"])
    assert "I3" in unknown["problem"]
    assert told["trends"][0]["verdict"] == "reproduced"
    text = (tmp_path / "page.md").read_text()
    assert "| grows | 127 % | 126 % |" in text
    assert "cm^3/mol (LiI)" in text
    assert "= +48.11 %" in text
    mixed = outcome("a", 1.0)._replace(unit="J/m^2")
    trend = PaperTrend(says="apples and pears", falling=["a", "b"])
    assert verdict(trend, {"a": mixed, "b": outcome("b", 0.5)}) == ("not computed", "compares J/m^2 with eV")


@pytest.mark.slow
def test_differences_and_other_columns_are_read_from_the_same_results(tmp_path, capsys):
    where = ["--store", str(tmp_path / "s"), "--workdir", str(tmp_path / "runs")]
    path = tmp_path / "two.yaml"
    path.write_text(
        "title: t\noptions: {engine: xtb, placements: 2, search: 6, isomers: 1}\nquantities:\n"
        "  - {name: a, request: &a {quantities: [li_binding_energy], molecule: O}}\n"
        "  - {name: b, request: {quantities: [li_binding_energy], molecule: C}}\n"
        "  - {name: a - b, published: -1, difference: [a, b]}\n"
        "  - {name: inner, request: *a, column: interaction_energy}\n"
        "  - {name: solid, request: {quantities: [binding_energy], filler: LiI, molecule: O}}\n"
        "  - {name: solid - a, difference: [solid, a]}\n"
        "trends:\n  - {says: s, falling: [b, a, a - b]}\n"
    )
    drawn = tmp_path / "x.svg"
    assert main(["papers", str(path), *where, "--gas-phase", "--json", "--figure", str(drawn)]) == 0
    a, b, step, inner, solid, lacking = json.loads(capsys.readouterr().out)["two"]["quantities"]
    assert step["value"] == pytest.approx(a["value"] - b["value"])
    assert step["uncertainty"] > 0
    assert inner["key"] == a["key"]
    assert inner["value"] < a["value"]  # what deforms water costs energy
    assert inner["uncertainty"] is None  # it is not told of this column
    assert solid["problem"] == "not computed yet"
    assert lacking["problem"] == "not computed yet: lacks solid"
    assert "difference (eV)" in drawn.read_text()
    assert main(["papers", str(path), *where, "--stored", "--out", str(tmp_path / "page.md")]) == 0
    assert (
        f"| a - b | {step['value']:+.2f} +- {step['uncertainty']:.2f} | -1.00 |" in (tmp_path / "page.md").read_text()
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("title: ", "titel: "), "did you mean 'title'|titel"),
        (("falling: [methane, water]", "falling: [methane, beer]"), "names 'beer', which is no quantity"),
        (("name: methane,", "name: water,"), "given twice"),
        (("doi: 10.1000/water.1", "doi: 'javascript:x'"), "doi"),
        (
            ("quantities: [li_binding_energy], molecule: O}", "quantities: [li_bindung], molecule: O}"),
            "li_binding_energy",
        ),
        (
            ("request: {quantities: [li_binding_energy], molecule: C}", "remark: x"),
            "needs one of 'request', 'difference' and",
        ),
        (("quantities: [li_binding_energy], molecule: O}", "molecule: O}"), "'water' does not say its 'quantities'"),
        (("molecule: C}", "molecool: C}"), "The quantity 'methane'"),
        (("molecule: C}", "molecule: C}, column: bindung"), "column of the quantity 'methane' 'bindung'"),
        (("molecule: C}", "molecule: C}, column: filler"), "own.yaml: .* column of the quantity 'methane' 'filler'"),
        (("- {name: nonsense, ", "- {name: less, difference: [water, beer]}\n  - {name: nonsense, "), "names 'beer'"),
        (
            ("- {name: water, ", "- {name: less, difference: [water, methane]}\n  - {name: water, "),
            "no quantity before it",
        ),
        (
            ("- {name: nonsense, ", "- {name: less, difference: [water, methane], column: x}\n  - {name: nonsense, "),
            "'column' but no 'request'",
        ),
        (("engine: xtb, placements", "engin: xtb, placements"), "did you mean 'engine'|engin"),
        (("published: -1.5", "published: .nan"), "own.yaml: 'quantities.0.published': a number is needed, not nan"),
        (("published: -1.5", "published: 1.0e+400"), "own.yaml: 'quantities.0.published'"),
        (
            (
                "request: {quantities: [li_binding_energy], molecule: C}",
                "volume_ratio: {products: {LiI: -2}, reactants: {I2: 1}}",
            ),
            "own.yaml: 'quantities.1.volume_ratio.products.LiI'",
        ),
    ],
)
def test_bad_files_are_one_sentence(own, tmp_path, capsys, change, text):
    import re

    own.write_text(OWN.replace(*change))
    assert main(["papers", str(own), "--store", str(tmp_path / "s")]) == 2
    error = capsys.readouterr().err
    assert re.search(text, error)
    assert error.count("\n") == 1


def test_unknown_papers_and_files_of_others_are_refused(own, tmp_path, capsys):
    store = ["--store", str(tmp_path / "s")]
    assert main(["papers", "pdol-llzo", *store]) == 2
    assert "pdol-llzto" in capsys.readouterr().err
    other = tmp_path / "mine.md"
    other.write_text("mine")
    assert main(["papers", str(own), "--out", str(other), *store]) == 2
    assert "no page of papers" in capsys.readouterr().err
    assert other.read_text() == "mine"
    assert Paper(title="x").doi == ""


def test_the_numbers_of_the_page_are_those_of_the_results_beside_it(tmp_path):
    from tests.test_docs import ROOT

    store = tmp_path / "store.sqlite"
    iface_wf.store_import(ROOT / "docs" / "data" / "papers.zip", store)
    lines = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8").splitlines()
    named = [(line, found[1]) for line in lines if (found := re.search(r", level \w+, ([0-9a-f]{8}) \|$", line))]
    assert len(named) > 25
    for line, key in named:
        document = iface_wf.show(key, store=store)
        told = float(re.search(r"\| ([+-][\d.]+)", line)[1])
        own = [*document.model_dump().values(), *(getattr(document, "charge_transfer", None) or {}).values()]
        numbers = [value for value in own if isinstance(value, float)]
        assert min(abs(value - told) for value in numbers) < 0.006, line  # two digits are shown, of charges four

"""Tables for papers and other programs: formats, columns, and text from outside that stays text."""

import io

import pandas as pd
import pytest

from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.reports.tables import chosen_columns, csv, latex, markdown, table_format, write_binary
from iface_wf.store.results import result_table
from tests.examples import document, put

KEY = "abc0" + "1" * 60
FORMULA = '=HYPERLINK("x")'


@pytest.fixture
def table(job_store):
    put(job_store, document(KEY, polymer="a|b_c", flags=["crowded"]))
    put(job_store, document("d" * 64, polymer=FORMULA, binding_energy=None, flags=["desorbed"]), uuid="2" * 36)
    return result_table(job_store)


def test_latex_escapes_names_and_writes_numbers_as_mathematics(table):
    text = latex(table, ["polymer", "binding_energy"])
    assert r"\begin{tabular}{lr}" in text
    assert r"polymer & binding\_energy / eV \\" in text
    assert r"a|b\_c & $-0.400" in text
    assert f"{FORMULA} &  \\\\" in text  # no number, no empty formula
    assert "% binding_energy: eV per interface cell, negative = bound" in text
    assert r"\pm" in latex(table, None)


def test_markdown_keeps_its_columns_whatever_a_name_holds(table):
    lines = markdown(table, ["ID", "method", "polymer", "binding_energy"]).splitlines()
    assert lines[0] == "| ID | method | polymer | binding_energy / eV |"
    assert lines[1] == "| --- | --- | --- | --: |"
    assert lines[2].startswith(r"| abc01111 | gpaw fast PBE-D3(BJ) | a\|b_c | -0.400 ± ")
    assert "NOT TRUSTWORTHY; desorbed" in markdown(table, None)


def test_csv_has_all_digits_of_the_chosen_columns_in_their_order(table):
    found = pd.read_csv(io.StringIO(csv(table, ["binding_energy", "filler", "flags"])))
    assert list(found.columns) == ["binding_energy", "filler", "flags"]
    assert found["binding_energy"][0] == -0.4
    assert list(found["flags"]) == ["crowded", "desorbed"]


@pytest.mark.slow
def test_a_workbook_holds_numbers_units_and_no_formula(table, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    write_binary(table, None, tmp_path / "x.xlsx", "xlsx")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == ["results", "units"]
    rows = list(book["results"].iter_rows())
    names = [cell.value for cell in rows[0]]
    assert names == list(table.columns)
    assert rows[1][names.index("binding_energy")].value == -0.4
    assert rows[2][names.index("binding_energy")].value is None
    polymer = rows[2][names.index("polymer")]
    assert (polymer.value, polymer.data_type) == (FORMULA, "s")
    units = {row[0].value: row[1].value for row in book["units"].iter_rows()}
    assert units["coverage"] == "molecules per nm^2"
    with pytest.raises(InputError, match="exists already"):
        write_binary(table, None, tmp_path / "x.xlsx", "xlsx")


def test_a_missing_package_is_named(table, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"openpyxl: pip install '.\[xlsx\]' in the clone"):
        write_binary(table, None, tmp_path / "x.xlsx", "xlsx")


@pytest.mark.parametrize(
    ("name", "fmt", "found"),
    [
        (None, None, None),
        (None, "latex", "latex"),
        ("t.tex", None, "latex"),
        ("T.XLSX", None, "xlsx"),
        ("t.dat", "csv", "csv"),
        ("t.md", "md", "md"),
    ],
)
def test_the_suffix_decides(tmp_path, name, fmt, found):
    assert table_format(None if name is None else tmp_path / name, fmt) == found


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--format", "xlsx"], "goes into a file"),
        (["--out", "x.doc"], ".tex, .xlsx, .parquet do"),
        (["--out", "x.md", "--format", "csv"], "the suffix says md"),
        (["--out", "x.md", "--format", "table"], "goes into no file"),
        (["--json", "--format", "csv"], "exclude each other"),
        (["--columns", "binding_energi"], "did you mean binding_energy"),
        (["--columns", " , "], "names no column"),
        (["--out", "no/x.md"], "does not exist"),
    ],
)
@pytest.mark.parametrize("command", ["results", "best"])
def test_what_does_not_fit_is_refused(table, tmp_path, monkeypatch, capsys, command, arguments, text):
    monkeypatch.chdir(tmp_path)
    assert main([command, *arguments, "--store", "store.sqlite"]) == 2
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert text in told.err
    assert {p.name.split("-")[0] for p in tmp_path.iterdir()} == {"store.sqlite"}


@pytest.mark.slow
def test_the_command_line_writes_files_and_lists_columns(table, tmp_path, capsys):
    store = ["--store", str(tmp_path / "store.sqlite")]
    for suffix in ("csv", "json", "md", "tex", "xlsx", "parquet"):
        if suffix == "xlsx":
            pytest.importorskip("openpyxl")
        out = tmp_path / f"t.{suffix}"
        assert main(["best", "--out", str(out), "--columns", "filler,binding_energy", *store]) == 0
        told = capsys.readouterr()
        assert (told.out, told.err) == ("", f"Wrote 1 rows to {out}\n")
        assert out.stat().st_size > 0
    assert (tmp_path / "t.csv").read_text() == "filler,binding_energy\nLiF,-0.4\n"
    assert list(pd.read_parquet(tmp_path / "t.parquet").columns) == ["filler", "binding_energy"]
    assert main(["results", "--columns", "help", *store]) == 0
    listed = capsys.readouterr().out
    assert "method " in listed
    assert "eV per interface cell, negative = bound" in listed
    assert main(["results", "--columns", "polymer,coverage", *store]) == 0
    assert "coverage" in capsys.readouterr().out


def test_names_of_columns_are_found_whatever_their_case(table):
    assert chosen_columns(table, "id, Filler,filler, BINDING_ENERGY") == ["ID", "filler", "binding_energy"]

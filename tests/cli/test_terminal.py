"""Names and flags of other people's files and stores cannot steer the terminal."""

import io
import json
import logging
import unicodedata

import pytest

from iface_wf.cli import output
from iface_wf.cli.progress import Progress
from iface_wf.cli.runner import _PlainFormatter
from iface_wf.cli.screen_progress import ScreeningProgress
from iface_wf.flows.events import Event
from iface_wf.screening.events import ScreeningEvent
from tests.cli.conftest import KEY
from tests.examples import document, put

ESCAPES = [
    "\x1b[2J\x1b[H",  # clears the screen
    "\x1b]0;title\x07",  # the window's title
    "\x1b]52;c;aGFja2Vk\x07",  # the clipboard
    "\x9b31m",  # the same as ESC [ in one character
    "\u202efdc.",  # from right to left
    "\u2066x\u2069",
    "\r",  # writes over the line
    "\b\b\b",
    "\x00",
    "\u2028",
    "\ufeff",
]


def steering(text):
    """Return what steers a terminal in a text, except line breaks."""
    return [c for c in text if c != "\n" and (unicodedata.category(c)[0] == "C" or c in "\u2028\u2029")]


@pytest.fixture
def odd_store(job_store, tmp_path):
    text = f"Li{''.join(ESCAPES)}F"
    flags = [f"noted: {text}"]
    provenance = {"versions": {f"gpaw{text}": f"1{text}"}, "settings": {"AB": {f"xc{text}": text}}}
    put(job_store, document(KEY, filler=text, polymer=f"P{text}", surface=text, level=text, flags=flags,
                            functional=text, basis=text, geometry_engine=text, provenance=provenance))  # fmt: skip
    return tmp_path / "store.sqlite"


@pytest.mark.parametrize(
    "arguments",
    [
        ("results",),
        ("results", "--format", "csv"),
        ("results", "--json"),
        ("show", "abc0"),
        ("show", "abc0", "--json"),
        ("best",),
        ("provenance", "abc0"),
        ("provenance", "abc0", "--json"),
    ],
)
def test_stored_texts(cli, odd_store, arguments):
    ran = cli(*arguments, "--store", odd_store)
    assert steering(ran.out + ran.err) == []
    assert ran.code == 0
    if arguments != ("provenance", "abc0"):  # a table of terms without names
        assert "\\x1b" in ran.out or "\\u001b" in ran.out


@pytest.mark.parametrize("text", ESCAPES)
def test_json_gives_back_every_character(capsys, text):
    output.print_json({"name": text})
    said = capsys.readouterr().out
    assert steering(said) == []
    assert json.loads(said) == {"name": text}


@pytest.mark.parametrize("text", [*ESCAPES, "line\nbreak"])
def test_progress(text, capsys):
    with Progress() as progress:
        progress.tell(Event(step=f"relax{text}", index=2, total=3, state="failed", seconds=1.0, detail=text))
    with ScreeningProgress() as screening:
        for state in ("finished", "failed", "skipped"):
            screening.tell(
                ScreeningEvent(stage="parts", name=f"a{text}", state=state, done=1, total=2, failed=1, detail=text)
            )
    err = capsys.readouterr().err
    assert steering(err) == []
    assert err.count("\n") == 4


@pytest.mark.parametrize("text", [text for text in ESCAPES if "\0" not in text])
def test_names_of_files_in_messages(cli, tmp_path, text):
    path = tmp_path / f"{text}.cif"
    path.write_text("no crystal")
    ran = cli("build", "--filler", path, "--out", tmp_path / "out")
    assert ran.code == 2
    assert steering(ran.err) == []
    ran = cli("results", "--store", tmp_path / text / "x.sqlite")
    assert ran.code == 2
    assert steering(ran.err) == []


def test_a_name_in_bytes_that_are_no_text(cli, tmp_path):
    ran = cli("results", "--store", tmp_path / "no\udcff" / "x.sqlite")
    assert ran.code == 2
    assert "udcff" in ran.err


def test_lines_of_the_log(capsys):
    record = logging.LogRecord("iface_wf", logging.ERROR, "", 1, "Li\x1b[2JF mongodb://alice:s3cret@host", (), None)
    said = _PlainFormatter("%(message)s").format(record)
    assert steering(said) == []
    assert "s3cret" not in said


def test_tables_and_usual_letters_stay_as_they_are(capsys):
    table = output.plain_table("a", "b")
    table.add_row("two\nlines", "Käse Δρ 東京 [red]x[/red] e/Å³")
    output.stdout().print(table)
    out = capsys.readouterr().out
    assert "two\\nlines" in out
    assert "Käse Δρ 東京 [red]x[/red] e/Å³" in out
    assert isinstance(output.stdout().file, io.TextIOBase)


@pytest.mark.parametrize(
    "arguments",
    [
        ("results", "mongodb://alice:s3cret@host/db"),
        ("mongodb://alice:s3cret@host/db",),
        ("results", "--stor=mongodb://alice:s3cret@host/db"),
        ("results", "--format", "mongodb://alice:s3cret@host/db"),
        ("run", "--units", "\x1b[2Jmongodb://alice:s3cret@host/db"),
        ("show", "\x1b[2J", "\x1b[2J"),
    ],
)
def test_wrong_use_of_a_command(cli, arguments):
    ran = cli(*arguments)
    assert ran.code == 2
    assert "Usage: iface-wf" in ran.err
    assert len(ran.err.splitlines()) == 3
    assert steering(ran.err) == []
    assert "s3cret" not in ran.err

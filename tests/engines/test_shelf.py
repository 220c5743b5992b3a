"""The shelf: a calculation is done once, whoever asks for it, at the same time or later."""

import json
import multiprocessing
import os
import signal
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from pymatgen.core import Molecule

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.engines import shelf
from iface_wf.engines.xtb.engine import XtbEngine

WATER = Molecule("OHH", [[0, 0, 0], [0.757, 0.586, 0], [-0.757, 0.586, 0]])  # boxed: H, H, O


def water(order=(0, 1, 2)):
    structure = WATER.get_boxed_structure(12, 12, 12)
    structure = structure.from_sites([structure[i] for i in order])
    structure.add_site_property("component", ["polymer"] * 3)
    structure.lattice = structure.lattice.__class__(structure.lattice.matrix, (False, False, False))
    return structure


def calculate(structure=None, **options):
    return XtbEngine(kind="static", **options).make.original(XtbEngine(kind="static", **options), structure or water())


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "log.jsonl"
    monkeypatch.setenv("IFACE_WF_CALC_LOG", str(path))
    return lambda: [json.loads(line)["event"] for line in path.read_text().splitlines()]


def test_a_result_that_never_reached_a_store_is_taken_from_the_working_folder(log):
    first, second = calculate(role="A"), calculate(role="B")
    assert log() == ["start", "end"]
    assert second.energy == first.energy
    assert (first.role, second.role, second.reused_from) == ("A", "B", None)


def test_jobs_of_a_queue_share_a_shelf_and_say_where_a_result_comes_from(log, tmp_path, monkeypatch):
    monkeypatch.setenv(shelf.VARIABLE, str(tmp_path / "shelf"))
    folders = [tmp_path / name for name in ("one", "two")]
    documents = []
    for folder in folders:
        folder.mkdir()
        monkeypatch.chdir(folder)
        documents.append(calculate())
    assert log() == ["start", "end"]
    assert documents[0].reused_from is None
    assert documents[1].reused_from == f"shelf {documents[0].directory}"
    assert not list(folders[1].iterdir())


def test_another_order_of_sites_is_another_place_on_the_shelf(log):
    calculate()
    document = calculate(water((2, 0, 1)))
    assert [site["species"][0]["element"] for site in document.structure["sites"]] == ["O", "H", "H"]
    assert log() == ["start", "end"] * 2


def test_a_damaged_document_is_calculated_again(log, tmp_path):
    before = calculate()
    (path,) = tmp_path.glob("calc-*/document.json")
    path.write_bytes(path.read_bytes()[:200])
    assert calculate().energy == pytest.approx(before.energy, abs=1e-8)  # eV; the same program on the same input
    assert log() == ["start", "end"] * 2


def test_a_changed_digit_of_a_document_on_the_shelf_is_seen(log, tmp_path):
    before = calculate()
    (path,) = tmp_path.glob("calc-*/document.json")
    text = path.read_text()
    place = text.index('"energy":-') + len('"energy":-')
    path.write_text(f"{text[:place]}{9 - int(text[place])}{text[place + 1 :]}")
    assert calculate().energy == pytest.approx(before.energy, abs=1e-8)  # eV; the same program on the same input
    assert log() == ["start", "end"] * 2


def test_force_calculates_again(log):
    calculate()
    calculate(force=True)
    assert log() == ["start", "end"] * 2


def accept(document):
    return True


def _ask(place, document, log):
    def slowly(folder, before):
        with log.open("a") as file:
            file.write("calculated\n")
        time.sleep(0.3)
        return document

    shelf.calculate_once(Path(place), accept, accept, slowly, nullcontext())


def test_who_comes_at_the_same_time_waits(log, tmp_path):
    document = calculate()
    assert isinstance(document, CalculationDocument)
    counted = tmp_path / "counted"
    fork = multiprocessing.get_context("fork")
    askers = [fork.Process(target=_ask, args=(tmp_path / "place", document, counted)) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(30)
    assert [asker.exitcode for asker in askers] == [0] * 4
    assert counted.read_text() == "calculated\n"


def test_a_failure_leaves_nothing_that_would_be_taken_for_a_result(tmp_path):
    def fail(folder, before):
        raise RuntimeError("no")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            shelf.calculate_once(tmp_path / "place", accept, accept, fail, nullcontext())


def test_a_program_that_outlives_its_job_keeps_the_lock(tmp_path):
    """A job that is killed leaves its program for a moment, until the scheduler ends that too."""
    place, ended = tmp_path / "place", tmp_path / "ended"
    child = os.fork()
    if not child:

        def start_and_die(folder, before):
            subprocess.Popen(["sh", "-c", f"sleep 1; touch {ended}"], close_fds=False)
            os.kill(os.getpid(), signal.SIGKILL)

        shelf.calculate_once(place, accept, accept, start_and_die, nullcontext())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    with shelf._locked(place):
        assert ended.exists()

"""The queue as a user meets it: commands, a runner in the background, and a cluster from nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iface_wf.api.serve import Pages
from iface_wf.cli.main import main
from iface_wf.store.results import result_table
from tests.system.queue_bench import JOBS, QueueBench
from tests.tiny_library import spec_text, write_library

ROOT = Path(__file__).resolve().parents[2]
PAIR = ["methane", "ammonia"]


@pytest.fixture
def bench(mongod, tmp_path, monkeypatch):
    """A workstation without a scheduler."""
    address = f"mongodb://{mongod.host}:{mongod.port}/commands_{os.urandom(4).hex()}"
    return QueueBench(tmp_path, address, monkeypatch, scheduler="shell")


@pytest.fixture
def ask(capfd):
    """Run a command in this process; give its exit code, its JSON (or text) and its remarks."""

    def run(*words):
        capfd.readouterr()
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, json.loads(out) if "--json" in words else out, err

    return run


def written(folder, **options):
    path = folder / "spec.yaml"
    content = {"fillers": ["water-layer"], "polymers": ["methane"], "quantities": ["binding_energy"]}
    path.write_text(spec_text(**(content | options)), encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_submission_costs_what_a_screening_does(bench, ask, tmp_path):
    spec = written(tmp_path)
    submitted = ask("submit", spec, "--dry-run", "--json")[1]
    screened = ask("screen", spec, "--dry-run", "--json", "--store", bench.address)[1]
    for name in ("core_hours", "low", "high", "memory_gb", "disk_gb", "basis"):
        assert submitted[name] == screened[name], name
    assert submitted["limit_core_hours"] > submitted["core_hours"] > 0


@pytest.mark.slow
def test_a_runner_in_the_background_that_is_killed_is_started_anew(bench, ask, tmp_path):
    spec = written(tmp_path)
    code, planned, _ = ask("submit", spec, "--dry-run", "--json")
    assert (code, planned["jobs"], planned["flow"], len(planned["submitted"])) == (0, JOBS, None, 1)
    code, done, _ = ask("submit", spec, "--json")
    assert (code, done["jobs"], done["references"], len(done["submitted"])) == (0, JOBS, 2, 1)
    code, done, _ = ask("submit", spec, "--json")
    assert (done["queued"], done["submitted"]) == (1, [])
    assert "No runner is at work" in ask("status")[2]

    code, _, said = ask("queue", "start")
    first = int(re.search(r"process (\d+)", said).group(1))
    assert code == 0
    try:
        code, _, said = ask("queue", "start")
        assert code == 2
        assert "at work already" in said
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 400
        while (found := ask("status", "--json")[1])["interfaces"] != {"finished": 1}:
            assert time.monotonic() < deadline, found
            time.sleep(0.5)
        assert found["runner"] is not None
        assert f"({first})" not in found["runner"]
        log = tmp_path / "projects" / "test" / "log" / "iface-wf-runner.log"
        assert "ended by signal 9; it is started anew" in log.read_text()
    finally:
        code, _, said = ask("queue", "stop")
    assert (code, said) == (0, "The runner has stopped.\n")
    bench.check_each_once()
    code, done, _ = ask("submit", spec, "--json")
    assert (done["stored"], done["jobs"]) == (1, 0)


@pytest.mark.slow
def test_the_second_stage_of_a_funnel_follows_by_itself(bench, ask, tmp_path):
    funnel = {"engine": "xtb", "level": "fast", "keep": 1}
    spec = written(tmp_path, polymers=PAIR, level="moderate", funnel=funnel, overrides={})
    code, done, _ = ask("submit", spec, "--json")
    assert (code, done["stage"], len(done["submitted"])) == (0, "ranking", 2)
    assert ask("queue", "run", "--until-done")[0] == 0
    table = result_table(bench.project.store())
    believed = table[
        (table["level"] == "fast") & table["trustworthy"]
    ]  # ammonia needs a hundred steps and more, now and then too many
    best = believed.sort_values("binding_energy")["polymer"].iloc[0]
    assert list(table[table["level"] == "moderate"]["polymer"]) == [best]
    code, done, _ = ask("submit", spec, "--json")
    assert (done["stage"], done["stored"], done["submitted"]) == ("interfaces", 1, [])


@pytest.mark.slow
def test_what_is_cancelled_is_not_run_and_can_be_submitted_again(bench, ask, tmp_path):
    spec = written(tmp_path, polymers=PAIR)
    ask("submit", spec)
    code, found, said = ask("cancel", "water-layer + methan")
    assert code == 2
    assert "water-layer + methane" in said
    code, done, _ = ask("cancel", "water-layer + methane", "--json")
    assert (code, done["cancelled_jobs"]) == (0, 11)
    code, found, _ = ask("status", "--json")
    states = {item["name"]: item["state"] for item in found["items"]}
    assert states["water-layer + methane"] == "cancelled"
    assert states["water-layer + ammonia"] == "waiting"
    pages = Pages(None, {}, project="test")  # the same live, with the queue's own store
    (live,) = json.loads(pages.get("data.json")[0])["states"]
    pages.close()
    assert {row["name"]: row["state"] for row in live["rows"]} == states
    assert live["counts"] == {state: list(states.values()).count(state) for state in live["counts"]}
    assert live["title"] == "Queue test"
    assert live["remark"].startswith("No runner is at work")
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d", row["since"]) for row in live["rows"])
    code, done, _ = ask("submit", spec, "--json")
    assert (done["queued"], done["submitted"]) == (1, ["water-layer + methane"])
    assert ask("cancel", "--all", "--json")[1]["cancelled_jobs"] > 0
    assert set(ask("status", "--json")[1]["jobs"]) == {"cancelled"}
    assert ask("recover")[2] == "Nothing in the queue needs recovery.\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("submit",), "Give either the YAML file"),
        (("submit", "--filler", "water-layer", "--polymer", "methane", "--worker", "mian"), "main"),
        (("submit", "--filler", "water-layer", "--polymer", "methane", "--project", "tset"), "test"),
        (("submit", "nowhere.yaml"), "nowhere.yaml"),
        (("cancel",), "--all"),
        (("serve", "--project", "tset"), "test"),
    ],
)
def test_bad_input_is_one_sentence(bench, ask, words, expected):
    code, out, err = ask(*words)
    assert code == 2
    assert out == ""
    assert expected in err
    assert err.count("\n") == 1


def test_without_a_project_the_way_to_one_is_told(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("jobflow_remote.SETTINGS.projects_folder", str(tmp_path / "nothing"))
    code, _, err = ask("status")
    assert code == 2
    assert "iface-wf queue init" in err


@pytest.mark.slow
def test_a_server_that_is_down_is_one_sentence(bench, ask, tmp_path):
    project = tmp_path / "projects" / "test.yaml"
    project.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:9", project.read_text()))
    code, _, err = ask("status")
    assert code == 2
    assert "does not answer" in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_jobflow_remotes_own_command_line_finds_ours(bench):
    jf = Path(sys.executable).with_name("jf")
    done = subprocess.run([jf, "iface-wf", "--version"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("iface-wf ")  # jf says first which project it takes
    done = subprocess.run([jf, "iface-wf", "status", "--json"], capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout[done.stdout.index("{") :])["project"] == "test"
    done = subprocess.run([jf, "iface-wf", "cancel"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2


@pytest.mark.slow
def test_from_nothing_to_results_with_one_command(tmp_path, monkeypatch):
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(write_library(tmp_path / "library")))
    monkeypatch.setenv("TMPDIR", "/tmp")  # sockets have short names: pytest's folders are too deep
    spec = written(tmp_path, polymers=PAIR)
    done = subprocess.run(
        ["bash", str(ROOT / "scripts" / "queue_demo.sh"), str(spec)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [line for line in done.stdout.splitlines() if re.match(r"\s*[0-9a-f]{8}\s+water-layer", line)]
    assert len(rows) == 2
    for row in rows:
        assert re.search(r"xtb fast.* -\d+\.\d{3}", row)

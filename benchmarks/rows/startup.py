"""How long commands take before they do anything: imports, the first table, a result that is stored.

python -m benchmarks.rows.startup
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import ROOT, Figure, Row, Section, cpu_seconds, script

sys.path.insert(0, str(ROOT))

TABLE = """
import time
start, cpu = time.perf_counter(), time.process_time()
import iface_wf
iface_wf.results()
print(time.process_time() - cpu, time.perf_counter() - start)
"""
JOB = """
import time
start, cpu = time.perf_counter(), time.process_time()
from iface_wf.queues import execute
execute._leave_out_s3()
import jobflow_remote.jobs.run
import iface_wf.engines.vasp.engine
print(time.process_time() - cpu, time.perf_counter() - start)
"""
PEER_JOB = """
import time
start, cpu = time.perf_counter(), time.process_time()
import jobflow_remote.jobs.run
import atomate2.vasp.jobs.core
print(time.process_time() - cpu, time.perf_counter() - start)
"""


def told(code: str, repeats: int, environment: dict[str, str]) -> Figure:
    """Least of some processes that measure themselves."""
    spent = []
    for _ in range(repeats + 1):  # the first writes caches
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        spent.append([float(word) for word in done.stdout.split()[-2:]])
    return Figure(*(min(values) for values in zip(*spent[1:], strict=True)))


def command(words: list[str], repeats: int, environment: dict[str, str]) -> Figure:
    """Least of some runs of a command."""
    spent = []
    for _ in range(repeats + 1):
        before, started = cpu_seconds(), time.perf_counter()
        subprocess.run([sys.executable, "-m", "iface_wf", *words], env=environment, capture_output=True, check=True)
        spent.append((cpu_seconds() - before, time.perf_counter() - started))
    return Figure(*(min(values) for values in zip(*spent[1:], strict=True)))


def measure(options):
    from iface_wf.store.settings import open_store
    from tests.examples import document, put

    section = Section("Start of Python")
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"IFACE_WF_STORE": str(Path(folder) / "store.sqlite"), "PYTHONPATH": str(ROOT)}
        store = open_store(environment["IFACE_WF_STORE"])
        put(store, document("d" * 64), "11111111-1111-1111-1111-111111111111")
        store.close()
        figure = told(TABLE, options.repeats, environment)
        section.rows.append(Row("`import iface_wf; iface_wf.results()`", figure, most=0.5))
        figure, theirs = (told(code, options.repeats, environment) for code in (JOB, PEER_JOB))
        section.rows.append(
            Row("imports of a job of a queue, VASP", figure, theirs, "jobflow-remote with atomate2", 1.0)
        )
        if not options.quick:
            words = ["run", "--filler", "LiI", "--polymer", "PEO", "--engine", "xtb", "--dry-run"]
            section.rows.append(stored_run(words, options.repeats, environment))
            figure = command(["results"], options.repeats, environment)
            section.rows.append(Row("`iface-wf results`", figure, most=1.5))
    return section


def stored_run(words: list[str], repeats: int, environment: dict[str, str]) -> Row:
    try:
        return Row(
            "`iface-wf run --dry-run`: builds slab and molecule, looks for what is stored",
            command(words, repeats, environment),
            most=1.5,
        )
    except subprocess.CalledProcessError as error:
        return Row(
            "`iface-wf run --dry-run`: builds slab and molecule, looks for what is stored",
            Figure(),
            note=error.stderr.decode().strip()[-200:],
        )


if __name__ == "__main__":
    script(measure, __doc__)

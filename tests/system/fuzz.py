"""Give the command line thousands of bad inputs, and judge how it answers.

``python -m tests.system.fuzz --seed 1 --count 5000``, from the root of the checkout. Every input runs in a fork of this
process, in a folder of its own, so that nothing is imported twice, and a hang, a crash or a greedy one harms no other.
"""

import argparse
import gc
import importlib
import io
import json
import os
import pkgutil
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.system.fuzz_inputs import INTRUDER, SECRET, Case, make_case

#: Seconds of processor time, and of the clock: in which a call does nothing at all, as before a pipe, and in all. Other people
#: use this machine too, so a call that is given no time must not count as hanging.
MOST_CPU, MOST_IDLE, MOST_WALL = 20.0, 60.0, 600.0
#: Address space of one call, bytes: what takes more is greedy.
MOST_MEMORY = 12 * 2**30
MOST_LINES, LONGEST = 3, 6_500
#: Modules that are programs or need what may not be there, and what commands import late.
LEFT_OUT = ("iface_wf.__main__", "iface_wf.engines.gpaw", "iface_wf.engines.mlip", "iface_wf.queues.execute")
LATE = (
    "iface_wf.engines.gpaw.engine",
    "iface_wf.engines.mlip.engine",
    "gpaw.new.ase_interface",
    "pandas",
    "rich.console",
)
EXIT_CODES = (0, 1, 2)


class Answer(NamedTuple):
    """How a call ended: exit code or minus the signal, what it wrote, seconds of processor time, and what it left."""

    code: int
    out: str
    err: str
    cpu: float
    hung: bool
    leaks: tuple[str, ...]
    intruder: bool


def faults(answer: Answer) -> list[str]:
    """Say what is wrong with an answer; empty when all is well."""
    found = []
    lines = [line for line in answer.err.splitlines() if line.strip()]
    if answer.hung or answer.cpu > MOST_CPU:
        found.append("hang")
    elif answer.code not in EXIT_CODES:
        found.append(f"exit code {answer.code}")
    if "Traceback (most recent" in answer.err + answer.out or "--debug for the traceback" in answer.err:
        found.append("unforeseen")
    if "memory of this machine" in answer.err:
        found.append("memory")
    if SECRET in answer.out + answer.err or answer.leaks:
        found.append(f"secret {' '.join(answer.leaks)}")
    if answer.intruder:
        found.append("ran what a user wrote")
    asked_for_help = "\nCommands:" in answer.err  # what a command says that was given nothing
    if (
        answer.code == 2
        and not asked_for_help
        and (len(lines) > MOST_LINES or max(map(len, lines), default=0) > LONGEST)
    ):
        found.append("long message")
    if answer.code == 2 and not lines:
        found.append("no message")
    if "\x1b" in answer.out + answer.err:
        found.append("terminal escape")
    return found


def prepare(folder: Path) -> None:
    """Write what all calls find: a library of tiny things and a store with one result; and import everything, once for all."""
    import iface_wf
    from iface_wf.store.settings import open_store
    from tests.examples import document, put
    from tests.tiny_library import write_library

    for _, name, _ in pkgutil.walk_packages(iface_wf.__path__, "iface_wf."):
        if not name.startswith(LEFT_OUT):
            importlib.import_module(name)
    for name in LATE:
        importlib.import_module(name)
    write_library(folder / "tiny")
    store = open_store(str(folder / "filled.sqlite"))
    put(store, document("abc0" + "1" * 60))
    store.close()
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, all that is shared


def call(case: Case, common: Path) -> Answer:
    """Run one input in a fork and wait for it."""
    place = Path(tempfile.mkdtemp(dir=common))
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os._exit(_child(case, place, common))
    hung, used, moved = False, 0.0, started
    while not (ended := os.wait4(pid, os.WNOHANG))[0]:
        now, before = time.monotonic(), used
        used = _processor_time(pid)
        moved = now if used > before else moved
        if now - moved > MOST_IDLE or now - started > MOST_WALL:
            hung = True
            os.killpg(pid, signal.SIGKILL)
            ended = os.wait4(pid, 0)
            break
        time.sleep(0.02)
    _, status, usage = ended
    out, err = ((place / name).read_text(errors="replace") for name in ("stdout", "stderr"))
    leaks = tuple(str(path.relative_to(place)) for path in place.rglob("*") if _holds_secret(path))
    intruder = any(place.rglob(INTRUDER))
    shutil.rmtree(place, ignore_errors=True)
    return Answer(os.waitstatus_to_exitcode(status), out, err, usage.ru_utime + usage.ru_stime, hung, leaks, intruder)


def _processor_time(pid: int) -> float:
    """Return the processor time of a process, s."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _holds_secret(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.name in ("stdout", "stderr"):
        return False
    return SECRET.encode() in path.read_bytes()[:10_000_000]


def _child(case: Case, place: Path, common: Path) -> int:
    """Set the stage and run the command line; return its exit code."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(2 * MOST_CPU), int(2 * MOST_CPU)))
    os.chdir(place)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), case.encoding, write_through=True)
    sys.stderr = io.TextIOWrapper(
        os.fdopen(2, "wb", closefd=False), case.encoding, "backslashreplace", write_through=True
    )
    _furnish(case, place, common)
    from iface_wf.cli.main import main

    try:
        code = _call_python(case) if case.function else main(case.arguments)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001
        import traceback

        traceback.print_exc()
        code = 99
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
    return code


def _call_python(case: Case) -> int:
    """Call a function of Python; our own errors are what a user is meant to see, and unknown names are Python's to refuse."""
    import iface_wf

    try:
        getattr(iface_wf, case.function)(**case.keywords)
    except iface_wf.IfaceError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, iface_wf.InputError) else 1
    return 0


def _furnish(case: Case, place: Path, common: Path) -> None:
    for name in ("home/data", "home/config", "folder", "folder.yaml"):
        (place / name).mkdir(parents=True)
    os.mkfifo(place / "pipe")
    os.mkfifo(place / "pipe.cif")
    (place / "text").write_text("no database\n" * 100)
    (place / "broken-link").symlink_to("nowhere")
    (place / "loop").symlink_to("loop")
    shutil.copy(common / "filled.sqlite", place / "filled.sqlite")
    for name, content in case.files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in [name for name in os.environ if name.startswith(("IFACE_WF_", "XDG_", "JFREMOTE_"))]:
        del os.environ[name]
    os.environ |= {
        "HOME": str(place / "home"),
        "XDG_DATA_HOME": str(place / "home" / "data"),
        "XDG_CONFIG_HOME": str(place / "home" / "config"),
        "JFREMOTE_PROJECTS_FOLDER": str(place / "home" / "jfremote"),
        "IFACE_WF_LIBRARY": str(common / "tiny"),
        **case.environment,
    }


def kind_of(answer: Answer, found: list[str]) -> str:
    """Name a fault so that equal ones are counted together."""
    last = next((line for line in reversed(answer.err.splitlines()) if line.strip()), "")
    return f"{'; '.join(found)}: {re.sub(r'[0-9]+', 'N', last)[:110]}"


def run(
    seed: int, numbers: list[int], processes: int = 2, tell: bool = False
) -> dict[int, tuple[Case, Answer, list[str]]]:
    """Run inputs and return the faulty ones by number."""
    wrong = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        common = Path(name)
        prepare(common)

        def one(number: int) -> tuple[int, Case, Answer]:
            case = make_case(seed, number)
            return number, case, call(case, common)

        with ThreadPoolExecutor(processes) as pool:
            for done, (number, case, answer) in enumerate(pool.map(one, numbers), start=1):
                found = faults(answer)
                if found:
                    wrong[number] = (case, answer, found)
                    if tell:
                        print(f"{number}: {kind_of(answer, found)}", flush=True)
                if tell and done % 100 == 0:
                    print(f"{done} inputs, {len(wrong)} faults", flush=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", help="Numbers to run again, and to show in full.")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    numbers = given.only or list(range(given.first, given.first + given.count))
    started = time.monotonic()
    wrong = run(given.seed, numbers, given.processes, tell=not given.only)
    for number, (case, answer, found) in wrong.items() if given.only else ():
        shown = {
            "arguments": [a[:300] for a in case.arguments],
            "environment": case.environment,
            "encoding": case.encoding,
            "python": f"{case.function} {case.keywords!r}"[:600] if case.function else "",
        }
        print(f"\n== {number}: {found}, exit code {answer.code}, {answer.cpu:.1f} s\n{json.dumps(shown)}")
        for file, content in case.files.items():
            print(f"-- {file}\n{content[:1500].decode(errors='replace')}")
        print(f"-- stdout\n{answer.out[-1500:]}\n-- stderr\n{answer.err[-3000:]}")
    counts = Counter(kind_of(answer, found) for _, answer, found in wrong.values())
    for kind, count in counts.most_common():
        print(f"{count:5d}  {kind}")
    print(f"{len(numbers)} inputs of seed {given.seed}, {len(wrong)} faults, {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

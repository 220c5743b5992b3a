"""Measure the rows of `docs/performance.md`, and write the page.

    make bench                                      # everything, at most an hour on two cores
    python -m benchmarks.bench --rows bader slabs   # some rows; the others stay as they were measured
    python -m benchmarks.bench --page               # the page again, from what was measured
    python -m benchmarks.bench --ratios             # the small rows, as the new ratios that a test compares with

Each row is a script of `benchmarks/rows/` and runs in a process of its own; what fails or takes too long is named on the page.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, Figure, Row, table

FOLDER = Path(__file__).parent
MEASURED = FOLDER / "measured.json"
RATIOS = FOLDER / "ratios.json"
PAGE = ROOT / "docs" / "performance.md"
ROWS = {
    "bader": 1500, "all_electron": 600, "chgcar": 300, "difference": 300, "slabs": 600, "results": 600, "planning": 400,
    "startup": 200, "search": 600, "lcao": 600,
}  # fmt: skip
"""Rows in the order of the page, and the seconds after which each is given up."""

QUICK = ("bader", "all_electron", "chgcar", "difference", "slabs", "results")
"""Rows that have a small case which compares with a peer within seconds: the test of regressions runs these."""

WORSE = 1.3
"""A ratio to a peer may become worse by this factor."""


def run(name: str, seconds: float, *options: str) -> dict[str, Any]:
    """Run a row; return what it measured, or why not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "row.json"
        command = [sys.executable, "-m", f"benchmarks.rows.{name}", "--json", str(path), *options]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"not finished within {seconds:g} s"}
        if done.returncode or not path.exists():
            return {"failed": (done.stderr.strip().splitlines() or ["no reason given"])[-1]}
        print(done.stdout, flush=True)
        return json.loads(path.read_text(encoding="utf-8"))


def rows_of(section: dict[str, Any]) -> list[Row]:
    """Read rows back from JSON."""
    rows = []
    for each in section["rows"]:
        figures = {side: each[side] and Figure(**each[side]) for side in ("ours", "peer")}
        rows.append(Row(**each | figures))
    return rows


def ratios(section: dict[str, Any]) -> dict[str, float]:
    """Return what can be compared from run to run: how many times what we take the peer takes."""
    found = {
        f"{row.name}, {row.peer_name.split()[0]}": row.ratio for row in rows_of(section) if row.ratio and row.peer_name
    }
    return {name: round(ratio, 3) for name, ratio in found.items() if ratio is not None}


def quick_ratios(names: tuple[str, ...] = QUICK, repeats: int = 3) -> dict[str, dict[str, float]]:
    """Measure the small cases."""
    measured = {name: run(name, 300, "--quick", "--repeats", str(repeats)) for name in names}
    failed = {name: each["failed"] for name, each in measured.items() if "failed" in each}
    if failed:
        raise RuntimeError(f"Rows failed: {failed}")
    return {name: ratios(each) for name, each in measured.items()}


def machine() -> dict[str, Any]:
    """Describe the machine and what is installed."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "unknown")
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    packages = {}
    for name in ("numpy", "numba", "scipy", "pandas", "pymatgen-core", "ase", "gpaw", "jobflow", "maggma", "h5py"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "not installed"
    return {
        "cpu": model + (", AVX-512" if "avx512f" in flags else ""),
        "cores": len(os.sched_getaffinity(0)),
        "memory": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": sys.version.split()[0],
        "packages": packages,
    }


def page(measured: dict[str, Any]) -> str:
    """Write the page from what was measured and the texts in `benchmarks/pages/`."""
    about = measured["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    parts = [
        (FOLDER / "pages" / "head.md").read_text(encoding="utf-8").strip(),
        f"Measured on {measured['date']}: {about['cpu']}, {about['cores']} cores, {about['memory']} GB, load {measured['load']:.1f} at "
        f"the beginning; Python {about['python']}, {packages}.",
    ]
    missing = []
    for name in ROWS:
        section = measured["rows"].get(name)
        text = FOLDER / "pages" / f"{name}.md"
        if section is None or "failed" in section:
            missing.append(f"- `{name}`: {section['failed'] if section else 'not measured'}")
            continue
        own = text.read_text(encoding="utf-8").strip() if text.exists() else ""
        table_text = section.get("table") or "\n".join(table(rows_of(section)))
        command = f"```text\npython -m benchmarks.rows.{name}\n```"
        parts += [f"## {section['title']}", own, command, table_text, section["text"]]
    parts.append((FOLDER / "pages" / "tail.md").read_text(encoding="utf-8").strip())
    parts += ["## Not measured", "\n".join(missing)] if missing else []
    return "\n\n".join(part for part in parts if part) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--ratios", action="store_true")
    options = parser.parse_args()
    if options.ratios:
        RATIOS.write_text(json.dumps(quick_ratios(), indent=1) + "\n", encoding="utf-8")
        return
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {"rows": {}}
    if not options.page:
        measured |= {"date": dt.date.today().isoformat(), "machine": machine(), "load": os.getloadavg()[0]}
        started = time.monotonic()
        for name in options.rows:
            measured["rows"][name] = run(name, ROWS[name])
            MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
            said = measured["rows"][name].get("failed", "done")
            print(f"== {name}: {said}, {time.monotonic() - started:.0f} s so far", flush=True)
    PAGE.write_text(page(measured), encoding="utf-8")


if __name__ == "__main__":
    main()

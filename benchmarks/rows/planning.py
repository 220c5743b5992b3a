"""Planning a screening: structures, keys and jobs of 10,000 interfaces, and how many calculations that is.

python -m benchmarks.rows.planning
"""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import Figure, Row, Section, cpu_seconds, script
from benchmarks.screening_graph import psmiles, write_fillers
from iface_wf.library import Library
from iface_wf.screening.graph import build_screening
from iface_wf.screening.spec import ScreeningSpec


def plan(n_fillers: int, n_polymers: int):
    """Plan once; return the figures of both steps, the graph and the number of jobs."""
    with tempfile.TemporaryDirectory() as folder:
        fillers = write_fillers(Path(folder), n_fillers)
        given = {"fillers": fillers, "polymers": psmiles(n_polymers), "engine": "xtb"}
        spec = ScreeningSpec.model_validate(given)
        marks = [(cpu_seconds(), time.perf_counter())]
        graph = build_screening(spec, Library(Path(folder)))
        marks.append((cpu_seconds(), time.perf_counter()))
        flow = graph.flow("screening")
        marks.append((cpu_seconds(), time.perf_counter()))
    built, jobs = (Figure(*(b - a for a, b in zip(one, two, strict=True))) for one, two in pairwise(marks))
    return built, jobs, graph, len(flow.job_uuids)


def measure(options):
    section = Section("Planning a screening")
    sizes = (
        [(2, 4)]
        if options.quick
        else [(n // share, m // share) for share in (4, 2, 1) for n, m in [(options.fillers, options.polymers)]]
    )
    for n, m in sizes:
        built, jobs, graph, count = plan(n, m)
        name = f"{n} x {m} = {len(graph.items):,} interfaces"
        last = (n, m) == (50, 200)
        section.rows.append(Row(f"{name}: structures and keys", built, most=11.4 if last else None))
        section.rows.append(Row(f"{name}: {count:,} jobs", jobs, most=4.0 if last else None))
        relaxed = len({part for item in graph.items.values() for part in item.parts.values()})
        section.rows.append(
            Row(
                f"{n} x {m}: relaxed structures",
                Figure(count=relaxed + len(graph.items)),
                Figure(count=3 * n * m, cited=True),
                "atomate2's adsorption flow: slab, molecule and both of every pair",
                by="count",
            )
        )
    section.text = (
        "The goals are half of what an earlier version took (22.8 and 7.9 s), which made 60,500 jobs of these interfaces; now there are "
        "twice as many. Half of the time of a job is in jobflow itself: it turns all its inputs into JSON to see whether a flow is among them."
    )
    return section


if __name__ == "__main__":
    script(measure, __doc__, fillers=50, polymers=200)

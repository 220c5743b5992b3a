"""A screening in an array of a real Slurm, on a file store: no server and no runner, and each calculation once."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.flows.graph import Graph
from iface_wf.screening.share import Share, read_share
from iface_wf.store.results import result_table
from iface_wf.store.settings import open_store
from tests.tiny_library import read_log, spec_text, write_library

PAGE = Path(__file__).parents[2] / "docs" / "queue-jobs.md"


@pytest.mark.slow
def test_an_array_divides_a_screening_and_calculates_what_it_shares_once(slurm, tmp_path):
    """The script of the documentation, with its folders and resources exchanged for those of the test."""
    text = re.findall(r"^```bash\n(#!/bin/bash\n.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[
        0
    ]
    text = re.sub(r"^#SBATCH --(account|nodes).*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(module|source) .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("1-8", "1-3").replace("/scratch/alice/iface", shlex.quote(str(tmp_path)))
    text = text.replace("iface-wf screen", f"{shlex.quote(sys.executable)} -m iface_wf screen")
    (tmp_path / "array.sh").write_text(text)
    (tmp_path / "spec.yaml").write_text(spec_text(fillers=["HF-layer", "water-layer"], polymers=["methane", "water"]))
    log = tmp_path / "calculations.jsonl"
    environment = os.environ | {
        "IFACE_WF_LIBRARY": str(write_library(tmp_path / "library")),
        "IFACE_WF_CALC_LOG": str(log),
    }
    sent = subprocess.run(
        ["sbatch", "--wait", "--ntasks=1", f"--output={tmp_path}/%a.out", str(tmp_path / "array.sh")],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    told = "".join(path.read_text() for path in sorted(tmp_path.glob("*.out")))
    assert sent.returncode == 0, sent.stderr + told
    assert sorted(re.findall(r"(\d) interfaces are stored, 0 gave", told)) == ["1", "1", "2"]
    table = result_table(open_store(str(tmp_path / "store.sqlite")))
    assert Counter(zip(table["filler"], table["polymer"], strict=True)) == Counter(
        {(filler, polymer): 1 for filler in ("HF-layer", "water-layer") for polymer in ("methane", "water")}
    )
    done = Counter(line["key"] for line in read_log(log) if line["event"] == "end")
    assert set(done.values()) == {1}
    assert len({line["pid"] for line in read_log(log)}) == 3


@pytest.mark.parametrize("count", [1, 3, 7, 12])
def test_shares_are_disjoint_and_together_everything(count):
    graph = Graph(refused=[("no", "why")])
    graph.items |= {str(number): Item() for number in range(7)}
    shares = [Share(number, count).part(graph) for number in range(1, count + 1)]
    assert [key for share in shares for key in share.items] == list(graph.items)
    assert max(len(share.items) for share in shares) - min(len(share.items) for share in shares) <= 1
    assert [refused for share in shares for refused in share.refused] == graph.refused


class Item:
    """A result without parts."""

    parts: dict = {}  # noqa: RUF012


@pytest.mark.parametrize(
    "text", ["", "3", "0/8", "9/8", "1/0", "-1/3", "a/b", "1/8/2", "1.5/2", "/", "/8", "1/9999999"]
)
def test_other_parts_are_refused(text):
    with pytest.raises(InputError, match="NUMBER/COUNT"):
        read_share(text)


def test_a_funnel_has_no_parts(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(write_library(tmp_path / "library")))
    (tmp_path / "spec.yaml").write_text(spec_text(engine="mlip", overrides={}, funnel={"engine": "xtb", "keep": 1}))
    words = ["screen", str(tmp_path / "spec.yaml"), "--part", "1/2", "--dry-run", "--store", str(tmp_path / "s.sqlite")]
    assert main(words) == 2
    assert "it has no parts" in capsys.readouterr().err

"""A slice of the generated bad inputs: each is answered soon, in a sentence, with an exit code, without a secret."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.fuzz import Answer, faults
from tests.system.fuzz_inputs import SECRET, make_case

ROOT = Path(__file__).parents[2]


def test_inputs_depend_on_their_seed_and_number_only():
    assert [make_case(1, n) for n in range(50)] == [make_case(1, n) for n in range(50)]
    assert make_case(1, 0) != make_case(2, 0)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"err": "Traceback (most recent call last):\nx"}, "unforeseen"),
        ({"code": -9, "hung": True}, "hang"),
        ({"cpu": 25.0}, "hang"),
        ({"code": -11}, "exit code -11"),
        ({"out": SECRET}, "secret"),
        ({"leaks": ("log",)}, "secret log"),
        ({"err": "a\nb\nc\nd"}, "long message"),
        ({"err": ""}, "no message"),
        ({"intruder": True}, "ran what a user wrote"),
    ],
)
def test_the_judge_sees_every_kind_of_fault(change, fault):
    good = {"code": 2, "out": "", "err": "iface-wf: no", "cpu": 1.0, "hung": False, "leaks": (), "intruder": False}
    assert faults(Answer(**good)) == []
    assert any(found.startswith(fault) for found in faults(Answer(**good | change)))


@pytest.mark.slow
def test_three_hundred_bad_inputs_without_a_fault():
    """In a process of its own: it forks, which it may only do before this one has started threads."""
    command = [sys.executable, "-m", "tests.system.fuzz", "--seed", "20261126", "--count", "300"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout

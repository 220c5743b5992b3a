from __future__ import annotations

import io

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from iface_wf.engines.vasp import line_reader
from iface_wf.engines.vasp.grids import read_volumetric
from iface_wf.engines.vasp.line_reader import LineReader
from iface_wf.errors import CalculationError

SHAPE = (7, 6, 11)


def written(folder, change=lambda lines: lines, form="%17.10E", width=5):
    """A file of two hydrogen atoms whose lines were changed, and its values."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=np.prod(SHAPE)) * 10.0 ** rng.integers(-60, 3, np.prod(SHAPE))
    words = [form % value for value in values]
    lines = [" " + " ".join(words[i : i + width]) for i in range(0, len(words), width)]
    header = Poscar(Structure(Lattice.cubic(3), ["H", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]])).get_str()
    path = folder / "LOCPOT"
    path.write_text(header + "\n" + " ".join(map(str, SHAPE)) + "\n" + "".join(f"{line}\n" for line in change(lines)))
    return path, np.array([float(word) for word in words]).reshape(SHAPE, order="F")


@pytest.mark.parametrize("chunk", [50, 1000, 1 << 22])
@pytest.mark.parametrize(("form", "width"), [("%17.10E", 5), ("%.16E", 10), ("%25.70f", 3), ("%.3e", 1)])
def test_values_are_those_that_were_written(form, width, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(line_reader, "CHUNK", chunk)
    path, values = written(tmp_path, form=form, width=width)
    np.testing.assert_array_equal(read_volumetric(path, occupancies=False).values, values)


def bare_exponents(lines):
    """As Fortran prints them: without their E."""
    return [line.replace("E-5", "-10") for line in lines]


def test_exponents_of_three_digits_are_read(tmp_path):
    path, values = written(tmp_path, bare_exponents)
    read = read_volumetric(path, occupancies=False).values
    tiny = (np.abs(values) < 1e-49) & (np.abs(values) >= 1e-59)
    assert tiny.any()
    np.testing.assert_array_equal(read[~tiny], values[~tiny])
    assert np.abs(read[tiny]).max() < 1e-99


def without(lines):
    """One exponent without E and one number missing: as many numbers as there should be for a lenient reader."""
    bare = bare_exponents(lines)
    index = next(i for i, (old, new) in enumerate(zip(lines, bare, strict=True)) if old != new)
    lines[index] = lines[index].replace("E-5", "-10", 1)
    lines[index + 1] = lines[index + 1].rsplit(maxsplit=1)[0]
    return lines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, "has 461 of 462 values"),
        (lambda lines: [*lines[:3], lines[3].rsplit(maxsplit=1)[0], *lines[4:]], "has 461 of 462 values"),
        (lambda lines: [*lines[:3], lines[3] + " 0.1E+01", *lines[4:]], "has 463 of 462 values"),
        (lambda lines: [lines[0] + " 0.1E+01", *lines[1:]], r"has \d+ of 462 values|cut off"),
        (lambda lines: [*lines[:3], " *****" + lines[3][18:], *lines[4:]], "stars"),
        (lambda lines: [*lines[:3], " nan" + lines[3][18:], *lines[4:]], "no finite numbers|could not convert"),
        (lambda lines: lines[:-1], "cut off in the grid"),
        (lambda lines: [*lines[:-1], lines[-1] + "x"], "could not convert"),
    ],
)
def test_damage_is_named(change, message, tmp_path):
    path, _ = written(tmp_path, change)
    with pytest.raises(CalculationError, match=message):
        read_volumetric(path, occupancies=False)


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
def test_lines_are_those_of_a_file_of_text(chunk, monkeypatch):
    monkeypatch.setattr(line_reader, "CHUNK", chunk)
    data = "é one\n\n two \r\nthree\nend".encode("latin-1")
    reader, texts = LineReader(io.BytesIO(data)), io.TextIOWrapper(io.BytesIO(data), encoding="latin-1")
    assert [reader.line() for _ in range(7)] == [texts.readline() for _ in range(7)]
    reader = LineReader(io.BytesIO(data))
    assert reader.line() == "é one\n"
    read = b""
    while len(read.splitlines()) < 2:
        lines, number = reader.whole_lines(2)
        assert lines.count(b"\n") == number > 0
        read += lines
    assert read == b"\n two \r\n"
    assert reader.whole_lines(5) == (b"three\n", 1)
    assert reader.whole_lines(5) == (b"", 0)
    assert [reader.line(), reader.line()] == ["end", ""]

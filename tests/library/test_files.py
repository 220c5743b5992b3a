"""Reading files of the user ends, whatever they are, and says in one sentence what is wrong."""

import os
import time

import pytest

from iface_wf.errors import InputError
from iface_wf.library.files import MAX_NODES, is_file, parse_mapping, parse_yaml, read_bytes, read_text, read_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    return tmp_path / "pipe.yaml"


def test_pipes_and_devices_are_refused_at_once(pipe):
    for path in (pipe, pipe.parent, pipe.parent / "no", pipe / "below", pipe.parent / ("x" * 300)):
        with pytest.raises(InputError, match="cannot be read"):
            read_text(path)
    for device in ("/dev/zero", "/dev/null"):
        with pytest.raises(InputError, match="no regular file"):
            read_bytes(pipe.parent.joinpath(device), 10)
    with pytest.raises(InputError, match="cannot be the name"):
        read_text(pipe.parent / "null\0")


def test_a_name_that_no_file_can_have_is_no_file(tmp_path):
    assert not is_file(tmp_path / ("C" * 5000))
    assert not is_file(tmp_path / "null\0")


def test_size_and_encoding(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x" * 11)
    assert len(read_bytes(path, 11)) == 11
    with pytest.raises(InputError, match="larger than the allowed 10 bytes"):
        read_bytes(path, 10)
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n")  # as editors of Windows write it
    assert read_yaml(path) == {"a": 1}
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        read_text(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("-2E+3", -2e3),
        ("1.5e-4", 1.5e-4),
        (".5e1", 5.0),
        ("1e", "1e"),
        ("e4", "e4"),
        ("5", 5),
        ("1_e4", "1_e4"),
    ],
)
def test_numbers_with_an_exponent_are_numbers(text, value):
    found = parse_yaml(text, "it")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]", "alias stands within"),
        ("a: &a\n  b: {c: *a}", "alias stands within"),
        (BOMB, f"more than {MAX_NODES} values"),
        ("[" * 100_000, "nested more than"),
        ("a: " + "{b: " * 5000, "nested more than"),
        ("- " * 400_000, "nested more than"),
        ("a: *nobody", "undefined alias"),
        ("? [a]\n: 1", "a key is a list"),
        ("a: 1\na: 2", "written twice"),
        ("a: " + "9" * 5000, "not valid YAML"),
        ("a: !!python/object/apply:os.getcwd []", "not valid YAML"),
        ("a: \x07", "not valid YAML"),
        ("a: \ud800", "not valid YAML"),
        ("<<: 1", "not valid YAML"),
        ("a: !!timestamp 2020-99-99", "not valid YAML"),
        ("%YAML 9.9\n---\na: 1", "not valid YAML"),
        ("a: 1\n---\na: 2", "not valid YAML"),
    ],
)
def test_yaml_that_is_too_much_or_wrong_is_one_sentence(text, message):
    started = time.process_time()
    with pytest.raises(InputError, match=message) as caught:
        parse_yaml(text, "The file")
    assert time.process_time() - started < 5
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_aliases_of_bearable_size_are_read():
    assert parse_yaml("a: &a {x: 1}\nb: [*a, *a]", "it") == {"a": {"x": 1}, "b": [{"x": 1}, {"x": 1}]}


@pytest.mark.slow
def test_sixty_thousand_keys_take_seconds():
    started = time.process_time()
    assert len(parse_mapping("".join(f"k{i}: {i}\n" for i in range(60_000)), "it")) == 60_000
    assert time.process_time() - started < 10  # 2 s here; with keys compared one by one it took many minutes


@pytest.mark.parametrize("text", ["", "- a", "a", "1: 2", "no: 2", "null: 2", "a: 1\n? 2\n: 3"])
def test_a_mapping_has_words_as_keys(text):
    with pytest.raises(InputError, match="must be a YAML mapping"):
        parse_mapping(text, "The file")

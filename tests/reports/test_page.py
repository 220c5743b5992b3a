"""The page needs nothing from outside and never runs what a name says."""

import re
from html.parser import HTMLParser

import pytest

from iface_wf.reports.names import file_stem, interface_name
from iface_wf.reports.page import html_page
from tests.examples import document

EVIL = "<script>alert('x')</script>\"'&"


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


def parsed(page):
    tags = Tags()
    tags.feed(page)
    return tags


@pytest.mark.slow
def test_names_are_escaped_everywhere():
    changes = {"filler": EVIL, "polymer": EVIL, "surface": EVIL, "functional": EVIL, "flags": [EVIL]}
    page = html_page(document(**changes, provenance={"note": EVIL}), EVIL, EVIL)
    found = parsed(page)
    assert "script" not in found.tags
    assert EVIL in " ".join(found.text)


@pytest.mark.slow
def test_no_name_steers_the_terminal_of_who_looks_into_the_page():
    name = "Li\x1b[2J\x9b31m\x07F"
    page = html_page(document(filler=name, polymer=name, provenance={"note": name}), name, name)
    assert all(character.isprintable() or character in "\n\t" for character in page)


@pytest.mark.slow
def test_page_is_self_contained():
    found = parsed(html_page(document(), "uuid", "2026-01-01"))
    assert len(found.links) == 1
    assert found.links[0].startswith("data:image/png;base64,")


@pytest.mark.slow
def test_page_gives_number_unit_and_sign():
    text = " ".join(" ".join(parsed(html_page(document(), "uuid-1", "2026-01-01")).text).split())
    meaning = "E(AB) - E(A) - E(B), counterpoise corrected; negative = bound"
    assert f"binding energy -0.400 ± 0.250 eV {meaning}" in text
    assert "covers basis 0.008, geometry 0.250; not known: search, dispersion, lateral, model" in text
    assert "charge transfer polymer 0.03 e positive = lost electrons; the components sum to 0" in text
    assert "uuid-1" in text


def test_untrustworthy_result_is_marked():
    text = " ".join(parsed(html_page(document(flags=["desorbed (AB)"], converged=False), "u", "t")).text)
    assert "desorbed (AB)" in text
    assert "Not converged" in text


def test_missing_numbers_do_not_break_the_page():
    empty = document(
        binding_energy=None, binding_energy_per_area=None, deformation_energy={}, charge_transfer={},
        density_difference=None, grid=None, polymer=None, units=None, salt="LiTFSI",
    )  # fmt: skip
    assert "LiTFSI on LiF" in html_page(empty, "u", "t")


def test_file_names_are_safe():
    stem = file_stem(document(filler="../../etc/passwd", polymer="a b/c\0"))
    assert re.fullmatch(r"[A-Za-z0-9_+-]+", stem)
    assert interface_name(document(units=2)) == "HF (2 units) on LiF (001)"

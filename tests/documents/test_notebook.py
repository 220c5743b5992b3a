"""What a notebook shows of a result: its numbers, and text of others as text."""

from html.parser import HTMLParser

from tests.examples import document

EVIL = "<script>alert('x')</script>\"&\x1b[2J"


class Cells(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.text = set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        self.text += data
        if self.rows and data.strip():
            self.rows[-1].append(data)


def test_every_number_has_its_unit():
    result = document()
    shown = {row[0]: row[1:] for row in Cells(result._repr_html_()).rows[1:]}
    assert shown["binding energy"] == ["-0.4000", result.units_of["binding_energy"]]
    assert shown["charge transfer polymer"] == ["0.0300", result.units_of["charge_transfer"]]
    assert shown["deformation energy A"] == ["0.0300", "eV"]
    assert "lateral energy" not in shown  # not known


def test_names_are_text_and_doubt_is_told():
    found = Cells(document(filler=EVIL, polymer=EVIL, functional=EVIL, flags=["desorbed", EVIL])._repr_html_())
    assert "script" not in found.tags
    assert found.text.count(EVIL.replace("\x1b", "\ufffd")) == 4
    assert "NOT TRUSTWORTHY" in found.text
    assert "NOT TRUSTWORTHY" not in document()._repr_html_()
